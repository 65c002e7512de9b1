"""The command of operations about cancelled orders: ``khaos-swap cancellations list``.

Belongs here: arguments and the table. Stays out: the rows (``stages.orders.cancellations``).
"""

from __future__ import annotations

from typing import Annotated

import typer

from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.cli.showing import AsJson, show_rows


def cancellations_app(reach: Reach) -> typer.Typer:
    """The commands about cancelled orders."""
    app = typer.Typer(help="Orders that the shop cancelled, and how far Khaos was with them.", no_args_is_help=True)

    @app.callback()
    def about() -> None:
        """Orders that the shop cancelled, and how far Khaos was with them."""

    @app.command("list")
    def list_cancellations(
        limit: Annotated[int, typer.Option(min=1, help="At most so many, those cancelled last first")] = 100,
        as_json: AsJson = False,
    ) -> None:
        """Show when each was cancelled, seen picked, packed and shipped, how it ended, and the value that went out."""
        from khaos_swap_assets.stages.orders.cancellations import race

        with reach.store() as conn:
            rows = race(conn, limit)
        show_rows(rows, as_json=as_json, below=["cost_is"], none="no cancelled order is known")

    return app
