"""Who works on a run, whether they still do, and which of them is the one writer towards this Khaos.

Belongs here: ``recon.writers``, a row for each process that works on a run; its ``epoch`` is the fencing token. Times
are the database's own.
"""

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.writers (
    epoch bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL,
    worker text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beaten_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    has_khaos boolean NOT NULL DEFAULT false,
    ended_at timestamptz,
    fenced_at timestamptz,
    fenced_because text NOT NULL DEFAULT ''
);
CREATE INDEX writers_at_work ON recon.writers (run_id) WHERE ended_at IS NULL AND fenced_at IS NULL;
"""


def upgrade() -> None:
    """Make it."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE recon.writers")
