"""The rows of a large table kept as columns: a row is made when it is asked for.

Belongs here: columns of which each different value stands once, and groups and documents of their rows. Stays out:
reading them (``plain_columns``) and what they mean (``layouts``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, overload

import numpy as np

from khaos_swap_assets.adapters.files.tables import Row

Places = np.ndarray[Any, np.dtype[np.int32]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
NOWHERE = -1


class Coded(NamedTuple):
    """One column: its different values, and for each row the place of its own among them."""

    values: Sequence[Any]
    places: Places

    @property
    def numbers(self) -> Numbers:
        """The value of each row, nothing as 0."""
        found: Numbers = np.array([value or 0 for value in self.values], np.int64)[self.places]
        return found

    def flags(self, is_so: Callable[[Any], object]) -> Flags:
        """Whether something is so of the value of each row."""
        return np.array([bool(is_so(value)) for value in self.values], np.bool_)[self.places]


class Columns(Sequence[Row], Generic[Row]):
    """Rows in the order of their file; ``make`` takes the line and the values of one, ``columns`` are by its fields."""

    def __init__(self, make: Callable[[Iterable[Any]], Row], lines: range, columns: Mapping[str, Coded]) -> None:
        self._make, self._lines, self.columns = make, lines, columns

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...

    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        found = self.at(np.atleast_1d(np.arange(len(self))[at]))
        return found if isinstance(at, slice) else found[0]

    def __iter__(self) -> Iterator[Row]:
        columns = (map(values.__getitem__, places.tolist()) for values, places in self.columns.values())
        return map(self._make, zip(self._lines, *columns, strict=True))

    def at(self, rows: Numbers) -> list[Row]:
        """The rows of these places."""
        columns = (map(values.__getitem__, places[rows].tolist()) for values, places in self.columns.values())
        lines = map(self._lines.__getitem__, rows.tolist())
        return list(map(self._make, zip(lines, *columns, strict=True)))

    def first(self, group: str, name: str) -> list[Any]:
        """For each value of a group the first that its rows say in another column, None where they say nothing."""
        values, found = self.columns[name].values, self._first(group, name, (None,))
        return [None if place == NOWHERE else values[place] for place in found.tolist()]

    def agree(self, group: str, name: str, *, silent: Collection[Any] = ()) -> bool:
        """Whether the rows of each group say one thing in a column; ``silent`` values say nothing."""
        places = self.columns[name].places
        first = self._first(group, name, silent)[self.columns[group].places]
        return bool(((places == first) | ~self._says(name, silent)).all())

    def _first(self, group: str, name: str, silent: Collection[Any]) -> Numbers:
        """For each value of a group the place of what its first row says in another column that says anything."""
        groups, places, says = self.columns[group], self.columns[name].places, self._says(name, silent)
        found = np.full(len(groups.values), NOWHERE, np.int64)
        found[groups.places[says][::-1]] = places[says][::-1]
        return found

    def _says(self, name: str, silent: Collection[Any]) -> Flags:
        return self.columns[name].flags(lambda value: value not in silent)


def pairs_of(rows: Sequence[Any], one: str, other: str) -> set[tuple[Any, Any]]:
    """The different pairs of values of two columns, whichever way the rows are kept."""
    if not isinstance(rows, Columns):
        return {(getattr(row, one), getattr(row, other)) for row in rows}
    (ones, at), (others, beside) = rows.columns[one], rows.columns[other]
    found = np.unique(at.astype(np.int64) * len(others) + beside).tolist()
    return {(ones[pair // len(others)], others[pair % len(others)]) for pair in found}


def values_of(rows: Sequence[Any], name: str) -> Iterable[Any]:
    """The values of a column, whichever way the rows are kept; one may come once or several times."""
    return rows.columns[name].values if isinstance(rows, Columns) else (getattr(row, name) for row in rows)


class Grouped(Mapping[str, Sequence[Row]], Generic[Row]):
    """The rows of a column by its value, in the order of the file; made when they are asked for, and kept then."""

    def __init__(self, rows: Columns[Row], name: str) -> None:
        self._rows, (self._values, self._places) = rows, rows.columns[name]
        self._at = {value: place for place, value in enumerate(self._values)}
        self._made: dict[str, Sequence[Row]] = {}

    @cached_property
    def _order(self) -> tuple[Numbers, Numbers]:
        """The rows sorted by their group, and where each group begins and ends."""
        return np.argsort(self._places, kind="stable"), np.cumsum([0, *np.bincount(self._places)])

    def __getitem__(self, value: str) -> Sequence[Row]:
        if value not in self._made:
            order, ends = self._order
            at = self._at[value]
            self._made[value] = self._rows.at(order[ends[at] : ends[at + 1]])
        return self._made[value]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __contains__(self, value: object) -> bool:
        return value in self._at

    def __len__(self) -> int:
        return len(self._values)


class Documents:
    """Rows by the document that a column names: what all rows of one say alike."""

    def __init__(self, rows: Columns[Any], group: str) -> None:
        self.rows, (self.names, self.of_row) = rows, rows.columns[group]
        self.count, self.place = len(self.names), {name: place for place, name in enumerate(self.names)}
        self._first = np.zeros(self.count, np.int64)
        self._first[self.of_row[::-1]] = np.arange(len(rows))[::-1]

    def told(self, name: str, number_of: Callable[[Any], int]) -> Numbers:
        """A number for the value of each document in a column; ``NOWHERE`` where its rows differ."""
        values, places = self.rows.columns[name]
        found = np.fromiter(map(number_of, values), np.int64)[places[self._first]]
        found[self.of_row[places != places[self._first][self.of_row]]] = NOWHERE
        return found

    def sums(self, numbers: Numbers) -> Numbers:
        """The sum of a number over the rows of each document."""
        found = np.zeros(self.count, np.int64)
        np.add.at(found, self.of_row, numbers)
        return found

    def most(self, name: str) -> Numbers:
        """The largest number of a column on the rows of each document, which repeat it; 0 where none says any."""
        found = np.zeros(self.count, np.int64)
        np.maximum.at(found, self.of_row, self.rows.columns[name].numbers)
        return found

    def any(self, flags: Flags) -> Flags:
        """Documents of which any row has the flag."""
        return np.bincount(self.of_row[flags], minlength=self.count) > 0
