"""Khaos is asked to cancel orders, and the race between the shop's word and the warehouse is kept.

Belongs here: ``recon.cancel_calls``, one row an order, and when ``recon.cancellations`` saw each step first.
"""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.cancel_calls (
    order_id text PRIMARY KEY,
    so_code text NOT NULL,
    associated_ref text NOT NULL,
    value_pence bigint NOT NULL,
    currency text NOT NULL,
    state text NOT NULL CHECK (state IN ('asked', 'open', 'refused', 'overtaken', 'given_up', 'verified')),
    tries integer NOT NULL,
    asked_at timestamptz NOT NULL,
    said text NOT NULL
);
CREATE INDEX cancel_calls_asked ON recon.cancel_calls (asked_at);
ALTER TABLE recon.cancellations
    ADD sent_on date,
    ADD out_pence bigint,
    ADD hindrance text NOT NULL DEFAULT '',
    ADD picking_seen_at timestamptz,
    ADD packing_seen_at timestamptz,
    ADD sent_seen_at timestamptz,
    ADD cancelled_seen_at timestamptz;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE recon.cancel_calls")
    columns = "hindrance sent_on picking_seen_at packing_seen_at sent_seen_at cancelled_seen_at out_pence"
    op.execute(f"ALTER TABLE recon.cancellations {', '.join(f'DROP {name}' for name in columns.split())}")
