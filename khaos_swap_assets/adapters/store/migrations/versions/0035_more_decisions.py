"""Every kind of decision in the one record, with the figures on which each was made.

Belongs here: more kinds and two columns of ``recon.decisions``.
"""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.decisions DROP CONSTRAINT decisions_decision_check,
    ADD CONSTRAINT decisions_decision_check CHECK (decision IN ('this_return', 'not_this_return', 'same_code', 'waived',
        'accepted_value', 'settled_outside')),
    ADD COLUMN refund_pence bigint,
    ADD COLUMN credited_pence bigint;
"""
DOWN = """
DELETE FROM recon.decisions WHERE decision NOT IN ('waived', 'not_this_return');
ALTER TABLE recon.decisions DROP CONSTRAINT decisions_decision_check,
    ADD CONSTRAINT decisions_decision_check CHECK (decision IN ('waived', 'not_this_return')),
    DROP COLUMN refund_pence,
    DROP COLUMN credited_pence;
"""


def upgrade() -> None:
    """Allow them."""
    op.execute(UP)


def downgrade() -> None:
    """Back to two kinds; decisions of the others are lost."""
    op.execute(DOWN)
