"""Who may ask Dagster's UI for what: its own pages and this machine's programs, never a page of somebody else.

Belongs here: a plain ASGI middleware, so that a WebSocket is held to the same rules. Stays out: Dagster
(``webserver``), and who somebody is (``door``): without a door the UI has no sign-in, and it binds to loopback only.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose

from khaos_swap_assets.adapters.settings import LOOPBACK

LOG = logging.getLogger("khaos_swap.ui")
OWN_SITES = frozenset({"same-origin", "none"})
NO_FRAME = (b"x-frame-options", b"SAMEORIGIN")
LONGEST_PATH = 100
SETTING = "KHAOS_SWAP_WEBSERVER_PUBLIC_URL"


@dataclass(frozen=True)
class Refusal:
    """Why a request goes no further: an HTTP status and one line that says what to do."""

    status: int
    reason: str


class Guard:
    """Lets through to ``app`` what ``refusal`` has nothing against; ``public_url`` is that of a proxy before it.

    ``prefix`` is the path below which Dagster's UI lies; empty where it is all there is.
    """

    def __init__(self, app: ASGIApp, public_url: str = "", prefix: str = "") -> None:
        self._app = app
        self._public_url, self._prefix = public_url, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse and log, or hand on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif found := refusal(scope, self._public_url, self._prefix):
            path = ascii(scope["path"][:LONGEST_PATH])
            LOG.warning("refused %s %s: %s", scope.get("method", "WebSocket"), path, found.reason)
            await refuse(found, scope, receive, send)
        else:
            await self._app(scope, receive, _unframed(send))


def refusal(scope: Scope, public_url: str = "", prefix: str = "") -> Refusal | None:
    """What is wrong with a request or a WebSocket, None where nothing is."""
    headers = Headers(scope=scope)
    path = scope["path"].removeprefix(prefix)
    return (
        _of_host(headers, public_url) or _of_origin(scope, path, headers, public_url) or _of_act(scope, path, headers)
    )


def _of_host(headers: Headers, public_url: str) -> Refusal | None:
    """A name that is not ours was pointed at this machine: a page of that name would count as our own."""
    hosts = headers.getlist("host")
    if len(hosts) == 1 and (_hostname(f"//{hosts[0]}") in LOOPBACK or _is_public(f"//{hosts[0]}", public_url)):
        return None
    return Refusal(403, f"the UI is not known by this host: use http://127.0.0.1 with its port, or set {SETTING}")


def _of_origin(scope: Scope, path: str, headers: Headers, public_url: str) -> Refusal | None:
    host = headers["host"].lower()
    own = {f"http://{host}", _origin(public_url)}
    sites = set(headers.getlist("sec-fetch-site"))
    is_own = own.issuperset(origin.lower() for origin in headers.getlist("origin")) and OWN_SITES.issuperset(sites)
    if is_own or _is_visit(scope, path, headers):
        return None
    return Refusal(403, "a page of another origin may ask the UI for nothing: open the UI itself")


def _is_visit(scope: Scope, path: str, headers: Headers) -> bool:
    """Somebody follows a link to a page: it is shown, and the page that had the link sees nothing of it."""
    is_page = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return is_page and scope.get("method") == "GET" and "origin" not in headers and path != "/graphql"


def _of_act(scope: Scope, path: str, headers: Headers) -> Refusal | None:
    if path.startswith("/report_asset_"):
        return Refusal(403, "results are written by runs only: start one")
    if path != "/graphql" or scope["type"] == "websocket":
        return None
    if scope["method"] == "POST":
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        return None if kind == "application/json" else Refusal(415, "send the query as a body of type application/json")
    is_playground = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
    return None if is_playground else Refusal(405, "nothing is executed by this method: send the query by POST")


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_public(url: str, public_url: str) -> bool:
    return bool(public_url) and _hostname(url) == _hostname(public_url)


def _origin(url: str) -> str | None:
    parts = urlsplit(url.strip())
    return f"{parts.scheme}://{parts.netloc}".lower() if url.strip() else None


def _unframed(send: Send) -> Send:
    """Say with each answer that no other page may frame it, so that no click in the UI is another's."""

    async def sent(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), NO_FRAME]  # type: ignore[misc]
        await send(message)

    return sent  # type: ignore[return-value]


async def refuse(found: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request or a WebSocket with a refusal, in one line of text."""
    answer = PlainTextResponse(f"{found.reason}\n", found.status)
    if scope["type"] == "http":
        await answer(scope, receive, send)
    elif "websocket.http.response" in scope.get("extensions", {}):
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await WebSocketClose(reason=found.reason)(scope, receive, send)
