"""Correcting journals that finance may enter: proposals with their VAT, never posted by anybody but a person.

Belongs here: which accounts a difference of a payout moves between, and its VAT. Stays out: differences (``comparing``)
and how a list of them is written (``adapters.files``). Money is whole minor units. Debits equal credits in each entry.
VAT moves only with money that belongs to a sale, at the rates of that sale: FINANCE_RULES U-1, U-5, U-9, U-25, U-28; an
exchange difference has none (U-16), and VAT of a Credit Note whose money did not move waits for it (U-17).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.tax import Amount, Rate, split_delivery
from khaos_swap_assets.domain.payouts.comparing import Place

CLEARING = "payment provider, clearing"
RETURNS, OUTPUT_VAT = "sales returns", "output VAT"
TO_EXPLAIN, EXCHANGE = "refunds to be explained", "exchange differences"
OWED, WAITING_VAT = "refunds owed to customers", "VAT that waits for payment"
DIFFERENCES, FEES = "payout differences", "payment fees"


@dataclass(frozen=True, slots=True)
class Difference:
    """What of a payout is to be corrected: ``apart_pence`` as ``Placed`` has it.

    ``place`` is ``total`` for a total that is not the sum of its lines, and ``fee`` for fees, which are positive.
    ``goods_pence_by_rate``: the refunded goods by the VAT rate of their sale, empty where nobody knows them.
    ``is_credited``: Khaos issued a Credit Note for the refund.
    """

    place: Place | str
    day: date
    subject: str
    currency: str
    apart_pence: int
    order_name: str = ""
    rma: str = ""
    is_foreign: bool = False
    is_credited: bool = False
    goods_pence_by_rate: Mapping[Rate, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of an entry; one of debit and credit is 0. ``vat_rate`` in per cent, empty where no VAT moves."""

    entry: int
    day: date
    account: str
    debit_pence: int
    credit_pence: int
    currency: str
    vat_rate: str
    subject: str
    order_name: str
    rma: str
    why: str


def journals(differences: Iterable[Difference]) -> list[JournalLine]:
    """Entries for these differences in their order; none where the books hold nothing to correct."""
    found: list[JournalLine] = []
    entry = 0
    for one in differences:
        if lines := [line for line in _lines(one) if line[1]]:
            entry += 1
            found += [_line(entry, one, *line) for line in lines]
    return found


Moved = tuple[str, int, str, str]
"""Account, pence (a debit is positive), VAT rate, and why."""


def _lines(one: Difference) -> Iterator[Moved]:
    more = -one.apart_pence
    if one.place == "missing":
        yield from _not_paid(one)
    elif one.place == "fee":
        yield from _against_clearing(one.apart_pence, FEES, "fees of the provider; VAT as its invoice says")
    elif one.place == "total":
        yield from _against_clearing(more, DIFFERENCES, "the total of the payout is not the sum of its lines; no VAT")
    elif one.is_foreign and one.place == "differs":
        yield from _against_clearing(more, EXCHANGE, "another rate of exchange; no VAT (U-16)")
    elif one.place == "differs" and one.goods_pence_by_rate:
        yield from _refunded(one, more)
    else:
        why = "no refund of a sale is known for it, so no VAT; where there is one, make its Credit Note instead (U-25)"
        yield from _against_clearing(more, TO_EXPLAIN, why)


def _against_clearing(pence: int, account: str, why: str) -> Iterator[Moved]:
    yield account, pence, "", why
    yield CLEARING, -pence, "", why


def _by_rate(pence: int, goods: Mapping[Rate, int]) -> Iterator[tuple[str, Amount]]:
    """A positive amount by the VAT rates of the goods that were sold (U-9)."""
    for rate, part in split_delivery(pence, goods, "follow_goods").items():
        yield f"{Decimal(rate):f}", part


def _refunded(one: Difference, more: int) -> Iterator[Moved]:
    """More went back than was credited, or less: net and VAT of the difference."""
    sign, size = (1, more) if more > 0 else (-1, -more)
    way = "more" if more > 0 else "less"
    why = f"{format_money(size, one.currency)} {way} went back than was refunded (U-28)"
    for rate, part in _by_rate(size, one.goods_pence_by_rate):
        yield RETURNS, sign * part.net_pence, rate, why
        yield OUTPUT_VAT, sign * part.vat_pence, rate, why
    yield CLEARING, -more, "", why


def _not_paid(one: Difference) -> Iterator[Moved]:
    """Credited, and in no payout: the money is still owed, and its VAT reduction waits for it."""
    if not one.is_credited:
        return
    told = "; its VAT is that of the sale's rate of exchange (U-16)" if one.is_foreign else ""
    why = f"credited, and in no payout: owed until the payment is found (U-1, U-17){told}"
    yield CLEARING, one.apart_pence, "", why
    yield OWED, -one.apart_pence, "", why
    goods = {} if one.is_foreign else one.goods_pence_by_rate
    for rate, part in _by_rate(one.apart_pence, goods) if goods else ():
        yield WAITING_VAT, part.vat_pence, rate, why
        yield OUTPUT_VAT, -part.vat_pence, rate, why


def _line(entry: int, one: Difference, account: str, pence: int, vat_rate: str, why: str) -> JournalLine:
    return JournalLine(
        entry=entry, day=one.day, account=account, debit_pence=max(pence, 0), credit_pence=max(-pence, 0),
        currency=one.currency, vat_rate=vat_rate, subject=one.subject, order_name=one.order_name, rma=one.rma, why=why,
    )  # fmt: skip
