"""Things put together by a key, and numbers added up by one.

Belongs here: both, whatever the things are. Stays out: what a group or a sum means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def added(pairs: Iterable[tuple[Key, int]]) -> Counter[Key]:
    """The numbers of each key added up, in the order of the keys."""
    found: Counter[Key] = Counter()
    for key, number in pairs:
        found[key] += number
    return found


def grouped(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    """The values of each key, both in their order."""
    found: dict[Key, list[Value]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
