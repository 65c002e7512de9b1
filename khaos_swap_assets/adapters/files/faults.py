"""What is wrong with an input file, as values that are collected and told all at once.

Belongs here: the record of one fault and how a value is shown. Stays out: finding faults (``cells``, ``tables``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from khaos_swap_assets.adapters.errors import KhaosSwapError

LONGEST_SHOWN = 60


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
        return _printable(f"{place}{column}:{value} {self.reason}")


class BadInputError(KhaosSwapError):
    """Input that cannot be audited; ``faults`` holds all of it, its text has a line for each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def storable(text: str) -> str:
    """The text with an escape for each byte that was no text, so that a file can hold it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shown(value: str) -> str:
    """A value for a person: quoted, escaped, cut; so no terminal obeys it and no line runs on."""
    cut = value[:LONGEST_SHOWN]
    return ascii(cut) + ("…" if len(value) > LONGEST_SHOWN else "")


def _printable(text: str) -> str:
    """The text with everything escaped that a terminal might obey."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
