"""Marks that tell the server how few rows are undone, and indexes that answer a month's sums by themselves.

Belongs here: what exists for speed alone. The server guesses how many rows a condition keeps; of *apart*, *followed*
and *loose* it guessed most of the table, and looked through all of it. A column made of the condition is counted.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.postings ADD is_apart boolean
    GENERATED ALWAYS AS (state = 'confirmed' AND coalesce(witnessed_pence <> value_pence, false)) STORED;
DROP INDEX recon.postings_apart;
CREATE INDEX postings_apart ON recon.postings (posting_id) WHERE is_apart;
ALTER TABLE khaos.credit_notes
    ADD is_followed boolean
        GENERATED ALWAYS AS (return_id IS NOT NULL AND allocated_at IS NULL AND NOT is_cancelled) STORED,
    ADD loose_since date GENERATED ALWAYS AS (CASE WHEN return_id IS NULL AND NOT is_cancelled
        THEN coalesce(created_on, date '9999-12-31') END) STORED;
DROP INDEX khaos.credit_notes_unallocated, khaos.credit_notes_loose_created;
CREATE INDEX credit_notes_followed ON khaos.credit_notes (issued_on) WHERE is_followed;
CREATE INDEX credit_notes_loose ON khaos.credit_notes (loose_since);
CREATE INDEX credit_notes_by_day ON khaos.credit_notes (created_on) INCLUDE (currency, gross_pence)
    WHERE return_id IS NOT NULL;
DROP INDEX recon.stock_moves_newest;
CREATE INDEX stock_moves_newest ON recon.stock_moves (changed_at) INCLUDE (disposition, state, level_verdict, quantity);
CREATE INDEX customers_read ON khaos.customers (read_at);
"""

DOWN = """
DROP INDEX recon.stock_moves_newest, khaos.credit_notes_by_day, khaos.customers_read;
CREATE INDEX stock_moves_newest ON recon.stock_moves (changed_at);
ALTER TABLE khaos.credit_notes DROP is_followed, DROP loose_since;
ALTER TABLE recon.postings DROP is_apart;
CREATE INDEX credit_notes_unallocated ON khaos.credit_notes (issued_on)
    WHERE return_id IS NOT NULL AND allocated_at IS NULL;
CREATE INDEX credit_notes_loose_created ON khaos.credit_notes (created_on) WHERE return_id IS NULL AND NOT is_cancelled;
CREATE INDEX postings_apart ON recon.postings (posting_id) WHERE state = 'confirmed' AND witnessed_pence <> value_pence;
"""


def upgrade() -> None:
    """Add the marks and the indexes."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away again."""
    op.execute(DOWN)
