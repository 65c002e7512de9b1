"""A bar for each step of a long command, on a terminal only.

Belongs here: showing how far reading and writing got. Stays out: the commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[float], None]


@contextmanager
def progress() -> Iterator[Callable[[str], Report]]:
    """Something that makes a report of a named step; a report takes the share that is done, from 0 to 1."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:>16}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        def reports(name: str) -> Report:
            task = bars.add_task(name, total=1.0)
            return lambda share: bars.update(task, completed=share)

        yield reports
