"""The ledger of custody: movements of returned units, and where they are.

Belongs here: ``recon.custody_movements`` and ``recon.custody``; units beyond a line of a return; and every return
stands in line once, so that the ledger begins with what is known.
"""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.custody_movements (
    movement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    return_id text NOT NULL,
    product_id text NOT NULL,
    from_place text NOT NULL,
    to_place text NOT NULL CHECK (to_place <> from_place),
    units integer NOT NULL CHECK (units > 0),
    happened_at timestamptz NOT NULL,
    source text NOT NULL CHECK (source IN ('swap', 'warehouse', 'khaos', 'person')),
    record text NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX custody_movements_return ON recon.custody_movements (return_id);
CREATE TABLE recon.custody (
    return_id text NOT NULL,
    product_id text NOT NULL,
    place text NOT NULL,
    units integer NOT NULL CHECK (units <> 0),
    value_pence bigint NOT NULL,
    currency text NOT NULL,
    rma text NOT NULL,
    sku text NOT NULL,
    stock_code text NOT NULL,
    since timestamptz NOT NULL
);
CREATE INDEX custody_return ON recon.custody (return_id);
CREATE INDEX custody_sku ON recon.custody (sku);
CREATE INDEX custody_stock_code ON recon.custody (stock_code);
CREATE INDEX custody_waiting ON recon.custody (since)
    WHERE place IN ('received', 'at_the_bench', 'inspected');
CREATE INDEX custody_unseen ON recon.custody (since) WHERE place = 'available_unseen';
CREATE TABLE recon.custody_days (
    place text NOT NULL,
    currency text NOT NULL,
    since_on date NOT NULL,
    units bigint NOT NULL,
    value_pence bigint NOT NULL,
    PRIMARY KEY (place, currency, since_on)
);
ALTER TABLE recon.matched_lines ADD excess_quantity integer NOT NULL DEFAULT 0;
ALTER TABLE recon.worklist DROP CONSTRAINT worklist_stage_check,
    ADD CONSTRAINT worklist_stage_check CHECK (stage IN ('match', 'draft', 'stock', 'reconcile', 'custody'));
INSERT INTO recon.worklist (stage, return_id) SELECT 'custody', return_id FROM swap.returns ON CONFLICT DO NOTHING;
"""

DOWN = """
DELETE FROM recon.worklist WHERE stage = 'custody';
ALTER TABLE recon.worklist DROP CONSTRAINT worklist_stage_check,
    ADD CONSTRAINT worklist_stage_check CHECK (stage IN ('match', 'draft', 'stock', 'reconcile'));
ALTER TABLE recon.matched_lines DROP excess_quantity;
DROP TABLE recon.custody_movements, recon.custody, recon.custody_days;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
