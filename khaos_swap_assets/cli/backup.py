"""``khaos-swap backup`` and ``khaos-swap restore``: the memory against doubles, kept, and shown to come back.

Belongs here: arguments and what is said. Stays out: the work (``running.backing_up``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from khaos_swap_assets.cli import reach
from khaos_swap_assets.cli.showing import say

AFTER = (
    "Next: khaos-swap migrate where the backup is of an older version; start in audit, let one sync run through, and "
    "see Backup and restore in docs/operations.md before documents leave again."
)


def backup_command(
    folder: Annotated[Path, typer.Argument(help="Where backups are kept; each is a folder of its own in it")],
    keep: Annotated[int | None, typer.Option(min=1, help="Remove older backups beyond this many")] = None,
) -> None:
    """Back up both databases, each as one moment shows it, with a manifest of every table's rows and hash.

    Everything goes on working meanwhile. The backup appears whole or not at all; nothing in it is readable to others.
    """
    from khaos_swap_assets.running import backing_up, installation

    settings = reach.settings()
    found = installation.open_as_it_is(settings)
    try:
        made = backing_up.back_up(found.url, folder, typer.echo, keep=keep)
    finally:
        if found.server:
            found.server.stop()
    say(f"{made}: whole. khaos-swap restore {made} --check shows that it comes back.")


def restore_command(
    backup: Annotated[Path, typer.Argument(help="The folder of one backup")],
    check: Annotated[
        bool, typer.Option("--check", help="Restore into a server of the moment, compare every table, keep nothing")
    ] = False,
) -> None:
    """Fill the empty databases of this installation from a backup, and hold every table against its manifest."""
    from khaos_swap_assets.running import backing_up

    if check:
        backing_up.check(backup, typer.echo)
        say(f"{backup}: comes back whole; nothing else was touched")
        return
    backing_up.restore(reach.settings(), backup, typer.echo)
    say(f"{backup}: restored.", AFTER)
