"""Matching what people posted: each pass, what competes, what only looks certain, and months of slips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.linking.payouts import MOST_CANDIDATES
from khaos_swap_assets.domain.linking.records import (
    Ambiguity,
    Link,
    Matching,
    NoteRecord,
    ReturnRecord,
    WhyNot,
    credited_by_return,
)
from khaos_swap_assets_tests.domain.hand_posted import Month, a_month
from khaos_swap_assets_tests.domain.records import match

DAY = date(2026, 3, 10)
SHIRT: tuple[tuple[str, int], ...] = (("SHIRT", 1),)
HAT: tuple[tuple[str, int], ...] = (("HAT", 1),)


def a_return(number: int = 1, **changes: Any) -> ReturnRecord:
    """RMA1 of £30.00 for a shirt, of order O1 and customer C1, refunded on 10 March."""
    base: dict[str, Any] = {
        "value_pence": 3000,
        "currency": "GBP",
        "order_ref": f"O{number}",
        "customer": f"C{number}",
        "codes": SHIRT,
        "refunded_on": DAY,
        "opened_on": DAY - timedelta(days=10),
    }
    return ReturnRecord(f"id{number}", f"RMA{number}", **{**base, **changes})


def a_note(number: int = 1, code: str = "CN1", **changes: Any) -> NoteRecord:
    """The note that the return of that number asks for."""
    of = a_return(number)
    base = NoteRecord(code, of.value_pence, of.rma, of.currency, of.order_ref, of.customer, of.codes, DAY)
    return replace(base, **changes)


def links(found: Matching) -> set[tuple[str, str, str, str]]:
    return {(link.note_code, link.return_id, link.matched_by, link.certainty) for link in found.links}


R1, R2, R3 = a_return(1), a_return(2), a_return(3)
SIBLING = a_return(2, order_ref="O1", customer="C1")
SIBLING_HAT = a_return(2, order_ref="O1", customer="C1", codes=HAT, value_pence=1200)


@pytest.mark.parametrize(
    ("note", "returns", "matched_by"),
    [
        (a_note(), [R1, R2], "reference"),
        (a_note(ref=" RMA1 "), [R1, R2], "reference"),
        (a_note(order_ref="", customer="", created_on=None), [R1, R2], "reference"),
        (a_note(customer="C9"), [R1, R2], "reference"),
        (a_note(), [R1, SIBLING], "reference"),
        (a_note(ref="K7F"), [replace(R1, references=frozenset({"K7F"})), R2], "reference"),
        (a_note(ref="RMAl"), [R1, R2], "order_value"),
        (a_note(ref="", customer="", codes=()), [R1, R2], "order_value"),
        (a_note(ref=""), [R1, SIBLING_HAT], "order_value"),
        (a_note(ref="", order_ref=""), [R1, R2], "customer_codes_value_date"),
        (a_note(value_pence=2800), [R1, R2], "reference"),
        (a_note(value_pence=2800, codes=SHIRT), [replace(R1, codes=SHIRT + HAT), R2], "reference"),
        (a_note(value_pence=2800, order_ref=""), [R1, R2], "reference"),
        (a_note(value_pence=2800, codes=()), [R1, R2], "reference"),
        (a_note(value_pence=2800, codes=(), order_ref=""), [R1, R2], "reference"),
        (a_note(value_pence=2800, ref=""), [R1, R2], "order_codes"),
    ],
)
def test_a_note_is_linked_by_the_first_pass_that_fits(
    note: NoteRecord, returns: list[ReturnRecord], matched_by: str
) -> None:
    found = match([note], returns)
    assert links(found) == {("CN1", "id1", matched_by, "certain")}
    assert found.ambiguities == ()
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("note", "returns"),
    [
        (a_note(1, ref="RMA2"), [R1, a_return(2, codes=HAT)]),
        (a_note(1, ref="RMA2"), [R1, a_return(2, value_pence=3500)]),
        (a_note(1, ref="RMA2", customer=""), [R1, a_return(2, codes=HAT, customer="")]),
        (a_note(1, ref="RMA2", order_ref=""), [R1, a_return(2, codes=HAT)]),
        (a_note(1, ref="RMA2"), [R1, SIBLING_HAT]),
        (a_note(1, ref="RMA2"), [R1, a_return(2, currency="EUR")]),
    ],
)
def test_a_reference_of_another_return_does_not_win_over_order_codes_or_value(
    note: NoteRecord, returns: list[ReturnRecord]
) -> None:
    ((_, return_id, matched_by, certainty),) = links(match([note], returns))
    assert (return_id, certainty) == ("id1", "certain")
    assert matched_by != "reference"


@pytest.mark.parametrize(
    ("notes", "returns"),
    [
        # The reference says one return, order and content the other, and both are possible.
        ([a_note(1, ref="RMA2")], [R1, R2]),
        # Reference and order say one return, customer and content the other.
        ([a_note(1, customer="C2")], [R1, R2]),
        # Two notes without reference, two returns of the same order that look alike.
        ([a_note(ref=""), a_note(code="CN2", ref="")], [R1, SIBLING]),
        # One note, two returns that look alike.
        ([a_note(ref="")], [R1, SIBLING]),
        # Two notes, one return: which is the double?
        ([a_note(ref=""), a_note(code="CN2", ref="")], [R1]),
        # Two notes name the one, and the other looks alike.
        ([a_note(), a_note(code="CN2")], [R1, SIBLING]),
        ([a_note(customer="", order_ref=""), a_note(code="CN2", customer="", order_ref="")], [R1, R2]),
        # Named at another value, which is that of its sibling.
        ([a_note(value_pence=2500)], [R1, a_return(2, order_ref="O1", customer="C1", value_pence=2500)]),
        # Named at another value, and the sibling with the same goods waits too.
        ([a_note(value_pence=2500)], [R1, a_return(2, order_ref="O1", customer="C1", value_pence=4000)]),
        # Named at another value, without goods: it may be of any return of the customer.
        ([a_note(value_pence=2500, codes=())], [R1, SIBLING_HAT]),
        ([a_note(value_pence=2500, codes=(), order_ref="")], [R1, a_return(2, customer="C1", codes=HAT)]),
        # Another note names the return that this one fits by order and value.
        ([a_note(ref=""), a_note(code="CN2", value_pence=2000)], [R1]),
    ],
)
def test_what_fits_in_two_ways_is_ambiguous(notes: list[NoteRecord], returns: list[ReturnRecord]) -> None:
    found = match(notes, returns)
    assert found.links == ()
    assert found.ambiguities
    assert {code for one in found.ambiguities for code in one.note_codes} <= {note.code for note in notes}
    assert [reason.clause for reason in found.reasons] == ["unique"] * len(notes)


@pytest.mark.parametrize(
    "note",
    [
        a_note(currency="EUR"),
        a_note(created_on=DAY - timedelta(days=11)),
        a_note(codes=HAT),
        a_note(order_ref="O9"),
        a_note(order_ref="", customer="C9"),
        a_note(order_ref="", customer="", value_pence=2999),
        a_note(ref="", order_ref="", customer=""),
        a_note(ref="", order_ref="", created_on=DAY + timedelta(days=31)),
        a_note(ref="", customer="C9"),
        a_note(ref="", order_ref="", codes=()),
        a_note(ref="", customer="", value_pence=2999),
    ],
)
def test_too_little_or_contrary_evidence_is_never_certain(note: NoteRecord) -> None:
    found = match([note], [R1, a_return(2, codes=HAT)])
    assert found.certain == ()
    assert [reason.return_id for reason in found.reasons] == ["id1"]


def test_a_return_of_no_value_is_matched_by_no_value() -> None:
    assert match([a_note(value_pence=0)], [replace(R1, value_pence=0)]).certain != ()
    assert match([a_note(value_pence=0, ref="", customer="")], [replace(R1, value_pence=0)]).certain == ()


def test_two_notes_that_name_one_return_are_a_double_of_it() -> None:
    found = match([a_note(), a_note(code="CN2"), a_note(code="CN3", value_pence=500)], [R1, R2])
    assert {(link.note_code, link.return_id) for link in found.certain} == {
        ("CN1", "id1"),
        ("CN2", "id1"),
        ("CN3", "id1"),
    }


def test_a_taken_return_is_the_reason_of_a_second_note() -> None:
    found = match([a_note(), a_note(code="CN2", ref="", order_ref="", created_on=None)], [R1])
    assert {link.note_code for link in found.links} == {"CN1"}
    assert found.reasons == (WhyNot("CN2", "id1", "taken", "RMA1 has Credit Note CN1; take that link back"),)


MERGED = a_note(value_pence=4200, codes=SHIRT + HAT)


@pytest.mark.parametrize(
    ("note", "returns"),
    [
        (MERGED, [R1, SIBLING_HAT]),
        (replace(MERGED, ref=""), [R1, SIBLING_HAT]),
        (replace(MERGED, ref="", order_ref=""), [R1, SIBLING_HAT]),
        (replace(MERGED, ref="RMA1, RMA2", codes=()), [R1, SIBLING_HAT]),
        (replace(MERGED, ref="RMA1/RMA2"), [R1, replace(SIBLING_HAT, order_ref="O2")]),
        (replace(MERGED, ref=""), [R1, SIBLING_HAT, a_return(3, codes=HAT, value_pence=1200)]),
    ],
)
def test_a_merged_note_is_linked_to_all_its_returns(note: NoteRecord, returns: list[ReturnRecord]) -> None:
    found = match([note], returns)
    assert links(found) == {("CN1", one, "one_to_many", "certain") for one in ("id1", "id2")}
    by_id = {one.return_id: one for one in returns}
    assert credited_by_return(found.certain, {"CN1": note}, by_id) == {"id1": 3000, "id2": 1200}


BY_VALUE = (3000, 1200)


@pytest.mark.parametrize(
    ("lines", "first", "second", "credited"),
    [
        ((("SHIRT", 1, 2700), ("HAT", 1, 1500)), SHIRT, HAT, (2700, 1500)),
        ((("HAT", 1, 700), ("SHIRT", 1, 2700), ("HAT", 1, 800)), SHIRT, HAT, (2700, 1500)),
        ((("SHIRT", 1, 2700), ("HAT", 1, 1000), ("OTHER", 1, 500)), SHIRT, HAT, BY_VALUE),
        ((("SHIRT", 1, 2700), ("HAT", 1, 1000)), SHIRT, HAT, BY_VALUE),
        ((("SHIRT", 1, 4200), ("HAT", 1, 0)), SHIRT, HAT, BY_VALUE),
        ((), SHIRT, HAT, BY_VALUE),
        ((("SHIRT", 1, 2100), ("SHIRT", 1, 2100)), SHIRT, SHIRT, (2100, 2100)),
        ((("SHIRT", 3, 4200),), SHIRT, (("SHIRT", 2),), (1400, 2800)),
        ((("SHIRT", 1, 1000), ("HAT", 1, 1600), ("HAT", 1, 1600)), SHIRT + HAT, HAT, (2600, 1600)),
        ((("SHIRT", 1, 3000), ("SHIRT", 1, 1200)), SHIRT, SHIRT, BY_VALUE),
        ((("SHIRT", 3, 4200),), SHIRT, SHIRT, BY_VALUE),
        ((("SHIRT", 2, 2101), ("SHIRT", 2, 2099)), (("SHIRT", 2),), (("SHIRT", 2),), BY_VALUE),
        ((("SHIRT", 0, 2100), ("SHIRT", 2, 2100)), SHIRT, SHIRT, BY_VALUE),
    ],
)
def test_the_lines_of_a_merged_note_say_what_each_return_has(
    lines: tuple[tuple[str, int, int], ...],
    first: tuple[tuple[str, int], ...],
    second: tuple[tuple[str, int], ...],
    credited: tuple[int, int],
) -> None:
    note = replace(MERGED, lines=lines)
    returns = {"id1": replace(R1, codes=first), "id2": replace(SIBLING_HAT, codes=second)}
    links_of_both = [Link("CN1", one, "one_to_many", "certain") for one in returns]
    found = credited_by_return(links_of_both, {"CN1": note}, returns)
    assert (found["id1"], found["id2"]) == credited


@pytest.mark.parametrize(
    "notes",
    [
        [a_note(codes=SHIRT), a_note(code="CN2", value_pence=1200, codes=HAT)],
        [a_note(ref="", codes=SHIRT), a_note(code="CN2", ref="", value_pence=1200, codes=HAT)],
        [a_note(ref="", order_ref=""), a_note(code="CN2", ref="", order_ref="", value_pence=1200, codes=HAT)],
        [a_note(codes=()), a_note(code="CN2", value_pence=1200, codes=())],
        [a_note(value_pence=4000), a_note(code="CN2", value_pence=200)],
    ],
)
def test_split_notes_are_linked_to_their_return(notes: list[NoteRecord]) -> None:
    found = match(notes, [a_return(1, value_pence=4200, codes=SHIRT + HAT), R2])
    assert links(found) == {(code, "id1", "many_to_one", "certain") for code in ("CN1", "CN2")}


@pytest.mark.parametrize(
    ("notes", "returns"),
    [
        # Two groupings fit one note.
        (
            [replace(MERGED, ref="")],
            [R1, SIBLING_HAT, a_return(3, order_ref="O1", customer="C1", codes=HAT, value_pence=1200)],
        ),
        # Two notes ask for the same group.
        ([replace(MERGED, ref=""), replace(MERGED, code="CN2", ref="")], [R1, SIBLING_HAT]),
        # A reference that names another return than those of the group.
        ([replace(MERGED, ref="RMA3", order_ref="O1")], [R1, SIBLING_HAT, a_return(3, order_ref="O9")]),
        # Too many candidates to be sure.
        (
            [replace(MERGED, ref="")],
            [R1, SIBLING_HAT]
            + [
                a_return(n, order_ref="O1", customer="C1", codes=HAT, value_pence=n)
                for n in range(3, MOST_CANDIDATES + 2)
            ],
        ),
        # A part of the group has its own note already.
        (
            [
                replace(MERGED, ref=""),
                a_note(2, "CN2", ref="RMA2", order_ref="O1", customer="C1", codes=HAT, value_pence=1200),
            ],
            [R1, SIBLING_HAT],
        ),
    ],
)
def test_a_group_is_refused_when_it_is_not_the_only_one(notes: list[NoteRecord], returns: list[ReturnRecord]) -> None:
    found = match(notes, returns)
    assert "one_to_many" not in {link.matched_by for link in found.certain}


def test_ambiguity_of_groups_lists_every_candidate() -> None:
    third = a_return(3, order_ref="O1", customer="C1", codes=HAT, value_pence=1200)
    found = match([replace(MERGED, ref="")], [R1, SIBLING_HAT, third])
    assert found.ambiguities == (
        Ambiguity("one_to_many", ("CN1",), ("id1", "id2")),
        Ambiguity("one_to_many", ("CN1",), ("id1", "id3")),
    )


@pytest.mark.parametrize(
    ("note", "clause", "change"),
    [
        (a_note(ref="", customer="", value_pence=2900), "value", "value £30.00 instead of £29.00"),
        (a_note(order_ref="O9"), "order", "order O1 instead of O9"),
        (a_note(codes=HAT), "codes", "Stock Codes 1 x SHIRT instead of 1 x HAT"),
        (a_note(currency="EUR"), "currency", "currency GBP instead of EUR"),
        (a_note(order_ref="", customer="C9"), "customer", "customer C1 instead of C9"),
        (a_note(created_on=date(2026, 2, 1)), "date", "a date from 2026-02-28 on instead of 2026-02-01"),
        (a_note(ref="RMAl", order_ref="", customer=""), "reference", "Associated Ref RMA1 instead of RMAl"),
        (
            a_note(ref="", order_ref="", created_on=date(2026, 5, 1)),
            "reference",
            "Associated Ref RMA1 instead of none",
        ),
    ],
)
def test_why_not_names_the_clause_and_the_least_change(note: NoteRecord, clause: str, change: str) -> None:
    found = match([note], [R1, a_return(2, codes=HAT)])
    assert found.reasons == (WhyNot("CN1", "id1", clause, change),)


def test_a_note_that_nothing_is_near_has_no_reason() -> None:
    stranger = NoteRecord("CN1", 77, "X", "GBP", "OX", "CX", HAT, DAY)
    assert match([stranger], [R1]) == Matching(())


def test_suggestions_are_the_one_nearest_and_only_of_returns_that_are_free() -> None:
    near = a_note(ref="", customer="C9")
    assert links(match([near], [R1, R2])) == {("CN1", "id1", "order_value", "suggested")}
    assert match([near, a_note(code="CN2")], [R1]).certain != ()
    assert {link.note_code for link in match([near, a_note(code="CN2")], [R1]).links} == {"CN2"}


@pytest.mark.parametrize("doubled", ["note", "return"])
def test_a_double_key_is_refused(doubled: str) -> None:
    notes, returns = ([a_note(), a_note()], [R1]) if doubled == "note" else ([a_note()], [R1, R1])
    with pytest.raises(ValueError, match="is given twice"):
        match(notes, returns)


def no_order(note: NoteRecord) -> NoteRecord:
    return replace(note, order_ref="")


def no_customer(note: NoteRecord) -> NoteRecord:
    return replace(note, customer="")


def no_codes(note: NoteRecord) -> NoteRecord:
    return replace(note, codes=())


def everything(note: NoteRecord) -> NoteRecord:
    return note


def certain_of(found: Matching) -> dict[str, set[str]]:
    linked: dict[str, set[str]] = defaultdict(set)
    for link in found.certain:
        linked[link.note_code].add(link.return_id)
    return linked


def wrong_and_clean(month: Month) -> tuple[list[str], int, int]:
    """Notes with a wrong certain link, clean notes that are linked, clean notes."""
    linked = certain_of(match(month.notes, month.returns))
    clean = [code for code, slip in month.slips.items() if slip == "clean"]
    return (
        [code for code, found in linked.items() if found != month.truth[code]],
        sum(linked.get(code) == month.truth[code] for code in clean),
        len(clean),
    )


@pytest.mark.parametrize("shows", [everything, no_order, no_customer, no_codes])
def test_months_of_slips_have_no_wrong_certain_link(shows: Callable[[NoteRecord], NoteRecord]) -> None:
    results = [wrong_and_clean(a_month(seed, shows=shows)) for seed in range(1, 13)]
    assert [wrong for wrong, _, _ in results if wrong] == []
    assert sum(linked for _, linked, _ in results) >= 0.98 * sum(clean for _, _, clean in results)


def test_months_in_which_everything_looks_alike_have_no_wrong_certain_link_either() -> None:
    results = [wrong_and_clean(a_month(seed, stock_codes=4)) for seed in range(1, 9)]
    assert [wrong for wrong, _, _ in results if wrong] == []


def test_every_kind_of_slip_is_found_as_certain_or_told() -> None:
    month = a_month(7)
    found = match(month.notes, month.returns)
    told = {link.note_code for link in found.links} | {reason.note_code for reason in found.reasons}
    assert set(month.slips) - told <= {code for code, slip in month.slips.items() if slip == "stray"}


@given(st.integers(1, 10**6), st.sampled_from([4, 12]), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_input_does_not_matter(seed: int, stock_codes: int, random: Any) -> None:
    month = a_month(seed, 40, stock_codes=stock_codes)
    before = match(month.notes, month.returns)
    random.shuffle(month.notes)
    random.shuffle(month.returns)
    assert match(month.notes, month.returns) == before


@given(st.integers(1, 10**6), st.sampled_from([4, 12]))
@settings(max_examples=25, deadline=None)
def test_each_note_is_linked_doubted_or_reasoned_and_never_two_of_them(seed: int, stock_codes: int) -> None:
    month = a_month(seed, 40, stock_codes=stock_codes)
    found = match(month.notes, month.returns)
    certain = {link.note_code for link in found.certain}
    suggested = {link.note_code for link in found.links} - certain
    doubtful = {code for one in found.ambiguities for code in one.note_codes}
    assert not certain & doubtful
    assert not suggested & doubtful
    assert not certain & {reason.note_code for reason in found.reasons}


@given(st.integers(1, 10**6))
@settings(max_examples=25, deadline=None)
def test_what_is_credited_by_return_adds_up_to_the_notes(seed: int) -> None:
    month = a_month(seed, 40)
    found = match(month.notes, month.returns)
    notes = {note.code: note for note in month.notes}
    credited = credited_by_return(found.certain, notes, {one.return_id: one for one in month.returns})
    assert sum(credited.values()) == sum(notes[code].value_pence for code in {link.note_code for link in found.certain})


def changed(note: NoteRecord, record: ReturnRecord, clause: str) -> NoteRecord:
    """The note after the change that a reason asks for."""
    changes: dict[str, dict[str, Any]] = {
        "reference": {"ref": record.rma},
        "value": {"value_pence": record.value_pence},
        "order": {"order_ref": record.order_ref},
        "customer": {"customer": record.customer},
        "codes": {"codes": record.codes},
        "units": {"codes": record.codes},
        "window": {"created_on": record.refunded_on},
        "date": {"created_on": record.refunded_on},
    }
    for name in clause.split(", "):
        note = replace(note, **changes[name])
    return note


@pytest.mark.parametrize(("seed", "shows"), [(1, everything), (3, no_order), (3, no_customer)])
def test_the_change_that_a_reason_names_makes_the_link_certain(
    seed: int, shows: Callable[[NoteRecord], NoteRecord]
) -> None:
    month = a_month(seed, 100, shows)
    returns = {one.return_id: one for one in month.returns}
    reasons = [one for one in match(month.notes, month.returns).reasons if one.clause not in ("unique", "taken")]
    assert reasons
    for reason in reasons:
        record = returns[reason.return_id]
        notes = [
            changed(note, record, reason.clause) if note.code == reason.note_code else note for note in month.notes
        ]
        assert certain_of(match(notes, month.returns)).get(reason.note_code) == {record.return_id}
