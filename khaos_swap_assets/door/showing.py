"""The door's own pages as HTML, and the headers that all pages of ours carry.

Belongs here: templates and headers. Stays out: who sees what (``door.gate``, ``door.signing_in``). Every text is
escaped; nothing is loaded from elsewhere, and no page needs a script.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

FOLDER = Path(__file__).parent / "pages"
STYLE, LONGEST_PATH = "/door.css", 200
ADVICE: Mapping[int, str] = {
    401: "Begin at the start and sign in.",
    403: "Go back and load the page again; where a role is missing, ask whoever keeps the list of members.",
    404: "Check the address, or begin at the start.",
    405: "Begin at the start and use the links and buttons of the pages.",
    413: "Go back and send less. Nothing was changed.",
    429: "Wait a quarter of an hour, then try again.",
    500: "Look whether it was done before you try again. If it stays, tell whoever runs the installation; its log says "
    "why.",
    503: "Wait a minute and load the page again. If it stays, tell whoever runs the installation.",
}
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""``Referrer-Policy`` names our own pages to ourselves: without it a browser hides the origin of a form, and the guard
refuses it."""


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of the folder ``pages``."""
    return HTMLResponse(_templates().get_template(f"{name}.html").render(values), status, HEADERS)


def message(status: int, title: str, what: str, path: str = "") -> HTMLResponse:
    """A page that says what is the matter, where (the path that was asked for), and what to do."""
    return page("message", status, title=title, what=what, path=path[:LONGEST_PATH], todo=ADVICE.get(status, ""))


async def style(_: Request) -> Response:
    """The style of these pages."""
    return Response((FOLDER / "door.css").read_bytes(), 200, {**HEADERS, "Cache-Control": "max-age=3600"}, "text/css")


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
