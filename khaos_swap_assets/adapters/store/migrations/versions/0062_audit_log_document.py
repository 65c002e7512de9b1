"""The log of one document is found without reading the whole log.

Belongs here: the index of ``recon.audit_log`` by document. A hash: its names are of any length.
"""

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it."""
    op.execute("CREATE INDEX audit_log_document ON recon.audit_log USING hash (document)")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX recon.audit_log_document")
