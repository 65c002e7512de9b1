"""Tables of what Khaos told us: Stock Codes, Sales Orders, Credit Notes, levels, customers' open credit.

Belongs here: schema ``khaos``. Names and addresses are only ever held sealed (``party_sealed``).
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE khaos.stock_codes (
    stock_code text PRIMARY KEY,
    stock_id text NOT NULL,
    description text NOT NULL DEFAULT '',
    other_ref text NOT NULL DEFAULT '',
    barcodes text[] NOT NULL DEFAULT '{}',
    is_discontinued boolean NOT NULL DEFAULT false,
    is_stock_controlled boolean NOT NULL DEFAULT true,
    pack_components jsonb NOT NULL DEFAULT '[]',
    content_hash text NOT NULL,
    changed_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX stock_codes_changed ON khaos.stock_codes (changed_at);

CREATE TABLE khaos.sales_orders (
    so_code text PRIMARY KEY,
    associated_ref text NOT NULL,
    customer_code text NOT NULL,
    currency text NOT NULL,
    ordered_on date,
    invoiced_on date,
    is_cancelled boolean NOT NULL DEFAULT false,
    items_gross_pence bigint NOT NULL DEFAULT 0,
    delivery_gross_pence bigint NOT NULL DEFAULT 0,
    party_sealed bytea,
    detail_read_at timestamptz,
    seen_at timestamptz NOT NULL
);
CREATE INDEX sales_orders_ref ON khaos.sales_orders (associated_ref);
CREATE INDEX sales_orders_party ON khaos.sales_orders (so_code) WHERE party_sealed IS NOT NULL;
CREATE INDEX sales_orders_customer ON khaos.sales_orders (customer_code);

CREATE TABLE khaos.order_lines (
    so_code text NOT NULL REFERENCES khaos.sales_orders ON DELETE CASCADE,
    line_no integer NOT NULL,
    stock_code text NOT NULL,
    quantity integer NOT NULL,
    gross_pence bigint NOT NULL,
    vat_code text NOT NULL,
    import_ref text NOT NULL,
    PRIMARY KEY (so_code, line_no)
);

CREATE TABLE khaos.wanted_orders (
    order_ref text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('waiting', 'read', 'not_found')),
    asked_at timestamptz NOT NULL,
    tried_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT ''
);
CREATE INDEX wanted_orders_waiting ON khaos.wanted_orders (asked_at) WHERE state <> 'read';

CREATE TABLE khaos.credit_notes (
    credit_note_code text PRIMARY KEY,
    associated_ref text NOT NULL,
    customer_code text NOT NULL,
    currency text NOT NULL,
    created_on date,
    issued_on date,
    stage_id integer,
    gross_pence bigint NOT NULL,
    net_pence bigint NOT NULL,
    delivery_gross_pence bigint NOT NULL,
    is_cancelled boolean NOT NULL DEFAULT false,
    content_hash text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    return_id text,
    matched_by text NOT NULL DEFAULT '',
    allocated_at timestamptz
);
CREATE INDEX credit_notes_unallocated ON khaos.credit_notes (issued_on)
    WHERE return_id IS NOT NULL AND allocated_at IS NULL;
CREATE INDEX credit_notes_ref ON khaos.credit_notes (associated_ref);
CREATE INDEX credit_notes_customer ON khaos.credit_notes (customer_code);
CREATE INDEX credit_notes_return ON khaos.credit_notes (return_id);
CREATE INDEX credit_notes_unmatched ON khaos.credit_notes (customer_code) WHERE return_id IS NULL;

CREATE TABLE khaos.credit_note_lines (
    credit_note_code text NOT NULL REFERENCES khaos.credit_notes ON DELETE CASCADE,
    line_no integer NOT NULL,
    stock_code text NOT NULL,
    quantity integer NOT NULL,
    PRIMARY KEY (credit_note_code, line_no)
);

CREATE TABLE khaos.movements (
    stock_code text NOT NULL,
    document_code text NOT NULL,
    quantity integer NOT NULL,
    dated_on date,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (stock_code, document_code)
);

CREATE TABLE khaos.customers (
    customer_code text PRIMARY KEY,
    currency text NOT NULL,
    unallocated_pence bigint NOT NULL,
    read_at timestamptz NOT NULL
);

CREATE TABLE khaos.sites (
    site_id integer PRIMARY KEY,
    site_name text NOT NULL
);

CREATE TABLE khaos.stock_levels (
    stock_code text NOT NULL,
    site_id integer NOT NULL,
    available integer NOT NULL,
    is_as_told boolean NOT NULL DEFAULT false,
    observed_at timestamptz NOT NULL,
    PRIMARY KEY (stock_code, site_id)
);

CREATE TABLE khaos.stock_level_history (
    stock_code text NOT NULL,
    site_id integer NOT NULL,
    observed_at timestamptz NOT NULL,
    available integer NOT NULL,
    PRIMARY KEY (stock_code, site_id, observed_at)
);

CREATE TABLE khaos.unreadable (
    row_hash text PRIMARY KEY,
    subject text NOT NULL,
    reason text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    resolved_at timestamptz
);
"""


def upgrade() -> None:
    """Create the tables of Khaos."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them, the schema stays."""
    op.execute("DROP SCHEMA khaos CASCADE; CREATE SCHEMA khaos")
