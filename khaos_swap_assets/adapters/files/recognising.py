"""Which table of a file is meant: the sheet, the separator and the line under which the wanted headings stand.

Belongs here: choosing it, the reading that a map file keeps, and the questions where nothing settles it. Stays out:
comparing headings (``headings``), rows (``tables``) and cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from khaos_swap_assets.adapters.files.containers import Source
from khaos_swap_assets.adapters.files.headings import Headed, headed, plain
from khaos_swap_assets.adapters.files.records import MOST_COLUMNS, Record, UnreadableError

TITLE_LINES = 40


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read, as a map file keeps it: so next month's file of the same headings is read without detecting.

    ``columns`` maps headings to our columns (empty: not used); ``dates`` maps columns to uk or us, ``proofs`` to the
    cell that showed it.
    """

    columns: Mapping[str, str]
    headings: tuple[str, ...] = ()
    form: str = ""
    sheet: str = ""
    encoding: str = ""
    separator: str = ""
    header_row: int = 0
    decimal: str = ""
    dates: Mapping[str, str] = field(default_factory=dict)
    proofs: Mapping[str, str] = field(default_factory=dict)
    signs: str = ""
    known_as: str = ""

    @property
    def is_whole(self) -> bool:
        """True when it says how the whole file is read, not the headings alone."""
        return bool(self.headings)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The table that is read: its source, the record of its headings, and what they say."""

    source: Source
    header: Record
    headed: Headed

    @property
    def width(self) -> int | None:
        """How many cells a row has; None where every row has the same by its form."""
        return len(self.header.cells) if self.source.separator else None


def choose(sources: Sequence[Source], kind: str, names: Mapping[str, bool], said: Reading | None) -> Chosen:
    """The table with the most of the wanted columns (True: required), required ones first.

    Raises ``UnreadableError`` where there is none, where two sheets fit alike, and where ``said`` is of another file.
    """
    fitting = [one for one in sources if not said or _is_meant(one, said)]
    found = [best for source in fitting if (best := _best(source, kind, names, said.columns if said else {}))]
    if not found:
        raise UnreadableError("is empty: a header with the column names is expected")
    top = max(_rank(one, names) for one in found)
    alike = [one for one in found if _rank(one, names) == top]
    if len({one.source.sheet for one in alike}) > 1 and top[0]:
        sheets = ", ".join(repr(one.source.sheet) for one in alike)
        raise UnreadableError(
            f"has such a table on several sheets: {sheets}. Keep the one you mean, or name it in --map"
        )
    _checked(alike[0], said)
    return alike[0]


def _is_meant(source: Source, said: Reading) -> bool:
    return said.sheet in ("", source.sheet) and (not said.is_whole or said.separator == source.separator)


def _best(source: Source, kind: str, names: Mapping[str, bool], said: Mapping[str, str]) -> Chosen | None:
    first: list[Record] = list(islice(source.records(), TITLE_LINES))
    lines = [
        Chosen(source, record, headed(record.cells if len(record.cells) <= MOST_COLUMNS else (), kind, names, said))
        for record in first
        if any(map(str.strip, record.cells)) or record.broken
    ]
    if not lines:
        return Chosen(source, first[0], headed((), kind, names, said)) if first else None
    return max(lines, key=lambda one: (_rank(one, names), -one.header.line))


def _rank(chosen: Chosen, names: Mapping[str, bool]) -> tuple[bool, int, int]:
    """Whole tables first, then the most required, then the most columns."""
    required = sum(is_required and name in chosen.headed.places for name, is_required in names.items())
    return required == sum(names.values()) or bool(chosen.headed.known), required, len(chosen.headed.places)


def _checked(chosen: Chosen, said: Reading | None) -> None:
    if chosen.header.broken:
        raise UnreadableError(f"has no header that we can read: {chosen.header.broken}")
    if len(chosen.header.cells) > MOST_COLUMNS:
        raise UnreadableError(
            f"has {len(chosen.header.cells):,} columns, which no export has: {MOST_COLUMNS:,} are read"
        )
    if chosen.headed.known and chosen.headed.known.refusal:
        raise UnreadableError(f"is {chosen.headed.known.name}: it {chosen.headed.known.refusal}")
    if said and said.is_whole:
        _same_headings(chosen, said)


def has_headings(chosen: Chosen, said: Reading) -> bool:
    """Whether a table has the headings for which a reading was made, in whatever order."""
    here, there = ({plain(one) for one in some if one} for some in (chosen.headed.headings, said.headings))
    return said.is_whole and here == there


def _same_headings(chosen: Chosen, said: Reading) -> None:
    here, there = {plain(one) for one in chosen.headed.headings if one}, {plain(one) for one in said.headings if one}
    if here != there:
        more, fewer = sorted(here - there), sorted(there - here)
        told = "; ".join(
            f"{word}: {', '.join(some[:10])}" for word, some in (("new here", more), ("no longer here", fewer)) if some
        )
        raise UnreadableError(f"has other headings than the map was made for ({told}): make a new map with --map-out")


def reading_of(chosen: Chosen) -> Reading:
    """How the chosen table is read, before its cells were looked at."""
    places = {place: column for column, place in chosen.headed.places.items()}
    return Reading(
        columns={name: places.get(place, "") for place, name in enumerate(chosen.headed.headings) if name},
        headings=tuple(name for name in chosen.headed.headings if name),
        form=chosen.source.form,
        sheet=chosen.source.sheet,
        encoding=chosen.source.encoding,
        separator=chosen.source.separator,
        header_row=chosen.header.line,
        known_as=chosen.headed.known.name if chosen.headed.known else "",
    )


def from_json(value: Any) -> Reading:
    """A reading from a map file: heading to column alone, or a whole reading. Raises ``ValueError``."""
    if not isinstance(value, dict):
        raise ValueError('is no object: {"Heading": "column"} is expected')
    if all(isinstance(one, str) or one is None for one in value.values()) and "columns" not in value:
        return Reading({str(name): column or "" for name, column in value.items()})
    try:
        known = {name: value[name] for name in Reading.__dataclass_fields__ if name in value}
        reading = Reading(**known)
        return replace(
            reading,
            headings=tuple(reading.headings),
            columns={str(k): str(v or "") for k, v in reading.columns.items()},
        )
    except (TypeError, AttributeError):
        raise ValueError("is no reading that --map-out wrote") from None
