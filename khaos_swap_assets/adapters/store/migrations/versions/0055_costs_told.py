"""What a Stock Code cost on a day, and what was on no shelf when a month ended.

Belongs here: ``khaos.stock_costs``, a row for each cost that Khaos told, beginning with the costs known today; and the
indexes by which the ledger of custody is read back to a moment.
"""

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE khaos.stock_costs (
    stock_id text NOT NULL,
    told_on date NOT NULL,
    buy_pence bigint,
    PRIMARY KEY (stock_id, told_on)
);
INSERT INTO khaos.stock_costs SELECT stock_id, min((seen_at AT TIME ZONE 'Europe/London')::date), min(buy_pence)
    FROM khaos.stock_codes GROUP BY stock_id HAVING count(buy_pence) > 0;
CREATE INDEX custody_in_transit ON recon.custody (since) WHERE place = 'in_transit';
CREATE INDEX custody_movements_at ON recon.custody_movements (happened_at);
"""
DOWN = """
DROP TABLE khaos.stock_costs;
DROP INDEX recon.custody_in_transit;
DROP INDEX recon.custody_movements_at;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
