"""What a Stock Code was called before, which variants it has, whether it is run to zero; and what Khaos wrote off.

Belongs here: these columns of ``khaos.stock_codes``, which is read once more, and ``khaos.write_offs``, a row for each
row of a Write Off Report that a person brought.
"""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE khaos.stock_codes
    ADD is_run_to_zero boolean NOT NULL DEFAULT false,
    ADD variants text[] NOT NULL DEFAULT '{}',
    ADD former_codes text[] NOT NULL DEFAULT '{}';
DELETE FROM recon.watermarks WHERE source = 'khaos/stock_codes';
CREATE TABLE khaos.write_offs (
    row_key text PRIMARY KEY,
    stock_code text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    cost_pence bigint,
    currency text NOT NULL,
    written_off_on date NOT NULL,
    written_off_by text NOT NULL,
    import_id bigint NOT NULL
);
CREATE INDEX write_offs_on ON khaos.write_offs (written_off_on);
ALTER TABLE recon.imports DROP CONSTRAINT imports_kind_check,
    ADD CONSTRAINT imports_kind_check CHECK (kind IN ('sales-orders', 'credit-notes', 'payouts', 'write-offs'));
"""
DOWN = """
DELETE FROM recon.imports WHERE kind = 'write-offs';
ALTER TABLE recon.imports DROP CONSTRAINT imports_kind_check,
    ADD CONSTRAINT imports_kind_check CHECK (kind IN ('sales-orders', 'credit-notes', 'payouts'));
DROP TABLE khaos.write_offs;
ALTER TABLE khaos.stock_codes DROP former_codes, DROP variants, DROP is_run_to_zero;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
