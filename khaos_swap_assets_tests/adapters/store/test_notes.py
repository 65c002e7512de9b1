"""Credit Notes in the store: changes only, attributed, and gone when cancelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import links, notes
from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets_tests.domain.cases import a_note

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
Database = psycopg.Connection[Any]
NOTE = a_note()


def stamps(database: Database) -> list[Any]:
    return database.execute("SELECT first_seen_at, changed_at FROM khaos.credit_notes").fetchall()


def test_a_note_comes_back_as_it_went_in(database: Database) -> None:
    assert notes.save(database, [NOTE], NOW) == ["CN1"]
    assert notes.by_code(database, ["CN1", "CN2"]) == [NOTE]
    assert notes.unattributed(database, ["C1"]) == [NOTE]
    assert notes.unattributed(database, ["C1"]) == [NOTE]
    assert notes.unattributed(database, ["C2"]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"gross_pence": 1},
        {"issued_on": None},
        {"stage_id": 80},
        {"associated_ref": "x"},
        {"customer_code": "C2"},
        {"created_on": date(2026, 1, 1)},
        {"lines": (("ABC", 1),)},
        {"lines": ()},
    ],
)
def test_every_part_of_a_note_counts_as_a_change(database: Database, change: dict[str, Any]) -> None:
    notes.save(database, [NOTE], NOW)
    assert notes.save(database, [NOTE], LATER) == []
    assert stamps(database) == [(NOW, NOW)]
    changed = replace(NOTE, **change)
    assert notes.save(database, [changed], LATER) == ["CN1"]
    assert notes.by_code(database, ["CN1"]) == [changed]
    assert stamps(database) == [(NOW, LATER)]


def test_a_changed_note_stays_with_its_return(database: Database) -> None:
    notes.save(database, [NOTE], NOW)
    links.attach(database, [Attribution("CN1", "R1", "posting")], NOW)
    changed = replace(NOTE, gross_pence=1)
    notes.save(database, [changed], LATER)
    assert notes.of_returns(database, ["R1"]) == {"R1": [(changed, "posting")]}


def test_an_attributed_note_is_no_longer_loose(database: Database) -> None:
    notes.save(database, [NOTE, a_note(code="CN2")], NOW)
    links.attach(database, [Attribution("CN1", "R1", "reference")], NOW)
    assert [note.credit_note_code for note in notes.unattributed(database, ["C1"])] == ["CN2"]


def test_a_cancelled_note_belongs_to_nobody_and_is_said_once(database: Database) -> None:
    notes.save(database, [NOTE, a_note(code="CN2")], NOW)
    links.attach(database, [Attribution("CN1", "R1", "reference")], NOW)
    assert notes.cancel(database, ["CN1", "CN9"], LATER) == ["CN1"]
    assert notes.cancel(database, ["CN1"], LATER) == []
    assert notes.of_returns(database, ["R1"]) == {}
    assert [note.credit_note_code for note in notes.unattributed(database, ["C1"])] == ["CN2"]


def test_several_notes_of_one_return_come_in_order(database: Database) -> None:
    notes.save(database, [a_note(code=code) for code in ("CN3", "CN1", "CN2")], NOW)
    for code in ("CN3", "CN1"):
        links.attach(database, [Attribution(code, "R1", "reference")], NOW)
    links.attach(database, [Attribution("CN2", "R2", "posting")], NOW)
    found = notes.of_returns(database, ["R1", "R2", "R3"])
    assert {key: [note.credit_note_code for note, _ in some] for key, some in found.items()} == {
        "R1": ["CN1", "CN3"],
        "R2": ["CN2"],
    }


def test_a_cancelled_note_that_khaos_shows_again_counts_again(database: Database) -> None:
    code, customer = NOTE.credit_note_code, NOTE.customer_code
    notes.save(database, [NOTE], NOW)
    notes.cancel(database, [code], NOW)
    assert notes.unattributed(database, [customer]) == []
    assert notes.save(database, [NOTE], LATER) == [code]
    assert notes.unattributed(database, [customer]) == [NOTE]
    assert notes.save(database, [NOTE], LATER) == []
