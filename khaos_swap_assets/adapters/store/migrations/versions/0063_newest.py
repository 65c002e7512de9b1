"""What an asset shows of its table, its newest rows, is found without reading the table.

Belongs here: the indexes of the orders in which the web UI shows tables that had none.
"""

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.execute("CREATE INDEX credit_notes_newest ON khaos.credit_notes (changed_at)")
    op.execute("CREATE INDEX cancellations_newest ON recon.cancellations (asked_at)")
    op.execute("CREATE INDEX custody_newest ON recon.custody (since)")
    op.execute("CREATE INDEX quality_calls_newest ON recon.quality_calls (planned_at)")


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP INDEX khaos.credit_notes_newest, recon.cancellations_newest, recon.custody_newest")
    op.execute("DROP INDEX recon.quality_calls_newest")
