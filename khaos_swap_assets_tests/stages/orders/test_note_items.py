"""Items of Credit Notes: read by the note's code where the status list shows none, once, within the budget."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.khaos.records import NoteItems, StatusFeed
from khaos_swap_assets.adapters.store import note_items as store
from khaos_swap_assets.domain.documents.credit_notes import ItemsBy
from khaos_swap_assets.stages.orders.sync import sync_orders
from khaos_swap_assets_tests.stages.town import Town, a_note, a_return

LINES = "SELECT credit_note_code, stock_code, quantity FROM khaos.credit_note_lines ORDER BY 1, 2"
REFUSED = "SELECT subject, reason FROM recon.setbacks ORDER BY 1"


def with_notes(town: Town, *codes: str, by: ItemsBy = "export", budget: int = 500) -> Town:
    """Notes whose items Khaos shows this way alone."""
    town.with_settings(khaos={"order_budget": budget}, period_start=date(2026, 3, 1))
    town.khaos.note_items = by
    town.khaos.notes = {code: a_note(code, customer_code=f"C-{code}") for code in codes}
    return town


def asked(town: Town) -> list[str]:
    return sorted(code for what, codes in town.khaos.asked if what == "notes" for code in codes)


def look(town: Town, **later: float) -> int:
    """One look at Khaos; how many notes still lack their items."""
    town.now += timedelta(**(later or {"minutes": 1}))
    return sync_orders(town.tools).items_waiting


def shown_by(town: Town) -> str:
    with town.tools.store() as conn:
        found = store.capability(conn)
    return found.value if found else ""


@pytest.mark.parametrize(("by", "lines"), [("status", 1), ("export", 1), ("none", 0)])
def test_the_way_is_found_and_kept(town: Town, by: ItemsBy, lines: int) -> None:
    with_notes(town, "CN1", by=by)
    look(town)
    assert shown_by(town) == by
    assert len(town.ask(LINES)) == lines


def test_without_a_note_nothing_is_known(town: Town) -> None:
    look(with_notes(town))
    assert shown_by(town) == ""


def test_a_note_is_read_once_and_again_when_its_line_changed(town: Town) -> None:
    with_notes(town, "CN1", "CN2")
    look(town)
    look(town)
    assert asked(town) == ["CN1", "CN2"]
    assert town.ask(LINES) == [("CN1", "HAT", 1), ("CN2", "HAT", 1)]
    town.khaos.notes["CN1"] = a_note("CN1", 2000, customer_code="C-CN1", lines=(("CAP", 2),))
    look(town)
    assert asked(town) == ["CN1", "CN1", "CN2"]
    assert town.ask(LINES) == [("CN1", "CAP", 2), ("CN2", "HAT", 1)]


def test_what_is_over_the_budget_waits_in_line_also_when_the_list_shows_it_no_more(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_notes(town, "CN1", "CN2", "CN3", "CN4", "CN5", budget=2)
    assert look(town) == 3
    monkeypatch.setattr(town.khaos, "export_order_status", lambda **_: StatusFeed([], []))
    assert (look(town), look(town)) == (1, 0)
    assert len(asked(town)) == len(town.ask(LINES)) == 5


def test_a_refusal_is_kept_against_its_note_shown_and_tried_again_with_growing_pauses(town: Town) -> None:
    with_notes(town, "CN1", "CN2")
    town.khaos.broken_refs["CN1"] = PermanentError("Access violation")
    look(town)
    assert town.ask(LINES) == [("CN2", "HAT", 1)]
    assert town.ask(REFUSED) == [("CN1", "Access violation")]
    tries = []
    for minutes in (10, 6, 20, 11, 50, 11):
        look(town, minutes=minutes)
        tries.append(len(asked(town)))
    assert tries == [2, 3, 3, 4, 4, 5]
    town.khaos.broken_refs.clear()
    look(town, days=2)
    assert town.ask(REFUSED) == []


def test_an_answer_for_another_customer_is_not_the_notes(town: Town) -> None:
    with_notes(town, "CN1", "CN2")
    town.khaos.told_items["CN1"] = NoteItems((("HAT", 1),), "C-CN2")
    look(town)
    assert town.ask(LINES) == [("CN2", "HAT", 1)]
    assert town.ask(REFUSED) == [("CN1", "ExportOrders shows it for customer C-CN2")]


def test_a_lost_answer_proves_nothing_and_is_asked_for_again(town: Town) -> None:
    with_notes(town, "CN1")
    town.khaos.broken_refs["CN1"] = TransientError("timed out")
    assert (look(town), shown_by(town)) == (1, "")
    town.khaos.broken_refs.clear()
    assert (look(town, hours=1), shown_by(town)) == (0, "export")


def test_where_no_way_shows_items_few_notes_are_tried_and_once_a_day(town: Town) -> None:
    with_notes(town, *(f"CN{number}" for number in range(1, 10)), by="none")
    assert (look(town), look(town, hours=20)) == (0, 0)
    assert asked(town) == ["CN5", "CN6", "CN7", "CN8", "CN9"]
    assert town.ask(REFUSED) == []
    town.khaos.note_items = "export"
    look(town, hours=5)
    assert shown_by(town) == "export"
    assert len(town.ask(LINES)) == 5
    look(town)
    assert len(town.ask(LINES)) == 9


def test_a_search_reads_the_items_of_its_customers(town: Town) -> None:
    with_notes(town, "CN0")
    town.sells_and_takes_back(a_return())
    town.sync()
    town.khaos.notes |= {note.credit_note_code: note for note in town.pull()}
    town.sync()
    assert ("CN2", "HAT", 1) in town.ask(LINES)
    assert town.one("SELECT state FROM recon.postings") == "confirmed"
