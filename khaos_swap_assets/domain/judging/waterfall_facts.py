"""What both sides say about one refund and its Credit Notes.

Belongs here: the records that a waterfall is made from, and what follows from a pair of lines alone. Stays out: the
legs (``judging.waterfall``). Money is whole pence of one currency, amounts are positive, quantities are units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from khaos_swap_assets.domain.money.tax import Amount, Rate
from khaos_swap_assets.domain.records.returns import REFUND


@dataclass(frozen=True, slots=True)
class RefundLine:
    """A returned line; ``value_pence`` is the whole line as Swap refunds it.

    From the sale, where it is known: ``list_pence`` is the whole line before any discount, ``vat_percent`` its rate.
    """

    stock_code: str
    quantity: int
    value_pence: int
    outcome: str = REFUND
    list_pence: int | None = None
    vat_percent: Rate | None = None


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """One refund: what was paid out in money, and every field that says why it is more or less than the goods.

    ``fee_pence`` was withheld; ``gift_card_pence`` and ``store_credit_pence`` were given back in that form;
    ``exchange_pence`` is the value of goods sent in exchange and ``additional_payment_pence`` what the customer paid
    for them; ``taxes_on_top_pence`` and ``duties_pence`` were refunded on top of the prices; ``fx_loss_pence`` is what
    the refund cost more than at the sale's rate (negative: less); ``unmoved_pence`` is what Swap says was refunded and
    did not move (negative: what moved beyond it, such as a refund issued twice);
    ``postage_pence`` is the fee of its labels, which may have been withheld where Swap names no other fee.
    """

    refund_pence: int
    lines: tuple[RefundLine, ...] = ()
    fee_pence: int = 0
    delivery_pence: int = 0
    gift_card_pence: int = 0
    store_credit_pence: int = 0
    exchange_pence: int = 0
    additional_payment_pence: int = 0
    taxes_on_top_pence: int = 0
    duties_pence: int = 0
    fx_loss_pence: int = 0
    unmoved_pence: int = 0
    postage_pence: int = 0


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A line of a Credit Note; ``gross_pence`` is the whole line, None where Khaos tells the units alone."""

    stock_code: str
    quantity: int
    gross_pence: int | None


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """All notes of one refund together: their gross with delivery, their net where known, and their lines.

    ``delivery_pence`` is gross and no line. ``mode``: how Khaos works the customer's prices (khaos.md §10).
    """

    gross_pence: int
    net_pence: int | None = None
    lines: tuple[CreditLine, ...] = ()
    delivery_pence: int = 0
    mode: Literal["gross", "net"] = "gross"


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


def compared_lines(refund: RefundFacts, credit: CreditFacts) -> tuple[RefundLine, ...]:
    """Lines that a note is held against: those of outcome Refund, and others where a note holds their Stock Code."""
    noted = {line.stock_code for line in credit.lines}
    return tuple(line for line in refund.lines if line.outcome == REFUND or line.stock_code in noted)


def vat_gap_pence(refund: RefundFacts, credit: CreditFacts) -> int | None:
    """VAT credited less VAT of the refund; None where a net or a rate is not known."""
    vat = refund_vat_pence(refund, credit, refund.refund_pence)
    return None if credit.net_pence is None or vat is None else credit.gross_pence - credit.net_pence - vat


def refund_vat_pence(refund: RefundFacts, credit: CreditFacts, paid_pence: int) -> int | None:
    """VAT of the first ``paid_pence`` of a refund, each line at its sale's rate; None where a rate is not known.

    What was refunded beside the goods (delivery, less a fee) is shared out over their rates by value.
    """
    lines = [line for line in compared_lines(refund, credit) if line.value_pence]
    if not lines or any(line.vat_percent is None for line in lines):
        return None
    goods = sum(line.value_pence for line in lines)
    if goods != paid_pence:
        return _scaled_vat(lines, goods, paid_pence)
    return sum(Amount.of(line.value_pence, line.vat_percent or 0).vat_pence for line in lines)


def _scaled_vat(lines: Iterable[RefundLine], goods: int, refund_pence: int) -> int:
    by_rate: Counter[Rate] = Counter()
    for line in lines:
        by_rate[line.vat_percent or 0] += line.value_pence
    done = vat = value = 0
    for rate, pence in sorted(by_rate.items()):
        value += pence
        share = refund_pence * value // goods - done
        done += share
        vat += Amount.of(share, rate).vat_pence
    return vat
