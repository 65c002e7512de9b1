"""Who is signed in, and how often somebody tried to.

Belongs here: ``recon.door_sessions``, a row a signed-in browser, by the hash of an id that only the browser has; and
``recon.door_attempts``, a row a name or an address that tried, by its hash. No password and no id is in either.
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.door_sessions (
    id_hash bytea PRIMARY KEY,
    member text NOT NULL,
    roles text[] NOT NULL,
    credential text NOT NULL,
    began_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX door_sessions_member ON recon.door_sessions (member);
CREATE INDEX door_sessions_seen ON recon.door_sessions (seen_at);
CREATE TABLE recon.door_attempts (
    subject_hash bytea PRIMARY KEY,
    tries integer NOT NULL,
    since timestamptz NOT NULL
);
CREATE INDEX door_attempts_since ON recon.door_attempts (since);
"""
DOWN = """
DROP TABLE recon.door_sessions;
DROP TABLE recon.door_attempts;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them: everybody signs in again."""
    op.execute(DOWN)
