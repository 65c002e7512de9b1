"""Documents that a person brought as a file: what came, by whom, and which orders and notes are known by it alone.

Belongs here: ``recon.imports`` and the marks on the mirrors. ``source`` is ``khaos`` as soon as Khaos itself told
anything of a document; ``import_id`` is the file that told it last. ``file_hash`` of an order is its content in it.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.imports (
    import_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('sales-orders', 'credit-notes')),
    file_name text NOT NULL,
    file_hash text NOT NULL,
    documents integer NOT NULL,
    changed integer NOT NULL,
    complete_to timestamptz,
    life text NOT NULL,
    imported_at timestamptz NOT NULL,
    imported_by text NOT NULL
);
CREATE INDEX imports_newest ON recon.imports (kind, imported_at);
ALTER TABLE khaos.sales_orders
    ADD source text NOT NULL DEFAULT 'khaos' CHECK (source IN ('khaos', 'file')),
    ADD import_id bigint REFERENCES recon.imports,
    ADD file_hash text NOT NULL DEFAULT '';
ALTER TABLE khaos.credit_notes
    ADD source text NOT NULL DEFAULT 'khaos' CHECK (source IN ('khaos', 'file')),
    ADD import_id bigint REFERENCES recon.imports,
    ADD order_ref text NOT NULL DEFAULT '',
    ALTER net_pence
        DROP NOT NULL;
CREATE INDEX credit_notes_order ON khaos.credit_notes (order_ref) WHERE order_ref <> '';
CREATE INDEX credit_notes_nobody ON khaos.credit_notes (credit_note_code)
    WHERE customer_code = '' AND return_id IS NULL AND NOT is_cancelled;
"""

DOWN = """
DELETE FROM khaos.credit_notes WHERE source = 'file';
DELETE FROM khaos.sales_orders WHERE source = 'file';
ALTER TABLE khaos.credit_notes DROP source, DROP import_id, DROP order_ref, ALTER net_pence
    SET NOT NULL;
ALTER TABLE khaos.sales_orders DROP source, DROP import_id, DROP file_hash;
DROP TABLE recon.imports;
"""


def upgrade() -> None:
    """Add the table and the marks."""
    op.execute(UP)


def downgrade() -> None:
    """Take them away again; what only a file told goes with them."""
    op.execute(DOWN)
