"""Small differences, and what the tolerances made of each.

Belongs here: ``recon.residuals``, one row a return whose Credit Notes are off by little. ``account`` is the ledger
account that takes it, empty where it stays open; ``refused_by`` then names the rule.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.residuals (
    return_id text PRIMARY KEY,
    period text NOT NULL,
    currency text NOT NULL,
    reason text NOT NULL,
    residual_pence bigint NOT NULL CHECK (residual_pence <> 0),
    lines integer NOT NULL,
    is_evident boolean NOT NULL,
    account text NOT NULL DEFAULT '',
    refused_by text NOT NULL DEFAULT '',
    CHECK ((account = '') = (refused_by <> ''))
);
CREATE INDEX residuals_period ON recon.residuals (period);
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE recon.residuals")
