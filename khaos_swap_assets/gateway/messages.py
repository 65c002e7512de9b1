"""A request body as JSON, or a refusal of the sender's own making.

Belongs here: the size limit and parsing without floats. Stays out: what a body means.
"""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException, Request

from khaos_swap_assets.adapters.swap.raw import cleaned, storable
from khaos_swap_assets.adapters.swap.wire import loads

MAX_BYTES = 1024 * 1024


async def body_of(request: Request) -> bytes:
    """The raw body; 413 as soon as it is longer than 1 MB."""
    if _announced(request) > MAX_BYTES:
        raise HTTPException(413, "longer than 1 MB")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise HTTPException(413, "longer than 1 MB")
    return bytes(body)


def object_of(body: bytes) -> dict[str, Any]:
    """The body as a JSON object that the database can hold: fractions as their exact text. 400 for anything else."""
    try:
        parsed = storable(cleaned(loads(body)))
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is no JSON") from None
    if not isinstance(parsed, dict):
        raise HTTPException(400, "the body is no JSON object")
    return parsed


def _announced(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
