"""A return over the months of its payments: the rule's own figures, and that nothing is lost or counted twice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.reporting.month_parts import UNPAID, MonthPart, PaidPart, Whole, month_parts

MARCH, APRIL = date(2025, 3, 30), date(2025, 4, 4)


def vat_of(pence: int) -> int:
    """At the standard rate."""
    return Amount.of(pence, 20).vat_pence


def a_whole(refund_pence: int, gap_pence: int = 0, **changes: Any) -> Whole:
    """A return whose gap is half goods (rounded down), the rest unexplained, and that is credited at 20 %."""
    legs = (gap_pence // 2, gap_pence - gap_pence // 2)
    made = {"legs": legs, "vat_of": vat_of, "has_vat_gap": True, "status": "value_gap" if gap_pence else "matched"}
    return Whole(refund_pence, **{**made, **changes})


def a_note(
    pence: int,
    made_on: date | None = APRIL,
    code: str = "CN1",
    *,
    vat_pence: int | None = None,
    is_issued: bool = True,
) -> CreditNote:
    """An issued note at 20 %."""
    return CreditNote(
        credit_note_code=code,
        associated_ref="",
        customer_code="",
        currency="GBP",
        created_on=made_on,
        issued_on=None,
        stage_id=70 if is_issued else 10,
        gross_pence=pence,
        net_pence=pence - (vat_of(pence) if vat_pence is None else vat_pence),
    )


def told(parts: tuple[MonthPart, ...]) -> list[tuple[str, int, int, int, int | None]]:
    """Month, refund, credit, timing and gap of VAT."""
    return [(one.period, one.refund_pence, one.credited_pence, one.timing_pence, one.vat_gap_pence) for one in parts]


PAID = (PaidPart(MARCH, 5000), PaidPart(APRIL, 7000))


@pytest.mark.parametrize("notes", [[a_note(12000)], [a_note(5000, MARCH), a_note(7000, code="CN2")]])
def test_u2_part_payments_are_separate_decreases(notes: list[CreditNote]) -> None:
    """£120.00 due: £50.00 paid 30 March, £70.00 paid 4 April; 41.67 + 8.33 and 58.33 + 11.67."""
    parts = month_parts(a_whole(12000), PAID, notes)
    assert told(parts) == [("2025-03", 5000, 5000, 0, 0), ("2025-04", 7000, 7000, 0, 0)]
    vats = [one.refund_vat_pence or 0 for one in parts]
    assert [(one.refund_pence - vat, vat) for one, vat in zip(parts, vats, strict=True)] == [(4167, 833), (5833, 1167)]
    assert [one.status for one in parts] == ["matched", "matched"]


@pytest.mark.parametrize(
    ("payments", "notes", "gap", "expected"),
    [
        pytest.param(PAID, [a_note(12000, MARCH)], 0,
                     [("2025-03", 5000, 12000, 7000, 1167), ("2025-04", 7000, 0, -7000, -1167)], id="too early"),
        pytest.param(PAID, [], -12000, [("2025-03", 5000, 0, 0, -833), ("2025-04", 7000, 0, 0, -1167)], id="no note"),
        pytest.param(PAID, [a_note(4000, MARCH), a_note(7000, code="CN2")], -1000,
                     [("2025-03", 5000, 4000, 0, -166), ("2025-04", 7000, 7000, 0, 0)], id="the first note is short"),
        pytest.param(PAID, [a_note(6000, MARCH), a_note(7000, code="CN2")], 1000,
                     [("2025-03", 5000, 6000, 0, 167), ("2025-04", 7000, 7000, 0, 0)], id="the first note is long"),
        pytest.param(PAID, [a_note(12000, None)], 0,
                     [("2025-03", 5000, 5000, 0, 0), ("2025-04", 7000, 7000, 0, 0)], id="Khaos tells no day"),
        pytest.param(PAID, [a_note(12000, date(2025, 3, 29))], 0,
                     [("2025-03", 5000, 12000, 7000, 1167), ("2025-04", 7000, 0, -7000, -1167)], id="before any money"),
        pytest.param(PAID[:1], [a_note(5000)], -7000,
                     [("2025-03", 5000, 5000, 0, 0), (UNPAID, 7000, 0, 0, -1167)], id="the rest is not paid"),
        pytest.param((PaidPart(MARCH, 13000),), [a_note(12000)], 0,
                     [("2025-03", 13000, 12000, -1000, -167), (UNPAID, -1000, 0, 1000, 167)], id="more moved"),
        pytest.param(PAID[:1] * 2, [a_note(10000)], 0, [], id="both in one month, refund of £100.00"),
        pytest.param((), [a_note(12000)], 0, [], id="no witness"),
    ],
)  # fmt: skip
def test_where_notes_fall(
    payments: tuple[PaidPart, ...], notes: list[CreditNote], gap: int, expected: list[tuple[Any, ...]]
) -> None:
    refund = sum(note.gross_pence for note in notes) - gap
    assert told(month_parts(a_whole(refund, gap), payments, notes)) == expected


def test_a_month_that_is_apart_by_timing_alone_is_no_match() -> None:
    parts = month_parts(a_whole(12000), PAID, [a_note(12000, MARCH)])
    assert [one.status for one in parts] == ["value_gap", "value_gap"]


def test_what_has_no_rate_or_net_has_no_vat() -> None:
    (one, _) = month_parts(a_whole(12000, vat_of=lambda _: None, has_vat_gap=False), PAID, [a_note(12000)])
    assert (one.refund_vat_pence, one.vat_gap_pence) == (None, None)


days = st.integers(0, 120).map(lambda number: date(2025, 2, 1) + timedelta(days=number))
paid_parts = st.lists(st.builds(PaidPart, days, st.integers(1, 20000)), min_size=1, max_size=5)
note_parts = st.lists(
    st.tuples(st.none() | days, st.integers(1, 30000), st.booleans(), st.sampled_from([0, 20])), max_size=4
).map(
    lambda some: [
        a_note(pence, day, f"CN{at}", vat_pence=Amount.of(pence, rate).vat_pence, is_issued=is_issued)
        for at, (day, pence, is_issued, rate) in enumerate(some)
    ]
)


def a_pair(payments: list[PaidPart], notes: list[CreditNote], unpaid: int) -> Whole:
    """The return of these payments and notes, ``unpaid`` pence more than moved."""
    refund = sum(one.pence for one in payments) + unpaid
    return a_whole(refund, sum(one.gross_pence for one in notes) - refund)


@given(paid_parts, note_parts, st.integers(-50, 500))
def test_the_months_add_up_to_the_return(payments: list[PaidPart], notes: list[CreditNote], unpaid: int) -> None:
    whole = a_pair(payments, notes, unpaid)
    parts = month_parts(whole, payments, notes)
    if not parts:
        assert len({f"{one.paid_on:%Y-%m}" for one in payments}) == 1
        assert not unpaid
        return
    assert len({one.period for one in parts}) == len(parts) > 1
    assert sum(one.refund_pence for one in parts) == whole.refund_pence
    assert sum(one.credited_pence for one in parts) == sum(one.gross_pence for one in notes)
    assert sum(one.issued_pence for one in parts) == sum(one.gross_pence for one in notes if one.is_issued)
    assert sum(one.timing_pence for one in parts) == 0
    assert tuple(map(sum, zip(*(one.legs for one in parts), strict=True))) == whole.legs
    assert sum(one.refund_vat_pence or 0 for one in parts) == vat_of(whole.refund_pence)
    vat_gap = sum(one.vat_pence or 0 for one in notes) - vat_of(whole.refund_pence)
    assert sum(one.vat_gap_pence or 0 for one in parts) == vat_gap
    for one in parts:
        assert sum(one.legs) + one.timing_pence == one.gap_pence
        assert 0 <= one.issued_pence <= one.credited_pence
        moved = sum(paid.pence for paid in payments if f"{paid.paid_on:%Y-%m}" == one.period)
        assert one.refund_pence == (moved if one.period else unpaid)


@given(paid_parts, note_parts, st.integers(-50, 500), st.randoms())
def test_the_order_of_payments_and_notes_changes_nothing(
    payments: list[PaidPart], notes: list[CreditNote], unpaid: int, random: Any
) -> None:
    whole = a_pair(payments, notes, unpaid)
    mixed = [random.sample(some, len(some)) for some in (payments, notes)]
    assert month_parts(whole, payments, notes) == month_parts(whole, *mixed)


@given(paid_parts, note_parts, st.integers(1, 20000), st.integers(0, 50), st.booleans())
def test_a_late_payment_changes_nothing_in_the_months_before(
    payments: list[PaidPart], notes: list[CreditNote], late: int, later: int, is_told: bool
) -> None:
    """Whether Swap told of it beforehand or not: money, credit, what of it is issued, and VAT stay as they were."""
    dated = [one for one in notes if one.created_on]
    last = max([one.paid_on for one in payments] + [one.created_on for one in dated if one.created_on])
    first_of_next = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
    then = [*payments, PaidPart(first_of_next + timedelta(days=later), late)]
    before = month_parts(a_pair(payments, dated, late if is_told else 0), payments, dated)
    after = month_parts(a_pair(then, dated, 0), then, dated)
    kept = [figures(one) for one in before if one.period]
    assert [figures(one) for one in after[:-1]] == (kept or [figures_of_one_month(payments, dated)])
    assert after[-1].period == f"{first_of_next + timedelta(days=later):%Y-%m}"


def figures(one: MonthPart) -> tuple[Any, ...]:
    """What finance signed of a month."""
    return (one.period, one.refund_pence, one.credited_pence, one.issued_pence, one.refund_vat_pence, one.vat_gap_pence)


def figures_of_one_month(payments: list[PaidPart], notes: list[CreditNote]) -> tuple[Any, ...]:
    """The same of a return whose money is of one month."""
    pence, credited = (sum(some) for some in ([one.pence for one in payments], [one.gross_pence for one in notes]))
    issued = sum(one.gross_pence for one in notes if one.is_issued)
    vat = vat_of(pence)
    gap = sum(one.vat_pence or 0 for one in notes) - vat
    return (f"{payments[0].paid_on:%Y-%m}", pence, credited, issued, vat, gap)
