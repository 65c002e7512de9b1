"""When VAT is wrong although the money is right: its month, its amount or its note (``TAX_RULES``).

Belongs here: the days of a return's payments and of its notes beside each other, and VAT beside that of the sale. Stays
out: the sums of a month (``reporting.month_end``), how VAT is split and rounded (``money.tax``). Days are London's,
money is whole pence of the return's currency. Source: FINANCE_RULES U-1, U-2, U-4, U-5, U-6, U-17, U-18.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.conditions import JudgedReturn, Rule
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.return_waterfall import paid_parts, vat_gap_of
from khaos_swap_assets.domain.linking.windows import INVOICE
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import VatPeriods, london_date
from khaos_swap_assets.domain.sums import added

KIND = "credited_in_another_month"
Dated = tuple[date, int]


@dataclass(frozen=True, slots=True)
class Timing:
    """Payments and notes of one return, each (day, pence)."""

    paid: tuple[Dated, ...] = ()
    noted: tuple[Dated, ...] = ()

    @property
    def paid_on(self) -> tuple[date, ...]:
        """The days of the payments, each once."""
        return tuple(sorted({day for day, _ in self.paid}))

    @property
    def credited_on(self) -> tuple[date, ...]:
        """The days of the notes, each once."""
        return tuple(sorted({day for day, _ in self.noted}))

    @property
    def shifted_pence(self) -> int:
        """What was paid in one month and is credited in another, before or after it; 0 where months agree."""
        return _shifted((f"{day:%Y-%m}", pence) for day, pence in self._apart())

    def shifts(self) -> dict[str, int]:
        """By month: positive is credited for money of another month, negative is credited in another month."""
        most = self.shifted_pence
        return {month: max(min(pence, most), -most) for month, pence in self.by_month().items() if most}

    def by_month(self) -> dict[str, int]:
        """Credited less paid, month by month, as the days of both say; months in which they agree are left out."""
        found = added((f"{day:%Y-%m}", pence) for day, pence in self._apart())
        return {month: pence for month, pence in sorted(found.items()) if pence}

    def _apart(self) -> Iterator[Dated]:
        yield from ((day, -pence) for day, pence in self.paid)
        yield from self.noted

    def told(self, currency: str, periods: VatPeriods) -> str:
        """Both dates, each month's own figures, and whether the VAT period is another, for a person."""
        paid, noted = (
            ", ".join(f"{format_money(pence, currency)} on {day}" for day, pence in sorted(some))
            for some in (self.paid, self.noted)
        )
        months = ", ".join(
            f"{month} {'+' if pence > 0 else ''}{format_money(pence, currency)}"
            for month, pence in self.by_month().items()
        )
        is_other = _shifted((periods.end_of(day), pence) for day, pence in self._apart()) > 0
        vat = f"in {'another' if is_other else 'the same'} VAT period ({periods.words})"
        return f"Paid {paid}; credited {noted}, {vat}. Credited less paid: {months}"


def _shifted(apart: Iterable[tuple[Hashable, int]]) -> int:
    sums = added(apart).values()
    return min(sum(one for one in sums if one > 0), -sum(one for one in sums if one < 0))


def timing_of(facts: ReturnFacts) -> Timing:
    """Each payment that moved, else Swap's day of the refund; each note as issued, else made, nowhere without a day."""
    days = [(one.note.issued_on or one.note.created_on, one.note.gross_pence) for one in facts.notes]
    return Timing(_paid(facts), tuple((day, pence) for day, pence in days if day))


def _paid(facts: ReturnFacts) -> tuple[Dated, ...]:
    if not facts.refund_pence:
        return ()
    refunds = facts.paid.refunds if facts.paid else ()
    moved = paid_parts(facts, (part for refund in refunds for part in refund.moved))
    moment = facts.return_.refunded_at
    return tuple(moved) or (((london_date(moment), facts.refund_pence),) if moment else ())


def _credited_in_another_month(case: JudgedReturn) -> Iterator[Problem]:
    timing = timing_of(case.facts)
    if pence := timing.shifted_pence:
        yield case.problem(KIND, timing.told(case.facts.return_.currency, case.limits.vat_periods), pence)


def _vat_differs(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    gap = vat_gap_of(facts) if facts.notes and not facts.apart_pence else None
    if gap:
        codes = ", ".join(sorted(one.note.credit_note_code for one in facts.notes))
        which = "more" if gap > 0 else "less"
        message = f"{codes}: VAT is {case.money(abs(gap))} {which} than at the rate of the sale"
        yield case.problem("vat_differs", message, abs(gap))


def _credit_note_incomplete(case: JudgedReturn) -> Iterator[Problem]:
    """What a VAT credit note has to show and the books can show: its day, that of its invoice, and what was sold."""
    sold_on = case.facts.invoiced_on
    for note in (one.note for one in case.facts.notes):
        code, made_on = note.credit_note_code, note.issued_on or note.created_on
        why = [] if made_on or not note.is_issued else ["it is issued and has no day"]
        if made_on and sold_on and not INVOICE.holds(made_on, sold_on):
            why.append(f"it is of {made_on}, before its invoice of {sold_on}")
        if why:
            told = case.problem("credit_note_incomplete", f"{code}: {'; '.join(why)}", note.gross_pence)
            yield replace(told, subject=code, credit_note_code=code)


TAX_RULES: dict[str, Rule] = {
    "vat_differs": _vat_differs,
    "credit_note_incomplete": _credit_note_incomplete,
    KIND: _credited_in_another_month,
}
