"""The routes of the desk, for whoever serves them behind a sign-in.

Belongs here: which address shows what, and turning what was refused or failed into a page. Stays out: who is signed in
(``request.state.member``) and the check of ``csrf``, which are done before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.desk import (
    bench_page,
    case_acts,
    case_page,
    coming_page,
    custody_page,
    feed_page,
    lists,
    queue_acts,
    record,
    return_page,
)
from khaos_swap_assets.desk.forms import sent_in
from khaos_swap_assets.desk.pages import RefusedError, refused
from khaos_swap_assets.desk.reach import DeskReach
from khaos_swap_assets.door.forms import TooMuchError, whole_body

Handler = Callable[[DeskReach, Request], Response]
STYLE = Path(__file__).with_name("desk.css")
AGAIN = "Nothing was changed. Try again in a moment; if it stays, tell whoever runs the installation."


def desk_routes(reach: DeskReach) -> list[Route]:
    """All routes; handlers run in threads, each with a connection of its own."""
    hands: tuple[tuple[str, Handler], ...] = (
        ("/acts/{act}", queue_acts.act),
        ("/exceptions/{number:int}/{act}", case_acts.act),
        ("/feed/{act}", feed_page.act),
        ("/decisions/{number:int}/grant", record.grant),
        ("/decisions/{number:int}/take-back", record.back),
    )
    pages: tuple[tuple[str, Handler], ...] = (
        ("/", lists.start),
        ("/queues/{owner}", lists.queue),
        ("/search", lists.search),
        ("/exceptions/{number:int}", case_page.show),
        ("/returns/{name:path}", return_page.show),
        ("/waiting", record.waiting),
        ("/feed", feed_page.show),
        ("/custody", custody_page.show),
        ("/coming", coming_page.show),
        ("/bench", bench_page.show),
        ("/bench/returns", bench_page.returns),
        ("/feed/{act}", feed_page.ask),
        ("/exceptions/{number:int}/{act}", case_acts.ask),
        ("/acts/{act}", queue_acts.ask),
        ("/decisions/{number:int}/grant", record.ask_grant),
        ("/decisions/{number:int}/take-back", record.ask_back),
    )
    return [
        Route("/desk.css", style, methods=["GET"]),
        Route("/bench.js", bench_page.script, methods=["GET"]),
        Route("/bench/inspections", partial(said, bench_page.keep, reach), methods=["POST"]),
        *(Route(path, partial(answered, handler, reach), methods=["GET"]) for path, handler in pages),
        *(Route(path, partial(posted, handler, reach), methods=["POST"]) for path, handler in hands),
    ]


def answered(handler: Handler, reach: DeskReach, request: Request) -> Response:
    """What a handler answers; what it refuses or cannot do is a page that says so."""
    request.state.merchant = reach.settings.merchant
    try:
        return handler(reach, request)
    except RefusedError as why:
        return refused(request, why)
    except KhaosSwapError as error:
        return refused(request, RefusedError(503, str(error), AGAIN))


async def posted(handler: Handler, reach: DeskReach, request: Request) -> Response:
    """What a handler answers to a form, whose body whoever stands before has bounded."""
    try:
        request.state.sent = sent_in(await request.body())
    except RefusedError as why:
        return refused(request, why)
    return await run_in_threadpool(answered, handler, reach, request)


async def said(handler: Handler, reach: DeskReach, request: Request) -> Response:
    """What a handler answers to JSON, whose body is bounded here."""
    try:
        request.state.body = await whole_body(request.receive)
    except TooMuchError:
        return refused(request, RefusedError(413, "That is longer than a megabyte.", AGAIN))
    return await run_in_threadpool(answered, handler, reach, request)


def style(_: Request) -> Response:
    """How the pages look."""
    headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
    return PlainTextResponse(STYLE.read_text(encoding="utf-8"), media_type="text/css", headers=headers)
