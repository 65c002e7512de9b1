"""A stretch of records in which nothing is odd, read column by column: the same values, several times as fast.

Belongs here: telling that a stretch is plain. Stays out: whatever needs a closer look (``rows``), and single values.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import Any

from khaos_swap_assets.adapters.files import cells
from khaos_swap_assets.adapters.files.recognising import Chosen
from khaos_swap_assets.adapters.files.records import Record
from khaos_swap_assets.adapters.files.tables import CURRENCY, HOME_CURRENCY, Column
from khaos_swap_assets.adapters.texts import LONGEST_KEY

Columns = Sequence[Sequence[str]]
Parse = Callable[[Column, str, str], Any]
MOST_KNOWN = 100_000
"""So many different cells of a column are remembered; references that stand once each would fill the memory."""
CODES = frozenset({cells.code, cells.key})
_CODES = re.compile(rf"[!-*,-~]{{0,{LONGEST_KEY}}}(?:\n[!-*,-~]{{0,{LONGEST_KEY}}})*")
TOTAL = "totals?|sum"
"""The words of a line of totals."""
_TOTALS = re.compile(TOTAL, re.IGNORECASE)


class PlainRows:
    """Knows which cells of each place are plain: a value of its column, no heading and no word of a total.

    ``parse`` raises ``ValueError`` for a cell that is none, and ``is_total`` tells a word such as Total.
    """

    def __init__(
        self, columns: Sequence[Column], chosen: Chosen, parse: Parse, is_total: Callable[[str], object]
    ) -> None:
        self._places = places = chosen.headed.places
        self._columns, self._parse, self._is_total = columns, parse, is_total
        self._header = [cell.strip() for cell in chosen.header.cells]
        self._known: defaultdict[Hashable, dict[Any, Any]] = defaultdict(dict)
        self._needed = {places.get(one.name) for one in columns if one.is_required or one.name == CURRENCY}
        self._others = sorted(set(range(len(self._header))) - {places.get(one.name) for one in columns})

    def values_of(self, records: Sequence[Record]) -> list[tuple[Any, ...]] | None:
        """Line and values of each record, in the order of the columns; None where one of them needs a closer look.

        Plain is a record with all of its cells, where those that must be there are, and none that could make it a
        line of totals, a heading, a line that continues another, or money in a currency that only its sign shows.
        """
        if any(one.broken or len(one.cells) != len(self._header) for one in records):
            return None
        read = self._read_all(list(zip(*(one.cells for one in records), strict=True)), sys.intern)
        return None if read is None else list(zip((one.line for one in records), *read, strict=False))

    def coded(self, columns: Columns) -> list[tuple[int | None, Iterable[Any]]] | None:
        """The place of each column and the values of its cells, each of which is given once; None as for records.

        None too where they are of several currencies: which cell is in which cannot be told then.
        """
        place = self._places.get(CURRENCY)
        if place is not None and len(columns[place]) > 1:
            return None
        if (read := self._read_all(columns, str)) is None:
            return None
        places = [self._places.get(one.name) for one in self._columns]
        found = zip(places, self._columns, read, strict=True)
        return [(at, [one.empty] if at is None and one.name != CURRENCY else some) for at, one, some in found]

    def _read_all(self, columns: Columns, kept: Callable[[str], str]) -> list[Iterable[Any]] | None:
        try:
            for place in self._others:
                if _TOTALS.search("\n".join(columns[place])):
                    self._read(place, columns[place], self._plain)
            return list(self._values(columns, kept))
        except ValueError:
            return None

    def _values(self, columns: Columns, kept: Callable[[str], str]) -> Iterator[Iterable[Any]]:
        currencies = self._currencies(columns)
        for column in self._columns:
            place = self._places.get(column.name)
            if column.name == CURRENCY:
                yield currencies
            elif place is None:
                yield repeat(column.empty)
            elif column.parse in CODES and self._are_codes(place, columns[place]):
                yield map(kept, columns[place])
            elif column.parse:
                yield self._read(place, columns[place], partial(self._value, column, place))
            else:
                yield self._amounts(column, place, columns[place], currencies)

    def _currencies(self, columns: Columns) -> Sequence[str]:
        place = self._places.get(CURRENCY)
        column = next((one for one in self._columns if one.name == CURRENCY), None)
        if place is None or column is None:
            return [HOME_CURRENCY] * len(columns[0])
        return self._read(place, columns[place], partial(self._value, column, place))

    def _are_codes(self, place: int, texts: Sequence[str]) -> bool:
        """Whether all of them are codes that are read as they stand, seen at one look."""
        whole = "\n".join(texts)
        if whole.count("\n") >= len(texts) or (place in self._needed and ("" in texts or self._header[place] in texts)):
            return False
        return bool(_CODES.fullmatch(whole)) and not _TOTALS.search(whole)

    def _amounts(self, column: Column, place: int, texts: Sequence[str], currencies: Sequence[str]) -> list[Any]:
        first = currencies[0]
        if len(set(currencies)) == 1:
            return self._read((place, first), texts, lambda text: self._money(column, (text, first)))
        return self._read(place, list(zip(texts, currencies, strict=True)), partial(self._money, column))

    def _read(self, place: Hashable, keys: Sequence[Any], read: Callable[[Any], Any]) -> list[Any]:
        """The value of each cell; equal cells are read once, until too many different ones are remembered."""
        known = self._known[place]
        if len(known) > MOST_KNOWN:
            known.clear()
        known |= {key: read(key) for key in set(keys) if key not in known}
        return list(map(known.__getitem__, keys))

    def _plain(self, text: str) -> str:
        if self._is_total(text.strip()):
            raise ValueError("may be a line of totals")
        return text

    def _value(self, column: Column, place: int, text: str) -> Any:
        plain = self._plain(text)
        if place in self._needed and plain.strip() in ("", self._header[place]):
            raise ValueError("may be a line of headings, or lacks what another line says")
        return self._parse(column, plain, "")

    def _money(self, column: Column, key: tuple[str, str]) -> Any:
        text, currency = key
        if CURRENCY not in self._places and not text.isascii():
            raise ValueError("may be in another currency, as its sign shows")
        if column.is_required and not text.strip():
            raise ValueError("is empty")
        return self._parse(column, self._plain(text), currency)
