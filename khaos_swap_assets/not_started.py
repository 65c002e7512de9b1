"""What Dagster's own tools get in place of the toolbox: one line that says how to start.

Belongs here: that line and the stand-in that says it. Stays out: what is shown (``definitions``), and the processes
that ``khaos-swap`` runs (``started``).
"""

from __future__ import annotations

from typing import NoReturn, cast

import dagster as dg

from khaos_swap_assets.stages.toolbox import Toolbox

LINE = "Khaos Swap is not started by Dagster's own tools: run `khaos-swap up`, or `make demo` to look around"


class _Nothing:
    """Ends whatever reaches for a part of it."""

    def __init__(self, line: str) -> None:
        self._line = line

    def __getattr__(self, part: str) -> NoReturn:
        raise dg.Failure(self._line, allow_retries=False)


class NotStarted(dg.ConfigurableResource[Toolbox]):
    """Nothing is opened: Dagster's own tools show Khaos Swap, and `khaos-swap up` runs it."""

    line: str = LINE

    def create_resource(self, context: dg.InitResourceContext) -> Toolbox:
        """A toolbox without parts: the first that is reached for ends the run or the tick with ``line``."""
        return cast(Toolbox, _Nothing(self.line))
