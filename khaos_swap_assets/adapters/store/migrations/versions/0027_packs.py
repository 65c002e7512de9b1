"""What a component is worth in its pack: the proportions that Khaos pushes, and each item's own price.

Belongs here: ``khaos.pack_items`` by the ids of pack and component, since a push names no Stock Code, and the price in
``khaos.stock_codes``. The next full reading of the Stock Codes brings the prices.
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE khaos.pack_items (
    stock_id text NOT NULL,
    position integer NOT NULL,
    linked_stock_id text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    value_proportion numeric,
    PRIMARY KEY (stock_id, position)
);
ALTER TABLE khaos.stock_codes ADD sell_pence bigint;
CREATE INDEX matched_lines_pack_unclear ON recon.matched_lines (return_id) WHERE problem = 'pack_unclear';
DELETE FROM recon.watermarks WHERE source = 'khaos/stock_codes';
"""

DOWN = """
ALTER TABLE khaos.stock_codes DROP sell_pence;
DROP TABLE khaos.pack_items;
DROP INDEX recon.matched_lines_pack_unclear;
"""


def upgrade() -> None:
    """Add table and column."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away again."""
    op.execute(DOWN)
