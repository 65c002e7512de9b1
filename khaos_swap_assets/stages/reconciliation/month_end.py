"""The month: what was refunded, credited and issued, by London calendar month, as finance signs it.

Belongs here: reading one month's reconciliation and keeping its report. Stays out: the figures
(``reporting.month_end``) and how they look (``reporting.tables``). Source: FINANCE_RULES U-17, U-18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import matches, monthly
from khaos_swap_assets.domain.money.periods import VatPeriods
from khaos_swap_assets.domain.money.tax import ROUTE_WORDS, VatErrors
from khaos_swap_assets.domain.reporting.returned_goods import WHERE, returned_goods
from khaos_swap_assets.domain.reporting.tables import amount, markdown_table

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.domain.reporting.month_end import MonthEnd
    from khaos_swap_assets.stages.toolbox import Toolbox

HOME = "GBP"


def close_month(tools: Toolbox, period: str) -> tuple[MonthEnd, ...]:
    """Compute a month, keep it, and take it off the list of those that a sync touched."""
    with tools.store() as conn:
        months = month_of(conn, period)
        monthly.keep(conn, period, months, tools.now())
    return months


def month_of(conn: psycopg.Connection, period: str) -> tuple[MonthEnd, ...]:
    """The month from the reconciliation, one record a currency; returns with nothing due are left out."""
    # They bring pandas, which no sync needs.
    import pandas as pd

    from khaos_swap_assets.domain.reporting.month_end import EXCEPTION_COLUMNS, compute

    returns = pd.DataFrame(monthly.returns_in(conn, period), columns=["return_id", *monthly.REPORTED])
    exceptions = monthly.exceptions_in(conn, period, EXCEPTION_COLUMNS)
    return compute(period, returns, pd.DataFrame(exceptions, columns=list(EXCEPTION_COLUMNS)))


def vat_table(conn: psycopg.Connection, settings: Settings, period: str) -> str:
    """VAT errors of the VAT period up to the month, over- and under-claims apart, and where they are corrected."""
    periods = VatPeriods(settings.vat_periods)
    months, box6 = periods.months_of(period), settings.vat_box6_pounds
    found = {
        currency: VatErrors(over, under, None if box6 is None else box6 * 100)
        for currency, (over, under) in monthly.vat_errors(conn, months).items()
    }
    rows = [
        (currency, *(amount(pence, currency) for pence in (one.over_pence, one.under_pence)), ROUTE_WORDS[one.route])
        for currency, one in found.items()
    ]
    told = f"VAT periods: {periods.words}; months: {', '.join(months)}; box 6: {box6 or 'not given'}.\n\n"
    return told + markdown_table(("currency", "claimed too much", "claimed too little", "correction"), rows)


def goods_table(conn: psycopg.Connection, period: str) -> str:
    """The units of the month's refunds by where they are, and their cost of today (FINANCE_RULES U-27)."""
    totals = returned_goods(matches.returned_in_month(conn, period))
    rows = [(WHERE[one.where], one.units, amount(one.cost_pence, HOME), one.without_cost or "") for one in totals]
    header = ("where they are", "units", "their cost", "units of unknown cost")
    return markdown_table(header, rows) if rows else "Nothing came back.\n"
