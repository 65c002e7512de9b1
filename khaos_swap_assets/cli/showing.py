"""How a command shows rows to a person or to a program, and what a word may be.

Belongs here: the table, JSON whole and as a stream, the choices of an option. Stays out: what is shown
(``cli.postings``, ``cli.exceptions``, ``cli.links``, ``cli.policy``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

Row = Mapping[str, Any]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]
NEVER_BROKEN = ("id", "kind", "reference", "at risk")
WIDTH_OF_A_FILE = 200


def require_one_of(given: str, choices: Sequence[str], option: str) -> None:
    """Raise a usage error that names the choices; nothing given is fine."""
    if given and given not in choices:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(sorted(choices))}", param_hint=f"'{option}'")


def show_rows(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows as a table for a person, or as JSON."""
    if as_json:
        typer.echo(as_json_text(list(rows)))
        return
    from rich.console import Console
    from rich.table import Column, Table

    columns = [Column(name, no_wrap=name in NEVER_BROKEN) for name in (rows[0] if rows else {"nothing": ""})]
    table = Table(*columns)
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    console = Console()
    console.width = console.width if console.is_terminal else WIDTH_OF_A_FILE
    console.print(table)


def stream_json(rows: Iterable[Row]) -> None:
    """Print rows as one JSON list, a row a line, each as it comes: none is kept."""
    typer.echo("[", nl=False)
    for number, row in enumerate(rows):
        typer.echo(f"{',' if number else ''}\n{json.dumps(row, default=str, ensure_ascii=False)}", nl=False)
    typer.echo("]")


def as_json_text(value: object) -> str:
    """A value as readable JSON; what JSON has no word for becomes text."""
    return json.dumps(value, default=str, ensure_ascii=False, indent=2)


def _cell(value: object) -> str:
    from rich.markup import escape

    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else escape("" if value is None else str(value))
