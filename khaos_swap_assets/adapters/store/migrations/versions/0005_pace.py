"""What keeps a tick at the cost of what changed: indexes on the undone and the newest, and a mark on finished drafts.

Belongs here: what exists for speed alone, and the two tables of the wide re-run. ``recon.drafts.is_done`` says that
the posting of a draft was confirmed or refused; the book of postings keeps it.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.drafts ADD is_done boolean NOT NULL DEFAULT false;
CREATE INDEX drafts_undone ON recon.drafts (drafted_at) WHERE state = 'ready' AND NOT is_done;
DROP INDEX recon.drafts_ready;
CREATE INDEX drafts_return ON recon.drafts (return_id);
CREATE INDEX drafts_newest ON recon.drafts (drafted_at);
CREATE INDEX postings_apart ON recon.postings (posting_id) WHERE state = 'confirmed' AND witnessed_pence <> value_pence;
CREATE INDEX postings_newest ON recon.postings (planned_at);
CREATE INDEX stock_moves_followed ON recon.stock_moves (stock_code)
    WHERE state IN ('due', 'offered') OR (level_verdict IN ('', 'pending') AND disposition <> 'missing');
CREATE INDEX stock_moves_pending ON recon.stock_moves (stock_code) WHERE level_verdict = 'pending';
CREATE INDEX stock_moves_newest ON recon.stock_moves (changed_at);
DROP INDEX recon.stock_moves_undone;
CREATE INDEX reconciliation_newest ON recon.reconciliation (reconciled_at);
CREATE INDEX exceptions_newest ON recon.exceptions (opened_at);
CREATE INDEX sales_orders_newest ON khaos.sales_orders (seen_at);
CREATE INDEX stock_levels_newest ON khaos.stock_levels (observed_at);
CREATE INDEX credit_notes_created ON khaos.credit_notes (created_on);
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

DOWN = """
DROP TABLE recon.rerun_lines, recon.rerun_returns;
DROP INDEX recon.drafts_undone, recon.drafts_return, recon.drafts_newest, recon.postings_apart,
    recon.postings_newest, recon.stock_moves_followed, recon.stock_moves_pending, recon.stock_moves_newest,
    recon.reconciliation_newest, recon.exceptions_newest, khaos.sales_orders_newest, khaos.stock_levels_newest,
    khaos.credit_notes_created;
ALTER TABLE recon.drafts DROP is_done;
CREATE INDEX drafts_ready ON recon.drafts (drafted_at) WHERE state = 'ready';
CREATE INDEX stock_moves_undone ON recon.stock_moves (state) WHERE state IN ('due', 'offered');
"""


def upgrade() -> None:
    """Add the indexes and the mark."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away again."""
    op.execute(DOWN)
