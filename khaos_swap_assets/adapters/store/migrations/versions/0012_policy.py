"""What the Credit Note policy needs: the fields of Swap that it speaks of, its versions, and what each draft is due.

Belongs here: ``recon.policies`` with every version in use and its content, so that a posted draft can always say what
it was made by. Returns read before are read again by the next wide sweep, since their fields were not kept.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE swap.returns
    ADD exchange_pence bigint NOT NULL DEFAULT 0,
    ADD taxes_on_top_pence bigint NOT NULL DEFAULT 0,
    ADD duties_on_top_pence bigint NOT NULL DEFAULT 0;
UPDATE swap.returns SET content_hash = '' WHERE raw @? '$.exchange_items[*]'
    OR raw @? '$.products[*].refunded_non_inclusive_taxes' OR raw @? '$.products[*].refunded_non_inclusive_duties';
ALTER TABLE recon.drafts
    ADD policy_version text NOT NULL DEFAULT '',
    ADD due_pence bigint NOT NULL DEFAULT 0,
    ADD due_product_ids text[] NOT NULL DEFAULT '{}';
CREATE TABLE recon.policies (
    policy_version text PRIMARY KEY,
    content jsonb NOT NULL,
    first_used_at timestamptz NOT NULL,
    in_force_since timestamptz NOT NULL
);
"""

DOWN = """
DROP TABLE recon.policies;
ALTER TABLE recon.drafts DROP policy_version, DROP due_pence, DROP due_product_ids;
ALTER TABLE swap.returns DROP exchange_pence, DROP taxes_on_top_pence, DROP duties_on_top_pence;
"""


def upgrade() -> None:
    """Add the columns and the table."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away again."""
    op.execute(DOWN)
