"""One record of what people decided: what was waived, and which Credit Note is not which return's.

Belongs here: ``recon.decisions`` in place of ``recon.waivers`` and ``recon.link_refusals``, whose rows it takes over.
A waiver's facts are the pence at risk when it was given; those of before have what their exception last said.
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.decisions (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision text NOT NULL CHECK (decision IN ('waived', 'not_this_return')),
    subject text NOT NULL,
    object text NOT NULL,
    return_id text NOT NULL DEFAULT '',
    exception_id bigint,
    decided_by text NOT NULL,
    reason text NOT NULL,
    decided_at timestamptz NOT NULL,
    money_at_risk_pence bigint,
    currency text NOT NULL DEFAULT '',
    ended_at timestamptz,
    ended_by text NOT NULL DEFAULT '',
    end_reason text NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (ended_by = ''))
);
CREATE UNIQUE INDEX decisions_standing ON recon.decisions (decision, subject, object) WHERE ended_at IS NULL;
CREATE INDEX decisions_return ON recon.decisions (return_id) WHERE ended_at IS NULL AND return_id <> '';
INSERT INTO recon.decisions (decision, subject, object, return_id, exception_id, decided_by, reason,
        decided_at, money_at_risk_pence, currency)
    SELECT 'waived', w.subject, w.kind, coalesce(e.return_id, ''), e.exception_id, w.waived_by, w.reason, w.waived_at,
        e.money_at_risk_pence, coalesce(e.currency, '')
    FROM recon.waivers w LEFT JOIN LATERAL (SELECT * FROM recon.exceptions e WHERE e.kind = w.kind
        AND e.subject = w.subject AND e.closed_at IS NOT NULL ORDER BY e.closed_at DESC LIMIT 1) e ON true;
INSERT INTO recon.decisions (decision, subject, object, return_id, decided_by, reason, decided_at)
    SELECT 'not_this_return', credit_note_code, return_id, return_id, refused_by, reason, refused_at
    FROM recon.link_refusals;
DROP TABLE recon.waivers, recon.link_refusals;
"""

DOWN = """
CREATE TABLE recon.waivers (
    kind text NOT NULL,
    subject text NOT NULL,
    waived_by text NOT NULL,
    reason text NOT NULL,
    waived_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, subject)
);
CREATE TABLE recon.link_refusals (
    credit_note_code text NOT NULL,
    return_id text NOT NULL,
    refused_by text NOT NULL,
    reason text NOT NULL,
    refused_at timestamptz NOT NULL,
    PRIMARY KEY (credit_note_code, return_id)
);
INSERT INTO recon.waivers (kind, subject, waived_by, reason, waived_at)
    SELECT object, subject, decided_by, reason, decided_at FROM recon.decisions
    WHERE decision = 'waived' AND ended_at IS NULL;
INSERT INTO recon.link_refusals SELECT subject, object, decided_by, reason, decided_at FROM recon.decisions
    WHERE decision = 'not_this_return' AND ended_at IS NULL;
DROP TABLE recon.decisions;
"""


def upgrade() -> None:
    """Take over what was decided."""
    op.execute(UP)


def downgrade() -> None:
    """Back into two tables; what has ended is lost."""
    op.execute(DOWN)
