"""What the storefront did with refunded units in its own stock, and when a stock level is judged again.

Belongs here: columns of ``storefront.refund_lines`` and ``recon.stock_moves``; the storefront is read once more from
the first month on, so that earlier refunds tell it too.
"""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE storefront.refund_lines
    ADD restock_type text NOT NULL DEFAULT '',
    ADD location_id text NOT NULL DEFAULT '';
ALTER TABLE recon.stock_moves ADD judge_at timestamptz;
DELETE FROM recon.watermarks WHERE source = 'storefront/refunds';
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE storefront.refund_lines DROP restock_type, DROP location_id")
    op.execute("ALTER TABLE recon.stock_moves DROP judge_at")
