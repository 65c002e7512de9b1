"""The bench on the desk: its page, the returns that it asks for, and the findings that it sends.

Belongs here: what the page is given, and each finding kept once under the id that the page made. Stays out: a finding's
shape (``gateway.inspections``), what a return holds and keeping a finding (``stock.benching``). What is refused is told
as JSON with its reason: the page keeps it and shows it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from khaos_swap_assets.desk.lists import MOST_WORD
from khaos_swap_assets.desk.pages import moment_words, render, require
from khaos_swap_assets.desk.reach import DeskReach
from khaos_swap_assets.domain.goods.conditions import plain
from khaos_swap_assets.domain.goods.dispositions import BENCH_CONDITIONS, Inspection
from khaos_swap_assets.door.showing import HEADERS
from khaos_swap_assets.gateway.inspections import read
from khaos_swap_assets.gateway.messages import object_of, whole_numbers
from khaos_swap_assets.stages.credit_notes.people import ActionError
from khaos_swap_assets.stages.stock.benching import BenchLine, BenchReturn, keep_finding, returns_at_the_bench

SCRIPT = Path(__file__).with_name("bench.js")
MOST_RETURNS = 20
UNKNOWN = (
    "Swap shows no return with the RMA or the order {word}. Look at the label again; a new return is seen in minutes."
)


def show(reach: DeskReach, request: Request) -> Response:
    """The page, with the merchant's own conditions behind Swap's; all else is the script's."""
    require(request, "inspect")
    known = {plain(word) for word in BENCH_CONDITIONS}
    own = [word for word in reach.policy.returned_goods.conditions if plain(word) not in known]
    return render(request, "bench.html", conditions=[*BENCH_CONDITIONS, *own])


def script(_: Request) -> Response:
    """What the page runs: a file of ours, as its policy asks."""
    headers = {**HEADERS, "Cache-Control": "max-age=3600"}
    return PlainTextResponse(SCRIPT.read_text(encoding="utf-8"), media_type="text/javascript", headers=headers)


def returns(reach: DeskReach, request: Request) -> Response:
    """The returns that a word means, as JSON."""
    require(request, "inspect")
    word = request.query_params.get("word", "").strip()
    with reach.store() as conn:
        found = returns_at_the_bench(conn, word)[:MOST_RETURNS] if len(word) <= MOST_WORD else []
    if not found:
        return _told(404, UNKNOWN.format(word=word[:MOST_WORD]))
    return JSONResponse({"returns": [_shown(one) for one in found]}, headers=HEADERS)


def keep(reach: DeskReach, request: Request) -> Response:
    """Keep one finding of whoever signed in; the same id again changes nothing."""
    member = require(request, "inspect")
    try:
        told = object_of(request.state.body, whole_numbers)
        reason = str(told.pop("reason", ""))
        found = read({**told, "inspected_by": member.name})
        with reach.store() as conn:
            saved = keep_finding(conn, found, reason, now=reach.clock())
    except HTTPException as fault:
        detail: object = fault.detail
        return _told(400, "; ".join(map(str, detail)) if isinstance(detail, list) else str(detail))
    except ActionError as error:
        return _told(409, str(error))
    return JSONResponse({"is_repeated": saved == "repeated"}, headers=HEADERS)


def _told(status: int, words: str) -> JSONResponse:
    return JSONResponse({"detail": words}, status, headers=HEADERS)


def _shown(one: BenchReturn) -> dict[str, Any]:
    return {
        "rma": one.rma,
        "order": one.order_name,
        "status": one.status,
        "lines": [_line(line) for line in one.lines],
        "beside": [_finding(found) for found in one.beside],
    }


def _line(line: BenchLine) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "line_item_id": line.line_item_id,
        "name": line.name,
        "quantity": line.quantity,
        "waiting": line.waiting,
        "found": [_finding(found) for found in line.found],
    }


def _finding(found: Inspection) -> dict[str, Any]:
    return {
        "id": found.inspection_id,
        "sku": found.sku,
        "line_item_id": found.line_item_id,
        "condition": found.condition,
        "quantity": found.quantity,
        "when": moment_words(found.inspected_at),
        "by": found.inspected_by,
    }
