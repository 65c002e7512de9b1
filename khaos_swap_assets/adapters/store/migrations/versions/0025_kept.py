"""Goods that the customer keeps: units of a line that never come back, and those of which nobody can tell.

Belongs here: their counts in ``recon.matched_lines``, and in ``recon.policies`` the settings by which goods were
matched, so that another setting looks at what is not out again.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE recon.matched_lines
    ADD kept_quantity integer NOT NULL DEFAULT 0,
    ADD unclear_quantity integer NOT NULL DEFAULT 0;
ALTER TABLE recon.policies ADD settings text NOT NULL DEFAULT '';
"""

DOWN = """
ALTER TABLE recon.policies DROP settings;
ALTER TABLE recon.matched_lines DROP kept_quantity, DROP unclear_quantity;
"""


def upgrade() -> None:
    """Add the columns."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away again."""
    op.execute(DOWN)
