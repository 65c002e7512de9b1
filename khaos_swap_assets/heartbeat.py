"""The sign of life that a run gives in our database while it works, and its fencing token.

Belongs here: beginning, beating and ending. Stays out: who looks at the signs (``running.lost``), and what a run that
was cut off may not do any more (``adapters.store.writers``).
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.store import writers
from khaos_swap_assets.running.repeating import repeated
from khaos_swap_assets.stages.toolbox import Toolbox

BEAT_SECONDS = 5.0


@contextmanager
def beating(tools: Toolbox, run_id: str) -> Iterator[Toolbox]:
    """The toolbox with a token that counts while the run is not cut off. Raises ``StoreError``."""
    with tools.store() as conn:
        token = writers.begin(conn, run_id, f"process {os.getpid()} of {platform.node()}")
    try:
        with repeated(partial(_beat, tools, token), BEAT_SECONDS, "heartbeat"):
            yield replace(tools, token=token)
    finally:
        with suppress(KhaosSwapError), tools.store() as conn:
            writers.end(conn, token)


def _beat(tools: Toolbox, token: writers.Token) -> None:
    """A beat that is missed is told by its age; a run that was cut off hears so at its next transaction."""
    with suppress(KhaosSwapError), tools.store() as conn:
        writers.beat(conn, token)
