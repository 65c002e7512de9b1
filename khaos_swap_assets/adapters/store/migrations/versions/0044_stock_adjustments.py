"""Stock adjustments that people are asked to make in Khaos.

Belongs here: ``recon.stock_adjustments``. Returns with a document that moved no goods stand in line, so that what was
left out before is asked for.
"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.stock_adjustments (
    adjustment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    return_id text NOT NULL,
    product_id text NOT NULL,
    disposition text NOT NULL CHECK (disposition IN ('sellable', 'damaged')),
    rma text NOT NULL,
    stock_code text NOT NULL,
    site_id integer NOT NULL,
    quantity integer NOT NULL CHECK (quantity <> 0),
    state text NOT NULL CHECK (state IN ('asked', 'done', 'settled', 'withdrawn')),
    asked_at timestamptz NOT NULL,
    look_at timestamptz NOT NULL,
    level_before integer,
    level_before_at timestamptz,
    level_after integer,
    level_after_at timestamptz,
    ended_by text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    ended_at timestamptz
);
CREATE UNIQUE INDEX stock_adjustments_open ON recon.stock_adjustments
    (return_id, product_id, disposition, stock_code) WHERE state = 'asked';
CREATE INDEX stock_adjustments_return ON recon.stock_adjustments (return_id);
CREATE INDEX stock_adjustments_look ON recon.stock_adjustments (look_at) WHERE state = 'asked';
CREATE INDEX stock_adjustments_ended ON recon.stock_adjustments (ended_at) WHERE state IN ('done', 'settled');
ALTER TABLE recon.worklist DROP CONSTRAINT worklist_stage_check,
    ADD CONSTRAINT worklist_stage_check CHECK (stage IN ('match', 'draft', 'stock', 'reconcile'));
INSERT INTO recon.worklist (stage, return_id) SELECT DISTINCT 'stock', p.return_id FROM recon.postings p
    JOIN recon.drafts d USING (store_id, return_id, ordinal), jsonb_array_elements(d.draft -> 'lines') line
    WHERE p.state IN ('in_doubt', 'confirmed') AND line ->> 'disposition' = '' ON CONFLICT DO NOTHING;
"""


DOWN = """
DELETE FROM recon.worklist WHERE stage = 'stock';
ALTER TABLE recon.worklist DROP CONSTRAINT worklist_stage_check,
    ADD CONSTRAINT worklist_stage_check CHECK (stage IN ('match', 'draft', 'reconcile'));
DROP TABLE recon.stock_adjustments;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
