"""Notes in doubt, and the rate of a sale.

Belongs here: ``recon.note_doubts``, which attribution makes anew, and what the order of a storefront's refund came to
in the customer's currency and in the shop's. Zero: not read yet.
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.note_doubts (
    credit_note_code text NOT NULL,
    return_id text NOT NULL,
    is_merged boolean NOT NULL,
    PRIMARY KEY (credit_note_code, return_id)
);
CREATE INDEX note_doubts_return ON recon.note_doubts (return_id);
ALTER TABLE storefront.refunds
    ADD sold_pence bigint NOT NULL DEFAULT 0,
    ADD sold_shop_pence bigint NOT NULL DEFAULT 0;
"""
DOWN = """
DROP TABLE recon.note_doubts;
ALTER TABLE storefront.refunds DROP sold_pence, DROP sold_shop_pence;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
