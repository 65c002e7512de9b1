"""From a record to a row of values: cells in the form of their file, and the records that are none.

Belongs here: blank rows, repeated headings, totals, and lines that continue a document. Stays out: single values
(``cell_values``), what the forms are (``forms``) and which columns there are (``layouts``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Generic

from khaos_swap_assets.adapters.files import cells, forms
from khaos_swap_assets.adapters.files.cell_values import Forms, UndetectedError, plain_amount, value_of, without_value
from khaos_swap_assets.adapters.files.containers import TEXT, WORKBOOK
from khaos_swap_assets.adapters.files.plain_columns import plain_columns
from khaos_swap_assets.adapters.files.plain_rows import TOTAL, PlainRows
from khaos_swap_assets.adapters.files.recognising import Chosen
from khaos_swap_assets.adapters.files.records import Record
from khaos_swap_assets.adapters.files.tables import CURRENCY, HOME_CURRENCY, Column, Found, Layout, Row, Table
from khaos_swap_assets.domain.money.amounts import format_money

BLANK, HEADINGS, TOTALS = "blank", "headings again", "totals"
WORDS, TITLES = "words alone", "above the headings"

_TOTAL = re.compile(rf"((grand|sub|report|column|page)[ -]?)?({TOTAL})\b[\s:.\d,]*([A-Z]{{3}})?", re.IGNORECASE)
_NUMERIC = re.compile(r"[-(]?[£€$]?\s*-?[\d.,\s]+\)?%?")


class RowReader(Generic[Row]):
    """Turns records into rows of one layout; equal cells are read once."""

    def __init__(self, layout: Layout[Row], chosen: Chosen, file_forms: Forms) -> None:
        places = chosen.headed.places
        self._layout, self._chosen, self._forms, self._width = layout, chosen, file_forms, chosen.width
        self.kept: list[Row] = []
        self._header = [cell.strip() for cell in chosen.header.cells]
        self._plan = [(column, places.get(column.name), dict[Any, Any]()) for column in layout.columns]
        self._currency, self._group = places.get(CURRENCY), places.get(layout.group)
        self._code = places.get("stock_code") if layout.group else None
        here = [one for one in layout.columns if one.name in places]
        self._money = [(one.name, places[one.name]) for one in here if one.parse is None]
        self._summed = [(one.name, at) for at, one in enumerate(layout.columns, start=1) if one.parse is None]
        self._headed = [places[one.name] for one in here if one.is_header]
        self._currencies: dict[str, str] = {}
        self._sums: defaultdict[str, int] = defaultdict(int)
        self._may_continue = chosen.source.form in (TEXT, WORKBOOK)
        self._check = layout.new_check()
        self._before: Sequence[str] = ()
        self._plain = PlainRows(layout.columns, chosen, self._value, _TOTAL.fullmatch)

    def _value(self, column: Column, text: str, currency: str) -> Any:
        return value_of(column, text, currency, self._forms)

    def whole(self) -> Sequence[Row] | None:
        """All rows of a large text in which nothing is odd, as columns where the layout can judge them so."""
        try:
            columns = plain_columns(self._chosen, self._layout, self._plain)
        except UndetectedError:
            return None
        if columns is None or self._layout.agree:
            return columns if columns is not None and self._layout.agree and self._layout.agree(columns) else None
        check, no_data = self._layout.new_check(), self._layout.no_data
        rows = list(columns)
        is_odd = any(any(check(row)) or (no_data and no_data(row)) for row in rows)
        return None if is_odd else rows

    def take_all(self, stretch: Sequence[Record], table: Table[Row]) -> None:
        """Take some records in their order; those among which nothing is odd at once."""
        try:
            values = self._plain.values_of(stretch)
        except UndetectedError:
            values = None
        if values is None:
            for record in stretch:
                table.given += 1
                self.take(record, table)
            return
        rows = list(map(self._layout.make, values))
        found = [list(self._check(row)) for row in rows]
        if self._layout.no_data or any(found):
            for record, given, row, told in zip(stretch, values, rows, found, strict=True):
                table.given += 1
                self._judged(record, given, row, told, table)
        else:
            self._keep_all(rows, values, table)
        self._before = stretch[-1].cells

    def _keep_all(self, rows: Sequence[Row], values: Sequence[Sequence[Any]], table: Table[Row]) -> None:
        for name, place in self._summed:
            self._sums[name] += sum(one[place] or 0 for one in values)
        table.given += len(rows)
        self.kept += rows

    def take(self, record: Record, table: Table[Row]) -> None:
        """Add the row of a record to the table, or its faults, or count it as no data."""
        if what := self._no_data(record, table):
            table.no_data[what] += 1
            return
        record = self._continued(record, table)
        self._before = record.cells
        found = self._misshaped(record)
        values = self._values(record, found) if not found else []
        if found:
            self._refuse(record, found, table)
        else:
            row = self._layout.make(values)
            self._judged(record, values, row, list(self._check(row)), table)

    def _judged(
        self, record: Record, values: Sequence[Any], row: Row, found: Sequence[Found], table: Table[Row]
    ) -> None:
        """Keep a row whose values are all good, unless the rows before it speak against it."""
        if found:
            self._refuse(record, found, table)
        else:
            self._keep(row, values, table)

    def _refuse(self, record: Record, found: Sequence[Found], table: Table[Row]) -> None:
        for column, value, reason in found:
            table.fault(record.line, column, value, reason)
        if self._layout.worth:
            table.leave_out(self._currency_of(record), self._worth(record))
        if self._group is not None and self._group < len(record.cells):
            table.torn.setdefault(record.cells[self._group].strip(), record.line)

    def _worth(self, record: Record) -> int | None:
        """What a rejected record is worth, where that can be read."""
        column, place, _ = next(one for one in self._plan if one[0].name == self._layout.worth)
        try:
            text = record.cells[place] if place is not None else ""
            pence: int = value_of(column, text, self._currency_of(record), self._forms)
        except (ValueError, IndexError):
            return None
        return pence

    def _keep(self, row: Row, values: Sequence[Any], table: Table[Row]) -> None:
        if self._layout.no_data and (what := self._layout.no_data(row)):
            table.no_data[what] += 1
            return
        for name, place in self._summed:
            self._sums[name] += values[place] or 0
        self.kept.append(row)

    def above(self, record: Record, table: Table[Row]) -> None:
        """Take a record above the line of the headings: a title is no data, what may be a row is a fault."""
        said = [cell for cell in record.cells if cell.strip()]
        if record.broken or len(said) > max(2, len(self._header) // 2):
            table.fault(record.line, "", ",".join(said), record.broken or "stands above the line of the headings")
        else:
            table.no_data[TITLES] += 1

    def end(self, table: Table[Row]) -> None:
        """Tell what was no data, by kind."""
        told = ", ".join(f"{count:,} {what}" for what, count in table.no_data.items())
        table.notices += [f"no records, left out: {told}"] if told else []
        if table.continued:
            table.notices.append(f"{table.continued:,} lines go on with the document above them")

    def _no_data(self, record: Record, table: Table[Row]) -> str:
        if record.broken:
            return ""
        texts = [cell.strip() for cell in record.cells]
        said = [text for text in texts if text]
        if not said:
            return BLANK
        if texts[: len(self._header)] == self._header:
            return HEADINGS
        if len(said) == 1 and " " in said[0] and self._group is not None and not _TOTAL.fullmatch(said[0]):
            return WORDS
        return self._totals(record, texts, said, table)

    def _totals(self, record: Record, texts: Sequence[str], said: Sequence[str], table: Table[Row]) -> str:
        """A line that adds up the others: by its word, or without one by its sums."""
        rest = [text for text in said if not _TOTAL.fullmatch(text)]
        if not all(_NUMERIC.fullmatch(text) for text in rest):
            return ""
        is_named = len(rest) < len(said)
        is_bare = self._at(self._group, texts) == "" and not self._is_coded(texts)
        if not is_named and not (is_bare and self._sums):
            return ""
        pairs = [(name, texts[place]) for name, place in self._money if place < len(texts)]
        apart = [told for name, text in pairs if (told := self._apart(name, text))]
        if not is_named and apart:
            return ""
        table.notices += [f"line {record.line} is a totals line, and {told}" for told in apart]
        return TOTALS

    def _apart(self, name: str, text: str) -> str:
        """What a total says against what the lines add up to; empty where they agree or nothing can be compared."""
        if not text:
            return ""
        try:
            total = cells.money(plain_amount(text, HOME_CURRENCY, self._forms), HOME_CURRENCY, is_signed=True)
        except ValueError:
            return f"its {name} {text!r} cannot be compared"
        if total == self._sums[name]:
            return ""
        told, added = format_money(total, HOME_CURRENCY), format_money(self._sums[name], HOME_CURRENCY)
        return f"its {name} is {told}, the lines above it {added}"

    @staticmethod
    def _at(place: int | None, texts: Sequence[str]) -> str | None:
        return texts[place].strip() if place is not None and place < len(texts) else None

    def _is_coded(self, texts: Sequence[str]) -> bool:
        return bool(self._at(self._code, texts))

    def _continued(self, record: Record, table: Table[Row]) -> Record:
        """A line that goes on with the document above it, with what stands there once for all of its lines."""
        group, before = self._group, self._before
        if (
            group is None
            or record.broken
            or not self._may_continue
            or len(record.cells) <= group
            or len(before) != len(record.cells)
        ):
            return record
        own = record.cells[group].strip()
        is_silent = not any(record.cells[place].strip() for place in self._headed)
        is_blank = not own and is_silent and self._is_coded(record.cells)
        if not is_blank and own != before[group].strip():
            return record
        filled = list(record.cells)
        if is_blank:
            filled[group] = before[group]
            table.continued += 1
        if self._currency is not None and not filled[self._currency].strip():
            filled[self._currency] = before[self._currency]
        return Record(record.line, filled, record.share)

    def _misshaped(self, record: Record) -> list[Found]:
        if record.broken:
            return [("", "", record.broken)]
        more = record.cells[self._width :] if self._width is not None else ()
        if self._width is not None and (len(record.cells) < self._width or any(cell.strip() for cell in more)):
            told = f"has {len(record.cells)} cells, the header {self._width}"
            return [("", ",".join(record.cells), f"{told}: a separator inside a cell needs quotes around it")]
        return []

    def _values(self, record: Record, found: list[Found]) -> list[Any]:
        """The line and the values of all columns; what cannot be read is added to ``found``."""
        values: list[Any] = [record.line]
        currency = self._currency_of(record)
        for column, place, known in self._plan:
            text = record.cells[place] if place is not None else ""
            same = text if column.parse else (text, currency)
            if same not in known:
                try:
                    known[same] = value_of(column, text, currency, self._forms)
                except ValueError as error:
                    found.append((column.name, text, without_value(str(error), text)))
            values.append(currency if column.name == CURRENCY and not text.strip() else known.get(same))
        return values

    def _currency_of(self, record: Record) -> str:
        """The currency of the record's money: as its column says, else as the signs of its amounts show."""
        has_one = self._currency is not None and self._currency < len(record.cells)
        text = record.cells[self._currency] if has_one and self._currency is not None else ""
        if not text.strip():
            return next(self._shown(record), HOME_CURRENCY)
        if text not in self._currencies:
            try:
                self._currencies[text] = cells.currency(text)
            except ValueError:
                self._currencies[text] = HOME_CURRENCY
        return self._currencies[text]

    def _shown(self, record: Record) -> Iterator[str]:
        for _, place in self._money:
            text = record.cells[place] if place < len(record.cells) else ""
            if text and not text.isascii():
                yield from (code for sign, code in forms.SIGNS.items() if sign in text)
