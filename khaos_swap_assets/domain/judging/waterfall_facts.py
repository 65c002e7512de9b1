"""What both sides say about one refund and its Credit Notes.

Belongs here: the records that a waterfall is made from, and what follows from a pair of lines alone. Stays out: the
legs (``judging.waterfall``). Money is whole pence of one currency, amounts are positive, quantities are units.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from khaos_swap_assets.domain.money.amounts import spread
from khaos_swap_assets.domain.money.tax import Amount, Rate, vat_bounds
from khaos_swap_assets.domain.records.returns import REFUND
from khaos_swap_assets.domain.sums import added


@dataclass(frozen=True, slots=True)
class RefundedLine:
    """A returned line in whole pence: as refunded, before any discount of its sale; and its rate there, where known."""

    stock_code: str
    quantity: int
    value_pence: int
    outcome: str = REFUND
    list_pence: int | None = None
    vat_percent: Rate | None = None


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """One refund: what was paid out in money, and every field that says why it is more or less than the goods.

    ``fee_pence`` was withheld; ``exchange_pence`` are goods sent in exchange and ``additional_payment_pence`` what the
    customer paid for them; taxes and duties were refunded on top of the prices; ``fx_loss_pence`` is what it cost more
    than at the sale's rate (negative: less), ``unmoved_pence`` what Swap says was refunded and did not move (negative:
    what moved beyond it); ``postage_pence`` is the fee of its labels, perhaps withheld where Swap names no other fee.
    """

    refund_pence: int
    lines: tuple[RefundedLine, ...] = ()
    fee_pence: int = 0
    gift_card_pence: int = 0
    store_credit_pence: int = 0
    exchange_pence: int = 0
    additional_payment_pence: int = 0
    taxes_on_top_pence: int = 0
    duties_pence: int = 0
    fx_loss_pence: int = 0
    unmoved_pence: int = 0
    postage_pence: int = 0
    order_delivery_pence: int = 0


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A line of a Credit Note; ``gross_pence`` is the whole line, None where Khaos tells the units alone."""

    stock_code: str
    quantity: int
    gross_pence: int | None


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """All notes of one refund together: their gross with delivery, their net where known, and their lines.

    ``delivery_pence`` is gross and no line. ``opened_units`` are the goods with packs opened, where one side holds a
    pack and the other its components.
    """

    gross_pence: int
    net_pence: int | None = None
    lines: tuple[CreditLine, ...] = ()
    delivery_pence: int = 0
    opened_units: int = 0


@dataclass(frozen=True, slots=True)
class LineSums:
    """Lines of one Stock Code on one side, added up; ``pence`` is None where one of them shows no value."""

    quantity: int = 0
    pence: int | None = 0


def sums_of(lines: Iterable[tuple[str, int, int | None]]) -> dict[str, LineSums]:
    """(Stock Code, units, pence) added up by Stock Code, sorted by it."""
    found: dict[str, LineSums] = {}
    for code, quantity, pence in lines:
        before = found.get(code, LineSums())
        total = None if pence is None or before.pence is None else before.pence + pence
        found[code] = LineSums(before.quantity + quantity, total)
    return dict(sorted(found.items()))


def compared_lines(refund: RefundFacts, credit: CreditFacts) -> tuple[RefundedLine, ...]:
    """Lines held against a note: those refunded, and others whose Stock Code it holds; else all that were exchanged."""
    noted = {line.stock_code for line in credit.lines}
    found = tuple(line for line in refund.lines if line.outcome == REFUND or line.stock_code in noted)
    return found or (refund.lines if refund.exchange_pence else ())


def vat_gap_pence(refund: RefundFacts, credit: CreditFacts, settled_pence: int = 0) -> int | None:
    """VAT credited less VAT of the refund and of what is settled beside it (gift card, exchange); 0 for a rounding.

    None where a net or a rate is not known. Source: FINANCE_RULES U-5, U-6, U-14.
    """
    paid_pence = refund.refund_pence + settled_pence
    parts = _taxed_parts(refund, credit, paid_pence)
    if credit.net_pence is None or parts is None:
        return None
    gap = credit.gross_pence - credit.net_pence - sum(part.vat_pence for part in parts)
    return 0 if gap == 0 or _is_rounding(gap, refund, credit, parts, paid_pence) else gap


def refund_vat_pence(refund: RefundFacts, credit: CreditFacts, paid_pence: int) -> int | None:
    """VAT of the first ``paid_pence`` at each line's rate, what is beside the goods by their value; None: no rate."""
    parts = _taxed_parts(refund, credit, paid_pence)
    return None if parts is None else sum(part.vat_pence for part in parts)


class _Taxed(NamedTuple):
    """Pence that are rounded to VAT at once, of so many units."""

    pence: int
    rate: Rate
    units: int = 1

    @property
    def vat_pence(self) -> int:
        """As Khaos rounds it."""
        return Amount.of(self.pence, self.rate).vat_pence


