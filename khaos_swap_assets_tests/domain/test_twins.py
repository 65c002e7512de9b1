"""Returns alike: a link stands only where each twin has its own. The cases are those of months posted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets.domain.linking.loose_notes import Standing, attribute_loose
from khaos_swap_assets.domain.linking.records import NoteRecord, ReturnRecord
from khaos_swap_assets_tests.domain.test_loose_notes import DAY, a_record, loose

FIRST, SECOND = a_record(2001), a_record(2002)
TWINS = (FIRST, SECOND)
Told = tuple[dict[str, tuple[str, str]], dict[str, tuple[str, ...]]]


def told(notes: Sequence[NoteRecord], returns: Sequence[ReturnRecord] = TWINS, **standing: Any) -> Told:
    """What is certain: return and pass by note code; and the rivals of the notes that may mean several."""
    found, other = attribute_loose(notes, (), returns, Standing(**standing))
    sure: dict[str, tuple[str, str]] = {one.credit_note_code: (one.return_id, one.matched_by) for one in found}
    return sure, {code: one.rivals for code, one in other.items() if one.rivals}


def named(code: str, ref: str, **changes: Any) -> NoteRecord:
    return loose(code, associated_ref=ref, **changes)


BOTH = ("R2001", "R2002")
UNSURE = {
    "nothing names the twin (seed 4)": [named("CN1", "RMA2001")],
    "two notes name one of them (seeds 27, 35, 37)": [named("CN1", "RMA2001"), named("CN2", "RMA2001")],
    "the other note nearly names the same return (seed 31)": [named("CN1", "RMA2001"), named("CN2", "RMA20O1")],
    "the other note names the same return untidily (seed 32)": [named("CN1", "RMA2001"), named("CN2", "rma-2001")],
    "the other note names nothing": [named("CN1", "RMA2001"), named("CN2", "")],
    "a note of other goods names the twin": [named("CN1", "RMA2001"), named("CN2", "RMA2002", lines=(("Z", 1),))],
    "the other note is like both names": [named("CN1", "RMA2001"), named("CN2", "RMA200")],
}


@pytest.mark.parametrize("notes", UNSURE.values(), ids=UNSURE)
def test_a_name_that_may_mean_the_twin_is_not_certain(notes: list[NoteRecord]) -> None:
    sure, rivals = told(notes)
    assert sure == {}
    assert rivals["CN1"] == BOTH


SURE = {
    "the twin is named by its note": named("CN2", "RMA2002"),
    "untidily": named("CN2", "rma 2002"),
    "with its order": named("CN2", "", order_ref="LX2002"),
    "at another value": named("CN2", "RMA2002", pence=900),
    "on the account of another": named("CN2", "RMA2002", customer_code="C9"),
    "together with another return's goods": named("CN2", "RMA2002", pence=3500, lines=(("A", 1), ("Z", 1))),
    "a digit turned into a letter": named("CN2", "RMA20O2"),
}


@pytest.mark.parametrize("other", SURE.values(), ids=SURE)
def test_a_name_is_certain_where_the_twin_has_a_note_of_its_own(other: NoteRecord) -> None:
    sure, rivals = told([named("CN1", "RMA2001"), other])
    assert sure["CN1"] == ("R2001", "reference")
    assert "CN1" not in rivals
    assert sure.get("CN2", ("R2002",))[0] == "R2002"


@pytest.mark.parametrize(
    ("change", "is_twin"),
    [
        ({}, True),
        ({"order_ref": ""}, True),
        ({"value_pence": 750, "other_pence": frozenset({1000})}, True),
        ({"other_codes": (("B", 1),)}, True),
        ({"value_pence": 1001}, False),
        ({"codes": (("A", 2),)}, False),
        ({"customer": "C2"}, False),
        ({"customer": ""}, False),
        ({"currency": "EUR"}, False),
    ],
)
@pytest.mark.parametrize("ref", ["RMA2001", "RMA20777"])
def test_who_is_a_twin(change: dict[str, Any], ref: str, *, is_twin: bool) -> None:
    """Also by a value that a note of it may rightly have: goods before the fee, with the delivery (seed 9)."""
    sure, rivals = told([named("CN1", ref)], (FIRST, a_record(2002, **change)))
    assert ("CN1" in sure, rivals) == ((False, {"CN1": BOTH}) if is_twin else (True, {}))


def test_a_return_that_was_not_there_yet_is_no_twin() -> None:
    later = a_record(2002, opened_on=DAY + timedelta(days=1))
    assert told([named("CN1", "RMA2001")], (FIRST, later))[0] == {"CN1": ("R2001", "reference")}


@pytest.mark.parametrize("standing", [{"closed": {"R2002"}}, {"held": {"R2002": {"CN9"}}}])
def test_a_twin_with_a_note_or_a_document_of_its_own_competes_no_more(standing: dict[str, Any]) -> None:
    assert told([named("CN1", "RMA2001")], **standing)[0] == {"CN1": ("R2001", "reference")}


def test_the_order_that_a_note_credits_decides() -> None:
    assert told([named("CN1", "RMA2001", order_ref="LX2001")])[0]["CN1"][0] == "R2001"


UNPAID = a_record(2002, refunded_on=None)


@pytest.mark.parametrize(
    ("ref", "made_on", "is_sure"),
    [
        ("RMA2001", DAY, True),
        ("RMA2001", DAY + timedelta(days=9), True),
        ("RMA2001", DAY - timedelta(days=1), False),
        ("", DAY, False),
        ("RMA20777", DAY, False),
    ],
)
def test_a_twin_that_is_not_refunded_competes_unless_the_note_names_the_one_that_is(
    ref: str, made_on: date, *, is_sure: bool
) -> None:
    waiting = a_record(2002, value_pence=0, refunded_on=None)
    sure, rivals = told([named("CN1", ref, created_on=made_on)], (FIRST, waiting), pending=[UNPAID])
    assert ("CN1" in sure, rivals) == ((True, {}) if is_sure else (False, {"CN1": BOTH}))


def test_what_falls_takes_with_it_what_it_excused() -> None:
    """CN2 speaks for the second only while it may not mean the third (seed 12)."""
    third = a_record(2003)
    notes = [named("CN1", "RMA2001"), named("CN2", "RMA2002")]
    assert told(notes, (*TWINS, third))[0] == {}
    assert len(told([*notes, named("CN3", "RMA2003")], (*TWINS, third))[0]) == 3


@given(st.permutations(["RMA2001", "RMA2002", "RMA2003", "RMA2001", ""]), st.integers(1, 5))
def test_no_certain_link_leaves_a_twin_without_its_own(refs: list[str], count: int) -> None:
    """Whatever the notes say: either nothing is certain, or every one of the three is named."""
    returns = (*TWINS, a_record(2003))
    notes = [named(f"CN{number}", ref) for number, ref in enumerate(refs[:count])]
    found, _ = attribute_loose(notes, (), returns, Standing())
    by_name = {one for one in found if isinstance(one, Attribution) and one.matched_by == "reference"}
    assert not found or {"RMA2001", "RMA2002", "RMA2003"} <= set(refs[:count])
    assert all(f"RMA{one.return_id[1:]}" == refs[int(one.credit_note_code[2:])] for one in by_name)
