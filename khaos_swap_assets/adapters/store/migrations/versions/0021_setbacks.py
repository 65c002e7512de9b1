"""What could not be done about one record, and who stopped the feed by hand.

Belongs here: table ``recon.setbacks``, one row a record and what was tried on it, gone once it succeeds; and the name
of the person on a hold of the feed (empty: the feed stopped itself).
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.setbacks (
    operation text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    next_try_at timestamptz NOT NULL,
    PRIMARY KEY (operation, subject)
);
ALTER TABLE recon.feed_holds ADD held_by text NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Add both."""
    op.execute(UP)


def downgrade() -> None:
    """Take both away."""
    op.execute("DROP TABLE recon.setbacks; ALTER TABLE recon.feed_holds DROP held_by")
