"""Before every handler: who is it, and did one of our own pages send this.

Belongs here: a plain ASGI middleware, so that a WebSocket is held to the same rules. It sets ``state["member"]`` and
``state["csrf"]`` for handlers. Stays out: hosts and origins, which the guard in front has looked at (``ui.guard``), and
what a member may do on a page, which the page asks (``desk.members``).
"""

from __future__ import annotations

import logging
from urllib.parse import quote

import psycopg
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.door import forms, lines, showing
from khaos_swap_assets.door.keeping import Doorkeeper
from khaos_swap_assets.door.keys import Cookies, csrf_of, is_csrf
from khaos_swap_assets.ui.guard import LONGEST_PATH, Refusal, refuse

LOG = logging.getLogger("khaos_swap.door")
ALIVE, SIGN_IN, DAGSTER = "/server_info", "/sign-in", "/dagster"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD, HEADER = "csrf", "x-csrf-token"
OLD_PAGE = "This page is too old, or another site sent you here. Go back, load it again and repeat what you did."
OUTAGE = "The database cannot be used at the moment. Nothing was changed."


class Gate:
    """Lets members through to ``app``, and strangers to the sign-in page only."""

    def __init__(self, app: ASGIApp, keeper: Doorkeeper, cookies: Cookies) -> None:
        self._app, self._keeper, self._cookies = app, keeper, cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse and log, or hand on."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] == ALIVE):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        key = self._cookies.read(connection, self._cookies.session)
        try:
            member = await run_in_threadpool(self._keeper.who, key)
        except (psycopg.Error, KhaosSwapError) as error:
            LOG.error("%s", error if isinstance(error, KhaosSwapError) else type(error).__name__)
            await _answer(_outage(scope), scope, receive, send)
            return
        key = key if member else self._cookies.read(connection, self._cookies.visit)
        scope["state"] = {**scope.get("state", {}), "member": member, "csrf": csrf_of(key) if key else ""}
        if member is None and not _is_public(scope["path"]):
            await self._send_away(scope, receive, send)
        elif scope["type"] == "websocket":
            await lines.keep(self._app, self._keeper, key, scope, receive, send)
        else:
            await self._hand_on(key, scope, receive, send)

    async def _hand_on(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        if not given and forms.is_form(scope):
            try:
                body = await forms.whole_body(receive)
            except forms.TooMuchError:
                await self._refuse(Refusal(413, "The form is longer than a megabyte."), scope, receive, send)
                return
            given, receive = forms.fields(body).get(FIELD, ""), forms.again(body, receive)
        if is_csrf(key, given) or _is_of_dagsters_page(scope):
            await self._app(scope, receive, send)
        else:
            await self._refuse(Refusal(403, OLD_PAGE), scope, receive, send)

    async def _send_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A person is shown the sign-in page and comes back; a program is told."""
        if scope["type"] == "http" and scope["method"] == "GET" and "text/html" in _accepted(scope):
            answer = RedirectResponse(f"{SIGN_IN}?next={quote(_wanted(scope), safe='')}", 303, showing.HEADERS)
            await answer(scope, receive, send)
        else:
            await self._refuse(Refusal(401, f"Sign in first: open {SIGN_IN} in a browser."), scope, receive, send)

    async def _refuse(self, found: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        member: Member | None = scope["state"]["member"]
        path, method = ascii(scope["path"][:LONGEST_PATH]), ascii(scope.get("method", "WebSocket")[:10])
        LOG.warning("refused %s %s of %s: %s", method, path, member.name if member else "a stranger", found.reason)
        if scope["type"] == "http" and "text/html" in _accepted(scope):
            await _answer(
                showing.message(found.status, "This was not done", found.reason, scope["path"]), scope, receive, send
            )
        else:
            await refuse(found, scope, receive, send)


def _is_public(path: str) -> bool:
    return path == SIGN_IN or path.startswith(f"{SIGN_IN}/") or path == showing.STYLE


def _is_of_dagsters_page(scope: Scope) -> bool:
    """Dagster's page knows no token. Its queries are JSON, which no foreign form can send, of our own origin.

    The guard has compared the origin that is named; here one must be named.
    """
    headers = Headers(scope=scope)
    is_own = headers.get("sec-fetch-site") == "same-origin" or "origin" in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return scope["path"] == f"{DAGSTER}/graphql" and kind == "application/json" and is_own


def _wanted(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return quote(scope["path"], safe="/") + (f"?{query}" if query else "")


def _accepted(scope: Scope) -> str:
    return Headers(scope=scope).get("accept", "")


def _outage(scope: Scope) -> Response:
    if scope["type"] == "http" and "text/html" in _accepted(scope):
        return showing.message(503, "Not now", OUTAGE, scope["path"])
    return PlainTextResponse(f"{OUTAGE} {showing.ADVICE[503]}\n", 503)


async def _answer(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await answer(scope, receive, send)
    else:
        await refuse(Refusal(answer.status_code, "not now"), scope, receive, send)
