"""What the shop lists, and why returns to come will fail.

Belongs here: ``storefront.variants``, ``recon.return_causes``, and the indexes by which lines and returns that are in
trouble are found without a look at all others.
"""

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE storefront.variants (
    variant_id text PRIMARY KEY,
    sku text NOT NULL,
    title text NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE TABLE recon.return_causes (
    about text NOT NULL,
    code text NOT NULL,
    kind text NOT NULL,
    suggestion text NOT NULL,
    returns integer NOT NULL,
    rmas text[] NOT NULL,
    sold integer NOT NULL,
    listed integer NOT NULL,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (about, code, kind)
);
CREATE INDEX matched_lines_trouble ON recon.matched_lines (return_id) WHERE problem <> '';
CREATE INDEX matched_returns_trouble ON recon.matched_returns (return_id) WHERE order_problems <> '{}';
"""

DOWN = """
DROP INDEX recon.matched_lines_trouble, recon.matched_returns_trouble;
DROP TABLE recon.return_causes, storefront.variants;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
