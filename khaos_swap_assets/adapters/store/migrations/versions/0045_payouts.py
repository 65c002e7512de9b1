"""Payouts of payment providers, their lines, and in which of them each refund went.

Belongs here: ``storefront.payouts`` and ``storefront.payout_lines`` as last told, by the storefront or a file, and
``recon.payout_refunds``. ``is_due``: its lines are to be laid beside the refunds. A refund that no payout holds has a
row with an empty ``payout_id``, whose ``line_id`` is its payment.
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE storefront.payouts (
    provider text NOT NULL,
    payout_id text NOT NULL,
    paid_on date NOT NULL,
    currency text NOT NULL,
    total_pence bigint,
    status text NOT NULL,
    apart_pence bigint NOT NULL,
    is_from_file boolean NOT NULL,
    import_id bigint REFERENCES recon.imports,
    content_hash text NOT NULL,
    changed_at timestamptz NOT NULL,
    is_due boolean NOT NULL,
    PRIMARY KEY (provider, payout_id)
);
CREATE INDEX payouts_days ON storefront.payouts (provider, paid_on);
CREATE INDEX payouts_newest ON storefront.payouts (changed_at);
CREATE INDEX payouts_due ON storefront.payouts (provider, payout_id) WHERE is_due;
CREATE INDEX payouts_apart ON storefront.payouts (provider, payout_id) WHERE apart_pence <> 0;
CREATE TABLE storefront.payout_lines (
    provider text NOT NULL,
    payout_id text NOT NULL,
    line_id text NOT NULL,
    kind text NOT NULL,
    gross_pence bigint NOT NULL,
    fee_pence bigint NOT NULL,
    transaction_id text NOT NULL,
    refund_id text NOT NULL,
    return_ref text NOT NULL,
    order_ref text NOT NULL,
    PRIMARY KEY (provider, payout_id, line_id),
    FOREIGN KEY (provider, payout_id) REFERENCES storefront.payouts ON DELETE CASCADE
);
CREATE INDEX refunds_returns ON storefront.refunds (return_id) WHERE return_id IS NOT NULL;
CREATE INDEX transactions_id ON storefront.transactions (transaction_id);
CREATE TABLE recon.payout_refunds (
    provider text NOT NULL,
    payout_id text NOT NULL,
    line_id text NOT NULL,
    place text NOT NULL CHECK (place IN ('matched', 'differs', 'unknown', 'missing')),
    why text NOT NULL,
    paid_out_on date,
    currency text NOT NULL,
    gross_pence bigint NOT NULL,
    fee_pence bigint NOT NULL,
    matched_pence bigint NOT NULL,
    apart_pence bigint NOT NULL,
    refund_key text NOT NULL,
    refund_id text NOT NULL,
    order_name text NOT NULL,
    return_id text NOT NULL,
    rma text NOT NULL,
    gateway text NOT NULL,
    refund_pence bigint NOT NULL,
    refunded_on date,
    is_foreign boolean NOT NULL,
    compared_at timestamptz NOT NULL,
    PRIMARY KEY (provider, payout_id, line_id),
    CONSTRAINT a_line_is_in_one_place CHECK (place = 'missing' OR gross_pence = matched_pence + apart_pence)
);
CREATE INDEX payout_refunds_keys ON recon.payout_refunds (refund_key);
CREATE INDEX payout_refunds_returns ON recon.payout_refunds (return_id);
CREATE INDEX payout_refunds_refunds ON recon.payout_refunds (refund_id) WHERE refund_id <> '';
CREATE INDEX payout_refunds_apart ON recon.payout_refunds (place) WHERE place <> 'matched';
CREATE INDEX payout_refunds_newest ON recon.payout_refunds (compared_at);
ALTER TABLE recon.imports DROP CONSTRAINT imports_kind_check,
    ADD CONSTRAINT imports_kind_check CHECK (kind IN ('sales-orders', 'credit-notes', 'payouts'));
"""
DOWN = """
DROP TABLE recon.payout_refunds, storefront.payout_lines, storefront.payouts;
DROP INDEX storefront.transactions_id, storefront.refunds_returns;
DELETE FROM recon.imports WHERE kind = 'payouts';
ALTER TABLE recon.imports DROP CONSTRAINT imports_kind_check,
    ADD CONSTRAINT imports_kind_check CHECK (kind IN ('sales-orders', 'credit-notes'));
"""


def upgrade() -> None:
    """Make them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them, and the record of files that brought payouts."""
    op.execute(DOWN)
