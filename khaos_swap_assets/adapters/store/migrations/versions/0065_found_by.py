"""What finds a Stock Code for a SKU that is none is kept beside it, so that nobody reads the catalogue to look for it.

Belongs here: the column, its index, and its contents for the codes that are known already.
"""

import unicodedata

import sqlalchemy
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE khaos.stock_codes ADD found_by text[] NOT NULL DEFAULT '{}';
CREATE INDEX stock_codes_found_by ON khaos.stock_codes USING gin (found_by);
CREATE INDEX stock_codes_former ON khaos.stock_codes USING gin (former_codes);
"""
LONGEST_KEY = 500
KNOWN = "SELECT stock_code, other_ref, barcodes, pack_components FROM khaos.stock_codes"
FILL = "UPDATE khaos.stock_codes SET found_by = :keys WHERE stock_code = :code"


def upgrade() -> None:
    """Add it, and fill it."""
    op.execute(UP)
    bind = op.get_bind()
    rows = [{"code": row[0], "keys": _keys(*row)} for row in bind.execute(sqlalchemy.text(KNOWN))]
    if rows:
        bind.execute(sqlalchemy.text(FILL), rows)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX khaos.stock_codes_former; ALTER TABLE khaos.stock_codes DROP found_by")


def _keys(code: str, other_ref: str, barcodes: list[str], components: list[list[object]]) -> list[str]:
    folded = unicodedata.normalize("NFKD", code).casefold()
    plain = "".join(character for character in folded if character.isalnum())
    kept = [("other_ref", other_ref), *(("barcode", one) for one in barcodes)]
    kept += [("pack", str(component[0])) for component in components]
    told = [(rule, text.strip()) for rule, text in kept]
    keys = (("spelling", plain), ("zeros", plain.lstrip("0")), *told)
    return [f"{rule} {text}" for rule, text in keys if 0 < len(text) <= LONGEST_KEY]
