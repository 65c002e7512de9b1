"""The pages in ``docs/`` that are made from the code: settings, commands, checks, exceptions.

Belongs here: making the text and, by ``python -m khaos_swap_assets_tests.generated_docs``, writing it. Stays out: pages
written by hand. ``test_docs`` keeps every generated text equal to its page.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

import click
import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from khaos_swap_assets.adapters.settings import NESTED, PREFIX, Settings
from khaos_swap_assets.domain.exceptions.catalogue import KINDS, ExceptionKind
from khaos_swap_assets_tests import matching_page

DOCS = Path(__file__).parent.parent / "docs"
GROUPS: Mapping[str, tuple[type[BaseSettings], str]] = {
    "General": (Settings, PREFIX),
    **{name.capitalize(): (kind, f"{PREFIX}{name.upper()}_") for name, kind in NESTED.items()},
}
SETTINGS_HEAD = """# Settings

Made from `khaos_swap_assets/adapters/settings.py`. Every setting is an environment variable and nothing else: neither
a run's configuration nor the UI can change one. A wrong one is reported before anything starts, in one line that names
the variable and the reason, and the program ends with code 2. `khaos-swap settings` prints this list.

A **secret** never appears in a log, an error or the UI. Which ones must be set, and in what order to go about it, is in
[operations](operations.md).

The programs set `KHAOS_SWAP_STARTED_BY`, `KHAOS_SWAP_DAGSTER_URL` and `DAGSTER_HOME` for each other; you do not.
"""
COMMANDS_HEAD = """# Commands

Made from the command line itself; `khaos-swap COMMAND --help` shows the same. A mistake in settings or arguments is one
line on stderr and exit code 2, never a traceback; what may pass by itself (the database is away, a port is taken, a
process does not stay up) is one line and exit code 75. `khaos-swap --demo COMMAND` speaks to the demo that runs in this
folder, and to nothing else. `khaos-swap --version` prints the versions of the program, Python, Dagster and the tables
that it needs; it reads neither settings nor a database.

A table cuts nothing: at 80 columns (or those of the terminal, or of `COLUMNS`) what does not fit beside the rest stands
in lines below its row, and what to do always does. `--json` prints the same for a program, in one form everywhere: an
amount is a whole number of minor units (pence) under a name that ends in `_pence`, with its `currency` (ISO 4217) in
the same object or in the one around it; a moment is ISO 8601 with its offset, as `2026-03-10T12:00:00+00:00`, a day
`2026-03-10`. Amounts within sentences are for people.
"""
EXCEPTIONS_HEAD = """# Exceptions

Made from `khaos_swap_assets/domain/exceptions/catalogue.toml`. An exception opens when its condition holds and closes
by itself when it no longer does; a person may waive it: `khaos-swap exceptions waive ID --by NAME --reason TEXT`.

| kind | owner | severity |
|---|---|---|
"""
CHECKS = ("<!-- checks: made from the code -->", "<!-- end of checks -->")
COLUMNS = ("<!-- columns: made from the code -->", "<!-- end of columns -->")


def settings_page() -> str:
    """Every variable by group: default, what it may be, meaning."""
    return SETTINGS_HEAD + "".join(_group(title, model, prefix) for title, (model, prefix) in GROUPS.items())


def variables() -> list[str]:
    """The name of every variable."""
    return [f"{prefix}{name.upper()}" for model, prefix in GROUPS.values() for name, _ in _plain_fields(model)]


def _group(title: str, model: type[BaseSettings], prefix: str) -> str:
    rows = "".join(_setting_row(f"{prefix}{name.upper()}", field) for name, field in _plain_fields(model))
    return f"\n## {title}\n\n| variable | default | may be | meaning |\n|---|---|---|---|\n{rows}"


def _plain_fields(model: type[BaseSettings]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseSettings)):
            yield name, field


def _setting_row(variable: str, field: FieldInfo) -> str:
    default = "" if isinstance(field.default, SecretStr) or field.default in (None, "") else f"`{field.default}`"
    return f"| `{variable}` | {default} | {_may_be(field)} | {_cell(field.description or '')} |\n"


def _may_be(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if typing.get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(kind))
    kinds = [part for part in typing.get_args(kind) or (kind,) if part is not type(None)]
    name = {"SecretStr": "secret", "str": "text", "int": "whole number", "float": "number", "bool": "true, false",
            "date": "date, YYYY-MM-DD", "Path": "path"}[kinds[0].__name__]  # fmt: skip
    return " ".join([name, *_bounds(field.metadata)])


def _bounds(metadata: Iterable[Any]) -> Iterator[str]:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    for one in metadata:
        yield from (f"{sign} {getattr(one, name):g}" for name, sign in signs.items() if hasattr(one, name))


def commands_page(app: typer.Typer) -> str:
    """Every command with its arguments and options."""
    commands = commands_of(app)
    index = "".join(f"| [`{name}`](#{_anchor(name)}) | {_first(command)} |\n" for name, command in commands.items())
    chapters = "".join(_command(name, command) for name, command in commands.items())
    return f"{COMMANDS_HEAD}\n| command | what it does |\n|---|---|\n{index}{chapters}"


def commands_of(app: typer.Typer) -> dict[str, click.Command]:
    """Every command of ours by its whole name. Typer brings a copy of click with other names for the same classes."""
    return dict(walk(cast(click.Command, typer.main.get_command(app))))


def walk(command: click.Command, name: str = "khaos-swap") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its whole name; a group is only its commands."""
    children: Mapping[str, click.Command] | None = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child, found in children.items():
        if not found.hidden:
            yield from walk(found, f"{name} {child}")


