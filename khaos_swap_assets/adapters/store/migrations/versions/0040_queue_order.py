"""The order in which queues are worked, held by indexes, and what people look exceptions up by.

Belongs here: ``recon.exceptions.urgent_at`` (``domain.desk.queues``), filled for what is open as that rule said when
this was made, and the indexes of lists and search.
"""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

OF_CLOCK = (
    "'refund_unconfirmed_too_long', 'closed_without_refund', 'refund_not_paid', 'credit_note_missing', "
    "'credit_note_not_issued', 'inspection_overdue'"
)
UP = f"""
ALTER TABLE recon.exceptions ADD urgent_at timestamptz NOT NULL DEFAULT now();
UPDATE recon.exceptions SET urgent_at = opened_at + make_interval(days => CASE WHEN kind IN ({OF_CLOCK}) THEN 3
    WHEN severity = 'error' THEN 7 ELSE 28 END)
    - make_interval(secs => 604800 * log(2, greatest(money_at_risk_pence, 1)::numeric)::float8)
    WHERE closed_at IS NULL;
CREATE INDEX exceptions_urgent ON recon.exceptions (urgent_at, exception_id) WHERE closed_at IS NULL;
CREATE INDEX exceptions_of_owner ON recon.exceptions (owner, urgent_at, exception_id) WHERE closed_at IS NULL;
CREATE INDEX exceptions_of_kind ON recon.exceptions (kind, urgent_at, exception_id) WHERE closed_at IS NULL;
CREATE INDEX exceptions_rma ON recon.exceptions (rma) WHERE closed_at IS NULL AND rma <> '';
CREATE INDEX exceptions_sku ON recon.exceptions (sku) WHERE closed_at IS NULL AND sku <> '';
CREATE INDEX exceptions_note ON recon.exceptions (credit_note_code) WHERE closed_at IS NULL AND credit_note_code <> '';
"""
DOWN = """
DROP INDEX recon.exceptions_urgent, recon.exceptions_of_owner, recon.exceptions_of_kind, recon.exceptions_rma,
    recon.exceptions_sku, recon.exceptions_note;
ALTER TABLE recon.exceptions DROP urgent_at;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away."""
    op.execute(DOWN)
