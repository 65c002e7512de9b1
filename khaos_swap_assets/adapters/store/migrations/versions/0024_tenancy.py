"""Who runs on this database: a lock ends with its session, this says who had it last.

Belongs here: table ``recon.tenancy``, at most one row.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.execute(
        "CREATE TABLE recon.tenancy (is_only boolean PRIMARY KEY CHECK (is_only), holder text NOT NULL, "
        "since timestamptz NOT NULL, left_at timestamptz)"
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE recon.tenancy")
