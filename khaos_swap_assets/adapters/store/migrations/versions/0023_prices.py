"""Each posting remembers whether its value is what its goods were sold for.

Belongs here: the column ``prices`` of ``recon.postings`` (``documents.postings``). Those planned before are
``unsure``: they prove nothing of Khaos, and what is not out yet is told apart by the next plan.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.postings ADD COLUMN prices text NOT NULL DEFAULT 'unsure'
CONSTRAINT prices_are_known CHECK (prices IN ('sale', 'own', 'unsure'));
CREATE INDEX postings_of_own_prices ON recon.postings (state) WHERE prices = 'own';
"""


def upgrade() -> None:
    """Add the column, and an index of the few that may prove something."""
    op.execute(UP)


def downgrade() -> None:
    """Drop both."""
    op.execute("ALTER TABLE recon.postings DROP COLUMN prices")
