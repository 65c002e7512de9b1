"""What a form of ours sends: its body, whole and bounded, and its fields.

Belongs here: reading a body before a handler does, and handing it on. Stays out: what the fields mean.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

MOST_BYTES = 1_000_000
MOST_FIELDS = 20_000
FORM = "application/x-www-form-urlencoded"


class TooMuchError(Exception):
    """The body is longer than any form of ours."""


async def whole_body(receive: Receive) -> bytes:
    """The body of a request. Raises ``TooMuchError`` beyond a megabyte, while it comes."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise TooMuchError
        if not message.get("more_body", False):
            return bytes(body)


def again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, for whoever reads it next; then whatever else the browser says."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return first.pop() if first else await receive()

    return received


def is_form(scope: Scope) -> bool:
    """Whether a request says that it is a form."""
    return Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower() == FORM


def fields(body: bytes) -> dict[str, str]:
    """The fields of a form, the last of each name; nothing where it is none. Its values are anybody's."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError:
        return {}
    return dict(pairs)


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a request's form."""
    return fields(await request.body())
