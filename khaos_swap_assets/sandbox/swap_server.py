"""The sandbox's Swap: the V2 list of returns over HTTP, with the vendor's paging, errors and bad days.

Belongs here: the API key, filters, order, paging, error bodies and armed faults (swap.md §2, §9.3, §12.2). Stays out:
the JSON of one return (``swap_wire``), how returns change (``clockwork``) and webhooks (``swap_webhooks``).
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_wire import Json, Spelling, return_wire
from khaos_swap_assets.sandbox.world import Rma, World

PATH = "/returns-api/v2/external/returns"
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 100
DATES = ("last_RMA_updated_date", "from_return_submission_date", "to_return_submission_date")
ECHOED = ("swap_store_id", "rma_number", "shopify_order_name", *DATES, "api_version", "items_per_page", "page")
ERRORS = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}

SORTS: Mapping[str, Callable[[Rma], Any]] = {
    "updated_asc": lambda rma: (rma.updated_at, rma.return_id),
    "created_desc": lambda rma: (-rma.created_at.timestamp(), rma.return_id),
    "random": lambda rma: (zlib.crc32(rma.return_id.encode()), rma.return_id),
}


class RefusalError(Exception):
    """An answer other than 200, in the shape of NestJS."""

    def __init__(self, status: int, message: str | list[str]) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"statusCode": status, "message": message, "error": ERRORS[status]}


@dataclass(frozen=True)
class Query:
    """One well-formed request."""

    rma_number: str
    order_name: str
    email: str
    updated_since: datetime | None
    submitted_from: datetime | None
    submitted_to: datetime | None
    page: int
    size: int
    echo: Mapping[str, str]

    def admits(self, world: World, rma: Rma) -> bool:
        """True for a submitted return that passes every filter given; bounds are inclusive."""
        customer = world.customers.get(rma.urn)
        return (
            rma.is_submitted
            and self.rma_number in ("", rma.rma_number)
            and self.order_name.removeprefix("#") in ("", rma.order_name.removeprefix("#"))
            and self.email in ("", customer.email if customer else None)
            and (self.updated_since is None or rma.updated_at >= self.updated_since)
            and (self.submitted_from is None or rma.created_at >= self.submitted_from)
            and (self.submitted_to is None or rma.created_at <= self.submitted_to)
        )


def swap_router(state: State) -> APIRouter:
    """The Swap half of the sandbox's app."""
    router = APIRouter()

    @router.get(PATH)
    def list_returns(request: Request) -> Response:
        if state.faults.take("swap_slow"):
            time.sleep(float(state.switch("slow_seconds", "3")))
        try:
            with state.lock:
                body = answer(state, dict(request.headers), dict(request.query_params))
        except RefusalError as refusal:
            headers = {"Retry-After": state.switch("retry_after", "1")} if refusal.status == 429 else None
            return _json(refusal.body, refusal.status, headers)
        return _json(body, truncated=state.faults.take("swap_truncated"))

    return router


def answer(state: State, headers: Mapping[str, str], params: Mapping[str, str]) -> Json:
    """The body of one list call. Raises ``RefusalError`` for a bad key, a bad parameter or an armed 429 or 500."""
    if headers.get("x-api-key") != state.api_key:
        raise RefusalError(401, "Unauthorized")
    for fault, status in (("swap_429", 429), ("swap_500", 500)):
        if state.faults.take(fault):
            raise RefusalError(status, ERRORS[status])
    query = _read_query(params, state.switch("over_max_page_size", "clamp") == "400")
    if params["swap_store_id"] != state.world.store_id:
        raise RefusalError(404, "Store not found")
    apply_due(state.world)
    return _page(state, query)


def _page(state: State, query: Query) -> Json:
    world = state.world
    rows = sorted(
        (rma for rma in world.rmas.values() if query.admits(world, rma)),
        key=SORTS[state.switch("sort", "updated_asc")],
    )
    if query.page > 1 and state.faults.take("swap_page_drift"):
        rows = rows[1:]
    shown = rows[(query.page - 1) * query.size : query.page * query.size]
    pages = -(-len(rows) // query.size)
    wires = [return_wire(world, rma, _spelling(state)) for rma in shown]
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
    return {"returns": wires, "version": 2, "query_params": dict(query.echo), "pagination": pagination}


def _spelling(state: State) -> Spelling:
    return Spelling(
        date_style=state.switch("date_style", "engb"),
        null_style=state.switch("null_style", "N/A"),
        amount_style=state.switch("amount_style", "number"),
        cost_basis=state.switch("cost_basis", "line"),
        kept_shown=state.switch("kept_shown", "status"),
        processed=state.switch("rma_processed", "date"),
    )


def _read_query(params: Mapping[str, str], refuses_big_pages: bool) -> Query:
    faults = [] if params.get("swap_store_id") else ["swap_store_id should not be empty"]
    size = _whole(params, "items_per_page", DEFAULT_PAGE_SIZE, faults)
    if refuses_big_pages and size > MAX_PAGE_SIZE:
        faults.append(f"items_per_page must not be greater than {MAX_PAGE_SIZE}")
    page = _whole(params, "page", 1, faults)
    since, submitted_from, submitted_to = (_moment(params, name, faults) for name in DATES)
    if faults:
        raise RefusalError(400, faults)
    return Query(
        rma_number=params.get("rma_number", ""),
        order_name=params.get("shopify_order_name", ""),
        email=params.get("customer_email", ""),
        updated_since=since,
        submitted_from=submitted_from,
        submitted_to=submitted_to,
        page=page,
        size=min(size, MAX_PAGE_SIZE),
        echo={name: params[name] for name in ECHOED if name in params},
    )


def _whole(params: Mapping[str, str], name: str, default: int, faults: list[str]) -> int:
    text = params.get(name, str(default))
    if text.isascii() and text.isdigit() and int(text) >= 1:
        return int(text)
    faults.append(f"{name} must not be less than 1")
    return default


def _moment(params: Mapping[str, str], name: str, faults: list[str]) -> datetime | None:
    if not params.get(name):
        return None
    try:
        moment = datetime.fromisoformat(params[name])
    except ValueError:
        faults.append(f"{name} must be a valid ISO 8601 date string")
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None, *, truncated: bool = False
) -> Response:
    text = json.dumps(body, ensure_ascii=False)
    content = text[: len(text) // 2] if truncated else text
    return Response(content, status, dict(headers or {}), media_type="application/json")
