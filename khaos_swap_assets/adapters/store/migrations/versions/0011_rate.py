"""When Sales Orders were asked for, so that the queue's present rate costs by what was asked lately.

Belongs here: the index. Stays out: the queue (``adapters.store.queues``).
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.execute("CREATE INDEX wanted_orders_tried ON khaos.wanted_orders (tried_at) WHERE tried_at IS NOT NULL")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX khaos.wanted_orders_tried")
