"""The clock: the machine's own, or the demo's.

Belongs here: which clock to use. Stays out: what is done at a time. The demo plays a month in a minute, so its clock
stands in a file beside its own data; the file counts only inside a folder that carries the demo's mark.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from khaos_swap_assets.adapters.store import mark

VARIABLE = "KHAOS_SWAP_DEMO_CLOCK"


def from_environment() -> Callable[[], datetime]:
    """The clock of this process, in UTC. Raises ``StoreError`` when the demo's clock is asked for outside the demo."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        return wall
    file = Path(named)
    mark.require_folder(file.parent, "demo")
    return lambda: datetime.fromisoformat(file.read_text(encoding="ascii"))


def wall() -> datetime:
    """The machine's clock in UTC."""
    return datetime.now(UTC)


def pin(file: Path, moment: datetime) -> None:
    """Set the demo's clock; a reader sees the old moment or the new one, never half of it."""
    fresh = file.with_suffix(".new")
    fresh.write_text(moment.astimezone(UTC).isoformat(), encoding="ascii")
    fresh.replace(file)
