"""What finance signs: one month in one currency, computed once and frozen, and what of it is cut off at its end.

Belongs here: the figures of a month, which trouble is worst, the accrual of what was not paid by then, and VAT as
posted beside VAT as it is, errors of each direction alone. Stays out: how they look (``reporting.tables``) and which
rows are read (``adapters.store.cut_off``). Money is whole minor units of the row's currency, cost that of the house; a
period is a London calendar month, ``YYYY-MM``. Source: FINANCE_RULES U-1, U-17.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.money.amounts import spread
from khaos_swap_assets.domain.money.tax import Amount, Rate
from khaos_swap_assets.domain.sums import grouped

if TYPE_CHECKING:
    import pandas as pd

WORST = 20
CAUSES = (*LEGS, "timing")
"""The legs of a gap, and credit for money of another month or for money that has not moved (``month_parts``)."""
EXCEPTION_COLUMNS = ("kind", "subject", "owner", "return_id", "rma", "message", "money_at_risk_pence", "currency")


@dataclass(frozen=True, slots=True)
class ExceptionTotal:
    """How many exceptions of a kind are open, and the money at risk in them."""

    kind: str
    owner: str
    count: int
    money_at_risk_pence: int


@dataclass(frozen=True, slots=True)
class WorstRow:
    """One open exception as its owner wants to see it; ``gap_pence`` is that of its return, 0 without one."""

    subject: str
    kind: str
    owner: str
    gap_pence: int
    money_at_risk_pence: int
    currency: str
    message: str
    action: str


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """A month in one currency.

    ``statuses`` counts returns, ``causes`` (in ``CAUSES``) add up to the gap (credited less refunded).
    ``refund_vat_pence`` is VAT of the refunds at the rates of their sales, ``refund_without_rate_pence`` what has none.
    ``vat_over_pence`` is VAT that notes take off too much, ``vat_under_pence`` too little; both positive (U-21).
    ``in_flight_pence`` is the part of the gap that is on its way and asks for nobody, ``accepted_pence`` that of
    returns within the tolerances. ``worst`` holds at most 20 rows, the most money first.
    """

    period: str
    currency: str
    returns: int
    refund_pence: int
    credited_pence: int
    issued_pence: int
    gap_pence: int
    refund_vat_pence: int
    refund_without_rate_pence: int
    in_flight_pence: int
    accepted_pence: int
    vat_over_pence: int
    vat_under_pence: int
    statuses: Mapping[str, int]
    causes: Mapping[str, int]
    exceptions: tuple[ExceptionTotal, ...]
    worst: tuple[WorstRow, ...]

    @property
    def refund_net_pence(self) -> int:
        """Refunds without their VAT, as far as their rates are known."""
        return self.refund_pence - self.refund_without_rate_pence - self.refund_vat_pence

    @property
    def not_issued_pence(self) -> int:
        """Credited by notes that have not moved the ledger."""
        return self.credited_pence - self.issued_pence

    @property
    def unreconciled_pence(self) -> int:
        """What moved the ledger less the refund: what finance still has to explain."""
        return self.issued_pence - self.refund_pence

    @property
    def open_exceptions(self) -> int:
        """How many exceptions are open."""
        return sum(total.count for total in self.exceptions)

    @property
    def money_at_risk_pence(self) -> int:
        """The money at risk in all of them; one return may be counted by several kinds."""
        return sum(total.money_at_risk_pence for total in self.exceptions)

    def figures(self) -> dict[str, Any]:
        """The whole record as plain JSON values."""
        return asdict(self)


def compute(period: str, returns: pd.DataFrame, exceptions: pd.DataFrame) -> tuple[MonthEnd, ...]:
    """The month, one record a currency, the one with the most returns first.

    returns: the month's rows of ``recon.monthly``. exceptions: the open exceptions that belong to the month
    (``EXCEPTION_COLUMNS``). An exception without currency takes that of its return, else the first record's.
    """
    currencies = _currencies(returns, exceptions)
    owned = _with_currency(returns, exceptions, currencies)
    return tuple(
        _month(period, currency, returns[returns["currency"] == currency], owned[owned["currency"] == currency])
        for currency in currencies
    )


def worst_of(exceptions: pd.DataFrame, gaps: Mapping[str, int], limit: int = WORST) -> tuple[WorstRow, ...]:
    """The open exceptions with the most money at risk, ties by subject and kind; ``gaps`` are pence by return id."""
    by = ["money_at_risk_pence", "subject", "kind"]
    rows = exceptions.sort_values(by, ascending=[False, True, True]).head(limit)
    return tuple(_worst(row, gaps) for row in rows.to_dict("records"))


def _worst(row: Mapping[Any, Any], gaps: Mapping[str, int]) -> WorstRow:
    return WorstRow(
        **{name: row[name] for name in ("subject", "kind", "owner", "currency", "message")},
        gap_pence=int(gaps.get(row["return_id"], 0)),
        money_at_risk_pence=int(row["money_at_risk_pence"]),
        action=KINDS[row["kind"]].action,
    )


def _currencies(returns: pd.DataFrame, exceptions: pd.DataFrame) -> list[str]:
    counts = returns["currency"].value_counts().to_dict()
    others = set(exceptions["currency"]) - set(counts) - {""}
    return sorted(counts, key=lambda currency: (-counts[currency], currency)) + sorted(others)


def _with_currency(returns: pd.DataFrame, exceptions: pd.DataFrame, currencies: list[str]) -> pd.DataFrame:
    import pandas as pd

    known = dict(zip(returns["return_id"], returns["currency"], strict=True))
    first = next(iter(currencies), "")
    filled = [
        currency or known.get(return_id, first)
        for currency, return_id in zip(exceptions["currency"], exceptions["return_id"], strict=True)
    ]
    return exceptions.assign(currency=pd.Series(filled, index=exceptions.index, dtype="str"))


def _month(period: str, currency: str, returns: pd.DataFrame, exceptions: pd.DataFrame) -> MonthEnd:
    gaps = dict(zip(returns["return_id"], returns["gap_pence"], strict=True))
    vat_gaps = returns["vat_gap_pence"].dropna().astype("int64")
    on_its_way = (returns["status"] == "in_flight") & ~returns["return_id"].isin(exceptions["return_id"])
    return MonthEnd(
        period,
        currency,
        len(returns),
        **{name: _sum(returns, name) for name in ("refund_pence", "credited_pence", "issued_pence", "gap_pence")},
        refund_vat_pence=int(returns["refund_vat_pence"].dropna().astype("int64").sum()),
        refund_without_rate_pence=_sum(returns[returns["refund_vat_pence"].isna()], "refund_pence"),
        in_flight_pence=_sum(returns[on_its_way], "gap_pence"),
        accepted_pence=_sum(returns[returns["status"] == "within_tolerance"], "gap_pence"),
        vat_over_pence=int(vat_gaps[vat_gaps > 0].sum()),
        vat_under_pence=-int(vat_gaps[vat_gaps < 0].sum()),
        statuses={str(status): int(count) for status, count in returns["status"].value_counts().sort_index().items()},
        causes={cause: _sum(returns, f"gap_{cause}_pence") for cause in CAUSES},
        exceptions=tuple(_totals(exceptions)),
        worst=worst_of(exceptions, gaps),
    )


def _sum(rows: pd.DataFrame, column: str) -> int:
    return int(rows[column].sum())


def _totals(exceptions: pd.DataFrame) -> Iterator[ExceptionTotal]:
    """In the order of the catalogue."""
    for kind in KINDS.values():
        rows = exceptions[exceptions["kind"] == kind.kind]
        if len(rows):
            yield ExceptionTotal(kind.kind, kind.owner, len(rows), _sum(rows, "money_at_risk_pence"))


RECEIVED, IN_TRANSIT, TOTAL = "received, not paid", "in transit", "to accrue"


@dataclass(frozen=True, slots=True)
class OwedLine:
    """A line not paid at the month's end; ``due_pence``: of the whole return. None: no known rate of VAT or cost."""

    return_id: str
    currency: str
    is_received: bool
    due_pence: int
    line_pence: int
    vat_percent: Rate | None
    cost_pence: int | None


@dataclass(frozen=True, slots=True)
class Accrual:
    """What is accrued for goods in one place: the liability, and of what is known its VAT and the cost of the goods."""

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
    """Accruals by place and currency, then totals, with transit where policy says; ``lines`` stand by return."""
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
    return [_vat(currency, some) for currency, some in sorted(grouped((row.currency, row) for row in rows).items())]


def _vat(currency: str, rows: list[PostedVat]) -> VatCutOff:
    apart = [row.posted_pence - row.true_pence for row in rows]
    sums = sum(row.posted_pence for row in rows), sum(row.true_pence for row in rows)
    return VatCutOff(currency, *sums, sum(max(one, 0) for one in apart), sum(max(-one, 0) for one in apart))
