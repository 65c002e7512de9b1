"""Knocks of the storefront: an order that was cancelled, or whose refund was made, stands in the inbox beside Swap's.

Belongs here: the order that a knock is about, and the index by which knocks that say the same fold while they wait.
"""

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.inbox ADD COLUMN order_id text NOT NULL DEFAULT '' CHECK (length(order_id) <= 20);
DROP INDEX recon.inbox_unconsumed_knock;
CREATE UNIQUE INDEX inbox_unconsumed_knock ON recon.inbox (source, store_id, event, return_id, order_id)
    WHERE source IN ('swap', 'storefront') AND consumed_at IS NULL;
"""
DOWN = """
DELETE FROM recon.inbox WHERE source = 'storefront';
DROP INDEX recon.inbox_unconsumed_knock;
CREATE UNIQUE INDEX inbox_unconsumed_knock ON recon.inbox (store_id, event, return_id)
    WHERE source = 'swap' AND consumed_at IS NULL;
ALTER TABLE recon.inbox DROP COLUMN order_id;
"""


def upgrade() -> None:
    """Add the column; the index of Swap's knocks serves both."""
    op.execute(UP)


def downgrade() -> None:
    """Back to Swap's knocks alone; the next look over the storefront shows what the others told of."""
    op.execute(DOWN)
