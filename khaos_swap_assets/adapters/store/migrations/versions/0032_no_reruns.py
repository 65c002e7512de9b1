"""No tables of a re-run beside the reconciliation: every return is judged again through its own line of work.

Belongs here: the end of ``recon.rerun_lines`` and ``recon.rerun_returns``, which held figures that could be made anew
at any time. Back again they are empty.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

DOWN = """
CREATE TABLE recon.rerun_lines (
    rma text NOT NULL,
    stock_code text NOT NULL,
    status text NOT NULL,
    credit_note_code text NOT NULL,
    refund_pence bigint NOT NULL,
    credited_pence bigint NOT NULL,
    gap_pence bigint NOT NULL,
    gap_quantity_pence bigint NOT NULL,
    gap_value_pence bigint NOT NULL,
    gap_missing_pence bigint NOT NULL,
    gap_extra_pence bigint NOT NULL
);
CREATE INDEX rerun_lines_apart ON recon.rerun_lines (rma) WHERE status <> 'matched';
CREATE TABLE recon.rerun_returns (
    rma text NOT NULL,
    status text NOT NULL,
    credit_notes bigint NOT NULL,
    refund_pence bigint NOT NULL,
    credited_pence bigint NOT NULL,
    gap_pence bigint NOT NULL,
    gap_quantity_pence bigint NOT NULL,
    gap_value_pence bigint NOT NULL,
    gap_missing_pence bigint NOT NULL,
    gap_extra_pence bigint NOT NULL
);
CREATE INDEX rerun_returns_apart ON recon.rerun_returns (rma) WHERE status <> 'matched';
"""


def upgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE recon.rerun_lines, recon.rerun_returns")


def downgrade() -> None:
    """Make them again, empty."""
    op.execute(DOWN)
