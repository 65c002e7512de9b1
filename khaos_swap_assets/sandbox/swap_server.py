"""The sandbox's Swap: both lists of returns and quality control over HTTP, with the vendor's paging and bad days.

Belongs here: the API key, order, paging, errors and armed faults (swap.md §2-§4, §9.3, §12.2). Stays out: parameters
(``swap_query``), the JSON of one return (``swap_wire``), what an update of quality control does (``swap_quality``), how
returns change (``clockwork``) and webhooks (``swap_webhooks``).
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from khaos_swap_assets.sandbox import swap_quality
from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.khaos_books import Keep, keep_nothing
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_query import ERRORS, Query, RefusalError, read_v1, read_v2
from khaos_swap_assets.sandbox.swap_wire import Json, Spelling, order_wire, return_wire
from khaos_swap_assets.sandbox.world import Rma, World

ROOT = "/returns-api"
PATH = f"{ROOT}/v2/external/returns"
PATH_V1 = f"{ROOT}/v1/external/returns"
PATH_QUALITY = f"{ROOT}/v1/external/quality-control/update"

SORTS: Mapping[str, Callable[[Rma], Any]] = {
    "updated_asc": lambda rma: (rma.updated_at, rma.return_id),
    "created_desc": lambda rma: (-rma.created_at.timestamp(), rma.return_id),
    "random": lambda rma: (zlib.crc32(rma.return_id.encode()), rma.return_id),
}


@dataclass(frozen=True)
class Version:
    """One of the two lists: the key of its rows, how it reads parameters and how it writes a row."""

    number: int
    rows: str
    read: Callable[..., Query]
    wire: Callable[[World, Rma, Spelling], Json]


V1 = Version(1, "orders", read_v1, order_wire)
V2 = Version(2, "returns", read_v2, return_wire)


def swap_router(state: State, keep: Keep = keep_nothing) -> APIRouter:
    """The Swap half of the sandbox's app, a further store below its name.

    ``keep`` gets what quality control changed, before it is answered.
    """
    router = APIRouter(prefix=f"/{state.store}" if state.store else "")

    @router.get(PATH)
    def list_returns(request: Request) -> Response:
        return _answered(state, lambda: answer(state, request.headers, request.query_params))

    @router.get(PATH_V1)
    def list_orders(request: Request) -> Response:
        return _answered(state, lambda: answer(state, request.headers, request.query_params, V1))

    @router.post(PATH_QUALITY)
    async def update_quality(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answered, state, lambda: _update(state, request.headers, body, keep))

    return router


def answer(state: State, headers: Mapping[str, str], params: Mapping[str, str], version: Version = V2) -> Json:
    """The body of one list call. Raises ``RefusalError`` for a bad key, a bad parameter or an armed 429 or 500."""
    _admit(state, headers)
    query = version.read(params, refuses_more=state.switch("over_max_page_size", "clamp") == "400")
    if query.store != state.store_id:
        raise RefusalError(404, "Store not found")
    apply_due(state.world)
    return _page(state, query, version)


def _update(state: State, headers: Mapping[str, str], body: bytes, keep: Keep) -> Json:
    _admit(state, headers)
    apply_due(state.world)
    keep(*swap_quality.update(state, swap_quality.read(body)))
    return {"message": swap_quality.DONE}


def _admit(state: State, headers: Mapping[str, str]) -> None:
    if headers.get("x-api-key") != state.api_key:
        raise RefusalError(401, "Unauthorized")
    for fault, status in (("swap_429", 429), ("swap_500", 500)):
        if state.faults.take(fault):
            raise RefusalError(status, ERRORS[status])


def _answered(state: State, work: Callable[[], Json]) -> Response:
    """Do the work and answer as Swap would; what an armed fault spoils is only the answer."""
    if state.faults.take("swap_slow"):
        time.sleep(float(state.switch("slow_seconds", "3")))
    try:
        with state.lock:
            body = work()
    except RefusalError as refusal:
        headers = {"Retry-After": state.switch("retry_after", "1")} if refusal.status == 429 else None
        return _json(refusal.body(state.switch("error_shape", "nest")), refusal.status, headers)
    return _json(body, truncated=state.faults.take("swap_truncated"))


def _page(state: State, query: Query, version: Version) -> Json:
    world = state.world
    rows = sorted(
        (rma for rma in world.rmas.values() if rma.store == state.store and query.admits(world, rma)),
        key=SORTS[state.switch("sort", "updated_asc")],
    )
    if query.page > 1 and state.faults.take("swap_page_drift"):
        rows = rows[1:]
    shown = rows[(query.page - 1) * query.size : query.page * query.size]
    pages = -(-len(rows) // query.size)
    wires = [version.wire(world, rma, _spelling(state)) for rma in shown]
    if wires and state.faults.take("swap_duplicate"):
        wires.append(wires[0])
    pagination = {
        "page": query.page,
        "items_per_page": query.size,
        "current_page_size": len(wires),
        "total_pages": pages,
        "total_items": len(rows),
        "items_in_remaining_pages": max(0, len(rows) - query.page * query.size),
        "has_next_page": query.page < pages,
        "has_previous_page": query.page > 1,
    }
    return {version.rows: wires, "version": version.number, "query_params": query.echo, "pagination": pagination}


def _spelling(state: State) -> Spelling:
    return Spelling(
        date_style=state.switch("date_style", "engb"),
        null_style=state.switch("null_style", "N/A"),
        amount_style=state.switch("amount_style", "number"),
        cost_basis=state.switch("cost_basis", "line"),
        kept_shown=state.switch("kept_shown", "status"),
        processed=state.switch("rma_processed", "date"),
    )


def _json(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None, *, truncated: bool = False
) -> Response:
    text = json.dumps(body, ensure_ascii=False)
    content = text[: len(text) // 2] if truncated else text
    return Response(content, status, dict(headers or {}), media_type="application/json")
