"""What people decide about exceptions without closing them: notes, whose hands, put off until, and waivers to grant.

Belongs here: four more kinds of ``recon.decisions``, until when one holds, and its words. Notes do not replace each
other.
"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

KINDS = "'this_return', 'not_this_return', 'same_code', 'waived', 'accepted_value', 'settled_outside', 'signed'"
MORE = "'assigned', 'snoozed', 'noted', 'waiver_asked'"
ALLOW = """
ALTER TABLE recon.decisions DROP CONSTRAINT decisions_decision_check,
    ADD CONSTRAINT decisions_decision_check CHECK (decision IN ({kinds}));
"""
UP = """
ALTER TABLE recon.decisions ADD until_at timestamptz, ADD told text NOT NULL DEFAULT '';
DROP INDEX recon.decisions_standing;
CREATE UNIQUE INDEX decisions_standing ON recon.decisions (decision, subject, object)
    WHERE ended_at IS NULL AND decision <> 'noted';
CREATE INDEX decisions_exception ON recon.decisions (exception_id) WHERE exception_id IS NOT NULL;
CREATE INDEX decisions_until ON recon.decisions (until_at) WHERE ended_at IS NULL AND until_at IS NOT NULL;
"""
DOWN = f"""
DELETE FROM recon.decisions WHERE decision IN ({MORE});
DROP INDEX recon.decisions_exception, recon.decisions_until, recon.decisions_standing;
CREATE UNIQUE INDEX decisions_standing ON recon.decisions (decision, subject, object) WHERE ended_at IS NULL;
ALTER TABLE recon.decisions DROP until_at, DROP told;
"""


def upgrade() -> None:
    """Allow them."""
    op.execute(ALLOW.format(kinds=f"{KINDS}, {MORE}") + UP)


def downgrade() -> None:
    """Back to seven kinds; what was decided by the others is lost."""
    op.execute(DOWN + ALLOW.format(kinds=KINDS))
