"""Which note goes to which return: by reference where nothing contradicts, by content where there is no choice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking.attribution import Ambiguity, Attribution, Claim, attribute, may_cover
from khaos_swap_assets_tests.domain.cases import a_note

REFUNDED_ON = date(2026, 3, 10)


def a_claim(return_id: str = "R1", **changes: Any) -> Claim:
    """A return of two ABC for £50.00 by customer C1, refunded on 10 March, with its RMA as reference."""
    base: dict[str, Any] = {
        "customer_code": "C1",
        "currency": "GBP",
        "value_pence": 5000,
        "lines": (("ABC", 2),),
        "references": frozenset({f"RMA-{return_id}"}),
        "refunded_on": REFUNDED_ON,
        "invoiced_on": REFUNDED_ON - timedelta(days=20),
    }
    return Claim(return_id, **{**base, **changes})


def unnamed(code: str = "CN1", **changes: Any) -> CreditNote:
    """A note that fits that return and carries no reference."""
    return a_note(5000, code, **{"associated_ref": "", **changes})


def named(reference: str, code: str = "CN1", **changes: Any) -> CreditNote:
    """A note with a reference, of another value."""
    return a_note(1234, code, associated_ref=reference, **changes)


def matched(notes: list[CreditNote], claims: list[Claim], taken: dict[str, str] | None = None) -> dict[str, str]:
    return {found.credit_note_code: found.return_id for found in attribute(notes, claims, taken or {})[0]}


POSTED = a_claim(posted_reference="K7QX")


@pytest.mark.parametrize(
    ("note", "claim", "matched_by"),
    [
        (named("K7QX"), POSTED, "posting"),
        (named("RMA-R1"), POSTED, "reference"),
        (unnamed(), POSTED, "customer_codes_value_date"),
        (unnamed(associated_ref="goodwill"), POSTED, "customer_codes_value_date"),
        (named("K7QX"), a_claim(posted_reference="K7QX", customer_code=""), "posting"),
        (named("RMA-R1"), a_claim(customer_code=""), "reference"),
        (named("RMA-R1"), a_claim(is_witnessed=True), "reference"),
        (unnamed(lines=(("ABC", 1), ("ABC", 1))), a_claim(), "customer_codes_value_date"),
        (unnamed(created_on=REFUNDED_ON - timedelta(days=3)), a_claim(), "customer_codes_value_date"),
        (unnamed(created_on=REFUNDED_ON + timedelta(days=30)), a_claim(), "customer_codes_value_date"),
    ],
)
def test_what_fits(note: CreditNote, claim: Claim, matched_by: Any) -> None:
    assert attribute([note], [claim], {}) == ([Attribution("CN1", "R1", matched_by)], [])


@pytest.mark.parametrize(
    ("note", "claim"),
    [
        (named("K7QX", customer_code="C2"), POSTED),
        (named("RMA-R1", customer_code="C2"), a_claim()),
        (named("RMA-R1", currency="EUR"), a_claim()),
        (named("rma-r1"), a_claim()),
        (named("RMA-R10"), a_claim()),
        (named(""), a_claim(references=frozenset({""}))),
        (unnamed(customer_code="C2"), a_claim()),
        (unnamed(order_ref="LX2"), a_claim(order_ref="LX1")),
        (named("RMA-R1", order_ref="LX2"), a_claim(order_ref="LX1")),
        (unnamed(customer_code=""), a_claim(customer_code="")),
        (unnamed(currency="EUR"), a_claim()),
        (unnamed(gross_pence=4999), a_claim()),
        (unnamed(lines=(("ABC", 1),)), a_claim()),
        (unnamed(lines=(("ABC", 2), ("B", 1))), a_claim()),
        (unnamed(lines=(("abc", 2),)), a_claim()),
        (unnamed(created_on=REFUNDED_ON - timedelta(days=4)), a_claim()),
        (unnamed(created_on=REFUNDED_ON + timedelta(days=31)), a_claim()),
        (unnamed(created_on=None), a_claim()),
        (unnamed(), a_claim(refunded_on=None)),
        (unnamed(), a_claim(is_witnessed=True)),
    ],
)
def test_what_does_not_fit_is_left_alone(note: CreditNote, claim: Claim) -> None:
    assert attribute([note], [claim], {}) == ([], [])


def test_a_reference_that_names_another_customers_return_does_not_win() -> None:
    note = unnamed(associated_ref="RMA-R2")
    other = a_claim("R2", customer_code="C2", value_pence=4999)
    assert matched([note], [a_claim("R1"), other]) == {"CN1": "R1"}


def test_a_reference_and_a_customer_that_speak_for_two_returns_of_one_content_decide_nothing() -> None:
    claims = [a_claim("R1"), a_claim("R2", customer_code="C2")]
    found = attribute([unnamed(associated_ref="RMA-R2")], claims, {})
    assert found == ([], [Ambiguity("CN1", ("R1", "R2"))])


def test_a_reference_of_a_return_of_other_goods_does_not_win() -> None:
    other = a_claim("R2", lines=(("XYZ", 1),))
    assert matched([unnamed(associated_ref="RMA-R2")], [a_claim("R1"), other]) == {"CN1": "R1"}
    assert attribute([named("RMA-R2")], [other], {}) == ([], [])
    assert matched([named("RMA-R2", lines=())], [other]) == {"CN1": "R2"}
    assert matched([named("RMA-R2")], [a_claim("R2", lines=())]) == {"CN1": "R2"}


def test_a_reference_at_the_value_of_another_return_goes_to_neither() -> None:
    note = unnamed(associated_ref="RMA-R2")
    claims = [a_claim("R1"), a_claim("R2", value_pence=4000)]
    assert attribute([note], claims, {}) == ([], [Ambiguity("CN1", ("R1", "R2"))])
    assert matched([note], [a_claim("R1"), a_claim("R2")]) == {"CN1": "R2"}


def test_what_we_handed_out_is_known_whatever_it_holds() -> None:
    posted = a_claim("R1", posted_reference="K7QX", lines=(("XYZ", 1),))
    assert matched([unnamed(associated_ref="K7QX")], [posted, a_claim("R2")]) == {"CN1": "R1"}


def test_a_posted_reference_wins_over_a_return_of_the_same_name() -> None:
    claims = [a_claim("R1", posted_reference="RMA-R2"), a_claim("R2")]
    assert matched([named("RMA-R2")], claims) == {"CN1": "R1"}


def test_two_notes_with_the_same_reference_both_go_to_their_return() -> None:
    assert matched([named("RMA-R1"), named("RMA-R1", "CN2")], [a_claim()]) == {"CN1": "R1", "CN2": "R1"}


def test_a_return_found_by_reference_takes_no_further_note_by_content() -> None:
    assert matched([named("RMA-R1"), unnamed("CN2")], [a_claim()]) == {"CN1": "R1"}


def test_two_returns_of_one_reference_get_nothing() -> None:
    claims = [a_claim("R1"), a_claim("R2", references=frozenset({"RMA-R1"}))]
    assert attribute([named("RMA-R1")], claims, {}) == ([], [Ambiguity("CN1", ("R1", "R2"))])


def test_a_note_that_fits_two_returns_goes_to_none() -> None:
    assert attribute([unnamed()], [a_claim("R2"), a_claim("R1")], {}) == ([], [Ambiguity("CN1", ("R1", "R2"))])


def test_two_notes_that_fit_one_return_go_to_none() -> None:
    unclear = [Ambiguity("CN1", ("R1",)), Ambiguity("CN2", ("R1",))]
    assert attribute([unnamed("CN2"), unnamed("CN1")], [a_claim()], {}) == ([], unclear)


def test_a_note_with_a_choice_holds_back_the_note_without() -> None:
    notes = [unnamed("CN1", created_on=REFUNDED_ON), unnamed("CN2", created_on=REFUNDED_ON + timedelta(days=30))]
    claims = [a_claim("R1"), a_claim("R2", refunded_on=REFUNDED_ON + timedelta(days=20))]
    unclear = [Ambiguity("CN1", ("R1",)), Ambiguity("CN2", ("R1", "R2"))]
    assert attribute(notes, claims, {}) == ([], unclear)


def test_two_alike_documents_of_one_return_take_two_alike_notes() -> None:
    claims = [a_claim(posted_reference="A"), a_claim(posted_reference="A-2")]
    assert matched([unnamed("CN1"), unnamed("CN2")], claims) == {"CN1": "R1", "CN2": "R1"}
    assert matched([unnamed("CN1"), unnamed("CN2"), unnamed("CN3")], claims) == {}


def test_taken_notes_are_not_looked_at_again() -> None:
    assert attribute([unnamed(), named("RMA-R1", "CN2")], [a_claim()], {"CN1": "R9", "CN2": "R9"}) == ([], [])


few = st.sampled_from


def code_of(note: CreditNote) -> str:
    return note.credit_note_code


notes_ = st.lists(
    st.builds(
        a_note,
        few([1000, 5000]),
        st.integers(1, 30).map("CN{}".format),
        associated_ref=few(["", "", "RMA-R1", "RMA-R2", "K1"]),
        customer_code=few(["C1", "C2", ""]),
        currency=few(["GBP", "GBP", "EUR"]),
        created_on=st.none() | st.dates(date(2026, 3, 1), date(2026, 4, 20)),
        lines=few([(("ABC", 2),), (("ABC", 1),), (("B", 1), ("ABC", 2))]),
    ),
    max_size=6,
    unique_by=code_of,
)
claims_ = st.lists(
    st.builds(
        a_claim,
        few(["R1", "R2", "R3"]),
        customer_code=few(["C1", "C2", ""]),
        value_pence=few([1000, 5000]),
        posted_reference=few(["", "", "K1", "K2"]),
        refunded_on=st.none() | st.dates(date(2026, 3, 1), date(2026, 4, 1)),
        lines=few([(("ABC", 2),), (("ABC", 1),)]),
        is_witnessed=st.booleans(),
    ),
    max_size=5,
)


@given(notes_, claims_, st.data())
@settings(max_examples=150, deadline=None)
def test_the_order_of_input_does_not_matter(notes: list[CreditNote], claims: list[Claim], data: st.DataObject) -> None:
    expected = attribute(notes, claims, {})
    assert attribute(data.draw(st.permutations(notes)), data.draw(st.permutations(claims)), {}) == expected


@given(notes_, claims_)
@settings(max_examples=150, deadline=None)
def test_a_note_is_told_once_and_never_against_its_customer_or_currency(
    notes: list[CreditNote], claims: list[Claim]
) -> None:
    found, unclear = attribute(notes, claims, {})
    codes = [entry.credit_note_code for entry in found] + [entry.credit_note_code for entry in unclear]
    assert len(codes) == len(set(codes))
    by_code = {note.credit_note_code: note for note in notes}
    for entry in found:
        note = by_code[entry.credit_note_code]
        people = {claim.customer_code for claim in claims if claim.return_id == entry.return_id}
        assert not note.customer_code or people & {note.customer_code, ""}
        assert note.currency == "GBP"


@given(notes_, claims_)
@settings(max_examples=200, deadline=None)
def test_by_content_no_return_gets_more_notes_than_it_asks_for(notes: list[CreditNote], claims: list[Claim]) -> None:
    found = [entry for entry in attribute(notes, claims, {})[0] if entry.matched_by == "customer_codes_value_date"]
    for return_id in {entry.return_id for entry in found}:
        asked = [claim for claim in claims if claim.return_id == return_id and not claim.is_witnessed]
        assert sum(entry.return_id == return_id for entry in found) <= len(asked)


@given(notes_, claims_)
@settings(max_examples=200, deadline=None)
def test_what_is_attributed_by_content_would_also_have_held_back_the_draft(
    notes: list[CreditNote], claims: list[Claim]
) -> None:
    by_code = {note.credit_note_code: note for note in notes}
    for entry in attribute(notes, claims, {})[0]:
        if entry.matched_by == "customer_codes_value_date":
            own = [claim for claim in claims if claim.return_id == entry.return_id]
            assert any(may_cover(by_code[entry.credit_note_code], claim) for claim in own)


@pytest.mark.parametrize(
    ("note", "is_guarded"),
    [
        (unnamed(), True),
        (unnamed(lines=(("OTHER", 9),)), True),
        (unnamed(gross_pence=1, lines=(("OTHER", 9), ("ABC", 1))), True),
        (unnamed(currency="EUR"), True),
        (unnamed(gross_pence=1, lines=(("OTHER", 9),)), False),
        (named("RMA-R1", lines=(("OTHER", 9),)), True),
        (unnamed(currency="EUR", lines=()), True),
        (unnamed(gross_pence=1, lines=()), True),
        (unnamed(customer_code="C2"), False),
        (unnamed(customer_code=""), True),
        (unnamed(customer_code="", lines=()), True),
        (named("RMA-R1", customer_code=""), True),
        (unnamed(customer_code="", gross_pence=1), False),
        (unnamed(customer_code="", lines=(("OTHER", 9),)), False),
        (unnamed(created_on=None), True),
        (unnamed(created_on=REFUNDED_ON - timedelta(days=20)), True),
        (unnamed(created_on=REFUNDED_ON - timedelta(days=21)), True),
        (unnamed(created_on=REFUNDED_ON - timedelta(days=22)), False),
    ],
)
def test_the_guard_before_a_draft(note: CreditNote, is_guarded: bool) -> None:
    assert may_cover(note, a_claim()) is is_guarded


def test_the_guard_needs_a_known_customer() -> None:
    assert not may_cover(unnamed(customer_code=""), a_claim(customer_code=""))
