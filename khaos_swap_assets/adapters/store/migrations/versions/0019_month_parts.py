"""A return in each month in which it was paid, and the VAT of its refund.

Belongs here: one row a return and month where payments are of several months or not all is paid (period '': the
rest), and the view in which the month end finds every return once a month. The rows of a return add up to its row.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LEGS = (
    "gap_goods_pence, gap_quantity_pence, gap_tax_pence, gap_delivery_pence, gap_discount_pence, gap_fee_pence, "
    "gap_tender_pence, gap_exchange_pence, gap_fx_pence, gap_rounding_pence, gap_unexplained_pence"
)
FIGURES = "refund_pence, credited_pence, issued_pence, gap_pence"

UP = f"""
ALTER TABLE recon.reconciliation ADD refund_vat_pence bigint;
INSERT INTO recon.worklist (stage, return_id) SELECT 'reconcile', return_id FROM recon.reconciliation
    WHERE refund_pence <> 0 ON CONFLICT DO NOTHING;

CREATE TABLE recon.month_parts (
    return_id text NOT NULL REFERENCES recon.reconciliation ON DELETE CASCADE,
    period text NOT NULL CHECK (period ~ '^([0-9]{{4}}-(0[1-9]|1[0-2]))?$'),
    refund_pence bigint NOT NULL,
    credited_pence bigint NOT NULL CHECK (credited_pence >= 0),
    issued_pence bigint NOT NULL CHECK (issued_pence >= 0) CHECK (issued_pence <= credited_pence),
    gap_pence bigint NOT NULL,
    {LEGS.replace(",", " bigint NOT NULL,")} bigint NOT NULL,
    gap_timing_pence bigint NOT NULL,
    refund_vat_pence bigint,
    vat_gap_pence bigint,
    status text NOT NULL,
    PRIMARY KEY (return_id, period),
    CONSTRAINT gap_is_credited_less_refunded CHECK (gap_pence = credited_pence - refund_pence),
    CONSTRAINT legs_and_timing_add_up_to_the_gap CHECK ({LEGS.replace(", ", " + ")} + gap_timing_pence = gap_pence),
    CONSTRAINT nothing_is_credited_for_money_that_did_not_move CHECK (period <> '' OR credited_pence = 0)
);
CREATE INDEX month_parts_period ON recon.month_parts (period);

CREATE VIEW recon.monthly AS
SELECT r.return_id, r.rma, r.currency, r.gap_evidence, r.period, {FIGURES}, {LEGS}, 0::bigint AS gap_timing_pence,
    r.refund_vat_pence, r.vat_gap_pence, r.status
FROM recon.reconciliation r
WHERE NOT EXISTS (SELECT 1 FROM recon.month_parts m WHERE m.return_id = r.return_id)
UNION ALL
SELECT m.return_id, r.rma, r.currency, r.gap_evidence, m.period,
    {", ".join(f"m.{name}" for name in f"{FIGURES}, {LEGS}".split(", "))}, m.gap_timing_pence,
    m.refund_vat_pence, m.vat_gap_pence, m.status
FROM recon.month_parts m JOIN recon.reconciliation r USING (return_id);
"""

DOWN = """
DROP VIEW recon.monthly;
DROP TABLE recon.month_parts;
ALTER TABLE recon.reconciliation DROP refund_vat_pence;
"""


def upgrade() -> None:
    """Make the table and the view; every refund is judged again for its VAT."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away again."""
    op.execute(DOWN)
