"""Money of no return, and the Credit Note of no return that settles it.

Belongs here: ``is_loose`` and ``settled_by`` of ``storefront.refunds``; both are ours and are made anew at any time.
What was linked before is linked again once, which says of each refund whether it is loose.
"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE storefront.refunds
    ADD is_loose boolean NOT NULL DEFAULT false,
    ADD settled_by text NOT NULL DEFAULT '';
CREATE INDEX refunds_loose ON storefront.refunds (refund_id) WHERE is_loose;
CREATE UNIQUE INDEX refunds_settled_by ON storefront.refunds (settled_by) WHERE settled_by <> '';
UPDATE storefront.refunds SET judge_at = coalesce(judge_at, now()) WHERE return_id IS NULL AND moved_pence > 0;
"""
DOWN = "ALTER TABLE storefront.refunds DROP is_loose, DROP settled_by"


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
