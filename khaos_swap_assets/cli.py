"""The command line ``khaos-swap``: what there is, its options, and its exit codes.

Belongs here: arguments, help, and turning an error into one line and exit 2. Stays out: the work, which is imported
inside each command so that ``--help`` stays quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from khaos_swap_assets.adapters.errors import KhaosSwapError

app = typer.Typer(
    name="khaos-swap",
    help="Keeps Swap Commerce returns and Khaos Control credit notes in step, and proves it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """The program: every error that we raise on purpose is one line on stderr and exit 2."""
    try:
        app()
    except KhaosSwapError as error:
        sys.stderr.write(f"khaos-swap: {error}\n")
        sys.exit(2)


@app.callback()
def _program() -> None:
    """Keeps Swap Commerce returns and Khaos Control credit notes in step, and proves it."""


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Play one month without a UI, print one JSON line, end")] = False,
    returns: Annotated[int | None, typer.Option(min=8, help="Returns of the invented month [500; live 120]")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same world")] = 1,
    history: Annotated[Path | None, typer.Option(help="With --once: Parquet file of real trading data")] = None,
    month: Annotated[str, typer.Option(help="With --history: the month to play, YYYY-MM")] = "",
    switch: Annotated[list[str] | None, typer.Option(help="With --once: a switch of the sandbox, name=value")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Live: port of the Dagster UI")] = 3000,
    folder: Annotated[Path, typer.Option(help="Live: where the demo keeps its data")] = Path(".khaos-swap-demo"),
) -> None:
    """Show it all on invented data: sandboxes of both vendors, gateway and Dagster, touching nothing real."""
    if once:
        from khaos_swap_assets.demo.once import Wish, play_once

        raise typer.Exit(play_once(Wish(returns or 500, seed, history, month, tuple(switch or ()))))
    if history or month or switch:
        raise typer.BadParameter("--history, --month and --switch need --once")
    from khaos_swap_assets.demo.live import RETURNS, Visit, play_live

    raise typer.Exit(play_live(Visit(folder, port, returns or RETURNS, seed), typer.echo))
