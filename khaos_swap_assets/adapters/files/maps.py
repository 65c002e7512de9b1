"""The map file: how each file of a merchant is read, kept from one month to the next.

Belongs here: reading and writing it. Stays out: what a reading is (``recognising``) and what it changes (``reading``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.files.faults import BadInputError, of_file
from khaos_swap_assets.adapters.files.recognising import Reading, from_json
from khaos_swap_assets.adapters.files.tables import Table

OPTION = "--map"


def read_maps(path: Path) -> dict[str, Reading]:
    """Readings by file name. Raises ``BadInputError`` naming the file of the map, and its entry."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(path, "", f"cannot be read: {error.strerror or type(error).__name__}") from None
    except ValueError as error:
        raise _refused(path, "", f"is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise _refused(path, "", 'is no map: {"notes.csv": {"Heading": "column"}} is expected')
    return {str(name): _reading(path, str(name), one) for name, one in value.items()}


def _reading(path: Path, name: str, value: Any) -> Reading:
    try:
        return from_json(value)
    except ValueError as error:
        raise _refused(path, name, str(error)) from None


def _refused(path: Path, entry: str, reason: str) -> BadInputError:
    return BadInputError([of_file(f"{OPTION} {path.name}", entry, "", reason)])


def write_maps(path: Path, tables: Iterable[Table[Any]]) -> None:
    """Write how each table was read; headings that may be a wanted column are proposed as that column."""
    found = {table.file: asdict(_proposed(table, table.reading)) for table in tables if table.reading}
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _proposed(table: Table[Any], reading: Reading) -> Reading:
    proposals: Mapping[str, str] = {near.heading: near.column for near in table.nears}
    return replace(reading, columns={**reading.columns, **proposals})
