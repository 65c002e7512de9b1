"""How a command shows rows to a person or to a program, and what a word may be.

Belongs here: the table, JSON whole and as a stream, the choices of an option. Stays out: what is shown
(``cli.postings``, ``cli.exceptions``, ``cli.links``, ``cli.policy``). A row is data in either form: an amount is whole
minor units under a name that ends in ``_pence`` with the ``currency`` beside it, a moment is one with its offset.
"""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

Row = Mapping[str, Any]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]
PENCE = "_pence"
NARROWEST, USUAL = 40, 80


def require_one_of(given: str, choices: Sequence[str], option: str) -> None:
    """Raise a usage error that names the choices; nothing given is fine."""
    if given and given not in choices:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(sorted(choices))}", param_hint=f"'{option}'")


def show_rows(rows: Sequence[Row], *, as_json: bool, below: Sequence[str] = (), none: str = "none") -> None:
    """Print rows as JSON, or as a table for a person: ``table`` at the width of the terminal, ``none`` without rows."""
    if as_json:
        typer.echo(as_json_text(list(rows)))
        return
    for line in table(rows, width(), below):
        typer.echo(line)
    if not rows:
        say(none)


def say(*sentences: str, first: str = "", further: str = "  ") -> None:
    """Print sentences, each in lines that the terminal can show; no word, number or code is broken."""
    for sentence in sentences:
        typer.echo("\n".join(wrapped(sentence, width(), first, further)))


def width() -> int:
    """Columns of the terminal; of a file or a pipe as many as ``COLUMNS`` says, else 80."""
    return max(NARROWEST, shutil.get_terminal_size((USUAL, 24)).columns)


def stream_json(rows: Iterable[Row]) -> None:
    """Print rows as one JSON list, a row a line, each as it comes: none is kept."""
    typer.echo("[", nl=False)
    for number, row in enumerate(rows):
        typer.echo(f"{',' if number else ''}\n{json.dumps(row, default=_plain, ensure_ascii=False)}", nl=False)
    typer.echo("]")


def as_json_text(value: object) -> str:
    """A value as readable JSON; moments and days as ISO 8601, what else JSON has no word for becomes text."""
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=2)


def table(rows: Sequence[Row], columns: int, below: Sequence[str] = ()) -> list[str]:
    """The lines of a table: no cell is cut, so what does not fit beside the others stands in lines below its row.

    Columns come in the order of the first row, the names of ``below`` always below; what is empty in all rows is left
    out. Amounts are written with their currency and stand to the right.
    """
    cells = [_cells(row) for row in rows]
    filled = [name for name in (cells[0] if cells else ()) if any(row[name] for row in cells)]
    wide = {name: max(_wide(text) for text in (_title(name), *(row[name] for row in cells))) for name in filled}
    beside = _fitting([name for name in filled if name not in below], wide, columns)
    lines = [_line({name: _title(name) for name in beside}, wide), "  ".join("-" * wide[name] for name in beside)]
    for row in cells:
        lines.append(_line({name: row[name] for name in beside}, wide))
        left = [name for name in filled if name not in beside and row[name]]
        lines += [line for name in left for line in _under(name, row[name], columns)]
    return lines if cells else []


def wrapped(text: str, columns: int, first: str, further: str) -> list[str]:
    """A sentence in lines of at most so many columns; no word, number or code is broken."""
    return textwrap.wrap(
        text,
        columns,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def moment_text(moment: datetime) -> str:
    """A moment as the commands write it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _fitting(names: Sequence[str], wide: Mapping[str, int], columns: int) -> list[str]:
    """The first column, and each further one that fits beside those before it."""
    beside: list[str] = []
    for name in names:
        if not beside or sum(wide[one] + 2 for one in beside) + wide[name] <= columns:
            beside.append(name)
    return beside


def _line(texts: Mapping[str, str], wide: Mapping[str, int]) -> str:
    def padded(name: str, text: str) -> str:
        space = " " * (wide[name] - _wide(text))
        return space + text if name.endswith(PENCE) else text + space

    return "  ".join(padded(name, text) for name, text in texts.items()).rstrip()


def _under(name: str, text: str, columns: int) -> list[str]:
    return wrapped(f"{_title(name)}: {text}", columns, "    ", "      ")


def _title(name: str) -> str:
    words = name.removesuffix(PENCE).replace("_", " ")
    return words.upper() if words == "rma" else words


def _cells(row: Row) -> dict[str, str]:
    has_money = any(name.endswith(PENCE) for name in row)
    return {name: _cell(name, value, row) for name, value in row.items() if not (has_money and name == "currency")}


def _cell(name: str, value: object, row: Row) -> str:
    from khaos_swap_assets.adapters.files.faults import printable
    from khaos_swap_assets.domain.money.amounts import money_words

    if value is None or isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, datetime):
        return moment_text(value)
    if name.endswith(PENCE) and isinstance(value, int):
        return money_words(value, str(row["currency"]))
    words = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return printable(" ".join(words.split()))


def _wide(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
