"""What checks count over the last weeks is counted in an index alone, and only what they ask for.

Belongs here: the index of returns closed with value, by what they say of their refund, and that of stock moves by
disposition, which the index of the newest held as well.
"""

from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

UP = """
CREATE INDEX returns_closed_with_value ON swap.returns (changed_at) INCLUDE (processed_at, processed_word)
    WHERE status = 'Closed' AND refund_pence + store_credit_pence > 0;
DROP INDEX recon.stock_moves_newest;
CREATE INDEX stock_moves_newest ON recon.stock_moves (changed_at);
CREATE INDEX stock_moves_counted ON recon.stock_moves (disposition, changed_at)
    INCLUDE (state, level_verdict, quantity);
"""
DOWN = """
DROP INDEX swap.returns_closed_with_value, recon.stock_moves_counted, recon.stock_moves_newest;
CREATE INDEX stock_moves_newest ON recon.stock_moves (changed_at) INCLUDE (disposition, state, level_verdict, quantity);
"""


def upgrade() -> None:
    """Make them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
