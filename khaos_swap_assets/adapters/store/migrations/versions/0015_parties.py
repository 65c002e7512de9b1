"""Names and addresses that Swap shows, sealed, where Khaos shows none: Khaos Cloud has no order to read them from.

Belongs here: ``swap.parties``. A row goes as soon as no document waits for it.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE swap.parties (
    return_id text PRIMARY KEY REFERENCES swap.returns ON DELETE CASCADE,
    party_sealed bytea NOT NULL,
    kept_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE swap.parties")
