"""A person's signature under a month is a decision too.

Belongs here: one more kind of ``recon.decisions``.
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

KINDS = "'this_return', 'not_this_return', 'same_code', 'waived', 'accepted_value', 'settled_outside'"
ALLOW = """
ALTER TABLE recon.decisions DROP CONSTRAINT decisions_decision_check,
    ADD CONSTRAINT decisions_decision_check CHECK (decision IN ({kinds}))
"""


def upgrade() -> None:
    """Allow it."""
    op.execute(ALLOW.format(kinds=f"{KINDS}, 'signed'"))


def downgrade() -> None:
    """Back to six kinds; signatures are lost."""
    op.execute("DELETE FROM recon.decisions WHERE decision = 'signed'")
    op.execute(ALLOW.format(kinds=KINDS))
