"""The end of a month: what is owed for goods that are on their way back, and VAT as posted beside VAT as it is.

Belongs here: the accrual of what was not paid by then, and the errors of VAT by month, each direction alone. Stays out:
which returns and notes these are (``adapters.store.cut_off``). Money is pence of the row's currency, cost that of the
house. Source: FINANCE_RULES U-1, U-17.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from khaos_swap_assets.domain.money.amounts import spread
from khaos_swap_assets.domain.money.tax import Amount, Rate

RECEIVED, IN_TRANSIT, TOTAL = "received, not paid", "in transit", "to accrue"


@dataclass(frozen=True, slots=True)
class OwedLine:
    """A line of a return that was not paid when the month ended; ``due_pence`` is what the whole return will pay.

    ``vat_percent`` is None where the rate of the sale is not known, ``cost_pence`` where no cost of its units is.
    """

    return_id: str
    currency: str
    is_received: bool
    due_pence: int
    line_pence: int
    vat_percent: Rate | None
    cost_pence: int | None


@dataclass(frozen=True, slots=True)
class Accrual:
    """What is accrued for goods in one place: the refund liability, its VAT, and the cost of the goods to come back.

    Lines without a known rate have no VAT in it, those without a known cost no cost.
    """

    where: str
    currency: str
    returns: int
    liability_pence: int
    vat_pence: int
    asset_pence: int

    @property
    def revenue_pence(self) -> int:
        """What revenue falls by."""
        return self.vat_pence - self.liability_pence


@dataclass(frozen=True, slots=True)
class PostedVat:
    """VAT of a return or note in one month: as the notes of the month post it, and as its payments reduce it."""

    currency: str
    posted_pence: int
    true_pence: int


@dataclass(frozen=True, slots=True)
class VatCutOff:
    """VAT that a month's notes post, that its payments reduce, and the errors; over and under are never netted."""

    currency: str
    posted_pence: int
    true_pence: int
    over_pence: int
    under_pence: int

    @property
    def gross_error_pence(self) -> int:
        """Both errors added up."""
        return self.over_pence + self.under_pence


def accruals(lines: Iterable[OwedLine], *, with_transit: bool) -> list[Accrual]:
    """The accrual by place and currency, then what is to accrue of each currency: goods in transit where policy says.

    ``lines`` stand together by return.
    """
    found: dict[tuple[str, str], list[tuple[int, ...]]] = defaultdict(list)
    for _, own in groupby(lines, key=lambda line: line.return_id):
        some = list(own)
        where, currency = RECEIVED if some[0].is_received else IN_TRANSIT, some[0].currency
        for place in (where, TOTAL) if some[0].is_received or with_transit else (where,):
            found[place, currency].append((1, *_owed(some)))
    order = (RECEIVED, IN_TRANSIT, TOTAL)
    ordered = sorted(found.items(), key=lambda one: (order.index(one[0][0]), one[0][1]))
    return [Accrual(*key, *map(sum, zip(*owed, strict=True))) for key, owed in ordered]


def _owed(lines: list[OwedLine]) -> tuple[int, int, int]:
    """What one return is owed, the VAT in it, and the cost of its goods."""
    weights = [line.line_pence for line in lines]
    shares = spread(lines[0].due_pence, weights if any(weights) else [1] * len(lines))
    vat = sum(
        Amount.of(share, line.vat_percent).vat_pence
        for share, line in zip(shares, lines, strict=True)
        if line.vat_percent is not None
    )
    return lines[0].due_pence, vat, sum(line.cost_pence or 0 for line in lines)


def vat_cut_off(rows: Iterable[PostedVat]) -> list[VatCutOff]:
    """The VAT of a month by currency; each row is wrong in one direction at most."""
    by_currency: dict[str, list[PostedVat]] = defaultdict(list)
    for row in rows:
        by_currency[row.currency].append(row)
    return [_vat(currency, some) for currency, some in sorted(by_currency.items())]


def _vat(currency: str, rows: list[PostedVat]) -> VatCutOff:
    apart = [row.posted_pence - row.true_pence for row in rows]
    sums = sum(row.posted_pence for row in rows), sum(row.true_pence for row in rows)
    return VatCutOff(currency, *sums, sum(max(one, 0) for one in apart), sum(max(-one, 0) for one in apart))
