"""Sums of queues and the returns of a month without reading the rows themselves.

Belongs here: an index that holds what a queue is added up from, and the months of returns with their ids.
"""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

UP = """
CREATE INDEX exceptions_sums ON recon.exceptions (owner, kind, currency)
    INCLUDE (severity, money_at_risk_pence, opened_at, return_id, exception_id) WHERE closed_at IS NULL;
CREATE INDEX reconciliation_months ON recon.reconciliation (period, return_id);
DROP INDEX recon.reconciliation_period;
"""
DOWN = """
CREATE INDEX reconciliation_period ON recon.reconciliation (period);
DROP INDEX recon.reconciliation_months, recon.exceptions_sums;
"""


def upgrade() -> None:
    """Make them; the second serves whatever the index on the month alone did."""
    op.execute(UP)


def downgrade() -> None:
    """Back to the month alone."""
    op.execute(DOWN)
