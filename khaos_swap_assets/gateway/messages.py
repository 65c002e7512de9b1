"""A request body: its bytes, whole, small enough and in time; then JSON, or a refusal of the sender's own making.

Belongs here: the limits of one body and parsing without floats. Stays out: what a body means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from khaos_swap_assets.adapters.json_text import loads
from khaos_swap_assets.adapters.swap.raw import cleaned, storable

MAX_BYTES = 1024 * 1024
SECONDS = 10.0
UNREADABLE = "unreadable"
CLOSES = {"Connection": "close"}


async def body_of(request: Request) -> bytes:
    """The raw body; 413 as soon as it is longer than 1 MB, 408 when it is not whole after ten seconds."""
    if announced(request) > MAX_BYTES:
        raise HTTPException(413, "longer than 1 MB", CLOSES)
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise HTTPException(413, "longer than 1 MB", CLOSES)
    except TimeoutError:
        raise HTTPException(408, f"the body was not whole after {SECONDS:.0f} s", CLOSES) from None
    except ClientDisconnect:
        raise HTTPException(400, "the sender went away", CLOSES) from None
    return bytes(body)


def object_of(body: bytes, made: Callable[[Any], Any] = storable) -> dict[str, Any]:
    """The body as a JSON object that the database can hold, fractions as their exact text; 400 for anything else."""
    try:
        told = made(cleaned(parsed(body)))
    except RecursionError:
        raise HTTPException(400, "the body is nested too deep") from None
    if not isinstance(told, dict):
        raise HTTPException(400, "the body is no JSON object")
    return told


def whole(body: bytes) -> dict[str, Any]:
    """The body as a JSON object, or its text where it is none: for a known sender who repeats what is refused."""
    try:
        return object_of(body)
    except HTTPException:
        return {UNREADABLE: cleaned(body.decode(errors="replace"))}


def whole_numbers(told: Any) -> Any:
    """The same object with 2.0 as 2, which JSON does not tell apart; other fractions stay Decimal."""
    if not isinstance(told, dict):
        return told
    return {name: int(value) if _is_whole(value) else value for name, value in told.items()}


def _is_whole(value: Any) -> bool:
    return (
        isinstance(value, Decimal) and value.is_finite() and abs(value) < 10**15 and value == value.to_integral_value()
    )


def parsed(body: bytes) -> Any:
    """The body as JSON, fractions as Decimal; 400 for anything else."""
    try:
        return loads(body)
    except ValueError:
        raise HTTPException(400, "the body is no JSON") from None


def announced(request: Request) -> int:
    """The size that the headers announce, 0 where they do not."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
