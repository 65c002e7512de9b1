"""Returned goods of a month in our store, with what they cost and are worth; and what was on no shelf when it ended.

Belongs here: those questions. Stays out: what follows from them (``reporting.returned_goods``). Khaos tells no cost of
an order line: what one unit cost is the last cost of its Stock Code that was told by the day. Costs are pence of the
house, days London's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store.custody import age_since
from khaos_swap_assets.domain.goods.custody import NOT_SHELVED, WAITING
from khaos_swap_assets.domain.reporting.returned_goods import ReturnedRow


def _cost_on(day: str) -> str:
    return (
        "(SELECT c.buy_pence FROM khaos.stock_costs c WHERE c.stock_id = s.stock_id "
        f"AND c.told_on <= {day} ORDER BY c.told_on DESC LIMIT 1)"
    )


_RETURNED = f"""
SELECT l.quantity, l.sellable_quantity, l.damaged_quantity, l.b_grade_quantity, l.written_off_quantity,
    l.missing_quantity, l.strange_quantity, l.disputed_quantity, l.kept_quantity, l.unclear_quantity,
    w.delivered_at IS NOT NULL, {_cost_on("m.invoiced_on")}, coalesce({_cost_on("processed.on_day")}, s.buy_pence),
    coalesce(l.stock_code, l.sku)
FROM recon.reconciliation r JOIN recon.matched_lines l USING (return_id) JOIN swap.returns w USING (return_id)
LEFT JOIN recon.matched_returns m USING (return_id) LEFT JOIN khaos.stock_codes s ON s.stock_code = l.stock_code
CROSS JOIN LATERAL (SELECT max(issued_on) AS on_day FROM khaos.credit_notes n
    WHERE n.return_id = r.return_id AND NOT n.is_cancelled) processed
WHERE r.period = %s AND (r.refund_pence <> 0 OR r.credited_pence <> 0) ORDER BY l.return_id, l.product_id
"""


def returned_in_month(conn: psycopg.Connection[Any], period: str) -> list[ReturnedRow]:
    """The rows of a month's refunds: where their units went, what one cost when sold, and Khaos's value of it.

    That is the cost of the day on which the note was issued; today's where none was, or no cost was told by then.
    """
    rows = conn.execute(_RETURNED.encode(), (period,)).fetchall()
    return [ReturnedRow(row[0], tuple(row[1:-4]), *row[-4:]) for row in rows]


@dataclass(frozen=True, slots=True)
class WaitingUnits:
    """Units in one place and age at a moment: refunded at, at cost as far as known, and how many without a cost."""

    place: str
    age: str
    is_ending: bool
    currency: str
    units: int
    refund_pence: int
    cost_pence: int
    without_cost: int


def _listed(places: tuple[str, ...]) -> str:
    return ", ".join(f"'{place}'" for place in places)


_WAITING = f"""
WITH held AS (
    SELECT return_id, product_id, place, sum(units) AS units FROM (
        SELECT return_id, product_id, place, units FROM recon.custody WHERE place = 'in_transit'
        UNION ALL SELECT return_id, product_id, place, units FROM recon.custody WHERE place IN ({_listed(NOT_SHELVED)})
        UNION ALL SELECT return_id, product_id, from_place, units FROM recon.custody_movements
            WHERE happened_at >= %(ends)s AND from_place IN ({_listed(WAITING)})
        UNION ALL SELECT return_id, product_id, to_place, -units FROM recon.custody_movements
            WHERE happened_at >= %(ends)s AND to_place IN ({_listed(WAITING)})
    ) moved GROUP BY 1, 2, 3 HAVING sum(units) > 0
)
SELECT h.place, {age_since("came.on_day")} AS age, coalesce(s.is_discontinued OR s.is_run_to_zero, false) AS is_ending,
    r.currency,
    sum(h.units)::bigint AS units, sum(l.cost_pence * h.units / nullif(l.quantity, 0))::bigint AS refund_pence,
    coalesce(sum(cost.pence * h.units), 0)::bigint AS cost_pence,
    coalesce(sum(h.units) FILTER (WHERE cost.pence IS NULL), 0)::bigint AS without_cost
FROM held h JOIN swap.returns r USING (return_id) JOIN recon.matched_lines l USING (return_id, product_id)
LEFT JOIN khaos.stock_codes s ON s.stock_code = l.stock_code
CROSS JOIN LATERAL (SELECT coalesce({_cost_on("%(today)s")}, s.buy_pence) AS pence) cost
CROSS JOIN LATERAL (SELECT (min(c.happened_at) AT TIME ZONE 'Europe/London')::date AS on_day
    FROM recon.custody_movements c WHERE c.return_id = h.return_id AND c.product_id = h.product_id
    AND c.to_place IN ({_listed(NOT_SHELVED)}) AND c.happened_at < %(ends)s) came
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


def waiting_at(conn: psycopg.Connection[Any], ends: datetime, today: date) -> list[WaitingUnits]:
    """Units that were on their way, or had come in and were on no shelf, at a moment; ``today`` is its day.

    The ledger is read back from now: it costs by what moved since. Age is that since the goods came in.
    """
    with conn.cursor(row_factory=class_row(WaitingUnits)) as cursor:
        return cursor.execute(_WAITING.encode(), {"ends": ends, "today": today}).fetchall()
