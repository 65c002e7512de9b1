"""The shadow score: of each return that people posted, what we would have posted beside it.

Belongs here: one row a scored return, and the sums of each ISO week that the score is read from.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.shadow (
    return_id text PRIMARY KEY,
    rma text NOT NULL,
    currency text NOT NULL,
    week text NOT NULL,
    score text NOT NULL CHECK (score IN ('agreed', 'differ', 'they_only', 'we_only')),
    our_pence bigint NOT NULL,
    their_pence bigint NOT NULL,
    why text NOT NULL DEFAULT ''
);
CREATE INDEX shadow_week ON recon.shadow (week, score);
CREATE TABLE recon.shadow_weeks (
    week text NOT NULL,
    currency text NOT NULL,
    score text NOT NULL,
    returns integer NOT NULL,
    our_pence bigint NOT NULL,
    their_pence bigint NOT NULL,
    PRIMARY KEY (week, currency, score)
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE recon.shadow, recon.shadow_weeks")
