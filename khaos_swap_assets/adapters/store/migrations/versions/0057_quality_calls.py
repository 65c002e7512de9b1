"""What the warehouse found is told to Swap's quality control.

Belongs here: ``recon.quality_calls``, one row an inspection.
"""

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.quality_calls (
    inspection_id text PRIMARY KEY,
    rma text NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'sent', 'accepted', 'unknown', 'refused', 'withdrawn')),
    asked text NOT NULL,
    said text NOT NULL,
    planned_at timestamptz NOT NULL,
    sent_at timestamptz,
    look_at timestamptz NOT NULL,
    settled_at timestamptz
);
CREATE INDEX quality_calls_look ON recon.quality_calls (look_at) WHERE state = 'planned';
CREATE INDEX quality_calls_sent ON recon.quality_calls (sent_at) WHERE state = 'sent';
CREATE INDEX quality_calls_task ON recon.quality_calls (inspection_id)
    WHERE settled_at IS NULL AND state IN ('unknown', 'refused');
"""


def upgrade() -> None:
    """Add it."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE recon.quality_calls")
