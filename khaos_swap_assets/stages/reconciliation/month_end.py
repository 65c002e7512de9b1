"""The month: what was refunded, credited and issued, by London calendar month, as finance signs it.

Belongs here: reading one month's reconciliation and keeping its report. Stays out: the figures
(``reporting.month_end``) and how they look (``reporting.tables``). Source: FINANCE_RULES U-17, U-18.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.khaos.orders import RATES
from khaos_swap_assets.adapters.store import cut_off, decisions, monthly
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import VatPeriods, month_bounds
from khaos_swap_assets.domain.money.tax import ROUTE_WORDS, VatErrors
from khaos_swap_assets.domain.reporting.month_end import OwedLine, PostedVat, accruals, vat_cut_off
from khaos_swap_assets.domain.reporting.tables import markdown_table, turned_table
from khaos_swap_assets.stages.reconciliation.governing import in_force

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
        tolerances = in_force(conn, tools.settings, period, tools.now())
        monthly.keep(conn, period, months, asdict(tolerances), tools.now())
        decisions.end_signatures(conn, period, tools.now())
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
        (
            currency,
            *(format_money(pence, currency) for pence in (one.over_pence, one.under_pence)),
            ROUTE_WORDS[one.route],
        )
        for currency, one in found.items()
    ]
    told = f"VAT periods: {periods.words}; months: {', '.join(months)}; box 6: {box6 or 'not given'}.\n\n"
    return told + markdown_table(("currency", "claimed too much", "claimed too little", "correction"), rows)


def accrual_table(conn: psycopg.Connection, settings: Settings, period: str) -> str:
    """What is owed at the end of the month for returns that were not paid by then (FINANCE_RULES U-17)."""
    lines = [_owed_line(*row) for row in cut_off.owed(conn, period, month_bounds(period)[1])]
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


def _owed_line(
    return_id: str, currency: str, is_received: bool, due_pence: int, line_pence: int, code: str, cost_pence: int | None
) -> OwedLine:
    return OwedLine(
        return_id=return_id,
        currency=currency,
        is_received=is_received,
        due_pence=due_pence,
        line_pence=line_pence,
        vat_percent=RATES[code] * 100 if code in RATES else None,
        cost_pence=cost_pence,
    )


def vat_posted_table(conn: psycopg.Connection, period: str) -> str:
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
