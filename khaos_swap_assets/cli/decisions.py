"""The commands of people about what they decided: ``khaos-swap decisions list | add | end | import | export``.

Belongs here: arguments, files and readable answers. Stays out: what may be decided (``stages.deciding``), the file
(``adapters.files.decided``) and the store (``Reach``). The work is imported inside each command.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from khaos_swap_assets.cli.postings import By, Reach, Reason
from khaos_swap_assets.cli.showing import AsJson, Row, show_rows
from khaos_swap_assets.domain.records.decisions import DecisionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from khaos_swap_assets.domain.records.decisions import PersonDecision

Kind = Annotated[DecisionKind, typer.Argument(help="What is decided")]
Subject = Annotated[str, typer.Argument(help="A Credit Note, an RMA, a SKU, or the subject of an exception")]
Other = Annotated[str, typer.Argument(help="The RMA, the Stock Code, or the kind of the exception")]


def decisions_app(reach: Reach) -> typer.Typer:
    """The commands about decisions."""
    app = typer.Typer(help="What people decided: one record, by whom, why, and on which figures.", no_args_is_help=True)
    _add_list(app, reach)
    _add_actions(app, reach)
    _add_files(app, reach)
    return app


def _add_list(app: typer.Typer, reach: Reach) -> None:
    @app.command("list")
    def list_decisions(as_json: AsJson = False) -> None:
        """Show the decisions that stand, the oldest first."""
        from khaos_swap_assets.stages import deciding

        with reach.store() as conn:
            rows = [_row(one) for one in deciding.exported(conn)]
        show_rows(rows, as_json=as_json, below=["reason"], none="no decision stands")


def _add_actions(app: typer.Typer, reach: Reach) -> None:
    @app.command()
    def add(kind: Kind, subject: Subject, by: By, reason: Reason, other: Other = "") -> None:
        """Decide one thing, on the figures of now; it ends when these change. It never posts anything."""
        from khaos_swap_assets.domain.records.decisions import PersonDecision
        from khaos_swap_assets.stages import deciding

        made = PersonDecision(
            decision=kind, subject=subject, object=other, decided_by=by, reason=reason, decided_at=reach.clock()
        )
        with reach.store() as conn:
            told = deciding.decide(conn, made, now=reach.clock())
        typer.echo(f"{kind} {subject}: {told}")

    @app.command()
    def end(kind: Kind, subject: Subject, by: By, reason: Reason, other: Other = "") -> None:
        """Take a decision back; the next run judges as before it."""
        from khaos_swap_assets.stages import deciding
        from khaos_swap_assets.stages.credit_notes.people import Person

        with reach.store() as conn:
            deciding.take_back(conn, kind, subject, other, Person(by, reason), now=reach.clock())
        typer.echo(f"{kind} {subject}: ended")


def _add_files(app: typer.Typer, reach: Reach) -> None:
    @app.command("export")
    def export(
        file: Annotated[Path, typer.Argument(help="The CSV file to write; khaos-swap audit --decisions takes it")],
    ) -> None:
        """Write the decisions that stand, as khaos-swap audit takes them."""
        from khaos_swap_assets.adapters.files.decided import write_decisions
        from khaos_swap_assets.stages import deciding

        with reach.store() as conn:
            made = deciding.exported(conn)
        write_decisions(file, made, lambda _: "stands")
        typer.echo(f"{len(made)} decisions written to {file}")

    @app.command("import")
    def import_(
        file: Annotated[Path, typer.Argument(help="decisions.csv, or a report.xlsx with choices in its Exceptions")],
    ) -> None:
        """Take the decisions of a file, each as if it were made here. What does not fit is told; exit 1 then."""
        from khaos_swap_assets.stages import deciding
        from khaos_swap_assets.stages.credit_notes.people import ActionError

        taken = left = 0
        for made in _read(file, reach):
            with reach.store() as conn:
                try:
                    taken += deciding.decide(conn, made, now=reach.clock()) != deciding.STANDS
                except ActionError as error:
                    conn.rollback()
                    left += 1
                    typer.echo(f"not taken: {made.decision} {made.subject} {made.object}: {error}", err=True)
        typer.echo(f"{taken} decisions taken, {left} not")
        if left:
            raise typer.Exit(1)


def _read(file: Path, reach: Reach) -> Sequence[PersonDecision]:
    """The decisions of a file; bad rows are told, exit code 2, and nothing is taken."""
    from khaos_swap_assets.adapters.files.decided import DECISIONS, decisions_of
    from khaos_swap_assets.adapters.files.reading import read_table

    table = read_table(file, DECISIONS)
    if table.faults:
        typer.echo("\n".join(map(str, table.kinds)), err=True)
        raise typer.Exit(2)
    return decisions_of(table.rows, reach.clock())


def _row(one: PersonDecision) -> Row:
    return {
        "subject": one.subject,
        "decision": one.decision,
        "object": one.object,
        "at_risk_pence": one.on.money_at_risk_pence,
        "refund_pence": one.on.refund_pence,
        "credited_pence": one.on.credited_pence,
        "currency": one.on.currency,
        "decided_by": one.decided_by,
        "decided_at": one.decided_at,
        "reason": one.reason,
    }
