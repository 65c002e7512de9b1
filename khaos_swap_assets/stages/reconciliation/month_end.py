"""The month, by London calendar month, as finance signs it: what was refunded, credited and issued, and its goods.

Belongs here: reading one month's reconciliation, keeping its report, and its tables. Stays out: the figures
(``reporting.month_end``, ``reporting.returned_goods``), reading goods (``adapters.store.goods_value``) and how tables
look (``reporting.tables``). Source: FINANCE_RULES U-17, U-18, U-27.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.khaos.orders import RATES
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, cut_off, decisions, goods_value, monthly, write_offs
from khaos_swap_assets.adapters.store.goods_value import WaitingUnits
from khaos_swap_assets.domain.goods.custody import NOT_SHELVED, PLACES
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import VatPeriods, london_date, month_bounds
from khaos_swap_assets.domain.money.tax import ROUTE_WORDS, VatErrors
from khaos_swap_assets.domain.reporting.month_end import OwedLine, PostedVat, accruals, vat_cut_off
from khaos_swap_assets.domain.reporting.returned_goods import (
    PROPOSED,
    WHERE,
    GoodsTotal,
    WriteOffsBeside,
    beside_write_offs,
    returned_goods,
)
from khaos_swap_assets.domain.reporting.tables import markdown_table, turned_table
from khaos_swap_assets.stages.reconciliation.governing import in_force
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from khaos_swap_assets.domain.reporting.month_end import MonthEnd

EXPECTED = ("in_transit", "received", "inspected")
"""Where goods are that are expected back: what was looked at and is in no condition that settles it is not."""
HOME = "GBP"


def close_month(tools: Toolbox, period: str) -> tuple[MonthEnd, ...]:
    """Compute a month, keep it, and take it off the list of those that a sync touched."""
    with tools.store() as conn:
        months = month_of(conn, period)
        tolerances = in_force(conn, tools.settings, period, tools.now())
        monthly.keep(conn, period, months, asdict(tolerances), tools.now())
        decisions.end_signatures(conn, period, tools.now())
    return months


def month_of(conn: Conn, period: str) -> tuple[MonthEnd, ...]:
    """The month from the reconciliation, one record a currency; returns with nothing due are left out."""
    # They bring pandas, which no sync needs.
    import pandas as pd

    from khaos_swap_assets.domain.reporting.month_end import EXCEPTION_COLUMNS, compute

    returns = pd.DataFrame(monthly.returns_in(conn, period), columns=["return_id", *monthly.REPORTED])
    exceptions = monthly.exceptions_in(conn, period, EXCEPTION_COLUMNS)
    return compute(period, returns, pd.DataFrame(exceptions, columns=list(EXCEPTION_COLUMNS)))


def vat_table(conn: Conn, settings: Settings, period: str) -> str:
    """VAT errors of the VAT period up to the month, over- and under-claims apart, and where they are corrected."""
    periods = VatPeriods(settings.vat_periods)
    months, box6 = periods.months_of(period), settings.vat_box6_pounds
    rows = []
    for currency, (over, under) in monthly.vat_errors(conn, months).items():
        errors = VatErrors(over, under, None if box6 is None else box6 * 100)
        rows.append((currency, format_money(over, currency), format_money(under, currency), ROUTE_WORDS[errors.route]))
    told = f"VAT periods: {periods.words}; months: {', '.join(months)}; box 6: {box6 or 'not given'}.\n\n"
    return told + markdown_table(("currency", "claimed too much", "claimed too little", "correction"), rows)


def accrual_table(conn: Conn, settings: Settings, period: str) -> str:
    """What is owed at the end of the month for returns that were not paid by then (FINANCE_RULES U-17)."""
    lines = [
        OwedLine(*[*told, RATES[code] * 100 if code in RATES else None, cost_pence])
        for *told, code, cost_pence in cut_off.owed(conn, period, month_bounds(period)[1])
    ]
    rows = [
        (
            one.where,
            one.returns,
            *(format_money(pence, one.currency) for pence in (one.revenue_pence, one.liability_pence, one.vat_pence)),
            format_money(one.asset_pence, HOME),
        )
        for one in accruals(lines, with_transit=settings.accrue_in_transit)
    ]
    header = ("", "returns", "revenue", "refund liability", "of it VAT, waits for payment", "goods at cost")
    return turned_table(header, rows) if rows else "Every return that was made by then was paid by then.\n"


def vat_posted_table(conn: Conn, period: str) -> str:
    """VAT as the month's notes post it beside VAT as its payments reduce it; errors of both directions stand apart."""
    rows = [
        (
            one.currency,
            *(
                format_money(pence, one.currency)
                for pence in (one.posted_pence, one.true_pence, one.over_pence, -one.under_pence, one.gross_error_pence)
            ),
        )
        for one in vat_cut_off(PostedVat(*row) for row in cut_off.posted_vat(conn, period))
    ]
    header = ("currency", "posted in Khaos", "reduced by payments", "too much", "too little", "error, both added")
    return turned_table(header, rows) if rows else "No note and no payment.\n"


