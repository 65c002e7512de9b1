"""How Khaos shows the items of its Credit Notes, and what was read of each by its own code.

Belongs here: ``khaos.capabilities``, ``khaos.note_items`` (no ``lines``: it waits in line), and whether Khaos
shows the day of a note's issue.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE khaos.capabilities (
    name text PRIMARY KEY,
    value text NOT NULL,
    evidence text NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE TABLE khaos.note_items (
    credit_note_code text PRIMARY KEY,
    line_hash text NOT NULL,
    lines jsonb,
    asked_at timestamptz NOT NULL
);
CREATE INDEX note_items_in_line ON khaos.note_items (asked_at) WHERE lines IS NULL;
ALTER TABLE khaos.credit_notes ADD COLUMN is_issue_day_shown boolean NOT NULL DEFAULT true;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE khaos.credit_notes DROP COLUMN is_issue_day_shown")
    op.execute("DROP TABLE khaos.note_items, khaos.capabilities")
