"""The commands of people about exceptions: ``khaos-swap exceptions list | waive | reopen``.

Belongs here: arguments and readable answers. Stays out: what a hand may do (``stages.waivers``) and the
store (``Reach``). The table has pages; JSON has every row and is printed as it is read, so that neither grows with
their number. The work is imported inside each command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypedDict, get_args

import typer

from khaos_swap_assets.cli.postings import By, OfStore, Reach, Reason, store_asked
from khaos_swap_assets.cli.showing import AsJson, Row, require_one_of, show_rows, stream_json
from khaos_swap_assets.domain.exceptions.catalogue import Owner

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.store.decisions import Waiver

BELOW = ("what", "perhaps", "what_to_do", "why")


def exceptions_app(reach: Reach) -> typer.Typer:
    """The commands about exceptions."""
    app = typer.Typer(help="What needs a person.", no_args_is_help=True)
    _add_list(app, reach)

    @app.command()
    def waive(
        exception_id: Annotated[int, typer.Argument(help="Its id, as exceptions list shows it")], by: By, reason: Reason
    ) -> None:
        """Close an exception although its condition holds; it opens again when the money at risk changes."""
        from khaos_swap_assets.stages import waivers
        from khaos_swap_assets.stages.credit_notes import people

        with reach.store() as conn:
            name = waivers.waive(conn, exception_id, people.Person(by, reason), now=reach.clock())
        typer.echo(f"waived: {name}")

    @app.command()
    def reopen(
        exception_id: Annotated[int, typer.Argument(help="Its id, as exceptions list --waived shows it")],
        by: By,
        reason: Reason,
    ) -> None:
        """Take a waiver back; the exception is open again, as old as it is."""
        from khaos_swap_assets.stages import waivers
        from khaos_swap_assets.stages.credit_notes import people

        with reach.store() as conn:
            name = waivers.reopen(conn, exception_id, people.Person(by, reason), now=reach.clock())
        typer.echo(f"open again: {name}")

    return app


def _add_list(app: typer.Typer, reach: Reach) -> None:
    @app.command("list")
    def list_exceptions(
        owner: Annotated[str, typer.Option(help="Only whose turn it is: finance, cx, ...")] = "",
        kind: Annotated[str, typer.Option(help="Only of this kind, as in docs/exceptions.md")] = "",
        store: OfStore = "",
        limit: Annotated[int, typer.Option(min=1, help="Rows of a page of the table; JSON has every row")] = 100,
        page: Annotated[int, typer.Option(min=1, help="Which page of the table")] = 1,
        waived: Annotated[bool, typer.Option("--waived", help="Those that a person waived, by whom and why")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Show open exceptions, the most money at risk first, a page at a time, and how many there are."""
        from khaos_swap_assets.adapters.store import decisions, exceptions
        from khaos_swap_assets.domain.exceptions.catalogue import KINDS

        require_one_of(kind, tuple(KINDS), "--kind")
        require_one_of(owner, get_args(Owner), "--owner")
        wanted = _Wanted(owner=owner, kind=kind, store=store_asked(reach, store))
        with reach.store() as conn:
            if waived:
                _show_waivers(decisions.waivers(conn, owner=owner, kinds=[kind] if kind else []), as_json=as_json)
                return
            if as_json:
                stream_json(map(_with_action, exceptions.open_exceptions(conn, **wanted)))
                return
            total = exceptions.count(conn, **wanted)
            skipped = (page - 1) * limit
            rows = list(exceptions.open_exceptions(conn, **wanted, limit=limit, skipped=skipped))
        if rows:
            show_rows([_in_brief(_with_action(row)) for row in rows], as_json=False, below=BELOW)
        typer.echo(_where(skipped, len(rows), total, page))


class _Wanted(TypedDict):
    """Which exceptions; see ``adapters.store.exceptions``."""

    owner: str
    kind: str
    store: str | None


def _show_waivers(found: Sequence[Waiver], *, as_json: bool) -> None:
    if as_json:
        stream_json(map(asdict, found))
        return
    rows = [
        {**_named(asdict(one)), "by": one.waived_by, "waived_at": one.waived_at, "kind": one.kind, "why": one.reason}
        for one in found
    ]
    if rows:
        show_rows(rows, as_json=False, below=BELOW)
    typer.echo(f"{len(found)} waived" if found else "nothing is waived")


def _where(skipped: int, shown: int, total: int, page: int) -> str:
    """Which rows of how many a page shows, and how to get to the next."""
    if not shown:
        return f"none of {total} open exceptions" if total else "no open exception"
    more = f"; --page {page + 1} shows the next, --json all" if skipped + shown < total else ""
    return f"{skipped + 1} to {skipped + shown} of {total} open exceptions{more}"


def _with_action(row: Row) -> Row:
    from khaos_swap_assets.domain.exceptions.catalogue import KINDS

    return {**row, "what_to_do": KINDS[row["kind"]].action}


def _named(row: Row) -> Row:
    """What every row begins with: which it is, what it is about, the money, whose turn it is."""
    return {
        "id": row["exception_id"],
        "about": row["subject"],
        "at_risk_pence": row["money_at_risk_pence"],
        "currency": row["currency"],
        "owner": row["owner"],
    }


def _in_brief(row: Row) -> Row:
    told = {"kind": row["kind"], "opened_at": row["opened_at"], "what": row["message"], "perhaps": row["suggestion"]}
    return {**_named(row), **told, "what_to_do": row["what_to_do"]}
