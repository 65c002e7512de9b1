"""The questions of the ledger of custody over five million movements, made by the server itself.

Each line went from the road to the bench and on: most are on the shelf, some wait, some were lost or kept. The time of
each question is the server's own; so is the time in which the movements of 500 changed returns are added.
"""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from time import perf_counter
from typing import Any

import psycopg

from benchmarks.history import NOW, empty_store
from khaos_swap_assets.adapters.store import custody, database
from khaos_swap_assets.adapters.store.custody import QUESTIONS, HeldUnits

LINES, CODES, MOST_MS, CHANGED = 1_250_000, 20_000, 200, 500
STEPS = (("customer", "in_transit"), ("in_transit", "received"), ("received", "inspected"), ("inspected", "available"))
MOVED = """
INSERT INTO recon.custody_movements
    (return_id, product_id, from_place, to_place, units, happened_at, source, record, recorded_at)
SELECT 'r' || i, 'p' || i, %(source)s, %(place)s, 1, timestamptz '2026-07-01' - make_interval(mins => i), 'swap',
    'delivered', timestamptz '2026-07-01' - make_interval(mins => i)
FROM generate_series(1, %(lines)s::int) i
"""
HELD = """
INSERT INTO recon.custody (return_id, product_id, place, units, value_pence, currency, rma, sku, stock_code, since)
SELECT 'r' || i, 'p' || i,
    CASE WHEN i < 4000 THEN (ARRAY['in_transit', 'received', 'inspected', 'at_the_bench'])[1 + i %% 4]
        ELSE (ARRAY['available', 'available', 'available', 'available', 'non_saleable', 'kept', 'lost', 'available',
        'available_unseen', 'available'])[1 + i %% 10] END,
    1, 1000 + i %% 9000, 'GBP', 'RMA' || i, 'LX' || i %% %(codes)s || '-M', 'LX' || i %% %(codes)s || '-M',
    timestamptz '2026-07-01' - make_interval(mins => i)
FROM generate_series(1, %(lines)s::int) i
"""
DAYS = """
INSERT INTO recon.custody_days SELECT place, currency, since::date, sum(units), sum(value_pence)
FROM recon.custody GROUP BY 1, 2, 3
"""
VALUES = {"code": "LX77-M", "today": NOW.date(), "limit": 51, "return_id": "r77"}


def measure(lines: int = LINES) -> dict[str, Any]:
    """Milliseconds of each question, the second time it is asked, and of adding what changed."""
    with empty_store() as url, closing(database.connect(url, application="benchmark")) as conn:
        for source, place in STEPS:
            conn.execute(MOVED.encode(), {"source": source, "place": place, "lines": lines})
        conn.execute(HELD.encode(), {"lines": lines, "codes": CODES})
        conn.execute(DAYS.encode())
        conn.commit()
        conn.autocommit = True
        conn.execute("VACUUM ANALYZE")
        told = {name: [explained(conn, name) for _ in range(2)][1] for name in QUESTIONS}
        return {
            "movements": lines * len(STEPS),
            "lines": lines,
            "explain_ms": {name: ms for name, (ms, _) in told.items()},
            "plans": {name: plan for name, (_, plan) in told.items()},
            "moving_500_returns_ms": _moving(conn),
            "is_met": max(ms for ms, _ in told.values()) <= MOST_MS,
        }


def explained(conn: psycopg.Connection[Any], question: str) -> tuple[float, str]:
    """The time in which the server answers a question, and the node of its plan that reads the table."""
    row = conn.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {QUESTIONS[question]}".encode(), VALUES).fetchone()
    assert row is not None
    node = row[0][0]["Plan"]
    while node.get("Plans"):
        node = node["Plans"][0]
    return round(row[0][0]["Execution Time"], 1), f"{node['Node Type']} {node.get('Index Name', '')}".strip()


def _moving(conn: psycopg.Connection[Any]) -> int:
    keys = [(f"r{n}", f"p{n}") for n in range(1, CHANGED + 1)]
    at = NOW + timedelta(hours=1)
    made = [(*key, "received", "inspected", 1, at, "warehouse", "I-1", at) for key in keys]
    held = {key: [_inspected(key)] for key in keys}
    began = perf_counter()
    custody.of_returns(conn, [key[0] for key in keys])
    custody.move(conn, made, held)
    return round((perf_counter() - began) * 1000)


def _inspected(key: tuple[str, str]) -> HeldUnits:
    return HeldUnits(
        return_id=key[0],
        product_id=key[1],
        place="inspected",
        units=1,
        value_pence=1000,
        currency="GBP",
        rma=key[0],
        sku="LX77-M",
        stock_code="LX77-M",
        since=NOW,
    )
