"""JSON from outside: never a float, and never so big or deep in memory that its text was a trap.

Belongs here: parsing. Stays out: what the values mean, and characters that a database cannot hold (``swap.raw``).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_VALUES = 400_000
MOST_DIGITS = 100
DEEPEST = 50
REPLACEMENT = "\ufffd"
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{\]}]', re.DOTALL)


def loads(text: str | bytes) -> Any:
    """Parse JSON: fractions become ``Decimal``; NaN, Infinity and numbers that no amount needs become text.

    Raises ``ValueError`` for what is no JSON, is nested too deep or holds more values than any honest one.
    """
    try:
        return _parsed(text if isinstance(text, str) else text.decode(json.detect_encoding(text), "surrogatepass"))
    except RecursionError:
        raise ValueError("nested too deep") from None


def tolerant(text: bytes) -> Any:
    """Like ``loads`` for an answer with many records, of which one may be damaged: the others must be read.

    Bytes that are no text, and whatever lies deeper than fifty levels, become U+FFFD, which no key may hold.
    """
    told = text.decode(json.detect_encoding(text), "replace")
    try:
        return _parsed(told)
    except RecursionError:
        return _parsed(_shallow(told))


def _parsed(text: str) -> Any:
    if sum(map(text.count, ",[{")) > MOST_VALUES:
        raise ValueError("more values than any honest text holds")
    return json.loads(text, parse_float=_fraction, parse_int=_whole, parse_constant=str)


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= MOST_DIGITS else digits


def _fraction(digits: str) -> Decimal | str:
    try:
        return Decimal(digits) if len(digits) <= MOST_DIGITS else digits
    except InvalidOperation:
        return digits


def _shallow(text: str) -> str:
    """The text with one character in place of each part that lies too deep."""
    kept: list[str] = []
    depth = start = 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth == DEEPEST + 1:
                kept += [text[start : token.start()], f'"{REPLACEMENT}"']
        elif token[0] in ("]", "}"):
            start = token.end() if depth == DEEPEST + 1 else start
            depth -= 1
    return "".join([*kept, text[start:]] if depth <= DEEPEST else kept)
