"""What is wrong with an input file, as values that are collected and told by kind, all at once.

Belongs here: the record of one fault, faults of one kind together, and how a value is shown. Stays out: finding faults
(``cells``, ``tables``).
"""

from __future__ import annotations

import json
import re
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from khaos_swap_assets.adapters.errors import KhaosSwapError

LONGEST_SHOWN = 60
LONGEST_KEPT = 1_000
KEPT_IN_MEMORY = 5_000
EXAMPLES = 3


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong: ``line`` counts from 1 (the row in Parquet; 0: the file as a whole), ``column`` may be empty.

    ``record`` tells records apart that begin on one line.
    """

    file: str
    line: int
    column: str
    value: str
    reason: str
    record: int = 0

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        column = f", column {self.column}" if self.column else ""
        value = f" {shown(self.value)}" if self.value else ""
        return printable(f"{place}{column}:{value} {self.reason}")


@dataclass(frozen=True, slots=True)
class FaultKind:
    """All faults of one file and column with one reason: how many rows, and the first three."""

    rows: int
    examples: tuple[Fault, ...]

    def __str__(self) -> str:
        first = self.examples[0]
        if self.rows == 1 or not first.line:
            return str(first)
        column = f", column {first.column}" if first.column else ""
        told = ", ".join(
            f"line {one.line} {shown(one.value)}" if one.value else f"line {one.line}" for one in self.examples
        )
        return printable(f"{first.file}{column}: {self.rows:,} rows, e.g. {told}: {first.reason}")

    def plus(self, fault: Fault) -> FaultKind:
        """One more of it."""
        examples = self.examples if len(self.examples) >= EXAMPLES else (*self.examples, fault)
        return FaultKind(self.rows + 1, examples)


class FileFaults:
    """The faults of one file in the order in which they were found; beyond some thousand they lie on disk."""

    def __init__(self) -> None:
        self._kept: list[Fault] = []
        self._spool: IO[str] | None = None
        self._count = 0
        self._kinds: dict[tuple[str, str], FaultKind] = {}

    def append(self, fault: Fault) -> None:
        """Keep one more."""
        self._count += 1
        key = (fault.column, re.sub(r"\d+", "", fault.reason))
        kind = self._kinds.get(key)
        self._kinds[key] = kind.plus(fault) if kind else FaultKind(1, (fault,))
        if len(self._kept) < KEPT_IN_MEMORY:
            self._kept.append(fault)
            return
        if self._spool is None:
            self._spool = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
            weakref.finalize(self, self._spool.close)
        cells = (fault.file, fault.line, fault.column, fault.value[:LONGEST_KEPT], fault.reason, fault.record)
        self._spool.write(json.dumps(cells) + "\n")

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Fault]:
        yield from self._kept
        if self._spool is not None:
            self._spool.seek(0)
            yield from (Fault(*json.loads(line)) for line in self._spool)
            self._spool.seek(0, 2)

    def __getitem__(self, place: int) -> Fault:
        return self._kept[place]

    def __eq__(self, other: Any) -> bool:
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    @property
    def kinds(self) -> list[FaultKind]:
        """By kind, the most rows first."""
        return sorted(self._kinds.values(), key=lambda kind: (-kind.rows, kind.examples[0].line))


class BadInputError(KhaosSwapError):
    """Input that cannot be audited; ``kinds`` holds all of it, its text has a line for each kind."""

    def __init__(self, kinds: Iterable[FaultKind]) -> None:
        self.kinds = tuple(kinds)
        super().__init__("\n".join(map(str, self.kinds)))

    @property
    def faults(self) -> list[Fault]:
        """Examples of all kinds."""
        return [fault for kind in self.kinds for fault in kind.examples]


def of_file(file: str, column: str, value: str, reason: str) -> FaultKind:
    """A fault of a file or an option as a whole."""
    return FaultKind(1, (Fault(file, line=0, column=column, value=value, reason=reason),))


def storable(text: str) -> str:
    """The text with an escape for each byte that was no text, so that a file can hold it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shown(value: str) -> str:
    """A value for a person: quoted, cut, and with escapes for what a terminal might obey; £ and é stay as they are."""
    cut = value[:LONGEST_SHOWN]
    return printable(repr(cut)) + ("…" if len(value) > LONGEST_SHOWN else "")


def printable(text: str) -> str:
    """The text with everything escaped that a terminal might obey."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
