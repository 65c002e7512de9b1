"""Tables of what Swap told us: returns, their lines, and rows that could not be read.

Belongs here: schema ``swap``, and ``recon.installation``, the mark that tells a demo from a live database.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UP = """
CREATE SCHEMA swap;
CREATE SCHEMA khaos;
CREATE SCHEMA recon;

CREATE TABLE recon.installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    mark text NOT NULL CHECK (mark IN ('demo', 'test', 'live')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE swap.returns (
    return_id text PRIMARY KEY,
    store_id text NOT NULL,
    rma text NOT NULL,
    order_name text NOT NULL,
    order_id text NOT NULL,
    status text NOT NULL,
    delivery_status text NOT NULL,
    quality_control_status text NOT NULL,
    outcomes text[] NOT NULL,
    currency text NOT NULL,
    refund_pence bigint NOT NULL,
    store_credit_pence bigint NOT NULL,
    additional_payment_pence bigint NOT NULL,
    handling_fee_pence bigint NOT NULL,
    total_pence bigint NOT NULL,
    created_at timestamptz,
    updated_at timestamptz,
    submitted_at timestamptz,
    processed_at timestamptz,
    closed_at timestamptz,
    delivered_at timestamptz,
    refunded_at timestamptz,
    is_open boolean NOT NULL,
    content_hash text NOT NULL,
    unknown_fields text[] NOT NULL DEFAULT '{}',
    raw jsonb NOT NULL,
    first_seen_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    read_at timestamptz NOT NULL
);
CREATE INDEX returns_rma ON swap.returns (rma);
CREATE INDEX returns_order_name ON swap.returns (order_name);
CREATE INDEX returns_open ON swap.returns (submitted_at) WHERE is_open;
CREATE INDEX returns_changed ON swap.returns (changed_at);

CREATE TABLE swap.return_lines (
    return_id text NOT NULL REFERENCES swap.returns ON DELETE CASCADE,
    product_id text NOT NULL,
    position integer NOT NULL,
    line_item_id text NOT NULL,
    original_order_name text NOT NULL,
    sku text NOT NULL,
    quantity integer NOT NULL,
    cost_pence bigint NOT NULL,
    currency text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    is_faulty boolean NOT NULL,
    PRIMARY KEY (return_id, product_id)
);
CREATE INDEX return_lines_sku ON swap.return_lines (sku);

CREATE TABLE swap.unreadable (
    row_hash text PRIMARY KEY,
    subject text NOT NULL,
    reason text NOT NULL,
    raw jsonb NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    resolved_at timestamptz
);
"""


def upgrade() -> None:
    """Create the schemas and the tables of Swap."""
    op.execute(UP)


def downgrade() -> None:
    """Drop everything that ``upgrade`` made."""
    op.execute("DROP SCHEMA recon CASCADE; DROP SCHEMA khaos CASCADE; DROP SCHEMA swap CASCADE")
