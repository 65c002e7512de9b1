"""What Khaos wrote off, as a Write Off Report told that a person brought.

Belongs here: keeping its rows once, which months they touch, and the write-offs of a month by Stock Code. Stays out:
reading the file (``adapters.files``) and what was proposed (``reporting.returned_goods``). Shape: ``khaos.write_offs``
(migration 0056).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import bulk, monthly
from khaos_swap_assets.domain.reporting.returned_goods import WrittenOff

COLUMNS = ("stock_code", "quantity", "written_off_on", "currency", "cost_pence", "written_off_by")


def known(conn: psycopg.Connection[Any], keys: Sequence[str]) -> set[str]:
    """Those of these rows that were told before."""
    rows = conn.execute("SELECT row_key FROM khaos.write_offs WHERE row_key = ANY(%s)", (list(keys),))
    return {row[0] for row in rows}


def save(conn: psycopg.Connection[Any], rows: Mapping[str, Sequence[object]], import_id: int) -> None:
    """Keep rows by their key."""
    told = [(key, *values, import_id) for key, values in rows.items()]
    bulk.copy_rows(conn, "khaos.write_offs", ("row_key", *COLUMNS, "import_id"), told)


def touch_kept(conn: psycopg.Connection[Any], periods: Sequence[str], now: datetime) -> None:
    """Of these months those that were added up before: they are to be added up again."""
    query = "SELECT DISTINCT period FROM recon.month_end WHERE period = ANY(%s)"
    monthly.touch(conn, [row[0] for row in conn.execute(query, (list(periods),))], now)


def in_month(conn: psycopg.Connection[Any], period: str) -> list[WrittenOff]:
    """What was written off in a month, by Stock Code and currency."""
    rows = conn.execute(
        "SELECT stock_code, currency, sum(quantity)::integer, coalesce(sum(cost_pence), 0)::bigint, "
        "count(*) FILTER (WHERE cost_pence IS NULL) = 0 FROM khaos.write_offs "
        "WHERE written_off_on >= to_date(%(period)s, 'YYYY-MM') "
        "AND written_off_on < to_date(%(period)s, 'YYYY-MM') + interval '1 month' GROUP BY 1, 2 ORDER BY 1, 2",
        {"period": period},
    ).fetchall()
    return [WrittenOff(*row) for row in rows]
