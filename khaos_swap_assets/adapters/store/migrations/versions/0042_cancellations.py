"""Orders that the shop cancelled, and how far Khaos is with them.

Belongs here: ``storefront.cancelled_orders`` and ``recon.cancellations``; the storefront is read once more from the
first month on, so that orders cancelled before are known too.
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE storefront.cancelled_orders (
    order_id text PRIMARY KEY,
    order_name text NOT NULL,
    cancelled_at timestamptz NOT NULL,
    reason text NOT NULL,
    total_pence bigint NOT NULL,
    currency text NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX cancelled_orders_at ON storefront.cancelled_orders (cancelled_at);
CREATE TABLE recon.cancellations (
    order_id text PRIMARY KEY,
    progress text NOT NULL CHECK (progress IN ('not_found', 'waiting', 'picking', 'sent', 'cancelled')),
    so_codes text[] NOT NULL,
    stage_id integer,
    asked_at timestamptz NOT NULL,
    next_ask_at timestamptz
);
CREATE INDEX cancellations_next ON recon.cancellations (next_ask_at);
CREATE INDEX cancellations_unsettled ON recon.cancellations (order_id)
    WHERE progress IN ('waiting', 'picking', 'sent');
DELETE FROM recon.watermarks WHERE source = 'storefront/refunds';
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE storefront.cancelled_orders, recon.cancellations")
