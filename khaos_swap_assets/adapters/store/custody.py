"""The ledger of custody in our store: movements of returned units, and how many are where now.

Belongs here: appending movements, the places that follow from them, and the four questions people ask, each one query.
Stays out: where units are by the facts (``goods.custody``). Shapes: ``recon.custody_movements``, to which rows are only
ever added, ``recon.custody``, their sums without the customer's side, and ``recon.custody_days``, the sums of those
(migration 0047). Times UTC, money pence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.goods.custody import NOT_SHELVED
from khaos_swap_assets.domain.money.periods import london_date

LineKey = tuple[str, str]
"""Return id and product id."""
MOVEMENT = (
    *("return_id", "product_id", "from_place", "to_place", "units"),
    *("happened_at", "source", "record", "recorded_at"),
)


@dataclass(frozen=True, slots=True)
class HeldUnits:
    """Units of one line in one place since a moment, with what they were refunded at."""

    return_id: str
    product_id: str
    place: str
    units: int
    value_pence: int
    currency: str
    rma: str
    sku: str
    stock_code: str
    since: datetime


COLUMNS = tuple(HeldUnits.__dataclass_fields__)


def of_returns(conn: psycopg.Connection[Any], return_ids: Sequence[str]) -> dict[LineKey, dict[str, HeldUnits]]:
    """What is where, of these returns, by line and place."""
    with conn.cursor(row_factory=class_row(HeldUnits)) as cursor:
        rows = cursor.execute(
            f"SELECT {', '.join(COLUMNS)} FROM recon.custody WHERE return_id = ANY(%s)", (list(return_ids),)
        ).fetchall()
    found: dict[LineKey, dict[str, HeldUnits]] = {}
    for row in rows:
        found.setdefault((row.return_id, row.product_id), {})[row.place] = row
    return found


def move(
    conn: psycopg.Connection[Any],
    movements: Iterable[Sequence[object]],
    held: Mapping[LineKey, Iterable[HeldUnits]],
) -> int:
    """Append movements, and make ``held`` all that is held of these lines; how many movements."""
    made = bulk.copy_rows(conn, "recon.custody_movements", MOVEMENT, movements)
    gone = conn.execute(
        "DELETE FROM recon.custody WHERE (return_id, product_id) IN (SELECT * FROM unnest(%s::text[], %s::text[])) "
        "RETURNING place, currency, since, -units, -value_pence",
        ([key[0] for key in held], [key[1] for key in held]),
    ).fetchall()
    here = [one for some in held.values() for one in some]
    bulk.copy_rows(conn, "recon.custody", COLUMNS, [[getattr(one, name) for name in COLUMNS] for one in here])
    _add_up(conn, [*gone, *((one.place, one.currency, one.since, one.units, one.value_pence) for one in here)])
    return made


def _add_up(conn: psycopg.Connection[Any], changes: Iterable[tuple[str, str, datetime, int, int]]) -> None:
    """Bring the sums by place, currency and London day up to date."""
    sums: dict[tuple[str, str, date], tuple[int, int]] = {}
    for place, currency, since, units, pence in changes:
        before = sums.get(key := (place, currency, london_date(since)), (0, 0))
        sums[key] = (before[0] + units, before[1] + pence)
    rows = [(*key, *change) for key, change in sorted(sums.items()) if any(change)]
    conn.execute(
        "INSERT INTO recon.custody_days AS old SELECT * FROM unnest(%s::text[], %s::text[], %s::date[], %s::bigint[], "
        "%s::bigint[]) ON CONFLICT (place, currency, since_on) DO UPDATE SET units = old.units + EXCLUDED.units, "
        "value_pence = old.value_pence + EXCLUDED.value_pence",
        [[row[at] for row in rows] for at in range(5)],
    )
    conn.execute("DELETE FROM recon.custody_days WHERE units = 0 AND value_pence = 0")


def losses_accepted(conn: psycopg.Connection[Any], return_ids: Sequence[str]) -> dict[str, tuple[str, datetime]]:
    """Returns of which a person waived what is missing: by whom with the reason, and when."""
    rows = conn.execute(
        "SELECT return_id, decided_by || ': ' || reason, decided_at FROM recon.decisions WHERE decision = 'waived' "
        "AND object = 'stock_not_returned' AND ended_at IS NULL AND return_id = ANY(%s)",
        (list(return_ids),),
    ).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows}


WHERE = """
SELECT place, sum(units)::bigint AS units, sum(value_pence)::bigint AS value_pence, currency, min(since) AS since
FROM recon.custody WHERE sku = %(code)s OR stock_code = %(code)s GROUP BY place, currency
"""
NOT_ON_SHELF = f"""
SELECT rma, sku, stock_code, place, units, value_pence, currency, since FROM recon.custody
WHERE place IN ({", ".join(f"'{place}'" for place in NOT_SHELVED)}) ORDER BY since, rma, sku LIMIT %(limit)s
"""
UNSEEN = """
SELECT rma, sku, stock_code, place, units, value_pence, currency, since FROM recon.custody
WHERE place = 'available_unseen' ORDER BY since DESC, rma, sku LIMIT %(limit)s
"""
AGES = ("under 2 days", "2 to 7 days", "7 to 30 days", "over 30 days")


def age_since(day: str) -> str:
    """SQL for which of ``AGES`` a London day is at the parameter ``today``; a day that is not known is the youngest."""
    return (
        f"CASE WHEN {day} <= %(today)s::date - 30 THEN 'over 30 days' WHEN {day} <= %(today)s::date - 7 "
        f"THEN '7 to 30 days' WHEN {day} <= %(today)s::date - 2 THEN '2 to 7 days' ELSE 'under 2 days' END"
    )


BY_AGE = f"""
SELECT place, currency, {age_since("since_on")} AS age,
    sum(units)::bigint AS units, sum(value_pence)::bigint AS value_pence
FROM recon.custody_days GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
HISTORY = """
SELECT from_place, to_place, units, happened_at, source, record FROM recon.custody_movements
WHERE return_id = %(return_id)s ORDER BY movement_id
"""
QUESTIONS = {"where": WHERE, "not_on_shelf": NOT_ON_SHELF, "unseen": UNSEEN, "by_age": BY_AGE, "history": HISTORY}


def asked(conn: psycopg.Connection[Any], question: str, **values: object) -> list[dict[str, Any]]:
    """The rows that answer one of ``QUESTIONS``."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(QUESTIONS[question].encode(), values).fetchall()
