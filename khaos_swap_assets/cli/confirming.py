"""The command of people for Credit Notes without items: ``khaos-swap postings confirm-notes``.

Belongs here: showing the list, asking, and confirming it. Stays out: what is on the list
(``stages.credit_notes.linking``) and the store (``Reach``). The work is imported inside the command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from khaos_swap_assets.cli.postings import By, Reach, Reason
from khaos_swap_assets.cli.showing import Row, show_rows

if TYPE_CHECKING:
    from khaos_swap_assets.stages.credit_notes.linking import Pair


def add_confirm_notes(app: typer.Typer, reach: Reach) -> typer.Typer:
    """The commands of ``khaos-swap postings``, with this one."""

    @app.command("confirm-notes")
    def confirm_notes(
        by: By,
        reason: Reason,
        is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask after the list was shown")] = False,
    ) -> None:
        """Show which Credit Notes without items belong to which documents and returns, and confirm the whole list."""
        from khaos_swap_assets.stages.credit_notes import linking, people

        person = people.Person(by, reason)
        with reach.store() as conn:
            found = linking.listed(conn)
            conn.commit()
            show_rows([_row(pair) for pair in found.pairs], as_json=False, none="no Credit Note without items waits")
            for line in found.left:
                typer.echo(line, err=True)
            if not found.pairs:
                typer.echo("nothing can be confirmed as a list")
                return
            if not is_sure:
                typer.confirm(f"Are these {len(found.pairs)} right, as Khaos shows them?", abort=True)
            linking.confirm(conn, found.pairs, person, now=reach.clock())
        typer.echo(f"{len(found.pairs)} confirmed by {by}")

    return app


def _row(pair: Pair) -> Row:
    return {
        "credit_note": pair.credit_note_code,
        "rma": pair.taker.rma,
        "value_pence": pair.pence,
        "currency": pair.currency,
        "customer": pair.customer_code,
        "made_on": pair.made_on,
        "document": pair.taker.reference or "(staff's own)",
        "since": pair.taker.since,
    }
