"""The returns of a JSON text, each with its line: an object a line, an array, or the API's own envelope.

Belongs here: finding each object and its line, whatever is broken. Stays out: what its fields mean (``returns_file``).
Where the JSON is broken, each physical line from there on is a rejected record.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from khaos_swap_assets.adapters.files.records import UnreadableError

ENVELOPES = ("returns", "orders", "return")
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=str)
_OPENED = re.compile(r'"(?:returns|orders)"\s*:\s*\[')


class Element(NamedTuple):
    """One object: its line (from 1), the part of the text read so far, or what broke it.

    ``at`` is its place in the text, -1 where it has none of its own.
    """

    line: int
    value: Any
    share: float
    broken: str = ""
    at: int = -1


def element_at(text: str, at: int) -> Any:
    """The object that stands at a place of a text."""
    return _decoded(text, at)[0]


def elements(text: str) -> Iterator[Element]:
    """All objects of a text. Raises ``UnreadableError`` for an empty one."""
    start = _skip(text, 0)
    if start == len(text):
        raise UnreadableError("is empty: returns as JSON are expected")
    lines = _Lines(text)
    if text[start] == "[":
        return _array(lines, start + 1, is_all=True)
    whole, end = _decoded(text, start)
    if end < 0:
        opened = _OPENED.search(text, start)
        is_one_a_line = _decoded(text[start:].partition("\n")[0], 0)[1] >= 0
        return _array(lines, opened.end(), is_all=False) if opened and not is_one_a_line else _by_line(lines)
    return _whole(lines, start, whole) if _skip(text, end) == len(text) else _by_line(lines)


def _whole(lines: _Lines, start: int, value: Any) -> Iterator[Element]:
    """The returns of a text that is one object; each with its own line where it can be found."""
    plain = list(_expanded(Element(lines.at(start), value, 1.0)))
    opened = _OPENED.search(lines.text, start)
    placed = list(_array(lines, opened.end(), is_all=False)) if opened else []
    is_same = [one.value for one in plain] == [one.value for one in placed]
    return iter(placed if is_same else plain)


def _array(lines: _Lines, position: int, *, is_all: bool) -> Iterator[Element]:
    """Elements from ``position`` to the closing bracket; with ``is_all`` nothing may follow it."""
    text = lines.text
    at = first = _skip(text, position)
    while text[at : at + 1] != "]":
        if at > first:
            if text[at : at + 1] != ",":
                yield from lines.rejected(at, "JSON is broken: a comma or the end of the list is expected")
                return
            at = _skip(text, at + 1)
        value, end = _decoded(text, at)
        if end < 0:
            yield from lines.rejected(at, f"JSON is broken: {value}")
            return
        yield Element(lines.at(at), value, end / len(text), at=at)
        at = _skip(text, end)
    if is_all and _skip(text, at + 1) < len(text):
        yield from lines.rejected(_skip(text, at + 1), "JSON is broken: text follows the end of the list")


def _by_line(lines: _Lines) -> Iterator[Element]:
    """One object a line, or one page of the API a line."""
    for number, (place, following) in enumerate(pairwise([*lines.starts, len(lines.text) + 1]), start=1):
        line = lines.text[place : following - 1]
        start = _skip(line, 0)
        if start == len(line):
            continue
        value, end = _decoded(line, start)
        share = min(following / len(lines.text), 1.0)
        if end >= 0 and _skip(line, end) < len(line):
            value, end = "text follows the object", -1
        if end < 0:
            yield Element(number, None, share, f"JSON is broken: {value}")
        else:
            yield from _expanded(Element(number, value, share, at=place + start))


def _expanded(element: Element) -> Iterator[Element]:
    """The returns of an envelope, or the element itself."""
    value = element.value
    if not isinstance(value, dict) or "return_id" in value:
        return iter([element])
    inside = next((value[name] for name in ENVELOPES if isinstance(value.get(name), list | dict)), value)
    return (Element(element.line, one, element.share) for one in (inside if isinstance(inside, list) else [inside]))


def _decoded(text: str, start: int) -> tuple[Any, int]:
    """The JSON value at ``start`` and where it ends; else the reason and -1."""
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return error.msg, -1
    except RecursionError:
        return "nested too deep", -1
    except ValueError:
        return "a number is too long", -1


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


class _Lines:
    """Line numbers of positions in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def at(self, position: int) -> int:
        """The line of a position, from 1."""
        return bisect_right(self.starts, position)

    def rejected(self, position: int, reason: str) -> Iterator[Element]:
        """Every line that says anything from a position on, as a broken record."""
        first = self.at(position)
        rest = self.text[self.starts[first - 1] :].split("\n")
        said = [number for number, line in enumerate(rest, start=first) if _skip(line, 0) < len(line)] or [first]
        return (Element(number, None, 1.0, reason) for number in said)
