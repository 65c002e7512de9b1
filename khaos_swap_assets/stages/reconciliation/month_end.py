"""The month: what was refunded, credited and issued, by London calendar month, as finance signs it.

Belongs here: reading one month's reconciliation and keeping its report. Stays out: the figures
(``reporting.month_end``) and how they look (``reporting.tables``). Source: FINANCE_RULES U-17, U-18.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk, monthly
from khaos_swap_assets.adapters.store.monthly import HAS_MONEY, IN_BOTH_MONTHS, MONTH_OF_TROUBLE
from khaos_swap_assets.domain.money.tax import ROUTE_WORDS, VatErrors
from khaos_swap_assets.domain.money.vat_periods import VatPeriods
from khaos_swap_assets.domain.reporting.tables import amount, markdown_table
from khaos_swap_assets.stages.reconciliation.legs import LEG_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.domain.reporting.month_end import MonthEnd
    from khaos_swap_assets.stages.toolbox import Toolbox

RETURN_COLUMNS = (
    "return_id",
    "currency",
    "refund_pence",
    "credited_pence",
    "issued_pence",
    "gap_pence",
    *LEG_COLUMNS,
    "gap_timing_pence",
    "refund_vat_pence",
    "vat_gap_pence",
    "status",
)
OF_MONTH = "CASE WHEN e.kind = 'differences_systematic' THEN split_part(e.subject, ' ', 1) END"
KEPT = ("period", "currency", "returns", "refund_pence", "credited_pence", "issued_pence", "gap_pence")


def close_month(tools: Toolbox, period: str) -> tuple[MonthEnd, ...]:
    """Compute a month, keep it, and take it off the list of those that a sync touched."""
    with tools.store() as conn:
        months = month_of(conn, period)
        _keep(conn, period, months, tools.now())
        conn.execute("DELETE FROM recon.touched_periods WHERE period = %s", (period,))
    return months


def month_of(conn: psycopg.Connection, period: str) -> tuple[MonthEnd, ...]:
    """The month from the reconciliation, one record a currency; returns with nothing due are left out."""
    from khaos_swap_assets.domain.reporting.month_end import (  # brings pandas, which no sync needs
        EXCEPTION_COLUMNS,
        compute,
    )

    returns = _frame(
        conn,
        RETURN_COLUMNS,
        f"SELECT {', '.join(RETURN_COLUMNS)} FROM recon.monthly WHERE period = %(period)s AND {HAS_MONEY}",
        period,
    )
    columns = ", ".join(f"e.{name}" for name in EXCEPTION_COLUMNS)
    exceptions = _frame(
        conn,
        EXCEPTION_COLUMNS,
        f"SELECT {columns} FROM recon.exceptions e LEFT JOIN recon.reconciliation r USING (return_id) "
        f"WHERE e.closed_at IS NULL AND (coalesce({MONTH_OF_TROUBLE}, {OF_MONTH}) = %(period)s OR {IN_BOTH_MONTHS})",
        period,
    )
    return compute(period, returns, exceptions)


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


def _frame(conn: psycopg.Connection, columns: tuple[str, ...], query: str, period: str) -> pd.DataFrame:
    import pandas as pd

    with conn.cursor(row_factory=dict_row) as cursor:
        return pd.DataFrame(cursor.execute(query, {"period": period}).fetchall(), columns=list(columns))


def touched_periods(conn: psycopg.Connection) -> list[str]:
    """Months whose reconciliation changed since they were last computed."""
    return [row[0] for row in conn.execute("SELECT period FROM recon.touched_periods ORDER BY period")]


def computed_since(conn: psycopg.Connection, moment: datetime) -> bool:
    """Whether any month was computed at or after ``moment``."""
    return (
        conn.execute("SELECT 1 FROM recon.month_end WHERE computed_at >= %s LIMIT 1", (moment,)).fetchone() is not None
    )


def _keep(conn: psycopg.Connection, period: str, months: tuple[MonthEnd, ...], now: datetime) -> None:
    rows = [(*(getattr(month, name) for name in KEPT), Jsonb(month.figures()), now) for month in months]
    conn.execute("DELETE FROM recon.month_end WHERE period = %s", (period,))
    bulk.copy_rows(conn, "recon.month_end", (*KEPT, "figures", "computed_at"), rows)
