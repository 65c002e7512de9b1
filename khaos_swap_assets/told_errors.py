"""What a refused or failed request is told: what is wrong, where, and what to do.

Belongs here: these words by status, as JSON for a program and as a page for a person who opened an address. Stays out:
what is refused, and the pages behind the sign-in (``door.showing``, ``desk.pages``). Nothing of a fault of ours is told
but that the log has it.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

LONGEST_PATH, SAFE = 200, "/:@!$&'()*+,;=-._~"
BARE = frozenset(status.phrase for status in HTTPStatus)
WHAT: Mapping[int, str] = {
    403: "This may not be done from here",
    404: "There is nothing at this address",
    405: "This address does not take that method",
    422: "A field is missing or cannot be read",
    500: "This could not be done, by a fault of ours",
}
ADVICE: Mapping[int, str] = {
    400: "Correct the request and send it again; nothing of it was kept.",
    401: "Send the user, token or signature that the settings name.",
    403: "Ask from a place that the settings allow.",
    404: "Check the address.",
    405: "Use a method that the address takes; the header Allow names them.",
    408: "Send the whole body at once.",
    409: "Do first what is missing, then send it again.",
    413: "Send less at once.",
    415: "Send the body as plain JSON, not packed.",
    422: "Correct the fields that are named and send it again.",
    429: "Wait as long as Retry-After says, then send it again.",
    431: "Send fewer or shorter headers.",
    500: "Try again once; if it stays, tell whoever runs Khaos Swap: the log says why.",
    503: "Wait as long as Retry-After says, then send it again; if it stays, tell whoever runs Khaos Swap.",
}
SOMETHING = "See the description of this service, or ask whoever runs Khaos Swap."
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}
PAGE = """<!doctype html><html lang="en-GB"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{status} – Khaos Swap</title>
<style>body {{ margin: 2rem auto; max-width: 34rem; padding: 0 1rem; font: 1.05rem/1.5 system-ui, sans-serif }}
code {{ overflow-wrap: anywhere }}</style></head>
<body><h1>{what}</h1><p>Address: <code>{where}</code></p><p>{todo}</p></body></html>"""


def told(status: int, detail: Any, path: str, todo: str = "") -> dict[str, Any]:
    """The body of a refusal; a ``detail`` that is only the name of the status is said in words."""
    is_bare = detail is None or (isinstance(detail, str) and (not detail or detail in BARE))
    what = WHAT.get(status, "The request was refused") if is_bare else detail
    return {
        "detail": what,
        "where": quote(path, SAFE)[:LONGEST_PATH],
        "what_to_do": todo or ADVICE.get(status, SOMETHING),
    }


def serve(app: FastAPI, todo: Mapping[int, str] | None = None) -> None:
    """Answer every refusal and fault of an app so; ``todo`` says by status what to do where that is known better."""
    better = todo or {}

    def answered(request: Request, status: int, detail: Any, headers: Mapping[str, str] | None = None) -> Response:
        body = told(status, detail, request.scope["path"], better.get(status, ""))
        if "text/html" in request.headers.get("accept", ""):
            words = {name: html.escape(str(body[name])) for name in ("where", "what_to_do")}
            what = html.escape("; ".join(detail) if isinstance(detail, list) else str(body["detail"]))
            page = PAGE.format(status=status, what=what, where=words["where"], todo=words["what_to_do"])
            return HTMLResponse(page, status, {**HEADERS, **(headers or {})})
        return JSONResponse(body, status, dict(headers or {}))

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answered(request, error.status_code, error.detail, error.headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answered(request, 422, _faults(error))

    async def broken(request: Request, _: Exception) -> Response:
        return answered(request, 500, None)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, broken)


def _faults(error: RequestValidationError) -> str:
    """Each field that is wrong, by its place and why; nothing of what was sent is repeated."""
    return "; ".join(f"{'.'.join(map(str, one['loc'][1:])) or 'the body'}: {one['msg']}" for one in error.errors())
