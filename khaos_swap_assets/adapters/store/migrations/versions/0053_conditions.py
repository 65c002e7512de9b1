"""Units by the merchant's own mapping of conditions.

Belongs here: B-grade, written-off and disputed units of ``recon.matched_lines``, and adjustments onto a B-grade Stock
Code. Returns that Swap calls Missing are matched again: its word alone settles nothing any more. Back again, what was
asked of B-grade goods is gone.
"""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.matched_lines
    ADD b_grade_quantity integer NOT NULL DEFAULT 0,
    ADD written_off_quantity integer NOT NULL DEFAULT 0,
    ADD disputed_quantity integer NOT NULL DEFAULT 0,
    ADD b_grade_code text NOT NULL DEFAULT '',
    ADD b_grade_problem text NOT NULL DEFAULT '';
INSERT INTO recon.worklist (stage, return_id) SELECT 'match', return_id FROM swap.returns
    WHERE quality_control_status ILIKE '%missing%' ON CONFLICT DO NOTHING;
CREATE INDEX matched_lines_b_grade ON recon.matched_lines (b_grade_code) WHERE b_grade_code <> '';
ALTER TABLE recon.stock_adjustments DROP CONSTRAINT stock_adjustments_disposition_check,
    ADD CONSTRAINT stock_adjustments_disposition_check CHECK (disposition IN ('sellable', 'damaged', 'b_grade'));
"""

DOWN = """
DELETE FROM recon.stock_adjustments WHERE disposition = 'b_grade';
ALTER TABLE recon.stock_adjustments DROP CONSTRAINT stock_adjustments_disposition_check,
    ADD CONSTRAINT stock_adjustments_disposition_check CHECK (disposition IN ('sellable', 'damaged'));
DROP INDEX recon.matched_lines_b_grade;
ALTER TABLE recon.matched_lines DROP b_grade_quantity, DROP written_off_quantity, DROP disputed_quantity,
    DROP b_grade_code, DROP b_grade_problem;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
