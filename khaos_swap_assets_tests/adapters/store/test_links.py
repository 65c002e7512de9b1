"""Links in the store: shares that are the note, one that tells of it, and what a person refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import links, notes
from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets_tests.domain.cases import a_note

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
Database = psycopg.Connection[Any]
NOTE = a_note(3000, "CN1")
SHARES = [Attribution("CN1", "R1", "one_to_many", 1000), Attribution("CN1", "R2", "one_to_many")]


def given(database: Database) -> dict[str, int]:
    """Pence of the note by return."""
    found = notes.of_returns(database, ["R1", "R2", "R3"])
    return {key: note.gross_pence for key, ((note, _),) in found.items()}


def test_shares_are_the_note_and_hold_no_goods(database: Database) -> None:
    notes.save(database, [NOTE], NOW)
    links.attach(database, SHARES, NOW)
    assert given(database) == {"R1": 1000, "R2": 2000}
    ((share, matched_by),) = notes.of_returns(database, ["R1"])["R1"]
    assert share == replace(NOTE, gross_pence=1000, net_pence=None, delivery_gross_pence=0, lines=())
    assert matched_by == "one_to_many"
    notes.save(database, [replace(NOTE, gross_pence=2700)], NOW)
    assert given(database) == {"R1": 1000, "R2": 1700}


def test_one_return_tells_of_a_shared_note_and_none_of_another(database: Database) -> None:
    notes.save(database, [NOTE, a_note(code="CN2")], NOW)
    links.attach(database, [*SHARES, Attribution("CN2", "R3", "reference")], NOW)
    assert links.shared(database, ["CN1", "CN2"]) == {"CN1": (3000, "R2")}
    assert sorted(links.owners(database, ["CN1"])) == ["R1", "R2"]


def test_attaching_again_replaces_and_detaching_leaves_nothing(database: Database) -> None:
    notes.save(database, [NOTE], NOW)
    links.attach(database, SHARES, NOW)
    links.attach(database, [Attribution("CN1", "R3", "posting")], NOW)
    assert given(database) == {"R3": 3000}
    assert links.detach(database, ["CN1"]) == ["R3"]
    assert given(database) == {}
    assert notes.unattributed(database, ["C1"]) == [NOTE]


def test_the_notes_of_a_pass_and_return_are_companions(database: Database) -> None:
    notes.save(database, [NOTE, a_note(code="CN2"), a_note(code="CN3")], NOW)
    found = [Attribution(code, "R1", "many_to_one") for code in ("CN1", "CN2")]
    links.attach(database, [*found, Attribution("CN3", "R1", "reference")], NOW)
    assert links.companions(database, ["R1"], "many_to_one") == ["CN1", "CN2"]


def test_a_no_is_kept_by_pair_until_it_is_taken_back(database: Database) -> None:
    links.refuse(database, [("CN1", "R1"), ("CN1", "R2")], "Kim", "no", NOW)
    links.refuse(database, [("CN1", "R1")], "Lee", "still no", NOW)
    assert links.refused(database, ["CN1"]) == {("CN1", "R1"), ("CN1", "R2")}
    assert links.refused(database, []) == links.refused(database, ["CN2"]) == frozenset()
    assert {one.refused_by for one in links.refusals(database)} == {"Kim", "Lee"}
    links.forgive(database, [("CN1", "R1")], "Kim", "it is", NOW)
    assert links.refused(database, ["CN1"]) == {("CN1", "R2")}
