"""The names of gateways that refunded, found without reading every payment.

Belongs here: one index on ``storefront.transactions``.
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

UP = (
    "CREATE INDEX transactions_gateway ON storefront.transactions (gateway, refund_id) "
    "WHERE kind = 'REFUND' AND status = 'SUCCESS' AND NOT is_test"
)


def upgrade() -> None:
    """Make it."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX storefront.transactions_gateway")
