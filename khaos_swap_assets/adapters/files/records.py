"""From the bytes of a file to its records, with the line of each, and nothing lost on the way.

Belongs here: encodings, separators, quoting by RFC 4180, and Parquet. Stays out: what the cells mean (``tables``).
Where quoting is broken, each physical line counts as a record of its own.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from khaos_swap_assets.adapters.errors import KhaosSwapError

SEPARATORS = (",", ";", "\t", "|")
PARQUET = b"PAR1"
BATCH = 20_000
MANY = 2**31 - 1
MOST_COLUMNS = 2_000
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_BOM = "\ufeff"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


class UnreadableError(KhaosSwapError):
    """A file of which not even the records can be told."""


class Record(NamedTuple):
    """One record: its first line (from 1), its cells, the part of the file read so far, or what broke it."""

    line: int
    cells: Sequence[str]
    share: float
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a file. A character that its encoding does not have is a lone surrogate in ``text``."""

    text: str
    encoding: str
    is_damaged: bool


def decoded(data: bytes) -> Text:
    """UTF-8 or UTF-16 by its byte order mark, else UTF-8, else Windows-1252.

    Bytes that break UTF-8 make a file Windows-1252, unless more of its characters beyond ASCII are sound UTF-8 than
    are not: then the file is UTF-8 and these bytes are damage.
    """
    if data.startswith(_WIDE_BOMS) or _is_wide(data):
        return _wide(data)
    text = data.decode("utf-8", "surrogateescape")
    wide = [character for character in text if character > "\x7f"] if not data.isascii() else []
    broken = sum("\udc80" <= character <= "\udcff" for character in wide)
    if not text.startswith(_BOM) and broken > len(wide) - broken:
        text = data.decode("cp1252", "surrogateescape")
        return Text(text, "Windows-1252", has_surrogate(text))
    return Text(text.removeprefix(_BOM), "UTF-8", broken > 0)


def _is_wide(data: bytes) -> bool:
    """True for UTF-16 without a byte order mark: every other byte of plain text is nothing."""
    sample = data[:4_096]
    return len(sample) > 3 and max(sample[0::2].count(0), sample[1::2].count(0)) * 4 > len(sample)


def _wide(data: bytes) -> Text:
    codec = "utf-16" if data.startswith(_WIDE_BOMS) else "utf-16-le" if data[1:2] == b"\x00" else "utf-16-be"
    try:
        return Text(data.decode(codec), "UTF-16", is_damaged=False)
    except UnicodeDecodeError:
        raise UnreadableError("begins as UTF-16 and is damaged: save it as UTF-8") from None


def has_surrogate(text: str) -> bool:
    """True when a character stands for a byte that is no text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def csv_records(text: str, separator: str) -> Iterator[Record]:
    """The records of a CSV text, blank lines left out; the first is the header.

    From the first broken quote on, lines that it swallowed are read one by one, so that all work stays linear.
    """
    csv.field_size_limit(MANY)
    lines, line = _Text(text), 0
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        for cells in reader:
            if cells:
                yield Record(line + 1, cells, lines.share)
            line = reader.line_num
    except csv.Error:
        yield from _with_care(_Lines(text, line), separator)


def _with_care(lines: _Lines, separator: str) -> Iterator[Record]:
    """The records from a broken one on."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        first = lines.mark()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.back_to_second()
            yield Record(first, (), lines.share, f"quoting is broken ({error})")
            continue
        if cells:
            yield Record(first, cells, lines.share)


class _Text:
    """The physical lines of a text, which is not copied for it, and how much of it was read, from 0 to 1."""

    def __init__(self, text: str) -> None:
        self._found, self._at, self._size = _LINE.finditer(text), 0, max(len(text), 1)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        found = next(self._found)
        self._at = found.end()
        return found[0]

    @property
    def share(self) -> float:
        """How much was read."""
        return self._at / self._size


class _Lines:
    """Physical lines after the first ``passed``, counted from 1; those of a broken record can be given back."""

    def __init__(self, text: str, passed: int) -> None:
        self._text = _Text(text)
        self._back: deque[str] = deque()
        self._taken: list[str] = []
        self._line, self._first, self._alone_until = passed, 0, 0
        deque(islice(self._text, passed), maxlen=0)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        is_alone = self._taken and self._first <= self._alone_until
        line = "" if is_alone else self._back.popleft() if self._back else next(self._text, "")
        if not line:
            raise StopIteration
        self._line += 1
        self._taken.append(line)
        return line

    @property
    def share(self) -> float:
        """How much of the text was read, from 0 to 1."""
        return self._text.share

    def mark(self) -> int:
        """Begin a record; the number of its first line."""
        self._taken.clear()
        self._first = self._line + 1
        return self._first

    def back_to_second(self) -> None:
        """Give all lines of the record but its first back; none of them but the last begins a record of many lines."""
        rest = self._taken[1:]
        self._alone_until = max(self._alone_until, self._line - 1)
        self._back.extendleft(reversed(rest))
        self._line -= len(rest)


def parquet_names(path: Path) -> list[str]:
    """Names of the columns. Raises ``UnreadableError`` for a file that is no sound Parquet."""
    with _arrow_errors():
        return [str(name) for name in _parquet(path).schema_arrow.names]


def parquet_records(path: Path) -> Iterator[Record]:
    """The rows of a Parquet file as text cells, nulls empty. Raises ``UnreadableError``."""
    with _arrow_errors():
        file = _parquet(path)
        total, line = max(file.metadata.num_rows, 1), 0
        for batch in file.iter_batches(BATCH):
            columns = [_as_texts(column) for column in batch.columns]
            for cells in zip(*columns, strict=True):
                line += 1
                yield Record(line, cells, line / total)


@contextmanager
def _arrow_errors() -> Iterator[None]:
    """Arrow's own errors become one line."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError("is no Parquet file that we can read") from error


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetFile(path)


def _as_texts(column: Any) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        raise pa.ArrowInvalid("bytes are no text")
    return [str(text) for text in pc.fill_null(pc.cast(column, pa.string()), "").to_pylist()]
