"""The commands ``khaos-swap import …``: Sales Orders and Credit Notes of Khaos from a file into this installation.

Belongs here: options, refusing a bad file as a whole, the list of rejected rows, and what is printed. Stays out:
reading files (``adapters.files``) and what an import does (``stages.importing``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from khaos_swap_assets.cli.postings import By, Reach
from khaos_swap_assets.cli.progress import progress

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.files.tables import Asked, Layout, Table
    from khaos_swap_assets.stages.importing import Brought, Imported

MINUTE = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
MOST_NAMED = 20
ABSENT = (
    "They still count, and keep documents back. Look each up in Khaos: where it is there, export again; "
    "where it was cancelled, take its link back (khaos-swap links undo) and waive its exception (khaos-swap exceptions)"
)


class Days(StrEnum):
    """Which of day and month comes first."""

    UK = "uk"
    US = "us"


File = Annotated[Path, typer.Argument(help="CSV (UTF-8 or Windows-1252, comma or semicolon) or Parquet, a row a line")]
SkipBadRows = Annotated[bool, typer.Option("--skip-bad-rows", help="Write bad rows to a file and import the rest")]
Rejected = Annotated[Path | None, typer.Option(help="Where bad rows go; default: FILE.rejected.csv beside the file")]
Map = Annotated[Path | None, typer.Option("--map", help="How to read the file, as khaos-swap audit --map-out wrote it")]
Dates = Annotated[
    Days | None,
    typer.Option(help="Order of days such as 03/02/2026 where no cell of a column shows it: uk is day first"),
]
CompleteTo = Annotated[
    datetime | None,
    typer.Option(
        formats=MINUTE,
        help="UTC moment up to which the file holds every Credit Note of Khaos. Khaos Cloud gets documents only after "
        "such a file shows that nobody has posted them by hand",
    ),
]


def import_app(reach: Reach) -> typer.Typer:
    """The commands that take files into the installation."""
    app = typer.Typer(help="Take what Khaos shows to a person only: files into the mirrors.", no_args_is_help=True)
    _add_sales_orders(app, reach)
    _add_credit_notes(app, reach)
    _add_write_offs(app, reach)
    return app


def _add_sales_orders(app: typer.Typer, reach: Reach) -> None:
    @app.command("sales-orders")
    def sales_orders(
        file: File,
        by: By,
        skip_bad_rows: SkipBadRows = False,
        rejected: Rejected = None,
        map_in: Map = None,
        dates: Dates = None,
    ) -> None:
        """Import Sales Orders. An order counts as invoiced only where invoiced_on names the day.

        Bad rows are told line by line, exit code 2, and nothing is imported. The same file twice changes nothing, and
        what Khaos itself told of an order is never changed by a file.
        """
        from khaos_swap_assets.adapters.files import layouts
        from khaos_swap_assets.stages import importing

        read = _read(file, layouts.SALES_ORDERS, asked_of(file, map_in, dates), skips=skip_bad_rows, rejected=rejected)
        _import(reach, read, brought_by(file, by), importing.import_orders)


def _add_credit_notes(app: typer.Typer, reach: Reach) -> None:
    @app.command("credit-notes")
    def credit_notes(
        file: File,
        by: By,
        complete_to: CompleteTo = None,
        skip_bad_rows: SkipBadRows = False,
        rejected: Rejected = None,
        map_in: Map = None,
        dates: Dates = None,
    ) -> None:
        """Import Credit Notes that Khaos issued, whoever made them. They witness documents as if Khaos had told them.

        Bad rows are told line by line, exit code 2, and nothing is imported. The same file twice changes nothing, and
        what Khaos itself told of a note is never changed by a file.
        """
        from khaos_swap_assets.adapters.files import layouts
        from khaos_swap_assets.stages import importing

        read = _read(file, layouts.CREDIT_NOTES, asked_of(file, map_in, dates), skips=skip_bad_rows, rejected=rejected)
        if complete_to and read.faults:
            refuse(f"--complete-to: {read.rejected} rows are rejected, so the file does not hold everything")
        moment = complete_to.replace(tzinfo=UTC) if complete_to else None
        _import(reach, read, brought_by(file, by, moment), importing.import_notes)


def _add_write_offs(app: typer.Typer, reach: Reach) -> None:
    @app.command("write-offs")
    def write_offs(file: File, by: By, rejected: Rejected = None, map_in: Map = None, dates: Dates = None) -> None:
        """Import Khaos's Write Off Report: Stock Code, quantity and day of each row, with cost and user where it says.

        It is evidence beside the write-offs that the month end proposes, and moves nothing. Bad rows are told, exit
        code 1, and the others are in. The same file twice changes nothing.
        """
        from khaos_swap_assets.adapters.files.write_offs import WRITE_OFFS
        from khaos_swap_assets.stages.importing import import_write_offs

        table = read_asked(file, WRITE_OFFS, asked_of(file, map_in, dates))
        if not table.is_whole:
            refuse("\n".join(map(str, table.kinds)))
        with reach.store() as conn, conn.transaction():
            new = import_write_offs(conn, table.rows, brought_by(file, by), reach.clock())
        typer.echo(f"{new} of {len(table.rows)} write-offs are new; their months show them when they are added up next")
        tell_rejected(table, file, rejected, map(str, table.kinds), "rejected")


def _read(file: Path, layout: Layout[Any], asked: Asked, *, skips: bool, rejected: Path | None) -> Table[Any]:
    """The rows of the file; every fault is one line on stderr and exit 2, unless bad rows are skipped into a list."""
    from khaos_swap_assets.adapters.files.tables import without_torn_groups

    table = read_asked(file, layout, asked)
    if table.faults and not (skips and table.is_whole):
        refuse("\n".join(map(str, table.kinds)))
    without_torn_groups(table, layout.group)
    if table.faults:
        typer.echo(f"rejected: {_listed(table, file, rejected)}", err=True)
    return table


def _listed(table: Table[Any], file: Path, rejected: Path | None) -> str:
    """Write the bad rows to their file; how many there are, and where."""
    from khaos_swap_assets.adapters.files.written import write_rejected

    path = rejected or file.with_name(f"{file.name}.rejected.csv")
    write_rejected(path, sorted(table.faults, key=lambda fault: (fault.line, fault.record)))
    return f"{table.rejected} of {table.given} rows, see {path}"


def tell_rejected(table: Table[Any], file: Path, rejected: Path | None, told: Iterable[str], what: str) -> None:
    """Where rows are left out and the others are in: what is ``told`` of them, their file, and exit code 1."""
    if table.faults:
        listed = _listed(table, file, rejected)
        typer.echo("\n".join([*told, f"{what}: {listed}; the others are in"]), err=True)
        raise typer.Exit(1)


def asked_of(file: Path, map_in: Path | None, dates: Days | None) -> Asked:
    """How the file is to be read: as a map says, and which of day and month comes first."""
    from khaos_swap_assets.adapters.files.maps import read_maps
    from khaos_swap_assets.adapters.files.tables import Asked

    maps = read_maps(map_in) if map_in else {}
    return Asked(maps.get(file.name), dates.value if dates else "", tuple(maps.values()))


def read_asked(file: Path, layout: Layout[Any], asked: Asked) -> Table[Any]:
    """The rows of the file, its faults beside them."""
    from khaos_swap_assets.adapters.files.reading import read_table

    with progress() as reports:
        return read_table(file, layout, reports("read"), asked)


def refuse(words: str) -> NoReturn:
    """Say why on stderr, and leave with exit code 2."""
    typer.echo(words, err=True)
    raise typer.Exit(2)


def brought_by(file: Path, by: str, complete_to: datetime | None = None) -> Brought:
    """A file and the named person who brings it."""
    from khaos_swap_assets.stages.importing import Brought

    if not by.strip():
        refuse("--by: give your name, for the audit log")
    return Brought(file.name, hashlib.sha256(file.read_bytes()).hexdigest(), by.strip(), complete_to)


def _import(reach: Reach, table: Table[Any], brought: Brought, keep: Callable[..., Imported]) -> None:
    with reach.store() as conn, conn.transaction():
        done = keep(conn, table.rows, brought, reach.clock(), is_cloud=reach.settings().khaos.is_cloud)
    typer.echo(f"{done.documents} documents in {len(table.rows)} rows: {done.changed} new or changed", nl=False)
    typer.echo(f", {done.told_by_khaos} as Khaos itself told them; {done.returns} returns are looked at next")
    if done.absent:
        shown = ", ".join(done.absent[:MOST_NAMED]) + (" …" if len(done.absent) > MOST_NAMED else "")
        typer.echo(f"no longer in the file: {len(done.absent)} Credit Notes, {shown}. {ABSENT}", err=True)
