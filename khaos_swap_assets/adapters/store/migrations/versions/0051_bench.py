"""Where an inspection came from: the gateway, a file, a person's correction, or the bench of the desk.

Belongs here: ``recon.inspections.source``; empty for what came before.
"""

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.execute("ALTER TABLE recon.inspections ADD source text NOT NULL DEFAULT ''")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE recon.inspections DROP source")
