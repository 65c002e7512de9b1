"""Several stores of one merchant.

Belongs here: the store of a return, of a row that cannot be read and of a day that was compared, empty for the first
one; and ``swap.stores``, under which name each store was read, so that none is ever read under another.
"""

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE swap.returns ADD COLUMN store text NOT NULL DEFAULT '';
ALTER TABLE swap.unreadable ADD COLUMN store text NOT NULL DEFAULT '';
ALTER TABLE recon.completeness ADD COLUMN store text NOT NULL DEFAULT '',
    DROP CONSTRAINT completeness_pkey, ADD PRIMARY KEY (day, store);
CREATE INDEX returns_store ON swap.returns (store) WHERE store <> '';
CREATE TABLE swap.stores (
    store_id text PRIMARY KEY,
    store text NOT NULL,
    first_read_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO swap.stores (store_id, store) SELECT DISTINCT store_id, '' FROM swap.returns;
"""

DOWN = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM swap.stores WHERE store <> '') THEN
        RAISE EXCEPTION 'several stores were read: a program that knows one would take their returns as its own';
    END IF;
END $$;
DROP TABLE swap.stores;
DROP INDEX swap.returns_store;
ALTER TABLE recon.completeness DROP CONSTRAINT completeness_pkey, ADD PRIMARY KEY (day);
ALTER TABLE recon.completeness DROP COLUMN store;
ALTER TABLE swap.unreadable DROP COLUMN store;
ALTER TABLE swap.returns DROP COLUMN store;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away, where only one store was ever read."""
    op.execute(DOWN)
