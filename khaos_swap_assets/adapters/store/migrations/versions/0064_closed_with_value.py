"""What the returns closed with value of the last weeks say of their refund is counted without reading them.

Belongs here: the index that holds all that this count asks for.
"""

from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it."""
    op.execute(
        "CREATE INDEX returns_closed_with_value ON swap.returns (changed_at) INCLUDE (processed_at, processed_word) "
        "WHERE status = 'Closed' AND refund_pence + store_credit_pence > 0"
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX swap.returns_closed_with_value")
