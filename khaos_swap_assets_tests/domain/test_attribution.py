"""What answers a document of ours, and the guard before a draft."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking.attribution import Attribution, CoverClaim, HandedOut, answers, may_cover
from khaos_swap_assets.domain.linking.loose_notes import record_of
from khaos_swap_assets_tests.domain.cases import a_note

REFUNDED_ON = date(2026, 3, 10)
OURS = HandedOut("R1", "K7QX", "C1", "GBP")


def a_claim(**changes: Any) -> CoverClaim:
    """A return of two ABC for £50.00 by customer C1, with its RMA as reference."""
    base: dict[str, Any] = {
        "customer_code": "C1",
        "currency": "GBP",
        "value_pence": 5000,
        "lines": (("ABC", 2),),
        "references": frozenset({"RMA-R1"}),
        "invoiced_on": REFUNDED_ON - timedelta(days=20),
    }
    return CoverClaim("R1", **{**base, **changes})


def unnamed(code: str = "CN1", **changes: Any) -> CreditNote:
    """A note that fits that return and carries no reference."""
    return a_note(5000, code, **{"associated_ref": "", **changes})


def named(reference: str, code: str = "CN1", **changes: Any) -> CreditNote:
    """A note with a reference, of another value."""
    return a_note(1234, code, associated_ref=reference, **changes)


def answered(*notes: CreditNote, out: tuple[HandedOut, ...] = (OURS,)) -> dict[str, str]:
    return {code: one.return_id for code, one in answers(map(record_of, notes), out).items()}


def test_what_we_handed_out_is_known_whatever_it_holds() -> None:
    note = named("K7QX", lines=(("XYZ", 1),))
    assert answers([record_of(note)], [OURS]) == {"CN1": Attribution("CN1", "R1", "posting")}
    assert answered(named("K7QX", "CN1"), named("K7QX", "CN2")) == {"CN1": "R1", "CN2": "R1"}
    assert answered(named("K7QX"), out=(HandedOut("R1", "K7QX", "", "GBP"),)) == {"CN1": "R1"}


@pytest.mark.parametrize(
    "note",
    [
        named("K7QX", customer_code="C2"),
        named("K7QX", currency="EUR"),
        named("k7qx"),
        named("K7QX1"),
        named(""),
        unnamed(),
    ],
)
def test_anything_else_answers_nothing(note: CreditNote) -> None:
    assert answered(note, out=(OURS, HandedOut("R2", "", "C1", "GBP"))) == {}


def test_a_reference_of_two_returns_answers_neither() -> None:
    assert answered(named("K7QX"), out=(OURS, HandedOut("R2", "K7QX", "C1", "GBP"))) == {}


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
