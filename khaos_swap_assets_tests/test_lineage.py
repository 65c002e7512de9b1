"""The graph says what flows: the arrows into each asset are the tables that it touches in the database, and no others.

What is touched is asked of the server: until a transaction ends it holds a lock on every table that was read or written
in it, by whatever query, view, trigger or copy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest
from pydantic import SecretStr

from khaos_swap_assets import definitions, lineage
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.stages.reconciliation.assets import column_lineage
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.adapters.storefront.shop import balance
from khaos_swap_assets_tests.stages.storefront.shop import MoneyTown
from khaos_swap_assets_tests.stages.town import a_line, a_note, a_return, some_settings

OURS = (
    "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND c.relkind IN ('r', 'p') "
    "AND n.nspname IN ('swap', 'khaos', 'storefront', 'recon')"
)
ALL = f"SELECT n.nspname || '.' || c.relname FROM {OURS}"
READ = f"{ALL} JOIN pg_locks l ON l.relation = c.oid AND l.pid = pg_backend_pid() AND l.mode = 'AccessShareLock'"
OWNER = {table: asset for asset, tables in lineage.TABLES.items() for table in tables}

Reads = Mapping[str, set[str]]
"""Tables that were read, by the function of the assets that read them."""


@pytest.fixture(scope="module")
def built() -> dg.Definitions:
    return definitions.build(toolbox=dg.ResourceDefinition.hardcoded_resource(None))


@pytest.fixture
def reads(database_url: str, built: dg.Definitions, monkeypatch: pytest.MonkeyPatch) -> Reads:
    """What each asset reads over a month and a half in which something of every kind happens."""
    shop = StorefrontSettings(url="https://shop.example", access_token=SecretStr("t"), poll_minutes=0, payouts=True)
    recorder = Recorder(MoneyTown(database_url, some_settings(storefront=shop, swap={"writes_quality": True})), built)
    recorder.listen(monkeypatch)
    recorder.play()
    return recorder.reads


class Recorder:
    """Runs the assets one after the other, as a run of the job does, and notes what each reads."""

    def __init__(self, town: MoneyTown, built: dg.Definitions) -> None:
        self.town, self.now_running = town, ""
        self.reads: defaultdict[str, set[str]] = defaultdict(set)
        assets = [one for one in built.assets or () if isinstance(one, dg.AssetsDefinition)]
        self.functions: dict[str, Any] = {one.op.name: one.op.compute_fn.decorated_fn for one in assets}  # type: ignore[union-attr]
        nodes = built.resolve_job_def("sync").nodes_in_topological_order
        self.order = [node.name for node in nodes if node.name in self.functions]

    def listen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = Toolbox.store

        @contextmanager
        def store(tools: Toolbox) -> Iterator[psycopg.Connection]:
            with original(tools) as conn:
                yield conn
                self.reads[self.now_running] |= {table for (table,) in conn.execute(READ)}

        monkeypatch.setattr(Toolbox, "store", store)

    def play(self) -> None:
        """Returns that go through, one without a Stock Code, one unpaid; notes by other hands; and age."""
        town = self.town
        lines = {2: [a_line("ZEBRA")]}
        town.sells_and_takes_back(
            *(a_return(number, *lines.get(number, ()), order_id=f"id{number}") for number in range(1, 6))
        )
        del town.khaos.items["ZEBRA"]
        for number in range(1, 5):
            town.shop.pay(number, 1000, payment=f"TF{number}")
        town.khaos.notes["CN91"] = a_note("CN91", 900, associated_ref="RMA3", customer_code="C3")
        town.khaos.notes["CN92"] = a_note("CN92", 1000, customer_code="C4")
        town.shop.pay_out(1, balance(1, sourceOrderTransactionId="TF1"), net="-11.00")
        self.sync(minutes=1)
        town.pull()
        self.sync(minutes=1)
        self.sync(days=30)
        self.run("reconciliation__month_end", dg.build_asset_context(partition_key="2026-03"))

    def sync(self, **later: float) -> None:
        self.town.now += timedelta(**later)
        for name in self.order:
            self.run(name)

    def run(self, name: str, *context: dg.AssetExecutionContext) -> None:
        self.now_running = name
        result = self.functions[name](*context, self.town.tools)
        list(result if isinstance(result, Iterator) else ())


def names(keys: object) -> set[str]:
    assert isinstance(keys, set | frozenset)
    return {key.to_user_string() for key in keys}


def test_every_table_that_an_asset_reads_is_among_its_deps_and_nothing_else_is(
    built: dg.Definitions, reads: Reads
) -> None:
    graph, apart = built.resolve_asset_graph(), {}
    for made in [one for one in built.assets or () if isinstance(one, dg.AssetsDefinition)]:
        own = names(set(made.keys))
        declared = {dep for key in made.keys for dep in names(set(graph.get(key).parent_keys))} - own
        unseen = {dep for asset in own for dep in lineage.IN_ORDER_ONLY.get(asset, ())}
        before = {dep for asset in own for dep in lineage.FROM_THE_RUN_BEFORE.get(asset, ())}
        touched = {OWNER[table] for table in reads[made.op.name] - lineage.WORK} - own
        if touched != declared - unseen | before:
            apart[made.op.name] = {
                "read, not declared": touched - declared - before,
                "declared, not read": (declared - unseen | before) - touched,
            }
    assert apart == {}


def test_every_table_belongs_to_one_asset_or_to_the_work(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        tables = {table for (table,) in conn.execute(ALL)}
    assert set(OWNER) | lineage.WORK == tables - {"recon.alembic_version"}
    assert not set(OWNER) & lineage.WORK
    assert len(OWNER) == sum(map(len, lineage.TABLES.values()))


def test_what_is_read_of_the_run_before_lies_further_down(built: dg.Definitions) -> None:
    graph = built.resolve_asset_graph()
    assert names(set(graph.get_all_asset_keys())) == set(lineage.TABLES)
    for asset, later in lineage.FROM_THE_RUN_BEFORE.items():
        above = {name for one in later for name in names(graph.get_ancestor_asset_keys(dg.AssetKey(one.split("/"))))}
        assert asset in above, asset
    for asset, earlier in lineage.IN_ORDER_ONLY.items():
        assert set(earlier) <= names(set(graph.get(dg.AssetKey(asset.split("/"))).parent_keys))


def test_the_columns_of_which_a_return_is_judged_exist(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        known = set(
            conn.execute("SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns")
        )
    used = {dep for deps in column_lineage().deps_by_column.values() for dep in deps}
    assert len(used) > 10
    for dep in used:
        tables = lineage.TABLES[dep.asset_key.to_user_string()]
        assert known & {(table, dep.column_name) for table in tables}, dep
    (own, *_) = lineage.TABLES["reconciliation/returns"]
    assert {(own, column) for column in column_lineage().deps_by_column} <= known


def test_dagster_shows_the_tables_of_each_asset(built: dg.Definitions) -> None:
    shown = {spec.key.to_user_string(): spec.metadata for spec in built.resolve_all_asset_specs()}
    assert shown["khaos/credit_notes"]["dagster/table_name"] == "khaos.credit_notes"
    assert shown["credit_notes/postings"]["tables"].startswith("recon.postings, ")
    assert shown["credit_notes/drafts"]["run_before"] == "credit_notes/postings"
