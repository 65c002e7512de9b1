"""What lets a tick look only at what moved: indexes on endings, arrivals and loose notes, and latency by day.

Belongs here: what exists for speed alone. ``recon.latency_days`` holds percentiles of ``recon.latency`` by the London
day of the offer; whoever writes a moment there brings its day up to date.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UP = """
CREATE INDEX postings_ended ON recon.postings (ended_at) WHERE state = 'confirmed';
CREATE INDEX postings_handed_out ON recon.postings (handed_out_at) INCLUDE (state, value_pence);
DROP INDEX recon.postings_planned_at;
CREATE INDEX inspections_received ON recon.inspections (received_at);
CREATE INDEX inbox_pushed ON recon.inbox (event, inbox_id) WHERE source = 'khaos';
CREATE INDEX credit_notes_loose_changed ON khaos.credit_notes (changed_at) WHERE return_id IS NULL;
CREATE INDEX credit_notes_loose_created ON khaos.credit_notes (created_on) WHERE return_id IS NULL AND NOT is_cancelled;
CREATE INDEX movements_seen ON khaos.movements (stock_code, seen_at);
ALTER TABLE recon.latency ADD seconds integer
    GENERATED ALWAYS AS (greatest(0, extract(epoch FROM offered_at - gate_at))::integer) STORED;
CREATE INDEX latency_seconds ON recon.latency (offered_at) INCLUDE (seconds, return_id) WHERE gate_at IS NOT NULL;
DROP INDEX recon.latency_offered;
CREATE TABLE recon.latency_days (
    day date PRIMARY KEY,
    offered integer NOT NULL,
    p50_seconds integer NOT NULL,
    p95_seconds integer NOT NULL
);
INSERT INTO recon.latency_days SELECT (offered_at AT TIME ZONE 'Europe/London')::date, count(*),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds), percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds)
    FROM recon.latency WHERE offered_at IS NOT NULL AND gate_at IS NOT NULL GROUP BY 1;
"""

DOWN = """
DROP TABLE recon.latency_days;
CREATE INDEX latency_offered ON recon.latency (offered_at);
ALTER TABLE recon.latency DROP seconds;
DROP INDEX recon.postings_ended, recon.postings_handed_out, recon.inspections_received, recon.inbox_pushed,
    khaos.credit_notes_loose_changed, khaos.credit_notes_loose_created, khaos.movements_seen;
CREATE INDEX postings_planned_at ON recon.postings (handed_out_at);
"""


def upgrade() -> None:
    """Add the indexes and the days."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away again."""
    op.execute(DOWN)
