"""The pictures of the UI as last drawn: to draw one takes longer than all else of a run that changed nothing.

Belongs here: table ``recon.pictures``, one row a picture that an asset shows. It can be emptied at any time.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.execute("CREATE TABLE recon.pictures (name text PRIMARY KEY, drawn_of text NOT NULL, png bytea NOT NULL)")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE recon.pictures")
