"""Each posting remembers the content of the draft that it was planned from.

Belongs here: the column ``drafted`` of ``recon.postings``. A planned posting leaves only while its draft is ready with
that content. Those planned before take the content of their draft as it is now: the next plan compares the documents.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.postings ADD COLUMN drafted json;
UPDATE recon.postings p SET drafted = (d.draft - ARRAY['policy_version', 'refund_pence'])::json FROM recon.drafts d
WHERE p.state = 'planned' AND (d.store_id, d.return_id, d.ordinal) = (p.store_id, p.return_id, p.ordinal);
"""


def upgrade() -> None:
    """Add the column and fill it for what is planned."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE recon.postings DROP COLUMN drafted")
