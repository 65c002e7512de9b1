"""The commands of the warehouse: ``khaos-swap inspections import | list | correct``.

Belongs here: arguments, the list of questions, and what is printed. Stays out: reading files (``adapters.files``) and
what an import or a correction does (``stages.stock.benching``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from khaos_swap_assets.cli.imports import (
    MOST_NAMED,
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
from khaos_swap_assets.cli.postings import By, Reach, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from khaos_swap_assets.adapters.files.inspections import InspectionRow
    from khaos_swap_assets.adapters.files.tables import Table
    from khaos_swap_assets.domain.goods.bench_rows import BenchRow

Condition = Annotated[str, typer.Option(help="Sellable, Damaged, No-Value, Missing, or Pending where it is not known")]
Rma = Annotated[str, typer.Option(help="RMA number of the return")]


def inspections_app(reach: Reach) -> typer.Typer:
    """The commands about inspections."""
    app = typer.Typer(help="What the warehouse found in the parcels.", no_args_is_help=True)
    _add_import(app, reach)
    _add_list(app, reach)
    _add_correct(app, reach)
    return app


def _add_import(app: typer.Typer, reach: Reach) -> None:
    @app.command("import")
    def import_(file: File, by: By, rejected: Rejected = None, map_in: Map = None, dates: Dates = None) -> None:
        """Take the file that the warehouse uploads to Swap: order number, SKU, condition and quantity, any headings.

        A row counts where exactly one line of a return waits for it. Every other row is a question: told with its
        reason, in a file of its own, and exit code 1. The same file twice changes nothing.
        """
        from khaos_swap_assets.adapters.files.inspections import INSPECTIONS
        from khaos_swap_assets.domain.goods.bench_rows import BenchRow
        from khaos_swap_assets.stages.stock.benching import import_inspections

        table = read_asked(file, INSPECTIONS, asked_of(file, map_in, dates))
        if not table.is_whole:
            refuse("\n".join(map(str, table.kinds)))
        rows = [BenchRow(*row) for row in table.rows]
        with reach.store() as conn, conn.transaction():
            done = import_inspections(conn, rows, file.name, brought_by(file, by).by, reach.clock())
        typer.echo(f"{done.new} inspections are new, {done.known} were known; the next run acts on them")
        tell_rejected(table, file, rejected, _questions(table, done.questions), "questions")


def _questions(table: Table[InspectionRow], asked: Sequence[tuple[BenchRow, str]]) -> list[str]:
    """Put the rows that nobody can tell about with the bad ones; the lines that tell of both, so many at the most."""
    told = [str(kind) for kind in table.kinds]
    for row, question in asked:
        table.reject(row.line, "sku", row.sku, question)
    return told + [f"{table.file}, line {row.line}: {row.sku}: {question}" for row, question in asked[:MOST_NAMED]]


def _add_list(app: typer.Typer, reach: Reach) -> None:
    @app.command("list")
    def list_(rma: Rma) -> None:
        """List what the warehouse found of a return, the earliest first; what was corrected is left out."""
        from khaos_swap_assets.adapters.store import inspections

        with reach.store() as conn:
            found = inspections.of_rmas(conn, [rma])
        for one in found:
            typer.echo(
                f"{one.inspection_id}: {one.quantity} x {one.sku or one.line_item_id} {one.condition}, "
                f"{one.inspected_at:%Y-%m-%d %H:%M} UTC by {one.inspected_by}"
            )
        typer.echo(f"{len(found)} inspections" if found else f"nothing was inspected of {rma}")


def _add_correct(app: typer.Typer, reach: Reach) -> None:
    @app.command()
    def correct(
        inspection_id: Annotated[str, typer.Argument(help="Its id, as inspections list shows it")],
        condition: Condition,
        quantity: Annotated[int, typer.Option(min=1, max=100_000, help="Units in this condition")],
        by: By,
        reason: Reason,
    ) -> None:
        """Put another finding in the place of one that was wrong. Both stay on record, and goods are moved back."""
        from khaos_swap_assets.stages.credit_notes.people import Person
        from khaos_swap_assets.stages.stock import benching

        with reach.store() as conn, conn.transaction():
            name = benching.correct(conn, inspection_id, condition, quantity, Person(by, reason), now=reach.clock())
        typer.echo(f"{inspection_id} is replaced by {name}; the next run acts on it")
