"""A store of each earlier version, with a row in every table, keeps all of it on its way to this version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy
from alembic import command

from khaos_swap_assets.adapters.store import copying, embedded, migrate
from khaos_swap_assets.adapters.store import database as store

VERSIONS = migrate._known()[::-1]
MOMENT = "2026-03-10 12:00:00+00"
BY_TYPE = {
    "text": "{name}",
    "bigint": "0",
    "integer": "1",
    "smallint": "1",
    "numeric": "1.5",
    "boolean": "true",
    "date": "2026-03-10",
    "timestamp with time zone": MOMENT,
    "jsonb": "{{}}",
    "json": "{{}}",
    "text[]": "{{a,b}}",
    "bytea": "\\x6b",
    "double precision": "0.5",
}
BY_COLUMN = {
    "currency": "GBP",
    "period": "2026-03",
    "mark": "live",
    "stage": "match",
    "reference": "A1",
    "source": "khaos",
    "disposition": "sellable",
    "certainty": "certain",
    "score": "differ",
    "prices": "own",
    "pack_components": "[]",
    "value_pence": "900",
    "residual_pence": "-3",
    "reasons": '[["covered", "CN1"]]',
}
IN_TABLE: Mapping[tuple[str, str], str] = {
    ("khaos.wanted_orders", "state"): "waiting",
    ("recon.drafts", "state"): "ready",
    ("recon.postings", "state"): "confirmed",
    ("recon.stock_moves", "state"): "due",
    ("recon.stock_adjustments", "state"): "asked",
    ("recon.stock_transfers", "state"): "out",
    ("recon.stock_transfers", "route"): "file",
    ("recon.custody_movements", "source"): "swap",
    ("recon.imports", "kind"): "credit-notes",
    ("recon.residuals", "refused_by"): "",
    ("recon.decisions", "decision"): "waived",
    ("recon.cancellations", "progress"): "waiting",
    ("recon.cancelled_parts", "progress"): "waiting",
    ("recon.cancel_calls", "state"): "asked",
    ("recon.quality_calls", "state"): "planned",
    ("recon.payout_refunds", "place"): "matched",
}
GIVEN_UP = {("recon.reconciliation", f"gap_{leg}_pence") for leg in ("value", "missing", "extra")}
"""What a version took away for good; nothing else may go."""
GONE = {"recon.rerun_lines", "recon.rerun_returns"}
"""Tables that held only what can be made anew at any time."""
MOVED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "recon.waivers": (
        "recon.decisions",
        {"kind": "object", "waived_by": "decided_by", "waived_at": "decided_at"},
    ),
    "recon.link_refusals": (
        "recon.decisions",
        {"credit_note_code": "subject", "return_id": "object", "refused_by": "decided_by", "refused_at": "decided_at"},
    ),
}  # fmt: skip
"""Tables whose rows a version moved into another one, and what their columns are called there."""
TYPES = (
    "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass "
    "AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
)
Rows = dict[str, list[dict[str, Any]]]


class Walk:
    """One transaction on an empty database, which goes up version by version and is never committed."""

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self.connection = connection
        self._at = ""

    def go_to(self, version: str) -> None:
        """Stand at a version; one below the present begins anew."""
        if self._at and VERSIONS.index(version) < VERSIONS.index(self._at):
            self.connection.rollback()
        self._at = version
        self.upgrade(version)

    def upgrade(self, version: str) -> None:
        config = migrate._config()
        config.attributes["connection"] = self.connection
        command.upgrade(config, version)

    def ask(self, query: str, *given: object) -> list[Any]:
        return [*self.connection.exec_driver_sql(query, given or None)]

    def tables(self) -> list[str]:
        return [f"{schema}.{name}" for schema, name, *_ in self.ask(copying.COLUMNS)]

    def fill(self) -> None:
        """Put one row in every table: columns of one name hold one value, so that the rows belong together."""
        self.connection.exec_driver_sql("SET session_replication_role = replica")
        for table in self.tables():
            columns = [(str(name), str(kind)) for name, kind in self.ask(TYPES, table)]
            names = ", ".join(name for name, _ in columns)
            values = ", ".join(f"%s::{kind}" for _, kind in columns)
            given = tuple(_value(table, name, kind) for name, kind in columns)
            self.connection.exec_driver_sql(
                f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values})", given
            )
        self.connection.exec_driver_sql("SET session_replication_role = DEFAULT")

    def rows(self) -> Rows:
        return {table: [row for (row,) in self.ask(f"SELECT to_jsonb(t) FROM {table} t")] for table in self.tables()}


def _value(table: str, name: str, kind: str) -> str:
    return IN_TABLE.get((table, name), BY_COLUMN.get(name, BY_TYPE[kind].format(name=name)))


@pytest.fixture(scope="module")
def walk(postgres: embedded.EmbeddedPostgres) -> Iterator[Walk]:
    url = postgres.url("every_version_test")
    assert store.ensure(url)
    with migrate._connection(url) as connection:
        yield Walk(connection)
        connection.rollback()
    with store.connect(postgres.url("postgres"), application="tests") as connection:
        connection.autocommit = True
        connection.execute("DROP DATABASE every_version_test WITH (FORCE)")


def lost(before: Rows, after: Rows) -> list[str]:
    """Tables, columns and rows that were there before and are not there with the same values."""
    found = []
    for former, rows in ((table, rows) for table, rows in before.items() if table not in GONE):
        table, names = MOVED.get(former, (former, {}))
        for told in rows:
            row = {names.get(name, name): value for name, value in told.items()}
            gone = [name for name in row if after.get(table) and name not in after[table][0]]
            found += [f"{table}.{name} is gone" for name in gone if (table, name) not in GIVEN_UP]
            kept = {name: value for name, value in row.items() if name not in gone}
            if not any(all(other.get(name) == value for name, value in kept.items()) for other in after.get(table, [])):
                found.append(f"{table}: {kept}")
    return found


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_a_store_of_an_earlier_version_loses_nothing_on_its_way_to_this_one(walk: Walk, version: str) -> None:
    walk.go_to(version)
    with walk.connection.begin_nested() as point:
        walk.fill()
        before = walk.rows()
        walk.upgrade("head")
        after = walk.rows()
        point.rollback()
    assert all(before.values())
    assert lost(before, after) == []
