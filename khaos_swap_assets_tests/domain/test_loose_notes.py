"""Notes that people posted, in the live order: what answers a document first, then the ordered passes; never wrong.

KHAOS_SWAP_MONTHS=50 looks at as many seeds as it says.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from khaos_swap_assets.domain.attribution import Attribution, Claim, attribute
from khaos_swap_assets.domain.credit_notes import CreditNote
from khaos_swap_assets.domain.loose_notes import Told, attribute_loose
from khaos_swap_assets.domain.matching import NoteRecord, ReturnRecord
from khaos_swap_assets_tests.domain.cases import a_note
from khaos_swap_assets_tests.domain.hand_posted import Month, a_month

SEEDS = range(1, int(os.environ.get("KHAOS_SWAP_MONTHS", "5")) + 1)
DAY = date(2026, 3, 10)
Shows = Callable[[NoteRecord], NoteRecord]
SHOWS: dict[str, Shows] = {
    "everything": lambda note: note,
    "no order, as the status feed": lambda note: replace(note, order_ref=""),
    "no reference": lambda note: replace(note, ref=""),
    "no goods": lambda note: replace(note, codes=()),
}


def a_record(number: int = 1, **changes: Any) -> ReturnRecord:
    """RMA<number> of order LX<number> by C1: one A for £10, refunded on the day."""
    given: dict[str, Any] = {
        "value_pence": 1000, "currency": "GBP", "order_ref": f"LX{number}", "customer": "C1",
        "codes": (("A", 1),), "refunded_on": DAY, "opened_on": date(2026, 3, 1),
    }  # fmt: skip
    return ReturnRecord(f"R{number}", f"RMA{number}", **{**given, **changes})


def loose(code: str = "CN1", pence: int = 1000, **changes: Any) -> CreditNote:
    given = {"customer_code": "C1", "associated_ref": "", "created_on": DAY, "lines": (("A", 1),)}
    return a_note(pence, code, **{**given, **changes})


def as_note(note: NoteRecord) -> CreditNote:
    return CreditNote(
        note.code, note.ref, note.customer, note.currency, note.created_on, note.created_on, 70, note.value_pence, None,
        0, note.codes, note.order_ref,
    )  # fmt: skip


def live(month: Month) -> Iterator[Attribution]:
    """All that is attributed of a month, as a run does it."""
    notes = [as_note(note) for note in month.notes]
    claims = [
        Claim(
            one.return_id, one.customer, one.currency, one.value_pence, one.codes, one.names, "", one.refunded_on,
            one.opened_on, order_ref=one.order_ref,
        )
        for one in month.returns
    ]  # fmt: skip
    found, unclear = attribute(notes, claims, {})
    given = {one.credit_note_code for one in found}
    told = given | {one.credit_note_code for one in unclear}
    closed = {one.return_id for one in found} | {key for one in unclear for key in one.return_ids}
    rest = [note for note in notes if note.credit_note_code not in told]
    more, _ = attribute_loose(rest, [one for one in notes if one.credit_note_code in given], month.returns, closed)
    return iter([*found, *more])


@pytest.mark.parametrize("shows", SHOWS.values(), ids=SHOWS)
def test_no_note_of_a_month_goes_to_a_return_that_is_not_its(shows: Shows) -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        month = a_month(seed, shows=shows)
        for one in live(month):
            assert one.return_id in month.truth[one.credit_note_code], (seed, one)
            seen[one.matched_by] += 1
    assert seen.total() > 20 * len(SEEDS)


def test_the_ordered_passes_find_what_answers_no_document() -> None:
    seen = Counter(one.matched_by for seed in SEEDS for one in live(a_month(seed)))
    assert seen.keys() >= {"reference", "customer_codes_value_date", "many_to_one", "order_codes"}


def test_what_was_posted_well_is_attributed() -> None:
    tries: Counter[bool] = Counter()
    for seed in SEEDS:
        month = a_month(seed)
        found = {one.credit_note_code: one.return_id for one in live(month)}
        clean = [code for code, slip in month.slips.items() if slip == "clean"]
        tries.update({found.get(code)} == month.truth[code] for code in clean)
    assert tries[True] >= 0.98 * tries.total() > 100


@pytest.mark.parametrize(
    ("note", "matched_by"),
    [
        (loose(order_ref="LX1", lines=()), "order_value"),
        (loose(associated_ref="LX1", lines=()), "order_value"),
        (loose(order_ref="LX1", pence=900), "order_codes"),
        (loose(customer_code="", order_ref="LX1"), "order_value"),
        (loose(associated_ref="rma1"), "reference"),
    ],
)
def test_one_note_for_one_return(note: CreditNote, matched_by: Any) -> None:
    assert attribute_loose([note], [], [a_record()], ()) == ([Attribution("CN1", "R1", matched_by)], {})


def test_a_split_credit_goes_to_its_return() -> None:
    halves = [loose("CN1", 400, order_ref="LX1"), loose("CN2", 600, order_ref="LX1")]
    found, _ = attribute_loose(halves, [], [a_record(codes=(("A", 2),))], ())
    assert [(one.return_id, one.matched_by) for one in found] == [("R1", "many_to_one")] * 2


def test_a_note_for_two_returns_is_told_with_both_and_goes_to_neither() -> None:
    both = loose(pence=3000, lines=(("A", 1), ("B", 1)))
    returns = [a_record(1), a_record(2, value_pence=2000, codes=(("B", 1),))]
    assert attribute_loose([both], [], returns, ()) == ([], {"CN1": Told(("R1", "R2"), is_merged=True)})


def test_two_ways_are_no_way() -> None:
    found, told = attribute_loose([loose()], [], [a_record(1), a_record(2)], ())
    assert found == []
    assert told["CN1"].rivals == ("R1", "R2")


@pytest.mark.parametrize("closed", [set(), {"R1"}])
def test_a_closed_return_takes_no_note(closed: set[str]) -> None:
    found, told = attribute_loose([loose(order_ref="LX1")], [], [a_record()], closed)
    assert bool(found) is not bool(closed)
    assert ("CN1" in told) is bool(closed)


def test_a_settled_note_competes_and_is_not_told_again() -> None:
    found, told = attribute_loose([loose("CN2")], [loose("CN1", associated_ref="RMA1")], [a_record()], ())
    assert found == []
    assert told.keys() == {"CN2"}
    assert told["CN2"].nearest == "R1"


def test_the_nearest_is_told_with_what_failed_and_the_least_that_would_pass() -> None:
    found, told = attribute_loose([loose(pence=950, lines=(("A", 1),))], [], [a_record()], ())
    assert found == []
    near = told["CN1"]
    assert (near.nearest, near.clause, near.suggested_by) == ("R1", "value", "customer_codes_value_date")
    assert near.change == "value £10.00 instead of £9.50"
    assert near.score > 0


def test_nothing_near_is_told_as_nothing() -> None:
    far = loose(customer_code="C9", lines=(("Z", 1),), pence=1)
    assert attribute_loose([far], [], [a_record()], ()) == ([], {"CN1": Told()})
