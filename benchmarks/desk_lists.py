"""Queues and search of the desk over 100,000 open exceptions and a million returns, page by page as a browser asks.

A page is asked for through its route, rendered and read to its end; the slowest of each kind counts, after one that
warms the caches. What each statement does in the server stands in ``explain_ms``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import closing
from time import perf_counter
from typing import Any

from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.history import NOW, build, empty_store
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database, desk_lists
from khaos_swap_assets.adapters.store.desk_lists import QueueFilter
from khaos_swap_assets.desk.reach import DeskReach
from khaos_swap_assets.desk.routes import desk_routes
from khaos_swap_assets.domain.desk.members import Member, WaiverLimits
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy

RETURNS, EXCEPTIONS, TIMES, MOST_MS = 1_000_000, 100_000, 5, 300
OPENED = """
INSERT INTO recon.exceptions (kind, subject, owner, severity, return_id, rma, sku, message, money_at_risk_pence,
    currency, opened_at, urgent_at)
SELECT (ARRAY['credit_note_missing', 'refund_amount_differs', 'sku_unknown', 'order_not_found'])[1 + i %% 4],
    'RMA' || i, (ARRAY['finance', 'finance', 'data management', 'cx'])[1 + i %% 4], 'error', 'r' || i, 'RMA' || i,
    CASE i %% 4 WHEN 2 THEN 'LX' || i || '-M' ELSE '' END, 'apart', i %% 9000, 'GBP',
    timestamptz '2026-07-01' - make_interval(mins => i),
    timestamptz '2026-07-01' - make_interval(mins => 7 * i %% 99991)
FROM generate_series(%(first)s::int, %(last)s::int) i
"""
PAGES: Mapping[str, str] = {
    "start": "/",
    "all": "/queues/all",
    "owner": "/queues/finance",
    "kind": "/queues/finance?kind=refund_amount_differs",
    "month": "/queues/finance?month=2026-06",
    "month without any": "/queues/finance?month=2025-08",
    "deep": "/queues/all?after=1779000000000000.1",
    "rma": "/search?q=RMA999000",
    "order": "/search?q=%23LX999000",
    "stock code": "/search?q=LX19000-M",
    "credit note": "/search?q=CN999000",
    "customer": "/search?q=C499000",
    "nothing": "/search?q=NOTHING",
}


class _SignedIn:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        member = Member("Ann", frozenset({"finance"}))
        scope.setdefault("state", {}).update(member=member, csrf="")
        await self.app(scope, receive, send)


def measure() -> dict[str, Any]:
    """Milliseconds of the slowest of each page, and of its statements by the server's own count."""
    with empty_store() as url:
        build(url, RETURNS)
        with closing(database.connect(url, application="benchmark")) as conn:
            conn.execute(OPENED.encode(), {"first": RETURNS - EXCEPTIONS + 1, "last": RETURNS})
            conn.commit()
            conn.autocommit = True
            conn.execute("VACUUM ANALYZE recon.exceptions")
            told = asyncio.run(_pages(url))
            return {
                "open_exceptions": EXCEPTIONS,
                "returns": RETURNS,
                "slowest_ms": told,
                "explain_ms": _explained(conn),
                "is_met": max(told.values()) <= MOST_MS,
            }


async def _pages(url: str) -> dict[str, int]:
    conn = database.connect(url, application="benchmark")
    reach = DeskReach(lambda: _Lent(conn), Settings(), CreditNotePolicy(), WaiverLimits({}), lambda: NOW)
    app = Starlette(routes=desk_routes(reach), middleware=[Middleware(_SignedIn)])
    async with AsyncClient(transport=ASGITransport(app), base_url="http://desk") as client:
        told = {name: [await _asked(client, path) for _ in range(1 + TIMES)] for name, path in PAGES.items()}
    conn.close()
    return {name: round(max(times[1:]) * 1000) for name, times in told.items()}


async def _asked(client: AsyncClient, path: str) -> float:
    began = perf_counter()
    answer = await client.get(path)
    if answer.status_code >= 400:
        raise RuntimeError(f"{path} was answered by {answer.status_code}")
    return perf_counter() - began


class _Lent:
    """One connection for one request after the other."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    def __enter__(self) -> Any:
        return self._conn

    def __exit__(self, *_: object) -> None:
        self._conn.rollback()


def _explained(conn: Any) -> dict[str, float]:
    """What the server says of the statements of a queue's page and of a search."""
    values = {"owner": "finance", "kind": "", "period": "2026-06", "hands": "", "now": NOW, "limit": 51}
    shown = {
        "page": desk_lists.page_query(QueueFilter(owner="finance", shows="now"), is_first=True),
        "page of a month": desk_lists.page_query(
            QueueFilter(owner="finance", period="2026-06", shows="now"), is_first=True
        ),
        "search": desk_lists.SEARCH,
    }
    found = {}
    for name, query in shown.items():
        told = conn.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode(), {**values, "words": desk_lists.spellings("LX19000-M")}
        ).fetchone()[0]
        plan = told if isinstance(told, list) else json.loads(told)
        found[name] = round(plan[0]["Execution Time"], 1)
    return found
