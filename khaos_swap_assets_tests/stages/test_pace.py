"""A tick costs by what changed, and in bulk: many returns ask the store no more often than few."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.stages.completeness.assets import reconciliation_completeness, reconciliation_latency
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, called

FEW, MANY = range(2, 5), range(5, 35)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement of every connection from now on; one for many rows counts once a row.

    Few rows go into the store as many do, so that the counts can be compared.
    """
    told: list[str] = []
    execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany

    def one(self: Any, query: Any, *given: Any, **named: Any) -> Any:
        told.append(str(query))
        return execute(self, query, *given, **named)

    def each(self: Any, query: Any, rows: Sequence[Any], **named: Any) -> None:
        told.extend(str(query) for _ in rows)
        executemany(self, query, rows, **named)

    monkeypatch.setattr(bulk, "FEW_ROWS", 0)
    monkeypatch.setattr(psycopg.Cursor, "execute", one)
    monkeypatch.setattr(psycopg.Cursor, "executemany", each)
    return told


def put(town: Town, numbers: Sequence[int]) -> None:
    """These returns, of a hat and a cap each, changed in Swap just now."""
    lines = [a_line("HAT", 1, 700), a_line("CAP", 1, 900)]
    town.sells_and_takes_back(*(a_return(number, *lines) for number in numbers))
    town.edit(*(town.swap.returns[f"R{number}"] for number in numbers))


def from_refund_to_shelf(town: Town, numbers: Sequence[int]) -> Iterator[Callable[[], object]]:
    """Every step that these returns take, one after the other; the next step is for the caller to make."""
    put(town, numbers)
    yield town.sync
    yield town.pull
    yield town.sync
    yield lambda: town.sync(days=1)
    yield lambda: called(reconciliation_completeness, town)
    yield lambda: called(reconciliation_latency, town)


def asked(town: Town, numbers: Sequence[int], statements: list[str]) -> list[int]:
    counts = []
    for step in from_refund_to_shelf(town, numbers):
        statements.clear()
        step()
        counts.append(len(statements))
    return counts


@pytest.mark.long
def test_thirty_returns_ask_no_more_often_than_three(town: Town, statements: list[str]) -> None:
    for step in from_refund_to_shelf(town, [1]):
        step()
    few, many = asked(town, FEW, statements), asked(town, MANY, statements)
    assert town.one("SELECT count(*) FROM recon.postings WHERE state = 'confirmed'") == 34
    assert [after - before for before, after in zip(few, many, strict=True)] == [0] * len(few)


def test_notes_of_staff_cost_no_more_either(town: Town, statements: list[str]) -> None:
    def credited_by_hand(numbers: Sequence[int]) -> int:
        put(town, numbers)
        for number in numbers:
            note = a_note(f"CN{number}", 1600, customer_code=f"C{number}", lines=(("CAP", 1), ("HAT", 1)))
            town.khaos.notes[note.credit_note_code] = note
        statements.clear()
        town.sync()
        return len(statements)

    credited_by_hand([1])
    few, many = credited_by_hand(FEW), credited_by_hand(MANY)
    assert town.one("SELECT count(*) FROM khaos.credit_notes WHERE return_id IS NOT NULL") == 34
    assert many == few


@pytest.mark.long
def test_documents_that_cannot_be_made_cost_no_more_either(town: Town, statements: list[str]) -> None:
    def without_party(numbers: Sequence[int]) -> int:
        put(town, numbers)
        town.sync()
        town.edit(*(town.swap.returns[f"R{number}"] for number in numbers))
        town.do("UPDATE khaos.sales_orders SET party_sealed = NULL")
        statements.clear()
        town.sync()
        assert town.one("SELECT count(*) FROM recon.drafts WHERE state = 'held'") >= len(numbers)
        return len(statements)

    without_party([1])
    few, many = without_party(FEW), without_party(MANY)
    assert many == few


@pytest.mark.long
def test_an_idle_tick_asks_the_same_whatever_lies_behind(town: Town, statements: list[str]) -> None:
    def idle() -> int:
        town.sync(days=2)
        town.sync()
        statements.clear()
        town.sync()
        return len(statements)

    asked = []
    for numbers in ([1], range(2, 20)):
        for step in from_refund_to_shelf(town, numbers):
            step()
        asked.append(idle())
    assert asked[1] == asked[0]
