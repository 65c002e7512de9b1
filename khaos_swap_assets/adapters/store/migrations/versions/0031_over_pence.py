"""What was refunded of a return beyond what was paid for its goods.

Belongs here: the excess in pence beside the Stock Codes. It is found anew when the return is matched again.
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.matched_returns ADD over_pence bigint NOT NULL DEFAULT 0 CHECK (over_pence >= 0);
INSERT INTO recon.worklist (stage, return_id) SELECT 'match', return_id FROM recon.matched_returns
    WHERE over_returned <> '{}' ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    """Add the column; what is beyond its order already is matched again for its pence."""
    op.execute(UP)


def downgrade() -> None:
    """Take it away again."""
    op.execute("ALTER TABLE recon.matched_returns DROP over_pence")
