"""The log files of an installation's processes: a file that is full is set aside, and the oldest goes.

Belongs here: rotation, and how much folders take. Stays out: what is logged. A process keeps its file open for as long
as it lives, so the full file is copied and emptied in place; a line written in between, within a millisecond, is lost.
"""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from khaos_swap_assets.running.repeating import repeated

LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Rotation:
    """How long a log may get, in MB (10^6 bytes), and how many full ones are kept beside it."""

    megabytes: int = 10
    files: int = 5


USUAL = Rotation()


def rotating(folder: Path, rotation: Rotation) -> AbstractContextManager[None]:
    """Look after the logs of a data folder from time to time until the block ends."""
    return repeated(partial(rotate, folder, rotation), LOOK_SECONDS, "logs")


def rotate(folder: Path, rotation: Rotation) -> None:
    """Set aside every log of a data folder that is full; a disk that refuses it is asked again the next time."""
    for log in (*(folder / "logs").glob("*.log"), folder / "postgres" / "log"):
        with suppress(OSError):
            if log.stat().st_size >= rotation.megabytes * 10**6:
                _set_aside(log, rotation.files)


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of a data folder's logs, and of what the runs printed; nothing where there is no such folder."""
    parts = {"logs": folder / "logs", "compute_logs": folder / "dagster_home" / "storage"}
    return {what: size_of(part) for what, part in parts.items() if part.is_dir()}


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; nought where there is none."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            total += file.lstat().st_size if not file.is_dir() else 0
    return total


def _set_aside(log: Path, files: int) -> None:
    aside = [log.with_name(f"{log.name}.{number}") for number in range(1, files + 1)]
    for newer, older in zip(reversed(aside[:-1]), reversed(aside[1:]), strict=True):
        if newer.exists():
            newer.replace(older)
    if aside:
        shutil.copy2(log, aside[0])
    with log.open("r+b") as file:
        file.truncate()