def _taxed_parts(refund: RefundFacts, credit: CreditFacts, paid_pence: int) -> list[_Taxed] | None:
    """Each line, and what was paid beside them by rate; where less was paid than the goods, their shares by rate."""
    lines = [line for line in compared_lines(refund, credit) if line.value_pence]
    if not lines or any(line.vat_percent is None for line in lines):
        return None
    goods = sum(line.value_pence for line in lines)
    if paid_pence < goods:
        return _by_rate(lines, goods, paid_pence)
    whole = [_Taxed(line.value_pence, line.vat_percent or 0, line.quantity) for line in lines]
    return [*whole, *(_by_rate(lines, goods, paid_pence - goods) if paid_pence > goods else ())]


def _by_rate(lines: Iterable[RefundedLine], goods: int, pence: int) -> list[_Taxed]:
    """Pence shared out over the rates of the goods, by value."""
    by_rate = added((line.vat_percent or 0, line.value_pence) for line in lines)
    value, found = 0, []
    for rate, its in sorted(by_rate.items()):
        before, value = pence * value // goods, value + its
        found.append(_Taxed(pence * value // goods - before, rate))
    return found


def _is_rounding(gap: int, refund: RefundFacts, credit: CreditFacts, parts: Sequence[_Taxed], paid_pence: int) -> bool:
    """Whether VAT differs as right roundings at equal gross may, as either side is divided into rows (U-6).

    Where goods are credited at a share of their price, each line more than the rates is rounded once more. Where a pack
    was opened, each unit of a component may be a row at a price that nobody shows, rounded by half a penny at most.
    """
    rows = _rows(refund, credit, paid_pence)
    own = [row for _, row in rows]
    beside = parts[len(rows) :] if paid_pence > sum(row.pence for row in own) else []
    expected, noted = sum(part.vat_pence for part in parts), _noted(refund, credit)
    spans = [_span(some, expected) for some in (parts, [*own, *beside], [*_joined(rows), *beside])]
    is_all = sum(row.pence for row in noted) + credit.delivery_pence == credit.gross_pence == paid_pence
    spans.append(
        _span([*noted, *beside] if is_all else noted, expected if is_all else sum(part.vat_pence for part in noted))
    )
    opened = (credit.opened_units + len(parts)) // 2 if credit.opened_units else 0
    more = max(len(rows) - len(parts), opened, 0)
    return min(low for low, _ in spans) - more <= gap <= max(high for _, high in spans) + more


def _span(parts: Iterable[_Taxed], expected_pence: int) -> tuple[int, int]:
    """By how much right VAT of these parts may be below and above what is expected."""
    bounds = [vat_bounds(part.pence, part.rate, part.units) for part in parts]
    return sum(low for low, _ in bounds) - expected_pence, sum(high for _, high in bounds) - expected_pence


def _joined(rows: Iterable[tuple[str, _Taxed]]) -> list[_Taxed]:
    """Rows of one Stock Code, rate and unit price as one row, as staff may type them."""
    found: dict[tuple[str, Rate, Fraction], _Taxed] = {}
    for code, row in rows:
        key = (code, row.rate, Fraction(row.pence, max(row.units, 1)))
        before = found.get(key, _Taxed(0, row.rate, 0))
        found[key] = _Taxed(before.pence + row.pence, row.rate, before.units + max(row.units, 1))
    return list(found.values())


def _rows(refund: RefundFacts, credit: CreditFacts, paid_pence: int) -> list[tuple[str, _Taxed]]:
    """Stock Code and goods of each line, less its share of what was not paid."""
    lines = [line for line in compared_lines(refund, credit) if line.value_pence]
    values = [line.value_pence for line in lines]
    withheld = spread(max(sum(values) - paid_pence, 0), values)
    return [
        (line.stock_code, _Taxed(line.value_pence - share, line.vat_percent or 0, line.quantity))
        for line, share in zip(lines, withheld, strict=True)
    ]


def _noted(refund: RefundFacts, credit: CreditFacts) -> list[_Taxed]:
    """Lines of the notes that show a value, at the rate of their sale; what takes money off at the one rate of all."""
    rates = sorted({(line.stock_code, line.vat_percent) for line in refund.lines if line.vat_percent is not None})
    only = {rate for _, rate in rates}
    goods = {code for code, _ in rates}
    return [
        _Taxed(line.gross_pence, rate, line.quantity)
        for line in credit.lines
        for code, rate in ([(line.stock_code, next(iter(only)))] if _is_off(line, goods) and len(only) == 1 else rates)
        if code == line.stock_code and line.gross_pence is not None
    ]


def _is_off(line: CreditLine, goods: Collection[str]) -> bool:
    return line.stock_code not in goods and (line.gross_pence or 0) < 0
