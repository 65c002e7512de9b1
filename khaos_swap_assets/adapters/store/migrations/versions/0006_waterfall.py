"""The penny waterfall on each reconciliation row: one column a leg, the fields that say so, and the gap of VAT.

Belongs here: the legs of ``judging.waterfall`` as columns, and the rule that they add up to the gap in every row. Rows
of before hold their gap as unexplained until they are judged again, for which they stand in line.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.reconciliation
    DROP gap_quantity_pence,
    DROP gap_value_pence,
    DROP gap_missing_pence,
    DROP gap_extra_pence,
    ADD gap_evidence text NOT NULL DEFAULT '',
    ADD gap_goods_pence bigint NOT NULL DEFAULT 0,
    ADD gap_quantity_pence bigint NOT NULL DEFAULT 0,
    ADD gap_tax_pence bigint NOT NULL DEFAULT 0,
    ADD gap_delivery_pence bigint NOT NULL DEFAULT 0,
    ADD gap_discount_pence bigint NOT NULL DEFAULT 0,
    ADD gap_fee_pence bigint NOT NULL DEFAULT 0,
    ADD gap_tender_pence bigint NOT NULL DEFAULT 0,
    ADD gap_exchange_pence bigint NOT NULL DEFAULT 0,
    ADD gap_fx_pence bigint NOT NULL DEFAULT 0,
    ADD gap_rounding_pence bigint NOT NULL DEFAULT 0,
    ADD gap_unexplained_pence bigint NOT NULL DEFAULT 0,
    ADD vat_gap_pence bigint;
UPDATE recon.reconciliation SET gap_unexplained_pence = gap_pence;
INSERT INTO recon.worklist (stage, return_id) SELECT 'reconcile', return_id FROM recon.reconciliation
    WHERE gap_pence <> 0 OR credit_note_codes <> '{}' ON CONFLICT DO NOTHING;
ALTER TABLE recon.reconciliation
    ADD CONSTRAINT gap_is_credited_less_refunded CHECK (gap_pence = credited_pence - refund_pence),
    ADD CONSTRAINT legs_add_up_to_the_gap CHECK (gap_goods_pence + gap_quantity_pence + gap_tax_pence
        + gap_delivery_pence + gap_discount_pence + gap_fee_pence + gap_tender_pence + gap_exchange_pence
        + gap_fx_pence + gap_rounding_pence + gap_unexplained_pence = gap_pence);
"""

DOWN = """
ALTER TABLE recon.reconciliation
    DROP CONSTRAINT legs_add_up_to_the_gap,
    DROP CONSTRAINT gap_is_credited_less_refunded,
    DROP gap_evidence,
    DROP gap_goods_pence,
    DROP gap_tax_pence,
    DROP gap_delivery_pence,
    DROP gap_discount_pence,
    DROP gap_fee_pence,
    DROP gap_tender_pence,
    DROP gap_exchange_pence,
    DROP gap_fx_pence,
    DROP gap_rounding_pence,
    DROP gap_unexplained_pence,
    DROP vat_gap_pence,
    ADD gap_value_pence bigint NOT NULL DEFAULT 0,
    ADD gap_missing_pence bigint NOT NULL DEFAULT 0,
    ADD gap_extra_pence bigint NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    """Replace the four causes by the legs."""
    op.execute(UP)


def downgrade() -> None:
    """Bring the four causes back, empty."""
    op.execute(DOWN)
