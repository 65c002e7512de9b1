"""The money: refunds of the storefront with their payments and lines, and the return that each of them pays.

Belongs here: schema ``storefront``. ``judge_at`` says when a refund is to be linked and judged (again); null: nothing
is due. ``return_id`` and ``linked_by`` are ours, everything else is as last read.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UP = """
CREATE SCHEMA storefront;

CREATE TABLE storefront.refunds (
    refund_id text PRIMARY KEY,
    order_id text NOT NULL,
    order_name text NOT NULL,
    return_ref text NOT NULL,
    currency text NOT NULL,
    total_pence bigint NOT NULL,
    delivery_pence bigint NOT NULL,
    created_at timestamptz NOT NULL,
    moved_pence bigint NOT NULL,
    gift_card_pence bigint NOT NULL,
    moved_at timestamptz,
    content_hash text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    return_id text,
    linked_by text NOT NULL DEFAULT '',
    judge_at timestamptz
);
CREATE INDEX refunds_order_id ON storefront.refunds (order_id);
CREATE INDEX refunds_order_name ON storefront.refunds (order_name);
CREATE INDEX refunds_return_ref ON storefront.refunds (return_ref) WHERE return_ref <> '';
CREATE INDEX refunds_to_judge ON storefront.refunds (judge_at) WHERE judge_at IS NOT NULL;
CREATE INDEX refunds_newest ON storefront.refunds (changed_at);

CREATE TABLE storefront.transactions (
    refund_id text NOT NULL REFERENCES storefront.refunds ON DELETE CASCADE,
    transaction_id text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    gateway text NOT NULL,
    amount_pence bigint NOT NULL,
    currency text NOT NULL,
    shop_pence bigint NOT NULL,
    shop_currency text NOT NULL,
    processed_at timestamptz,
    is_test boolean NOT NULL,
    PRIMARY KEY (refund_id, transaction_id)
);
CREATE INDEX transactions_processed ON storefront.transactions (processed_at);

CREATE TABLE storefront.refund_lines (
    refund_id text NOT NULL REFERENCES storefront.refunds ON DELETE CASCADE,
    position integer NOT NULL,
    line_item_id text NOT NULL,
    sku text NOT NULL,
    quantity bigint NOT NULL,
    subtotal_pence bigint NOT NULL,
    tax_pence bigint NOT NULL,
    PRIMARY KEY (refund_id, position)
);

CREATE TABLE storefront.unreadable (
    row_hash text PRIMARY KEY,
    subject text NOT NULL,
    reason text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    resolved_at timestamptz
);

CREATE INDEX returns_order_id ON swap.returns (order_id) WHERE order_id <> '';
CREATE INDEX returns_storefront_return ON swap.returns ((raw ->> 'shopify_return_id'))
    WHERE raw ->> 'shopify_return_id' IS NOT NULL;
CREATE INDEX return_lines_original_order ON swap.return_lines (original_order_name) WHERE original_order_name <> '';
"""

DOWN = """
DROP INDEX swap.returns_order_id, swap.returns_storefront_return, swap.return_lines_original_order;
DROP SCHEMA storefront CASCADE;
"""


def upgrade() -> None:
    """Make the schema."""
    op.execute(UP)


def downgrade() -> None:
    """Take it away again."""
    op.execute(DOWN)
