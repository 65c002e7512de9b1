"""Units that the shop took off orders which go on, and how far Khaos is with them.

Belongs here: ``recon.cancelled_parts`` and a column of ``storefront.refund_lines``; the storefront is read once more
from the first month on, so that earlier refunds tell how many units were ordered.
"""

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE storefront.refund_lines ADD ordered_quantity integer NOT NULL DEFAULT 0;
CREATE INDEX refund_lines_cancelled ON storefront.refund_lines (refund_id) WHERE restock_type = 'CANCEL';
CREATE TABLE recon.cancelled_parts (
    order_id text NOT NULL,
    sku text NOT NULL,
    units integer NOT NULL,
    progress text NOT NULL CHECK (progress IN ('not_found', 'waiting', 'picking', 'sent', 'cancelled', 'taken_off')),
    so_codes text[] NOT NULL,
    stage_id integer,
    units_now integer,
    units_most integer,
    asked_at timestamptz NOT NULL,
    next_ask_at timestamptz,
    PRIMARY KEY (order_id, sku)
);
CREATE INDEX cancelled_parts_next ON recon.cancelled_parts (next_ask_at);
DELETE FROM recon.watermarks WHERE source = 'storefront/refunds';
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE recon.cancelled_parts")
    op.execute("ALTER TABLE storefront.refund_lines DROP ordered_quantity")
