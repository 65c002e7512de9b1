"""Inspections that take the place of others.

Belongs here: ``recon.inspections.corrects``, the id of the one that was wrong; each is replaced once at most.
"""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.execute("ALTER TABLE recon.inspections ADD corrects text NOT NULL DEFAULT ''")
    op.execute("CREATE UNIQUE INDEX inspections_corrects ON recon.inspections (corrects) WHERE corrects <> ''")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE recon.inspections DROP corrects")
