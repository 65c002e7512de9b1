"""Headings of a file beside the columns that are wanted: by our names, by a known export, by what a person said.

Belongs here: which heading is which column, near misses with their samples, and what is not used. Stays out: finding
the line of the headings (``recognising``) and the exports themselves (``known``). A near miss is a question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from khaos_swap_assets.adapters.files.known import KNOWN, SPELLINGS, KnownExport

SAMPLES = 3
NEAR = 82


@dataclass(frozen=True, slots=True)
class Near:
    """A heading that may be a wanted column, with a few of its values: a question for a person."""

    column: str
    heading: str
    samples: tuple[str, ...]
    is_required: bool


@dataclass(frozen=True, slots=True)
class Headed:
    """What the headings of one line say. ``places`` has the cell of each column that is known for certain."""

    headings: tuple[str, ...]
    places: Mapping[str, int]
    doubled: tuple[str, ...] = ()
    known: KnownExport | None = None
    used: frozenset[int] = field(default_factory=frozenset)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Headings that are no wanted column, as written."""
        return tuple(name for place, name in enumerate(self.headings) if place not in self.used and name)


def plain(heading: str) -> str:
    """A heading as people write it: ``Stock Code``, ``Stock-Code`` and ``stock_code`` are one."""
    return re.sub(r"[\W_]+", "_", heading.strip().lower()).strip("_")


def headed(cells: Sequence[str], kind: str, names: Mapping[str, bool], said: Mapping[str, str]) -> Headed:
    """Read one line as headings of a kind of file with the columns ``names`` (True: required)."""
    headings = tuple(cell.strip() for cell in cells)
    wanted = {plain(heading): column for heading, column in said.items()}
    plains = [plain(heading) for heading in headings]
    known = _known(kind, [wanted.get(name) or name for name in plains], names)
    columns = [_column(name, names, wanted, known) for name in plains]
    places: dict[str, int] = {}
    doubled = []
    for place, column in enumerate(columns):
        if column and column in places:
            doubled.append(column)
        elif column:
            places[column] = place
    used = frozenset(place for place, column in enumerate(columns) if column)
    return Headed(headings=headings, places=places, doubled=tuple(dict.fromkeys(doubled)), known=known, used=used)


def _known(kind: str, plains: Sequence[str], names: Mapping[str, bool]) -> KnownExport | None:
    """The known export; by spellings alone only where the line lacks a name of ours that is required."""
    found = set(plains)
    is_ours = all(name in found for name, is_required in names.items() if is_required)
    fits = (one for one in KNOWN if one.kind == kind and all(found & group for group in one.signature))
    return next((one for one in fits if not (is_ours and one.is_by_spelling)), None)


def _column(name: str, names: Mapping[str, bool], said: Mapping[str, str], known: KnownExport | None) -> str:
    if name in said:
        return said[name]
    if known:
        return known.columns.get(name, "")
    return name if name in names else ""


def near_misses(
    headed_: Headed,
    kind: str,
    missing: Mapping[str, bool],
    samples: Callable[[int], Sequence[str]],
    fits: Callable[[str, str], bool],
    settled: Mapping[str, str],
) -> list[Near]:
    """For each missing column (True: required) the heading that may be it, by name and by content.

    ``fits`` says whether a cell can be read as a column; ``settled`` are headings that a person spoke of.
    """
    spoken = {plain(heading) for heading in settled}
    free = [
        (place, name)
        for place, name in enumerate(headed_.headings)
        if name and place not in headed_.used and plain(name) not in spoken
    ]
    found = []
    for column, is_required in missing.items():
        for place, name in sorted(free, key=lambda one: -_likeness(one[1], column, kind)):
            values = [value for value in samples(place) if value.strip()]
            if _likeness(name, column, kind) >= NEAR and values and all(fits(column, value) for value in values):
                found.append(Near(column, name, tuple(values[:SAMPLES]), is_required))
                free.remove((place, name))
                break
    return found


def _likeness(heading: str, column: str, kind: str) -> int:
    """From 0 to 100: a spelling in use, the same words, or nearly the same letters."""
    from rapidfuzz import fuzz

    name = plain(heading)
    if SPELLINGS.get(kind, {}).get(name) == column:
        return 100
    words, wanted = set(name.split("_")), set(column.split("_")) - {"gross", "ref", "code"}
    if wanted and wanted <= words:
        return 95
    return round(fuzz.ratio(name, column))
