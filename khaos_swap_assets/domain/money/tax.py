"""VAT of a Credit Note, to the penny.

Belongs here: net and VAT of what is credited, kept back or carried abroad, ties of rounding, what a note must show, and
the size of an error. Stays out: dates (``money.tax_dates``) and which amount is credited (``money.allocation``).
Money is whole pence, rates are per cent. Source: FINANCE_RULES U-4 to U-6, U-9, U-11, U-16, U-21, U-25.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from khaos_swap_assets.domain.money.amounts import half_up, split_gross, spread

Rate = Decimal | int

STANDARD_RATE: Rate = 20
SMALL_ERROR_PENCE = 1_000_000
LARGE_ERROR_PENCE = 5_000_000


@dataclass(frozen=True, slots=True)
class Amount:
    """A gross amount and its parts: net and VAT add up to it."""

    gross_pence: int
    net_pence: int
    vat_pence: int

    @classmethod
    def of(cls, gross_pence: int, vat_percent: Rate, mode: Literal["gross", "vat"] = "gross") -> Amount:
        """Split a gross amount at a rate; ``mode`` as in ``split_gross``."""
        net, vat = split_gross(gross_pence, vat_percent, mode)
        return cls(gross_pence, net, vat)

    def __add__(self, other: Amount) -> Amount:
        return Amount(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(Amount)))

    def __sub__(self, other: Amount) -> Amount:
        return Amount(*(getattr(self, part.name) - getattr(other, part.name) for part in fields(Amount)))


def credit_of(gross_pence: int, sale_vat_percent: Rate | None) -> Amount:
    """What a credit takes off: at the rate of its sale line (U-5); without a sale, no VAT (U-25)."""
    return Amount.of(gross_pence, 0 if sale_vat_percent is None else sale_vat_percent)


def overclaimed_pence(gross_pence: int, used_vat_percent: Rate, sale_vat_percent: Rate | None) -> int:
    """VAT that a credit at another rate than that of its sale claims too much (U-5, U-25); negative: too little."""
    return Amount.of(gross_pence, used_vat_percent).vat_pence - credit_of(gross_pence, sale_vat_percent).vat_pence


def is_tie(gross_pence: int, vat_percent: Rate) -> bool:
    """True when net and VAT both end in half a penny, so that two roundings are right: at 20 %, pence mod 6 is 3."""
    return (gross_pence / (1 + Fraction(vat_percent) / 100)).denominator == 2


def is_vat_rounding(lines: Sequence[tuple[int, Rate]], vat_gap_pence: int) -> bool:
    """True when a VAT gap at equal gross is rounding: a penny at most for each line that is a tie (U-6).

    ``lines`` are (gross pence, rate) of each line, or of the document where it was split as a whole.
    """
    return abs(vat_gap_pence) <= sum(is_tie(gross, rate) for gross, rate in lines)


def vat_of_parts(parts_pence: Sequence[int], vat_percent: Rate) -> list[int]:
    """VAT of partial credits of one sale line, so that all of them together have the VAT of their sum (U-8)."""
    total, vats = 0, [0]
    for part in parts_pence:
        total += part
        vats.append(Amount.of(total, vat_percent).vat_pence)
    return [after - before for before, after in pairwise(vats)]


def split_delivery(
    delivery_pence: int, goods_pence_by_rate: Mapping[Rate, int], mode: Literal["follow_goods", "standard"]
) -> dict[Rate, Amount]:
    """Delivery by VAT rate: by the value of the goods it brought, or all at the standard rate (U-9).

    ``goods_pence_by_rate`` is after discount. Without goods of value, ``follow_goods`` is the standard rate too.
    """
    if mode == "standard" or not any(goods_pence_by_rate.values()):
        return {STANDARD_RATE: Amount.of(delivery_pence, STANDARD_RATE)}
    shares = spread(delivery_pence, list(goods_pence_by_rate.values()))
    return {rate: Amount.of(share, rate) for rate, share in zip(goods_pence_by_rate, shares, strict=True)}


def keep_back(price_pence: int, refund_pence: int, vat_percent: Rate) -> tuple[Amount, Amount]:
    """The credit of a part refund, and what is kept, which stays taxed; together exactly the sale (U-11)."""
    credit = Amount.of(refund_pence, vat_percent)
    return credit, Amount.of(price_pence, vat_percent) - credit


@dataclass(frozen=True, slots=True)
class ForeignCredit:
    """A credit in another currency, in pence at the sale's rate, and what the refund cost more (loss, positive)."""

    amount: Amount
    cash_pence: int
    fx_loss_pence: int


def foreign_credit(
    minor_units: int, sale_rate: Decimal, refund_rate: Decimal, vat_percent: Rate, *, scale: int = 100
) -> ForeignCredit:
    """Reverse a sale in foreign currency at its own rate; the rest of the cash is exchange loss (U-16).

    Rates are foreign units for one pound; ``scale`` is the foreign currency's minor units in one unit.
    Raises ``ValueError`` for a rate that is not positive.
    """
    if min(sale_rate, refund_rate) <= 0:
        raise ValueError("an exchange rate is positive")
    note, cash = (half_up(Fraction(minor_units * 100, scale) / Fraction(rate)) for rate in (sale_rate, refund_rate))
    return ForeignCredit(Amount.of(note, vat_percent), cash, cash - note)


@dataclass(frozen=True, slots=True)
class Particulars:
    """What a VAT Credit Note shows (U-4); empty where it shows nothing."""

    number: str
    issued_on: date | None
    supplier_name: str
    supplier_address: str
    supplier_vat_number: str
    customer_name: str
    customer_address: str
    invoice_number: str
    invoice_date: date | None
    description: str
    reason: str
    return_id: str
    vat_percent: Rate | None
    net_pence: int | None
    vat_pence: int | None
    total_pence: int | None


def particulars_faults(note: Particulars, *, invoice_customer: str | None, note_customer: str) -> tuple[str, ...]:
    """What is wrong with a note's particulars: fields that are empty, sums that do not add up, another's invoice.

    ``invoice_customer`` is None when the invoice does not exist.
    """
    faults = [f"{part.name} is missing" for part in fields(note) if getattr(note, part.name) in ("", None)]
    sums = (note.net_pence, note.vat_pence, note.total_pence)
    if None not in sums and (note.net_pence or 0) + (note.vat_pence or 0) != note.total_pence:
        faults.append("net and VAT do not add up to the total")
    if invoice_customer is None:
        faults.append("the original invoice does not exist")
    elif invoice_customer != note_customer:
        faults.append("the original invoice is of another customer")
    return tuple(faults)


@dataclass(frozen=True, slots=True)
class VatErrors:
    """Errors of a period: over-claims and under-claims apart (both positive), and how to put them right (U-21)."""

    over_pence: int
    under_pence: int
    correction: Literal["none", "next_return", "separate_notice"]

    @property
    def net_pence(self) -> int:
        """Over-claims less under-claims."""
        return self.over_pence - self.under_pence


def vat_errors(errors_pence: Sequence[int], box6_pence: int) -> VatErrors:
    """Size up VAT errors (positive: claimed too much) against the turnover of box 6 (U-21).

    The next return takes net errors up to £10,000, and up to 1 % of box 6 as long as that is within £50,000.
    """
    over = sum(error for error in errors_pence if error > 0)
    under = -sum(error for error in errors_pence if error < 0)
    limit = max(SMALL_ERROR_PENCE, min(box6_pence // 100, LARGE_ERROR_PENCE))
    if not over and not under:
        return VatErrors(0, 0, "none")
    return VatErrors(over, under, "next_return" if abs(over - under) <= limit else "separate_notice")
