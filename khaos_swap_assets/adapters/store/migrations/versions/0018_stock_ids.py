"""A Stock Code is found by its id, which it keeps when it is renamed, without looking through the catalogue.

Belongs here: the index that a pushed item, a deletion and a renaming look into.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.execute("CREATE INDEX stock_codes_id ON khaos.stock_codes (stock_id)")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX khaos.stock_codes_id")
