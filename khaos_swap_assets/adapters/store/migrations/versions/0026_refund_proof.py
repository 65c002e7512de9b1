"""Closed is not paid: what Swap shows in place of a date of processing, and the rule that is in force over it.

Belongs here: the columns of ``swap.returns``, filled from what Swap sent, and ``swap.refund_proof``. The first sync
brings the mirror under the rule of the settings; until then no planned document leaves for a return without proof.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE swap.returns
    ADD processed_word text NOT NULL DEFAULT '',
    ADD processed_by text NOT NULL DEFAULT '',
    ADD is_closing_proof boolean NOT NULL DEFAULT false;
UPDATE swap.returns SET processed_word = left(trim(coalesce(raw ->> 'rma_processed', raw ->> 'processed')), 40)
    WHERE processed_at IS NULL
    AND lower(trim(coalesce(raw ->> 'rma_processed', raw ->> 'processed', ''))) NOT IN
        ('', 'n/a', 'na', '-', 'null', 'none');
CREATE TABLE swap.refund_proof (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    told text NOT NULL
);
UPDATE recon.postings SET state = 'withdrawn', ended_at = now(), ended_by = 'no proof of a refund in Swap'
    WHERE state = 'planned' AND return_id IN (SELECT return_id FROM swap.returns WHERE processed_at IS NULL);
"""


def upgrade() -> None:
    """Add and fill the columns; take back planned documents whose refund is dated by closing alone."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE swap.refund_proof")
    op.execute("ALTER TABLE swap.returns DROP processed_word, DROP processed_by, DROP is_closing_proof")
