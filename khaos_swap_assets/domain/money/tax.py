"""VAT of a Credit Note, to the penny.

Belongs here: net and VAT of an amount, which roundings are right, VAT of delivery, and the size of an error. Stays out:
dates (``money.periods``) and which amount is credited (``policy.settlement``).
Money is whole pence, rates are per cent. Source: FINANCE_RULES U-5, U-6, U-9, U-21.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from khaos_swap_assets.domain.money.amounts import half_up, spread

Rate = Decimal | int
Mode = Literal["gross", "vat"]

STANDARD_RATE: Rate = 20
SMALL_ERROR_PENCE = 1_000_000
LARGE_ERROR_PENCE = 5_000_000
LARGEST_ROW = 24
"""Divisions of a line into longer rows round alike: no more are tried."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A gross amount and its parts: net and VAT add up to it."""

    gross_pence: int
    net_pence: int
    vat_pence: int

    @classmethod
    def of(cls, gross_pence: int, vat_percent: Rate, mode: Mode = "gross") -> Amount:
        """Split a gross line, half-up to the penny; a credit mirrors its sale.

        Mode ``gross`` rounds the net, as Khaos does (khaos.md §10); ``vat`` rounds the VAT, as HMRC words it (U-6). The
        two differ only in ties. Raises ``ValueError`` for a negative rate.
        """
        if vat_percent < 0:
            raise ValueError(f"a VAT rate of {vat_percent} % is negative")
        percent, unit = vat_percent.as_integer_ratio()
        whole = 100 * unit + percent
        vat = half_up(gross_pence * percent, whole)
        if mode == "gross":
            vat = gross_pence - half_up(gross_pence * 100 * unit, whole)
        return cls(gross_pence, gross_pence - vat, vat)


@lru_cache(maxsize=100_000)
def vat_bounds(gross_pence: int, vat_percent: Rate, units: int = 1) -> tuple[int, int]:
    """The least and the most VAT that is right for a line of so many units (U-6).

    A tie goes either way. The units may stand in one row or in several, each of one unit price and rounded alone
    (khaos.md §10): a value without a whole penny a unit always does, and units that went to two places do.
    """
    units = max(units, 1)
    unit, dearer = divmod(gross_pence, units)
    prices = [(pence, count) for pence, count in ((unit, units - dearer), (unit + 1, dearer)) if count]

    def best(mode: Mode, of: Callable[[Iterable[int]], int]) -> int:
        apart = sum(of(_vat_in_rows(pence, count, vat_percent, mode)) for pence, count in prices)
        return of((apart, Amount.of(gross_pence, vat_percent, mode).vat_pence))

    return best("gross", min), best("vat", max)


def _vat_in_rows(unit_pence: int, units: int, vat_percent: Rate, mode: Mode) -> Iterator[int]:
    """VAT of units of one price in rows of one unit, of two, and so on; what is left over is a row too."""
    for size in (*range(1, min(units, LARGEST_ROW + 1)), units):
        whole, rest = divmod(units, size)
        row, last = (Amount.of(unit_pence * count, vat_percent, mode).vat_pence for count in (size, rest))
        yield whole * row + last


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


Route = Literal["none", "next_return", "separate_notice", "box6_not_given"]


@dataclass(frozen=True, slots=True)
class VatErrors:
    """Errors of a period: over-claims and under-claims apart (both positive), and how to put them right (U-21).

    Net errors up to £10,000 go on the next return, and up to 1 % of box 6 as long as that is within £50,000;
    ``box6_pence`` is None where nobody gave it.
    """

    over_pence: int
    under_pence: int
    box6_pence: int | None = None

    @property
    def net_pence(self) -> int:
        """Over-claims less under-claims."""
        return self.over_pence - self.under_pence

    @property
    def route(self) -> Route:
        """Where the errors are corrected."""
        if not self.over_pence and not self.under_pence:
            return "none"
        if abs(self.net_pence) <= SMALL_ERROR_PENCE:
            return "next_return"
        if self.box6_pence is None:
            return "box6_not_given"
        limit = min(self.box6_pence // 100, LARGE_ERROR_PENCE)
        return "next_return" if abs(self.net_pence) <= limit else "separate_notice"


ROUTE_WORDS: Mapping[Route, str] = {
    "none": "no error",
    "next_return": "adjust on the next VAT Return",
    "separate_notice": "notify HMRC separately",
    "box6_not_given": "above £10,000: give box 6 of the VAT Return (KHAOS_SWAP_VAT_BOX6_POUNDS) to know the way",
}
