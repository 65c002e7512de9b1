"""A database says whose it is, so that nothing of one merchant is ever mixed with another's.

Belongs here: the merchant's name beside the mark. An installation that names no merchant has none.
"""

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.execute("ALTER TABLE recon.installation ADD merchant text NOT NULL DEFAULT ''")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE recon.installation DROP merchant")
