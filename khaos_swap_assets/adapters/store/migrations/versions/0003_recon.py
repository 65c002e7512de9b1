"""Our own tables: inbox, matches, drafts, postings, stock moves, exceptions, reconciliation, audit log.

Belongs here: schema ``recon``. The postings are the memory against doubles; the audit log is append-only.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.watermarks (
    source text PRIMARY KEY,
    reached_at timestamptz NOT NULL
);

CREATE TABLE recon.worklist (
    stage text NOT NULL CHECK (stage IN ('match', 'draft', 'reconcile')),
    return_id text NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stage, return_id)
);

CREATE TABLE recon.inbox (
    inbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    event text NOT NULL,
    store_id text NOT NULL DEFAULT '',
    return_id text NOT NULL DEFAULT '',
    body jsonb NOT NULL,
    body_hash text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    consumed_at timestamptz,
    tries integer NOT NULL DEFAULT 0, next_try_at timestamptz
);
CREATE INDEX inbox_due ON recon.inbox (next_try_at) WHERE consumed_at IS NULL;
CREATE UNIQUE INDEX inbox_unconsumed_knock ON recon.inbox (store_id, event, return_id)
    WHERE source = 'swap' AND consumed_at IS NULL;
CREATE INDEX inbox_waiting ON recon.inbox (source, inbox_id) WHERE consumed_at IS NULL;

CREATE TABLE recon.inspections (
    inspection_id text PRIMARY KEY,
    rma text NOT NULL,
    sku text NOT NULL,
    line_item_id text NOT NULL DEFAULT '',
    condition text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    inspected_at timestamptz NOT NULL,
    inspected_by text NOT NULL,
    body_hash text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inspections_rma ON recon.inspections (rma);

CREATE TABLE recon.matched_returns (
    return_id text PRIMARY KEY,
    so_code text,
    customer_code text,
    customer_is_generic boolean NOT NULL DEFAULT false,
    order_currency text,
    invoiced_on date,
    order_ref text NOT NULL DEFAULT '',
    order_problems text[] NOT NULL DEFAULT '{}',
    over_returned text[] NOT NULL DEFAULT '{}',
    strange_conditions text[] NOT NULL DEFAULT '{}',
    matched_at timestamptz NOT NULL
);
CREATE INDEX matched_returns_order_ref ON recon.matched_returns (order_ref);
CREATE INDEX matched_returns_order ON recon.matched_returns (so_code);
CREATE INDEX matched_returns_customer ON recon.matched_returns (customer_code);

CREATE TABLE recon.matched_lines (
    return_id text NOT NULL,
    product_id text NOT NULL,
    sku text NOT NULL,
    quantity integer NOT NULL,
    cost_pence bigint NOT NULL,
    outcome text NOT NULL,
    stock_code text,
    order_line_no integer,
    sold_quantity integer,
    sold_gross_pence bigint,
    problem text NOT NULL DEFAULT '',
    suggestion text NOT NULL DEFAULT '',
    suggestion_rule text NOT NULL DEFAULT '',
    suggestion_score integer,
    sellable_quantity integer NOT NULL DEFAULT 0,
    damaged_quantity integer NOT NULL DEFAULT 0,
    missing_quantity integer NOT NULL DEFAULT 0,
    strange_quantity integer NOT NULL DEFAULT 0,
    PRIMARY KEY (return_id, product_id)
);
CREATE INDEX matched_lines_unmatched ON recon.matched_lines (sku) WHERE stock_code IS NULL;
CREATE INDEX matched_lines_stock_code ON recon.matched_lines (stock_code);

CREATE TABLE recon.drafts (
    store_id text NOT NULL,
    return_id text NOT NULL,
    ordinal integer NOT NULL,
    state text NOT NULL CHECK (state IN ('ready', 'held', 'covered')),
    reasons jsonb NOT NULL DEFAULT '[]',
    draft jsonb,
    value_pence bigint NOT NULL DEFAULT 0,
    currency text NOT NULL,
    drafted_at timestamptz NOT NULL,
    PRIMARY KEY (store_id, return_id, ordinal)
);
CREATE INDEX drafts_ready ON recon.drafts (drafted_at) WHERE state = 'ready';

CREATE TABLE recon.postings (
    posting_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_id text NOT NULL,
    return_id text NOT NULL,
    ordinal integer NOT NULL,
    rma text NOT NULL,
    reference text NOT NULL UNIQUE CHECK (length(reference) <= 15),
    state text NOT NULL CHECK (state IN ('planned', 'in_doubt', 'confirmed', 'refused', 'withdrawn')),
    is_released boolean NOT NULL DEFAULT false,
    customer_code text NOT NULL,
    so_code text NOT NULL,
    currency text NOT NULL,
    value_pence bigint NOT NULL CHECK (value_pence > 0),
    document json NOT NULL,
    document_hash text NOT NULL,
    party_sealed bytea,
    planned_at timestamptz NOT NULL,
    handed_out_at timestamptz,
    times_handed_out integer NOT NULL DEFAULT 0,
    asked_again_at timestamptz,
    asked_by text NOT NULL DEFAULT '',
    cleared_at timestamptz,
    cleared_in text NOT NULL DEFAULT '',
    doubt text NOT NULL DEFAULT '',
    ended_at timestamptz,
    credit_note_code text,
    witnessed_pence bigint,
    ended_by text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX postings_key ON recon.postings (store_id, return_id, ordinal) WHERE state <> 'withdrawn';
CREATE INDEX postings_undone ON recon.postings (state) WHERE state IN ('planned', 'in_doubt');
CREATE INDEX postings_note ON recon.postings (credit_note_code);
CREATE INDEX postings_return ON recon.postings (return_id);
CREATE INDEX postings_planned_at ON recon.postings (handed_out_at);

CREATE TABLE recon.feed_pages (
    sequence bigint PRIMARY KEY,
    previous_token text NOT NULL,
    token text NOT NULL UNIQUE,
    posting_references text[] NOT NULL,
    handed_out_at timestamptz NOT NULL
);

CREATE TABLE recon.feed_holds (
    hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token text NOT NULL,
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by text NOT NULL DEFAULT '',
    close_reason text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX feed_holds_open ON recon.feed_holds (token) WHERE closed_at IS NULL;

CREATE TABLE recon.stock_moves (
    return_id text NOT NULL,
    product_id text NOT NULL,
    disposition text NOT NULL CHECK (disposition IN ('sellable', 'damaged', 'missing')),
    rma text NOT NULL,
    stock_code text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    carried_by text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('due', 'offered', 'confirmed')),
    evidence text NOT NULL DEFAULT '',
    level_verdict text NOT NULL DEFAULT '',
    level_before integer,
    level_before_at timestamptz,
    level_after integer,
    level_after_at timestamptz,
    due_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (return_id, product_id, disposition)
);
CREATE INDEX stock_moves_undone ON recon.stock_moves (state) WHERE state IN ('due', 'offered');

CREATE TABLE recon.reconciliation (
    return_id text PRIMARY KEY,
    store_id text NOT NULL,
    rma text NOT NULL,
    currency text NOT NULL,
    refund_pence bigint NOT NULL,
    credited_pence bigint NOT NULL,
    issued_pence bigint NOT NULL,
    gap_pence bigint NOT NULL,
    gap_quantity_pence bigint NOT NULL DEFAULT 0,
    gap_value_pence bigint NOT NULL DEFAULT 0,
    gap_missing_pence bigint NOT NULL DEFAULT 0,
    gap_extra_pence bigint NOT NULL DEFAULT 0,
    status text NOT NULL,
    matched_by text NOT NULL DEFAULT '',
    credit_note_codes text[] NOT NULL DEFAULT '{}',
    period text NOT NULL,
    next_due_at timestamptz,
    reconciled_at timestamptz NOT NULL
);
CREATE INDEX reconciliation_period ON recon.reconciliation (period);
CREATE INDEX reconciliation_due ON recon.reconciliation (next_due_at) WHERE next_due_at IS NOT NULL;

CREATE TABLE recon.exceptions (
    exception_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    subject text NOT NULL,
    owner text NOT NULL,
    severity text NOT NULL,
    return_id text NOT NULL DEFAULT '',
    rma text NOT NULL DEFAULT '',
    sku text NOT NULL DEFAULT '',
    credit_note_code text NOT NULL DEFAULT '',
    message text NOT NULL,
    suggestion text NOT NULL DEFAULT '',
    money_at_risk_pence bigint NOT NULL DEFAULT 0,
    currency text NOT NULL DEFAULT '',
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by text NOT NULL DEFAULT '',
    close_reason text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX exceptions_open ON recon.exceptions (kind, subject) WHERE closed_at IS NULL;
CREATE INDEX exceptions_return ON recon.exceptions (return_id) WHERE closed_at IS NULL;

CREATE TABLE recon.findings (
    kind text NOT NULL,
    subject text NOT NULL,
    return_id text NOT NULL DEFAULT '',
    rma text NOT NULL DEFAULT '',
    sku text NOT NULL DEFAULT '',
    credit_note_code text NOT NULL DEFAULT '',
    message text NOT NULL,
    suggestion text NOT NULL DEFAULT '',
    money_at_risk_pence bigint NOT NULL DEFAULT 0,
    currency text NOT NULL DEFAULT '',
    found_at timestamptz NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX findings_return ON recon.findings (return_id);
CREATE INDEX findings_note ON recon.findings (credit_note_code) WHERE credit_note_code <> '';

CREATE TABLE recon.waivers (
    kind text NOT NULL,
    subject text NOT NULL,
    waived_by text NOT NULL,
    reason text NOT NULL,
    waived_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, subject)
);

CREATE TABLE recon.month_end (
    period text NOT NULL,
    currency text NOT NULL,
    returns integer NOT NULL,
    refund_pence bigint NOT NULL,
    credited_pence bigint NOT NULL,
    issued_pence bigint NOT NULL,
    gap_pence bigint NOT NULL,
    figures jsonb NOT NULL,
    computed_at timestamptz NOT NULL,
    PRIMARY KEY (period, currency)
);

CREATE TABLE recon.touched_periods (
    period text PRIMARY KEY,
    touched_at timestamptz NOT NULL
);

CREATE TABLE recon.audit_log (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL,
    what text NOT NULL,
    document text NOT NULL,
    before jsonb,
    after jsonb,
    reason text NOT NULL DEFAULT ''
);
CREATE FUNCTION recon.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recon.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION recon.refuse_change();
"""


def upgrade() -> None:
    """Create our own tables."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them; the installation's mark goes with them."""
    op.execute("DROP SCHEMA recon CASCADE; CREATE SCHEMA recon")
