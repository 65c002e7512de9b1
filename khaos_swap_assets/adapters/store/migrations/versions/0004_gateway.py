"""Tables beside the flow: what the gateway refused, how complete the mirror is, how long each return took.

Belongs here: counts and moments that judge the flow. Stays out: anything that the flow itself needs (0001 to 0003).
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.refused_messages (
    hour timestamptz NOT NULL,
    reason text NOT NULL,
    sender text NOT NULL,
    body_hash text NOT NULL,
    size_bytes bigint NOT NULL,
    times integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    head bytea,
    PRIMARY KEY (hour, reason, sender, body_hash)
);

CREATE TABLE recon.completeness (
    day date PRIMARY KEY,
    told integer NOT NULL,
    mirrored integer NOT NULL,
    missing_rmas text[] NOT NULL DEFAULT '{}',
    vanished_rmas text[] NOT NULL DEFAULT '{}',
    unreadable_rows integer NOT NULL DEFAULT 0,
    mended integer NOT NULL DEFAULT 0,
    checked_at timestamptz NOT NULL
);

CREATE TABLE recon.latency (
    return_id text PRIMARY KEY,
    rma text NOT NULL,
    event_at timestamptz,
    accepted_at timestamptz,
    read_at timestamptz,
    inspected_at timestamptz,
    gate_at timestamptz,
    drafted_at timestamptz,
    offered_at timestamptz,
    handed_out_at timestamptz,
    witnessed_at timestamptz
);
CREATE INDEX latency_offered ON recon.latency (offered_at);

CREATE INDEX inbox_consumed ON recon.inbox (consumed_at) WHERE consumed_at IS NOT NULL;
CREATE INDEX inbox_return ON recon.inbox (return_id) WHERE source = 'swap';
CREATE INDEX inbox_received ON recon.inbox (received_at);
CREATE INDEX returns_submitted ON swap.returns (submitted_at);
CREATE INDEX drafts_held ON recon.drafts (drafted_at) WHERE state = 'held';
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        "DROP TABLE recon.refused_messages, recon.completeness, recon.latency; DROP INDEX recon.inbox_consumed, "
        "recon.inbox_return, recon.inbox_received, swap.returns_submitted, recon.drafts_held"
    )
