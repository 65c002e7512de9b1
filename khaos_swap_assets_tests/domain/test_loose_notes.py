"""Notes that people posted, in the live order: what answers a document first, then the ordered passes; never wrong.

KHAOS_SWAP_MONTHS=50 looks at as many seeds as it says.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets.domain.linking.loose_notes import Standing, WhyLoose, attribute_loose, record_of
from khaos_swap_assets.domain.linking.records import NoteRecord, ReturnRecord
from khaos_swap_assets_tests.domain.cases import a_note
from khaos_swap_assets_tests.domain.hand_posted import Month, a_month
from khaos_swap_assets_tests.domain.records import match

SEEDS = range(1, int(os.environ.get("KHAOS_SWAP_MONTHS", "5")) + 1)
DAY = date(2026, 3, 10)
GROUPS = ("one_to_many", "many_to_one")
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


def loose(code: str = "CN1", pence: int = 1000, **changes: Any) -> NoteRecord:
    given = {"customer_code": "C1", "associated_ref": "", "created_on": DAY, "lines": (("A", 1),), **changes}
    orders = {str(given["associated_ref"])} if str(given["associated_ref"]).startswith("LX") else ()
    return record_of(a_note(pence, code, **given), orders)


def live(month: Month) -> list[Attribution]:
    """All that is attributed of a month, as a run does it."""
    return attribute_loose(month.notes, (), month.returns, Standing())[0]


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


@pytest.mark.parametrize("shows", SHOWS.values(), ids=SHOWS)
def test_merged_and_split_notes_are_found_as_the_audit_finds_them_with_shares_of_the_penny(shows: Shows) -> None:
    tries: Counter[tuple[str, bool]] = Counter()
    for seed in SEEDS:
        month = a_month(seed, shows=shows)
        value_of = {one.return_id: one.value_pence for one in month.returns}
        found: dict[str, dict[str, int | None]] = {}
        for one in live(month):
            found.setdefault(one.credit_note_code, {})[one.return_id] = one.share_pence
        certain = [link for link in match(month.notes, month.returns).certain if link.matched_by in GROUPS]
        for link in certain:
            tries[link.matched_by, link.return_id in found.get(link.note_code, {})] += 1
        for code, shares in found.items():
            assert len(shares) == 1 or shares.keys() == month.truth[code], (seed, code)
            assert all(pence in (None, value_of[key]) for key, pence in shares.items()), (seed, code)
            assert sum(pence is None for pence in shares.values()) == 1
    for name in GROUPS:
        assert tries[name, True] >= 0.98 * (tries[name, True] + tries[name, False]) > 0, tries


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
def test_one_note_for_one_return(note: NoteRecord, matched_by: Any) -> None:
    assert attribute_loose([note], (), [a_record()], Standing()) == ([Attribution("CN1", "R1", matched_by)], {})


def test_a_split_credit_goes_to_its_return() -> None:
    halves = [loose("CN1", 400, order_ref="LX1"), loose("CN2", 600, order_ref="LX1")]
    found, _ = attribute_loose(halves, (), [a_record(codes=(("A", 2),))], Standing())
    assert [(one.return_id, one.matched_by) for one in found] == [("R1", "many_to_one")] * 2


BOTH = (a_record(1), a_record(2, value_pence=2000, codes=(("B", 1),)))


def merged(**changes: Any) -> NoteRecord:
    """One note for both: A and B for £30."""
    return loose(**{"pence": 3000, "lines": (("A", 1), ("B", 1)), **changes})


@pytest.mark.parametrize("ref", ["", "RMA1", "RMA2", "LX1", "staff"])
def test_a_note_for_two_returns_goes_to_both_with_their_shares(ref: str) -> None:
    found, told = attribute_loose([merged(associated_ref=ref)], (), BOTH, Standing())
    assert told == {}
    shares = [Attribution("CN1", "R1", "one_to_many", 1000), Attribution("CN1", "R2", "one_to_many")]
    assert found == shares


@pytest.mark.parametrize(
    "standing",
    [
        Standing(closed={"R2"}),
        Standing([loose("CN2", 2000, lines=(("B", 1),), associated_ref="x")], {"R2": {"CN2"}}),
    ],
)
def test_where_one_of_two_is_closed_or_has_a_note_it_goes_to_neither(standing: Standing) -> None:
    found, told = attribute_loose([merged()], (), BOTH, standing)
    assert found == []
    assert told.keys() == {"CN1"}


def test_a_merged_note_that_fits_two_ways_is_told_with_all_of_them() -> None:
    twin = a_record(3, value_pence=2000, codes=(("B", 1),))
    for ref in ("", "RMA1"):
        found, told = attribute_loose([merged(associated_ref=ref)], (), [*BOTH, twin], Standing())
        assert found == []
        assert told["CN1"].rivals == ("R1", "R2", "R3")


def test_a_note_that_names_only_returns_which_it_cannot_credit_is_no_group_of_none() -> None:
    found, told = attribute_loose([merged(associated_ref="RMA1 RMA2", currency="EUR")], (), BOTH, Standing())
    assert found == []
    assert (told["CN1"].rivals, told["CN1"].is_merged) == ((), False)


@pytest.mark.parametrize("pair", [("CN1", "R1"), ("CN1", "R2")])
def test_a_no_to_one_return_of_a_merged_note_is_a_no_to_all_of_it(pair: tuple[str, str]) -> None:
    found, told = attribute_loose([merged()], (), BOTH, Standing(refused={pair}))
    assert found == []
    assert (told["CN1"].nearest, told["CN1"].clause) == (pair[1], "a person ruled it out")
    assert "khaos-swap links allow CN1 RMA" in told["CN1"].change


@pytest.mark.parametrize("note", [loose(), loose(associated_ref="RMA1"), loose(associated_ref="RMA1", pence=900)])
def test_a_no_makes_nothing_else_certain(note: NoteRecord) -> None:
    other = a_record(2, refunded_on=date(2026, 6, 1), order_ref="LX2")
    found, told = attribute_loose([note, loose("CN2")], (), [a_record(), other],
                                  Standing(refused={("CN1", "R1")}))  # fmt: skip
    assert [one for one in found if one.credit_note_code == "CN1"] == []
    assert "CN1" in told


def test_the_rest_of_a_split_credit_joins_the_part_that_was_there_before() -> None:
    first, rest = loose("CN1", 400, order_ref="LX1"), loose("CN2", 600, order_ref="LX1")
    before = Standing([first], {"R1": {"CN1"}})
    record = a_record(codes=(("A", 2),))
    found, _ = attribute_loose([rest], (), [record], before)
    assert found == [Attribution("CN2", "R1", "many_to_one")]
    refused = replace(before, refused={("CN1", "R1")})
    assert attribute_loose([rest], (), [record], refused)[0] == []


def test_two_ways_are_no_way() -> None:
    found, told = attribute_loose([loose()], (), [a_record(1), a_record(2)], Standing())
    assert found == []
    assert told["CN1"].rivals == ("R1", "R2")


@pytest.mark.parametrize("closed", [set(), {"R1"}])
def test_a_closed_return_takes_no_note(closed: set[str]) -> None:
    found, told = attribute_loose([loose(order_ref="LX1")], (), [a_record()], Standing(closed=closed))
    assert bool(found) is not bool(closed)
    assert ("CN1" in told) is bool(closed)


def test_a_settled_note_competes_and_is_not_told_again() -> None:
    found, told = attribute_loose([loose("CN2")], (), [a_record()], Standing([loose("CN1", associated_ref="RMA1")]))
    assert found == []
    assert told.keys() == {"CN2"}
    assert told["CN2"].nearest == "R1"


def test_the_nearest_is_told_with_what_failed_and_the_least_that_would_pass() -> None:
    found, told = attribute_loose([loose(pence=950, lines=(("A", 1),))], (), [a_record()], Standing())
    assert found == []
    near = told["CN1"]
    assert (near.nearest, near.clause, near.suggested_by) == ("R1", "value", "customer_codes_value_date")
    assert near.change == "value £10.00 instead of £9.50"
    assert near.score > 0


def test_nothing_near_is_told_as_nothing() -> None:
    far = loose(customer_code="C9", lines=(("Z", 1),), pence=1)
    assert attribute_loose([far], (), [a_record()], Standing()) == ([], {"CN1": WhyLoose()})


@given(st.integers(0, 10_000), st.data())
@settings(max_examples=40, deadline=None)
def test_a_no_takes_its_group_and_leaves_every_other_link(seed: int, data: st.DataObject) -> None:
    month = a_month(seed, 40)
    notes: list[NoteRecord] = month.notes
    before, _ = attribute_loose(notes, (), month.returns, Standing())
    pick = data.draw(st.sampled_from(before))
    found, told = attribute_loose(notes, (), month.returns, Standing(refused={(pick.credit_note_code, pick.return_id)}))
    group = {
        one.credit_note_code for one in before if one.return_id == pick.return_id and one.matched_by == "many_to_one"
    }
    fallen = {pick.credit_note_code, *group}
    assert {one for one in before if one.credit_note_code not in fallen} <= set(found)
    named = {one for one in found if one.credit_note_code in fallen}
    # A note of several returns may still name another one of them.
    assert {one.matched_by for one in named} <= {"reference"}
    assert pick.return_id not in {one.return_id for one in named}
    shared = {(one.credit_note_code, one.return_id) for one in before}
    assert {(one.credit_note_code, one.return_id) for one in named} <= shared
    assert fallen - {one.credit_note_code for one in named} <= told.keys()
    more = {(one.credit_note_code, one.return_id) for one in set(found) - set(before) - named}
    assert more <= {(link.note_code, link.return_id) for link in match(month.notes, month.returns).certain}
    assert attribute_loose(notes, (), month.returns, Standing())[0] == before


@pytest.mark.parametrize("standing", [Standing(closed={"R1"}), Standing([loose("CN0")], {"R1": {"CN0"}})])
def test_a_further_note_is_a_double_only_where_it_names_its_return(standing: Standing) -> None:
    found, _ = attribute_loose([loose(associated_ref="RMA1")], (), [a_record()], standing)
    assert found == [Attribution("CN1", "R1", "reference")]
    assert attribute_loose([loose()], (), [a_record()], standing)[0] == []