def goods_tables(conn: Conn, period: str, now: datetime) -> dict[str, str]:
    """The tables about the goods of a month, as Markdown by their name."""
    rows = goods_value.returned_in_month(conn, period)
    totals = returned_goods(rows)
    ends = month_bounds(period)[1]
    waiting = goods_value.waiting_at(conn, ends, london_date(min(now, ends - timedelta(seconds=1))))
    return {
        "returned_goods": _where_they_are(totals),
        "stock_proposed": _proposed(totals),
        "write_offs": _write_offs(beside_write_offs(rows, write_offs.in_month(conn, period))),
        "not_on_a_shelf": _not_on_a_shelf(waiting),
        "open_to_buy": _open_to_buy(waiting),
    }


def _where_they_are(totals: Sequence[GoodsTotal]) -> str:
    """Where each unit is, at its cost when sold and at Khaos's value; the last row is all that was sold of them."""
    if not totals:
        return "Nothing came back.\n"
    names = [name for name in GoodsTotal.__dataclass_fields__ if name != "where"]
    whole = GoodsTotal("sold", *(sum(getattr(one, name) for one in totals) for name in names))
    rows = [
        (WHERE.get(one.where, "sold: all of them"), one.units, *_values(one), format_money(one.apart_pence, HOME))
        for one in (*totals, whole)
    ]
    return markdown_table(("where they are", "units", "cost when sold", "Khaos's value", "costs moved since"), rows)


def _proposed(totals: Iterable[GoodsTotal]) -> str:
    """What finance is to write down, write off or claim; nothing of it is posted."""
    rows = [(PROPOSED[one.where], one.units, *_values(one)) for one in totals if one.where in PROPOSED]
    header = ("proposed, nothing is posted", "units", "cost when sold", "Khaos's value")
    return markdown_table(header, rows) if rows else "Nothing is to be written down, written off or claimed.\n"


def _write_offs(found: Iterable[WriteOffsBeside]) -> str:
    """What was proposed beside Khaos's Write Off Report, by Stock Code."""
    rows = [
        (
            one.stock_code,
            *(units or "" for units in (one.matched, one.not_seen, one.unknown)),
            ", ".join(
                format_money(part.cost_pence, part.currency) if part.is_cost_known else "not known" for part in one.told
            ),
        )
        for one in found
    ]
    header = ("Stock Code", "proposed and written off", "not seen", "of no return known here", "written off at")
    return markdown_table(header, rows) if rows else "Nothing was proposed, and no write-off was brought.\n"


def _values(one: GoodsTotal) -> tuple[str, str]:
    return (
        _known(one.sold_pence, one.units, one.without_sold),
        _known(one.khaos_pence, one.units, one.without_khaos),
    )


def _known(pence: int, units: int, without: int) -> str:
    """A value with the units of which it is not known."""
    if not without:
        return format_money(pence, HOME)
    return "not known" if without == units else f"{format_money(pence, HOME)}, {without} not known"


def _not_on_a_shelf(waiting: Iterable[WaitingUnits]) -> str:
    """What had come in and was on no shelf when the month ended, by place and by how long ago it came."""
    rows = [
        (
            PLACES[one.place],
            one.age,
            one.units,
            format_money(one.refund_pence, one.currency),
            _known(one.cost_pence, one.units, one.without_cost),
        )
        for one in waiting
        if one.place in NOT_SHELVED
    ]
    header = ("where", "came in", "units", "refunded at", "Khaos's value")
    return markdown_table(header, rows) if rows else "All that had come in was on a shelf.\n"


def _open_to_buy(waiting: Iterable[WaitingUnits]) -> str:
    """Goods that were expected back when the month ended; those of codes that are not ordered again stand apart."""
    found: dict[tuple[str, bool], list[int]] = {}
    for one in waiting:
        total = found.setdefault((one.place, one.is_ending), [0, 0, 0])
        for at, figure in enumerate((one.cost_pence, one.units, one.without_cost)):
            total[at] += figure
    rows = [
        (PLACES[place], "not ordered again" if is_ending else "", found[place, is_ending][1],
         _known(*found[place, is_ending]))
        for place in EXPECTED for is_ending in (False, True) if (place, is_ending) in found
    ]  # fmt: skip
    header = ("expected back", "Stock Code", "units", "Khaos's value")
    return markdown_table(header, rows) if rows else "Nothing was expected back.\n"
