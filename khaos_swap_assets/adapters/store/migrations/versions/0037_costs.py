"""What a Stock Code costs.

Belongs here: ``buy_pence`` of ``khaos.stock_codes``; the catalogue is read once more, so that it is filled.
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE khaos.stock_codes ADD buy_pence bigint;
DELETE FROM recon.watermarks WHERE source = 'khaos/stock_codes';
"""
DOWN = "ALTER TABLE khaos.stock_codes DROP buy_pence"


def upgrade() -> None:
    """Add it."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWN)
