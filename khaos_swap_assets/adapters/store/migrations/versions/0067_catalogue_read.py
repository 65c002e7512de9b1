"""Where there are Stock Codes the whole catalogue was read once; before that no SKU is said to be no Stock Code.

Belongs here: the mark of that. It stays where a later upgrade has the catalogue read anew.
"""

from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

UP = """
INSERT INTO recon.watermarks (source, reached_at)
    SELECT 'khaos/stock_codes/whole', now() WHERE EXISTS (SELECT FROM khaos.stock_codes)
"""


def upgrade() -> None:
    """Set it."""
    op.execute(UP)


def downgrade() -> None:
    """Remove it."""
    op.execute("DELETE FROM recon.watermarks WHERE source = 'khaos/stock_codes/whole'")
