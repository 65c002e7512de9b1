"""Signing in and out.

Belongs here: the pages and forms of both. Stays out: whether a password is right (``door.keeping``) and whether a form
is our own (``door.gate``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from khaos_swap_assets.door import forms, showing
from khaos_swap_assets.door.gate import SIGN_IN
from khaos_swap_assets.door.keeping import Admission, Doorkeeper
from khaos_swap_assets.door.keys import Cookies, csrf_of, new_key

SIGN_OUT = "/sign-out"
OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")
FAULTS = {
    "wrong": (401, "Name or password is wrong."),
    "no role": (403, "Your account has no role here. Ask whoever keeps the members file."),
    "too often": (429, "Too many attempts. Wait a quarter of an hour, then try again."),
}


def sign_in_routes(keeper: Doorkeeper, cookies: Cookies) -> Sequence[BaseRoute]:
    """The routes of signing in and out; that of one click exists in the demo only."""

    async def ask(request: Request) -> Response:
        if request.state.member is not None:
            return RedirectResponse(own_path(request.query_params.get("next", "")), 303, showing.HEADERS)
        return _sign_in_page(request, keeper, cookies, request.query_params.get("next", ""))

    async def by_password(request: Request) -> Response:
        given = await forms.fields_of(request)
        name, password = given.get("name", ""), given.get("password", "")
        entry = await run_in_threadpool(keeper.by_password, name, password, address_of_sender(request))
        return await admitted(request, keeper, cookies, entry, given.get("next", ""))

    async def by_one_click(request: Request) -> Response:
        given = await forms.fields_of(request)
        entry = await run_in_threadpool(keeper.by_one_click, given.get("name", ""), address_of_sender(request))
        return await admitted(request, keeper, cookies, entry, given.get("next", ""))

    one_click = [Route(f"{SIGN_IN}/demo", by_one_click, methods=["POST"])] if keeper.is_demo else []
    return [
        Route(SIGN_IN, ask, methods=["GET"]),
        Route(SIGN_IN, by_password, methods=["POST"]),
        *one_click,
        *_sign_out_routes(keeper, cookies),
    ]


def own_path(text: str) -> str:
    """Where to go after signing in: a path of ours, whatever was asked for."""
    return text if OWN_PATH.fullmatch(text) else "/"


def _sign_out_routes(keeper: Doorkeeper, cookies: Cookies) -> Sequence[BaseRoute]:
    async def here(request: Request) -> Response:
        await run_in_threadpool(keeper.leave, cookies.read(request, cookies.session))
        return _left(cookies)

    async def everywhere(request: Request) -> Response:
        await run_in_threadpool(keeper.leave_everywhere, request.state.member)
        return _left(cookies)

    return [
        Route(SIGN_OUT, here, methods=["POST"]),
        Route(f"{SIGN_OUT}/everywhere", everywhere, methods=["POST"]),
    ]


def _left(cookies: Cookies) -> Response:
    answer = RedirectResponse(SIGN_IN, 303, {**showing.HEADERS, "Clear-Site-Data": '"cache", "storage"'})
    cookies.take_back(answer, cookies.session)
    return answer


async def admitted(request: Request, keeper: Doorkeeper, cookies: Cookies, entry: Admission, wanted: str) -> Response:
    """On to the page that was ``wanted``, or back to the sign-in page with what is wrong.

    Whoever is in gets a new key: one that was known before signing in opens nothing.
    """
    if entry.denied is not None:
        status, fault = FAULTS[entry.denied]
        return _sign_in_page(request, keeper, cookies, wanted, fault, status)
    await run_in_threadpool(keeper.leave, cookies.read(request, cookies.session))
    answer = RedirectResponse(own_path(wanted), 303, showing.HEADERS)
    cookies.hand_out(answer, cookies.session, entry.key)
    cookies.take_back(answer, cookies.visit)
    return answer


def _sign_in_page(
    request: Request, keeper: Doorkeeper, cookies: Cookies, wanted: str, fault: str = "", status: int = 200
) -> Response:
    visit = cookies.read(request, cookies.visit) or new_key()
    demo = [row for row in keeper.roster.members.values() if keeper.is_demo]
    values = {"title": "Sign in", "fault": fault, "csrf": csrf_of(visit), "next": own_path(wanted), "demo": demo}
    values["accounts"] = keeper.providers
    answer = showing.page("sign_in", status, **values)
    cookies.hand_out(answer, cookies.visit, visit)
    return answer


def address_of_sender(request: Request) -> str:
    """From where a request comes, for the log and the count of attempts."""
    return request.client.host if request.client else "nowhere"
