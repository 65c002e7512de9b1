"""The commands of people about links: ``khaos-swap links list | undo | allow``.

Belongs here: arguments and readable answers. Stays out: what a hand may do (``stages.credit_notes.linking``) and the
store (``Reach``). Every change needs ``--by`` and ``--reason``. The work is imported inside each command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from khaos_swap_assets.cli.postings import By, Reach, Reason
from khaos_swap_assets.cli.showing import AsJson, Row, show_rows

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.store.links import RuledOut, StandingLink

Note = Annotated[str, typer.Argument(help="Code of the Credit Note in Khaos")]
OfReturn = Annotated[str, typer.Argument(help="RMA of the return; without it all of the note's")]


def links_app(reach: Reach) -> typer.Typer:
    """The commands about links."""
    app = typer.Typer(help="Which Credit Note belongs to which return, and why.", no_args_is_help=True)
    _add_list(app, reach)
    _add_hands(app, reach)
    return app


def _add_list(app: typer.Typer, reach: Reach) -> None:
    @app.command("list")
    def list_links(
        note: Annotated[str, typer.Option(help="Of this Credit Note only")] = "",
        rma: Annotated[str, typer.Option(help="Of this return only")] = "",
        limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first")] = 100,
        refused: Annotated[bool, typer.Option("--refused", help="What a person ruled out, instead")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Show links with each return's share, the pass that made them, when and by whom."""
        from khaos_swap_assets.adapters.store import links

        with reach.store() as conn:
            if refused:
                found = links.refusals(conn, [note] if note else [])
                rows = [_refused(one) for one in found if rma in ("", one.rma)][:limit]
            else:
                rows = [_linked(one) for one in links.newest(conn, limit, rma=rma, note=note)]
        show_rows(rows, as_json=as_json, below=["reason"], none="nothing is ruled out" if refused else "no link")


def _add_hands(app: typer.Typer, reach: Reach) -> None:
    @app.command()
    def undo(note: Note, by: By, reason: Reason, rma: OfReturn = "") -> None:
        """Take a link back, with all that was linked together with it; no pass makes it again."""
        from khaos_swap_assets.stages.credit_notes import linking, people

        with reach.store() as conn:
            taken = linking.undo(conn, note, people.Person(by, reason), now=reach.clock(), rma=rma)
        told = ", ".join(f"{one.credit_note_code} of {one.rma}" for one in taken)
        typer.echo(f"taken back: {told}; the next run judges them as before the link")

    @app.command()
    def allow(note: Note, by: By, reason: Reason, rma: OfReturn = "") -> None:
        """Withdraw what a person ruled out: the next run links the pair again where that is certain."""
        from khaos_swap_assets.stages.credit_notes import linking, people

        with reach.store() as conn:
            found = linking.allow(conn, note, people.Person(by, reason), now=reach.clock(), rma=rma)
        typer.echo(f"allowed again: {', '.join(f'{one.credit_note_code} of {one.rma}' for one in found)}")


def _linked(one: StandingLink) -> Row:
    return {
        "rma": one.rma,
        "share_pence": one.pence,
        "currency": one.currency,
        "credit_note": one.credit_note_code,
        "matched_by": one.matched_by,
        "certainty": one.certainty,
        "linked_at": one.linked_at,
        "linked_by": one.linked_by,
    }


def _refused(one: RuledOut) -> Row:
    return {
        "rma": one.rma,
        "credit_note": one.credit_note_code,
        "refused_by": one.refused_by,
        "reason": one.reason,
        "refused_at": one.refused_at,
    }