def _command(name: str, command: click.Command) -> str:
    rows = "".join(
        _parameter(one) for one in command.params if not getattr(one, "hidden", False) and one.name != "help"
    )
    table = f"\n| argument or option | default | meaning |\n|---|---|---|\n{rows}" if rows else ""
    return f"\n## {name}\n\n{_text(command.help or '')}\n{table}"


def _parameter(one: click.Parameter) -> str:
    is_argument = one.param_type_name == "argument"
    shown = f"`{(one.name or '').upper()}`" if is_argument else ", ".join(f"`{opt}`" for opt in one.opts)
    others = "".join(f", `{opt}`" for opt in one.secondary_opts)
    default = "required" if one.required else _default(one)
    return f"| {shown}{others} | {default} | {_cell(getattr(one, 'help', None) or '')} |\n"


def _default(one: click.Parameter) -> str:
    if getattr(one, "is_flag", False) or one.default in (None, "", (), []) or callable(one.default):
        return ""
    return f"`{one.default}`"


def _first(command: click.Command) -> str:
    return _cell(_text(command.help or "").split("\n\n")[0])


def _text(words: str) -> str:
    """Paragraphs of a docstring, each on one line."""
    paragraphs = words.replace("\b", "").strip().split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in paragraphs)


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", name.lower()).replace(" ", "-")


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


def handbook() -> str:
    """The markdown page of all kinds: a table of owners, then what each means, what to do, and what closes it."""
    rows = (f"| [{kind.kind}](#{kind.kind}) | {kind.owner} | {kind.severity} |\n" for kind in KINDS.values())
    return EXCEPTIONS_HEAD + "".join(rows) + "".join(map(_chapter, KINDS.values()))


def _chapter(kind: ExceptionKind) -> str:
    return f"""
## {kind.kind}

{kind.meaning}

* **Owner**: {kind.owner}
* **What to do**: {kind.action}
* **Closes when**: {kind.closes_when}
"""


def checks_part() -> str:
    """Every check by asset: what green proves, and what to do when it is red."""
    from khaos_swap_assets.definitions import build

    by_asset: dict[str, list[str]] = {}
    for definition in build().asset_checks or ():
        for spec in definition.check_specs:
            text = _with_links(spec.description or "")
            by_asset.setdefault(spec.asset_key.to_user_string(), []).append(f"### {spec.name}\n\n{text}\n")
    return "\n".join(f"## On `{asset}`\n\n" + "\n".join(texts) for asset, texts in sorted(by_asset.items()))


def _with_links(description: str) -> str:
    return re.sub(r"\*\*(\w+)\*\*", r"**[\1](exceptions.md#\1)**", description)


def columns_part() -> str:
    """Every table that an audit reads, with its columns."""
    from khaos_swap_assets.adapters.files import decided, layouts
    from khaos_swap_assets.adapters.files.tables import Layout

    tables: Mapping[str, Layout[Any]] = {
        "--stock-codes": layouts.STOCK_CODES,
        "--sales-orders": layouts.SALES_ORDERS,
        "--credit-notes": layouts.CREDIT_NOTES,
        "--refunds": layouts.REFUNDS,
        "--decisions": decided.DECISIONS,
    }
    rows = (f"| `{option}` | {_columns(layout.columns)} |\n" for option, layout in tables.items())
    return "| file | columns; the bold ones must be there |\n|---|---|\n" + "".join(rows)


def _columns(columns: Iterable[Any]) -> str:
    return ", ".join(f"**`{one.name}`**" if one.is_required else f"`{one.name}`" for one in columns)


def with_part(name: str, marks: tuple[str, str], part: str) -> str:
    """A page of ``docs`` with what stands between two marks made anew."""
    before, _, rest = (DOCS / name).read_text(encoding="utf-8").partition(marks[0])
    after = rest.partition(marks[1])[2]
    return f"{before}{marks[0]}\n\n{part}\n{marks[1]}{after}"


def pages() -> dict[str, str]:
    """Each generated page by its file name."""
    from khaos_swap_assets.cli.commands import app

    return {
        "settings.md": settings_page(),
        "commands.md": commands_page(app),
        "exceptions.md": handbook(),
        "matching.md": matching_page.page(),
        "month_end.md": with_part("month_end.md", CHECKS, checks_part()),
        "audit.md": with_part("audit.md", COLUMNS, columns_part()),
    }


if __name__ == "__main__":
    for file_name, text in pages().items():
        (DOCS / file_name).write_text(text, encoding="utf-8")
