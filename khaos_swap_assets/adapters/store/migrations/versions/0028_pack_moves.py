"""Stock moves by Stock Code: a row that goes to Khaos as the components of its pack moves each of them.

Belongs here: the key of ``recon.stock_moves``. Back again, a row keeps one move a disposition: the first by Stock Code.
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.stock_moves DROP CONSTRAINT stock_moves_pkey,
    ADD PRIMARY KEY (return_id, product_id, disposition, stock_code);
"""

DOWN = """
DELETE FROM recon.stock_moves old USING recon.stock_moves other
    WHERE (old.return_id, old.product_id, old.disposition) = (other.return_id, other.product_id, other.disposition)
    AND old.stock_code > other.stock_code;
ALTER TABLE recon.stock_moves DROP CONSTRAINT stock_moves_pkey,
    ADD PRIMARY KEY (return_id, product_id, disposition);
"""


def upgrade() -> None:
    """Add the Stock Code to the key."""
    op.execute(UP)


def downgrade() -> None:
    """Take it out again."""
    op.execute(DOWN)
