"""What judges a row beside the rows before it: a key that comes twice, a document of which two things are said.

Belongs here: checks that any layout may use. Stays out: which layout uses which (``layouts``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from khaos_swap_assets.adapters.files.tables import Check, Found


def told(value: object) -> str:
    """A value for a person; a whole number is pence."""
    return f"{value} pence" if isinstance(value, int) else str(value)


def no_duplicate(name: str, place: int) -> Callable[[], Check[Any]]:
    """A check that refuses a second row of the same key."""

    def new() -> Check[Any]:
        seen: dict[str, int] = {}

        def check(row: Any) -> Iterator[Found]:
            first = seen.setdefault(row[place], row.line)
            if first != row.line:
                yield name, row[place], f"stands already on line {first}"

        return check

    return new


def alike(group: str, *names: str, money: Mapping[str, str]) -> Check[Any]:
    """A check that what is said of a document is the same on each of its lines.

    Nothing, and no money, is silent. ``money`` gives the columns of those ``names`` that are money.
    """
    said: dict[tuple[str, str], tuple[Any, int]] = {}
    last: dict[str, tuple[Any, ...]] = {}
    of_document = attrgetter(group, *names)

    def check(row: Any) -> Iterable[Found]:
        document, *values = whole = of_document(row)
        if last.get(document) == whole:
            return ()
        apart = [
            (money.get(name, name), told(value), f"differs from line {line} of the same {group}")
            for name, value in zip(names, values, strict=True)
            if value is not None and (value or name not in money)
            for first, line in [said.setdefault((document, name), (value, row.line))]
            if first != value
        ]
        if not apart:
            last[document] = whole
        return apart

    return check
