"""Returns by month in our store: those whose money is of several months, and all of them as the month end reads them.

Belongs here: writing the months of returns, asking which months a return is in, what of a month is apart, and keeping
the reports. Stays out: how a return falls to months (``reporting.month_parts``) and the figures
(``reporting.month_end``). Shapes: tables ``recon.month_parts``, ``recon.month_end``, ``recon.touched_periods``, view
``recon.monthly`` (migration 0019).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.adapters.store.verdicts import LEG_COLUMNS, SHOWN
from khaos_swap_assets.domain.records.decisions import Figures
from khaos_swap_assets.domain.reporting.month_open import (
    MATCHED,
    WITNESSED,
    Apart,
    Marked,
    OwnerQueue,
    Shifted,
    Signature,
    Some,
)
from khaos_swap_assets.domain.reporting.month_parts import MonthPart

if TYPE_CHECKING:
    from khaos_swap_assets.domain.reporting.month_end import MonthEnd

COLUMNS = (
    *("return_id", "period", "refund_pence", "credited_pence", "issued_pence", "gap_pence", *LEG_COLUMNS),
    *("gap_timing_pence", "refund_vat_pence", "vat_gap_pence", "status"),
)
MONTH_OF_TROUBLE = (
    "coalesce((SELECT max(m.period) FROM recon.monthly m WHERE m.return_id = r.return_id AND m.period <> '' "
    "AND m.refund_pence <> m.issued_pence), r.period)"
)
"""SQL: the month to which what is wrong with a return ``r`` belongs: the newest whose money is not all credited."""
_NOTED = """EXISTS (SELECT 1 FROM khaos.credit_notes n WHERE n.return_id = e.return_id
    AND to_char(coalesce(n.issued_on, n.created_on), 'YYYY-MM') = %(period)s)"""
IN_BOTH_MONTHS = (
    "e.kind = 'credited_in_another_month' AND (EXISTS (SELECT 1 FROM recon.month_parts p "
    f"WHERE p.return_id = e.return_id AND p.period = %(period)s) OR {_NOTED})"
)
"""SQL: whether exception ``e`` is of credit in another month, and the month is one of a payment or of a note of it."""
HAS_MONEY = "(refund_pence <> 0 OR credited_pence <> 0 OR status = 'credit_note_missing')"
"""SQL: a row about which there is something to say: money that moved, or a Credit Note that is there or due."""


_DONE = "m.status IN ('matched', 'within_tolerance') AND m.issued_pence = m.credited_pence"
"""Nothing is left to do: the notes come to the refund, or legs that are as they should be or accepted fill the gap."""
_FIRST = "ORDER BY severity, money_at_risk_pence DESC, kind"


def apart(conn: psycopg.Connection, period: str) -> list[Apart]:
    """The returns of a month whose issued notes are not their refund, the most pence first, with what is open of them.

    A waiver of an error, or of anything that finance owns, counts: what is still open besides stands beside it.
    """
    rows = conn.execute(
        "SELECT r.rma, m.currency, m.refund_pence, m.credited_pence, m.issued_pence, m.gap_timing_pence, m.status, "
        "coalesce(e.kinds, '{}'), coalesce(e.owner, ''), coalesce(e.message, ''), coalesce(d.people, '{}'), "
        "CASE WHEN to_char(p.paid_on, 'YYYY-MM') = m.period THEN p.paid_on "
        "ELSE (to_date(m.period, 'YYYY-MM') + interval '1 month - 1 day')::date END "
        "FROM recon.monthly m JOIN recon.reconciliation r USING (return_id) LEFT JOIN LATERAL (SELECT "
        "(refunded_at AT TIME ZONE 'Europe/London')::date AS paid_on FROM swap.returns s "
        "WHERE s.return_id = m.return_id) p ON true LEFT JOIN LATERAL ("
        f"SELECT array_agg(kind {_FIRST}) AS kinds, (array_agg(owner {_FIRST}))[1] AS owner, "
        f"(array_agg(message {_FIRST}))[1] AS message FROM recon.exceptions e "
        "WHERE e.return_id = m.return_id AND e.closed_at IS NULL) e ON true "
        "LEFT JOIN LATERAL (SELECT array_agg(DISTINCT decided_by) AS people FROM recon.decisions d "
        "LEFT JOIN recon.exceptions x USING (exception_id) WHERE d.return_id = m.return_id AND d.ended_at IS NULL AND ("
        "d.decision IN ('accepted_value', 'settled_outside') OR d.decision = 'waived' "
        "AND (x.severity = 'error' OR x.owner = 'finance'))) d ON true "
        f"WHERE m.period = %s AND m.refund_pence <> m.issued_pence AND NOT ({_DONE}) "
        "ORDER BY abs(m.refund_pence - m.issued_pence) DESC, r.rma".encode(),
        (period,),
    ).fetchall()
    return [Apart(*map(_frozen, row)) for row in rows]


def shifted(conn: psycopg.Connection, period: str) -> list[Shifted]:
    """What was paid in the month and credited in another one, or the other way round, where that is still open."""
    rows = conn.execute(
        "SELECT e.currency, m.period IS NOT NULL, count(*), sum(e.money_at_risk_pence)::bigint FROM recon.exceptions e "
        "LEFT JOIN recon.monthly m ON m.return_id = e.return_id AND m.period = %(period)s AND m.refund_pence <> 0 "
        "WHERE e.closed_at IS NULL AND e.kind = 'credited_in_another_month' "
        f"AND (m.period IS NOT NULL OR {_NOTED}) GROUP BY 1, 2 ORDER BY 1, 2 DESC".encode(), {"period": period},
    )  # fmt: skip
    return [Shifted(*row) for row in rows]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def flow(conn: psycopg.Connection, begins: datetime, ends: datetime) -> list[OwnerQueue]:
    """Of each queue what was open when a time began, opened in it, was solved or waived in it, and open at its end."""
    parts = {
        "opening": "opened_at < %(from)s",
        "new": "opened_at >= %(from)s",
        "resolved": "closed_at < %(to)s",
        "closing": "closed_at IS NULL OR closed_at >= %(to)s",
    }
    sums = ", ".join(
        f"count(*) FILTER (WHERE {which}), coalesce(sum(money_at_risk_pence) FILTER (WHERE {which}), 0)::bigint"
        for which in parts.values()
    )
    rows = conn.execute(
        f"SELECT owner, coalesce(nullif(currency, ''), 'GBP'), {sums} FROM recon.exceptions WHERE opened_at < %(to)s "
        "AND (closed_at IS NULL OR closed_at >= %(from)s) GROUP BY 1, 2 ORDER BY 1, 2".encode(),
        {"from": begins, "to": ends},
    ).fetchall()
    return [OwnerQueue(row[0], row[1], *(Some(*row[at : at + 2]) for at in range(2, 10, 2))) for row in rows]


def replace(conn: psycopg.Connection, return_ids: Sequence[str], found: Iterable[tuple[str, MonthPart]]) -> None:
    """Make these (return id, part) the only months of these returns."""
    conn.execute("DELETE FROM recon.month_parts WHERE return_id = ANY(%s)", (list(return_ids),))
    bulk.copy_rows(conn, "recon.month_parts", COLUMNS, [_row(return_id, part) for return_id, part in found])


def periods_of(conn: psycopg.Connection, return_ids: Sequence[str]) -> set[str]:
    """The months whose figures these returns are in."""
    if not return_ids:
        return set()
    rows = conn.execute(
        f"SELECT DISTINCT period FROM recon.monthly WHERE return_id = ANY(%s) AND period <> '' AND {HAS_MONEY}",
        (list(return_ids),),
    )
    return {row[0] for row in rows}


def _row(return_id: str, part: MonthPart) -> tuple[Any, ...]:
    return (
        return_id,
        part.period,
        part.refund_pence,
        part.credited_pence,
        part.issued_pence,
        part.gap_pence,
        *part.legs,
        part.timing_pence,
        part.refund_vat_pence,
        part.vat_gap_pence,
        part.status,
    )


def returns_of(conn: psycopg.Connection, period: str) -> list[str]:
    """The returns that are in a month."""
    rows = conn.execute("SELECT DISTINCT return_id FROM recon.monthly WHERE period = %s", (period,)).fetchall()
    return [row[0] for row in rows]


def vat_errors(conn: psycopg.Connection, periods: Sequence[str]) -> dict[str, tuple[int, int]]:
    """By currency: VAT that notes of these months claim too much, and too little; both positive, in pence (U-21).

    Credit in another month than its money is no error of this size: it is right once both months are over.
    """
    rows = conn.execute(
        "SELECT currency, coalesce(sum(vat_gap_pence) FILTER (WHERE vat_gap_pence > 0), 0)::bigint, "
        "coalesce(-sum(vat_gap_pence) FILTER (WHERE vat_gap_pence < 0), 0)::bigint FROM recon.reconciliation "
        f"WHERE period = ANY(%s) AND {HAS_MONEY} GROUP BY 1 ORDER BY 1",
        (list(periods),),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


TIMED = (*SHOWN[:-2], "gap_timing_pence", *SHOWN[-2:])
REPORTED = ("currency", *COLUMNS[2:])
OF_MONTH = "CASE WHEN e.kind = 'differences_systematic' THEN split_part(e.subject, ' ', 1) END"
KEPT = ("period", "currency", "returns", "refund_pence", "credited_pence", "issued_pence", "gap_pence")


def largest_gaps(conn: psycopg.Connection, periods: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """The largest gaps of these months, leg by leg."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"SELECT {', '.join(TIMED)} FROM recon.monthly WHERE period = ANY(%s) AND gap_pence <> 0 "
            "ORDER BY abs(gap_pence) DESC, rma LIMIT %s".encode(),
            (list(periods), limit),
        ).fetchall()


