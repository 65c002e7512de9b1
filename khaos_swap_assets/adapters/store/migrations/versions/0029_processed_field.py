"""Under which name Swap said whether a return was processed: version 1 of its API has another (swap.md §3.2).

Belongs here: a column of ``swap.returns``, filled from what Swap sent, for what people read.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE swap.returns ADD processed_field text NOT NULL DEFAULT 'rma_processed';
UPDATE swap.returns SET processed_field = 'processed' WHERE raw ? 'processed' AND NOT raw ? 'rma_processed';
"""


def upgrade() -> None:
    """Add and fill the column."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE swap.returns DROP processed_field")
