"""The commands of finance about payouts: ``khaos-swap payouts import | journals``.

Belongs here: arguments, bad rows, and what is printed. Stays out: reading files (``adapters.files``), what an import
does (``stages.importing``) and the journals (``stages.payouts.entering``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from khaos_swap_assets.cli.imports import (
    Dates,
    File,
    Map,
    Rejected,
    asked_of,
    brought_by,
    read_asked,
    refuse,
    tell_rejected,
)
from khaos_swap_assets.cli.postings import By, Reach, store_asked

Provider = Annotated[
    str, typer.Option(help="Whose payouts they are, as the storefront names the gateway, e.g. paypal; or a column")
]

OfStore = Annotated[
    str, typer.Option("--store", help="Whose returns and orders the file names, where there are several [the first's]")
]


def payouts_app(reach: Reach) -> typer.Typer:
    """The commands about payouts."""
    app = typer.Typer(help="Payouts of payment providers beside refunds and Credit Notes.", no_args_is_help=True)
    _add_import(app, reach)
    _add_journals(app, reach)
    return app


def _add_import(app: typer.Typer, reach: Reach) -> None:
    @app.command("import")
    def import_(
        file: File,
        by: By,
        provider: Provider = "",
        store: OfStore = "",
        rejected: Rejected = None,
        map_in: Map = None,
        dates: Dates = None,
    ) -> None:
        """Take payouts of any payment provider from a file, a row for each line of a payout.

        Good rows go in; a bad one is told with its reason, goes to a file of its own, and makes exit code 1. The same
        file twice changes nothing. What the storefront told of a payout is never changed by a file.
        """
        from khaos_swap_assets.adapters.files.payouts import PAYOUTS, payouts_of
        from khaos_swap_assets.stages.importing import import_payouts, of_store

        table = read_asked(file, PAYOUTS, asked_of(file, map_in, dates))
        if not table.is_whole:
            refuse("\n".join(map(str, table.kinds)))
        try:
            told = of_store(payouts_of(table.rows, provider), store_asked(reach, store))
        except ValueError as error:
            refuse(f"{file.name} {error}")
        with reach.store() as conn, conn.transaction():
            done = import_payouts(conn, told, brought_by(file, by), reach.clock())
        typer.echo(
            f"{done.payouts} payouts in {len(table.rows)} rows: {done.changed} new or changed, "
            f"{done.told_by_storefront} as the storefront itself told them; the next run compares them"
        )
        tell_rejected(table, file, rejected, map(str, table.kinds), "rejected")


def _add_journals(app: typer.Typer, reach: Reach) -> None:
    @app.command()
    def journals(
        month: Annotated[str, typer.Option(help="The London month, YYYY-MM")],
        file: Annotated[Path | None, typer.Option(help="The CSV file to write [payout-journals-YYYY-MM.csv]")] = None,
    ) -> None:
        """Write proposed correcting journals of a month with their VAT, for a person to enter. Nothing is posted."""
        from khaos_swap_assets.adapters.files.written import write_csv
        from khaos_swap_assets.stages.payouts.entering import COLUMNS, file_rows, journals_of_month

        with reach.store() as conn:
            try:
                lines = journals_of_month(conn, month)
            except ValueError as error:
                raise typer.BadParameter(str(error), param_hint="--month") from None
        path = file or Path(f"payout-journals-{month}.csv")
        write_csv(path, COLUMNS, file_rows(lines, month))
        typer.echo(f"{len({one.entry for one in lines})} entries in {len(lines)} lines written to {path}")
