"""Lists and search of the desk by the server's own plans: each goes by an index, however many are open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import desk_lists, exceptions, findings
from khaos_swap_assets.adapters.store.desk_lists import QueueFilter
from khaos_swap_assets.domain.desk.queues import urgent_at
from khaos_swap_assets.domain.exceptions.catalogue import Problem

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
Database = psycopg.Connection[Any]
MANY = """
INSERT INTO recon.exceptions (kind, subject, owner, severity, return_id, rma, sku, credit_note_code, message, opened_at,
    urgent_at, closed_at)
SELECT CASE i % 9 WHEN 0 THEN 'vat_differs' ELSE 'value_gap' END, 'RMA' || i, CASE i % 3 WHEN 0 THEN 'finance'
    ELSE 'cx' END, 'error', 'R' || i, 'RMA' || i, 'SKU' || i, 'CN' || i, 'apart', timestamptz '2026-03-01',
    timestamptz '2026-03-01' - make_interval(mins => 7 * i % 997), CASE WHEN i > 6000 THEN now() END
FROM generate_series(1, 12000) i;
INSERT INTO recon.note_links (credit_note_code, return_id, matched_by, linked_at, linked_by)
SELECT 'CN' || i, 'R' || i, 'reference', now(), 'test' FROM generate_series(1, 6000) i;
ANALYZE recon.exceptions; ANALYZE recon.note_links; ANALYZE recon.decisions;
"""


@pytest.fixture
def many(database: Database) -> Database:
    """6,000 open exceptions and as many closed ones."""
    for statement in MANY.split(";\n"):
        database.execute(statement.encode())
    return database


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def explained(conn: Database, query: str, **values: Any) -> list[dict[str, Any]]:
    given = {"owner": "", "kind": "", "period": "", "hands": "", "now": NOON, "moment": NOON, "number": 1, "limit": 51}
    row = conn.execute(f"EXPLAIN (FORMAT JSON) {query}".encode(), {**given, **values}).fetchone()
    assert row
    return list(nodes(row[0][0]["Plan"]))


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (QueueFilter(), "exceptions_urgent"),
        (QueueFilter(shows="now"), "exceptions_urgent"),
        (QueueFilter(owner="finance", shows="now"), "exceptions_of_owner"),
        (QueueFilter(kind="vat_differs"), "exceptions_of_kind"),
    ],
)
def test_a_page_goes_along_its_index_and_sorts_nothing(
    many: Database, wanted: QueueFilter, index: str, is_first: bool
) -> None:
    found = explained(many, desk_lists.page_query(wanted, is_first=is_first), owner=wanted.owner, kind=wanted.kind)
    assert index in {one.get("Index Name") for one in found}
    assert not [one for one in found if one["Node Type"] == "Sort"]
    assert not [one for one in found if one["Node Type"] == "Seq Scan" and one["Relation Name"] == "exceptions"]


def test_a_search_looks_every_number_up_by_an_index(many: Database) -> None:
    found = explained(many, desk_lists.SEARCH, words=["RMA7"])
    by = {one.get("Index Name") for one in found}
    assert {"exceptions_rma", "exceptions_sku", "exceptions_note", "exceptions_return"} <= by
    assert not [one for one in found if one["Node Type"] == "Seq Scan" and one["Relation Name"] == "exceptions"]


def test_a_number_finds_the_open_ones_only(many: Database) -> None:
    assert [row.subject for row in desk_lists.search(many, "rma7", 9)] == ["RMA7"]
    assert [row.subject for row in desk_lists.search(many, "CN8", 9)] == ["RMA8"]
    assert desk_lists.search(many, "RMA6001", 9) == []
    assert desk_lists.search(many, "", 9) == []


def test_pages_are_the_whole_queue_in_its_order(many: Database) -> None:
    seen: list[desk_lists.QueueRow] = []
    after = None
    while page := desk_lists.page(many, QueueFilter(owner="finance"), after, 700, NOON):
        seen += page
        after = page[-1].place
    assert [row.place for row in seen] == sorted(row.place for row in seen)
    assert len(seen) == exceptions.count(many, owner="finance") == 2000


def test_an_exception_opens_in_its_place_and_moves_with_its_money(database: Database) -> None:
    def place() -> tuple[int, datetime]:
        ((pence, moment),) = database.execute("SELECT money_at_risk_pence, urgent_at FROM recon.exceptions").fetchall()
        return pence, moment

    for pence, now in ((1000, NOON), (64_000, NOON + timedelta(days=1))):
        told = Problem("value_gap", "RMA1", "apart", return_id="R1", money_at_risk_pence=pence, currency="GBP")
        findings.replace_of_returns(database, ["R1"], [told], now)
        findings.open_and_close(database, now)
        assert place() == (pence, urgent_at("value_gap", pence, NOON))
    findings.open_and_close(database, NOON)
    assert place() == (64_000, urgent_at("value_gap", 64_000, NOON))


@pytest.mark.parametrize(
    ("typed", "words"),
    [("RMA1", ["#RMA1", "RMA1"]), (" #lx1 ", ["#LX1", "#lx1", "LX1", "lx1"]), ("", []), ("\0", []), ("#", [])],
)
def test_what_a_person_types_is_looked_for_in_every_spelling(typed: str, words: list[str]) -> None:
    assert desk_lists.spellings(typed) == words
