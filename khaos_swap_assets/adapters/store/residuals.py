"""Small differences in our store, with what the tolerances made of each.

Belongs here: reading and replacing them by return and by month. Stays out: the tolerances (``money.tolerance``).
Shape: table ``recon.residuals`` (migration 0007). A month is a London one, ``YYYY-MM``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

import psycopg
from psycopg.rows import class_row, dict_row

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.money.tolerance import Governed, Residual

COLUMNS = ("return_id", "reason", "residual_pence", "lines", "currency", "is_evident", "period")


@dataclass(frozen=True, slots=True)
class AcceptedTotal:
    """What a month accepts for one ledger account: how many returns, pence of both signs added up."""

    currency: str
    account: str
    returns: int
    residual_pence: int


def of_returns(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, tuple[Residual, str]]:
    """The residuals of these returns with their months."""
    return _load(conn, "return_id = ANY(%s)", list(return_ids))


def of_periods(conn: psycopg.Connection, periods: Sequence[str]) -> dict[str, tuple[Residual, str]]:
    """The residuals of these months."""
    return _load(conn, "period = ANY(%s)", list(periods))


def decisions(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What became of the residuals of these returns: (account, refused by)."""
    query = "SELECT return_id, account, refused_by FROM recon.residuals WHERE return_id = ANY(%s)"
    return {row[0]: (row[1], row[2]) for row in conn.execute(query, (list(return_ids),))}


def replace(conn: psycopg.Connection, return_ids: Sequence[str], found: Iterable[tuple[Residual, str]]) -> None:
    """Make these the only residuals of these returns; until they are decided, none is accepted."""
    conn.execute("DELETE FROM recon.residuals WHERE return_id = ANY(%s)", (list(return_ids),))
    rows = [(*astuple(residual), period, "undecided") for residual, period in found]
    bulk.copy_rows(conn, "recon.residuals", (*COLUMNS, "refused_by"), rows)


def decide(conn: psycopg.Connection, governed: Governed) -> list[str]:
    """Keep what the tolerances made of residuals; the return ids of those of which it is another than before."""
    told = [(residual.subject, account, "") for residual, account in governed.cleared]
    told += [(residual.subject, "", rule) for residual, rule in governed.refused]
    rows = conn.execute(
        "UPDATE recon.residuals r SET account = n.account, refused_by = n.rule FROM "
        "unnest(%s::text[], %s::text[], %s::text[]) AS n (return_id, account, rule) WHERE r.return_id = n.return_id "
        "AND (r.account, r.refused_by) IS DISTINCT FROM (n.account, n.rule) RETURNING r.return_id",
        [list(column) for column in zip(*told, strict=True)] or [[], [], []],
    ).fetchall()
    return [row[0] for row in rows]


def accepted(conn: psycopg.Connection, period: str) -> list[AcceptedTotal]:
    """What the month accepts, by currency and account."""
    with conn.cursor(row_factory=class_row(AcceptedTotal)) as cursor:
        return cursor.execute(
            "SELECT currency, account, count(*)::integer AS returns, sum(residual_pence)::bigint AS residual_pence "
            "FROM recon.residuals WHERE period = %s AND account <> '' GROUP BY 1, 2 ORDER BY 1, 2",
            (period,),
        ).fetchall()


def _load(conn: psycopg.Connection, where: str, value: list[str]) -> dict[str, tuple[Residual, str]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM recon.residuals WHERE {where}".encode(), (value,))
        return {row["return_id"]: (Residual(*(row[name] for name in COLUMNS[:-1])), row["period"]) for row in cursor}