def returns_in(conn: psycopg.Connection, period: str) -> list[tuple[Any, ...]]:
    """The returns of a month about which there is something to say: return id, then the columns of ``REPORTED``."""
    query = f"SELECT return_id, {', '.join(REPORTED)} FROM recon.monthly WHERE period = %s AND {HAS_MONEY}"
    return conn.execute(query.encode(), (period,)).fetchall()


def exceptions_in(conn: psycopg.Connection, period: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """These columns of the open exceptions of a month's returns, and of its own."""
    return conn.execute(
        f"SELECT {', '.join(f'e.{name}' for name in columns)} FROM recon.exceptions e "
        "LEFT JOIN recon.reconciliation r USING (return_id) WHERE e.closed_at IS NULL "
        f"AND (coalesce({MONTH_OF_TROUBLE}, {OF_MONTH}) = %(period)s OR {IN_BOTH_MONTHS})".encode(),
        {"period": period},
    ).fetchall()


def touch(conn: psycopg.Connection, periods: Sequence[str], now: datetime) -> None:
    """Months whose reconciliation changed: they are to be computed again."""
    bulk.upsert(conn, "recon.touched_periods", ("period", "touched_at"), ["period"], [(one, now) for one in periods])


def touched(conn: psycopg.Connection) -> list[str]:
    """Months whose reconciliation changed since they were last computed."""
    return [row[0] for row in conn.execute("SELECT period FROM recon.touched_periods ORDER BY period")]


def keep(
    conn: psycopg.Connection, period: str, months: Sequence[MonthEnd], tolerances: Mapping[str, Any], now: datetime
) -> None:
    """Keep the reports of a month, one a currency, and take it off the list of those that changed."""
    rows = [
        (*(getattr(month, name) for name in KEPT), Jsonb({**month.figures(), "tolerances": tolerances}), now)
        for month in months
    ]
    conn.execute("DELETE FROM recon.month_end WHERE period = %s", (period,))
    bulk.copy_rows(conn, "recon.month_end", (*KEPT, "figures", "computed_at"), rows)
    conn.execute("DELETE FROM recon.touched_periods WHERE period = %s", (period,))


def tolerances(conn: psycopg.Connection, period: str) -> dict[str, Any] | None:
    """The tolerances on which a month was last added up; None where it never was."""
    query = "SELECT figures -> 'tolerances' FROM recon.month_end WHERE period = %s LIMIT 1"
    row = conn.execute(query, (period,)).fetchone()
    return row[0] if row else None


def figures(conn: psycopg.Connection[Any], period: str) -> dict[str, Figures]:
    """What was refunded and issued in a month by currency, as it was added up; none where it changed since."""
    rows = conn.execute(
        "SELECT currency, refund_pence, issued_pence FROM recon.month_end m WHERE period = %s "
        "AND NOT EXISTS (SELECT 1 FROM recon.touched_periods t WHERE t.period = m.period)",
        (period,),
    )
    return {row[0]: Figures(None, row[1], row[2], row[0]) for row in rows}


def signatures(conn: psycopg.Connection, period: str) -> list[Signature]:
    """Who signed the month's figures as they were last added up, by currency."""
    rows = conn.execute(
        "SELECT d.object, d.decided_by, (d.decided_at AT TIME ZONE 'Europe/London')::date, d.refund_pence, "
        "d.credited_pence FROM recon.decisions d JOIN recon.month_end m ON (m.period, m.currency, m.refund_pence, "
        "m.issued_pence) = (d.subject, d.object, d.refund_pence, d.credited_pence) "
        "WHERE d.decision = 'signed' AND d.ended_at IS NULL AND d.subject = %s ORDER BY 1",
        (period,),
    )
    return [Signature(*row) for row in rows]


def unsigned(conn: psycopg.Connection[Any], before: str) -> list[str]:
    """The months before one that were added up and that nobody signed, the oldest first."""
    rows = conn.execute(
        "SELECT DISTINCT period FROM recon.month_end m WHERE period < %s AND NOT EXISTS (SELECT 1 FROM "
        "recon.decisions d WHERE d.decision = 'signed' AND d.ended_at IS NULL AND d.subject = m.period) ORDER BY 1",
        (before,),
    ).fetchall()
    return [row[0] for row in rows]


def marked(conn: psycopg.Connection, period: str) -> list[Marked]:
    """The returns of a month that are matched, and those of them that are witnessed on both sides, by currency."""
    rows = conn.execute(
        "SELECT currency, count(*), sum(refund_pence)::bigint, count(*) FILTER (WHERE is_seen), "
        "coalesce(sum(refund_pence) FILTER (WHERE is_seen), 0)::bigint FROM (SELECT currency, refund_pence, "
        "issued_pence = credited_pence AND EXISTS (SELECT 1 FROM storefront.refunds f "
        "WHERE f.return_id = m.return_id AND f.moved_at IS NOT NULL) AS is_seen FROM recon.monthly m "
        f"WHERE period = %s AND status IN ('matched', 'within_tolerance', 'decided') AND {HAS_MONEY}) found "
        "GROUP BY 1 ORDER BY 1".encode(),
        (period,),
    ).fetchall()
    return [Marked(mark, row[0], *row[at : at + 2]) for row in rows for mark, at in ((MATCHED, 1), (WITNESSED, 3))]


def computed_since(conn: psycopg.Connection, moment: datetime) -> bool:
    """Whether any month was computed at or after ``moment``."""
    query = "SELECT 1 FROM recon.month_end WHERE computed_at >= %s LIMIT 1"
    return conn.execute(query, (moment,)).fetchone() is not None


def causes_up_to(conn: psycopg.Connection, last: str, months: int) -> list[tuple[str, str, dict[str, int]]]:
    """(month, currency, pence by cause) of the gaps of so many months up to one, as last computed."""
    return conn.execute(
        "SELECT period, currency, figures -> 'causes' FROM recon.month_end WHERE period <= %s AND period > "
        "to_char(to_date(%s, 'YYYY-MM') - make_interval(months => %s), 'YYYY-MM') ORDER BY 1, 2",
        (last, last, months),
    ).fetchall()
