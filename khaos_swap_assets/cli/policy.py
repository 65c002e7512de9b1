"""``khaos-swap policy …``: the decisions in plain words, and what others would have done to the last months.

Belongs here: arguments, tables and JSON. Stays out: the replay (``stages.credit_notes.policy_trial``) and the decisions
(``policy.decisions``). Nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.cli.showing import AsJson, Row, as_json_text, say, show_rows

if TYPE_CHECKING:
    from khaos_swap_assets.domain.policy.trial import Trial, TrialTotal

PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="YAML file of decisions; without it, the policy in force")
]


def policy_app(reach: Reach) -> typer.Typer:
    """The commands about the Credit Note policy."""
    app = typer.Typer(help="What finance decided on Credit Notes.", no_args_is_help=True)

    @app.command("show")
    def show(policy: PolicyFile = None, as_json: AsJson = False) -> None:
        """Show every decision in plain words, the version, and what is still left to a person."""
        from khaos_swap_assets.adapters.policy import load_policy
        from khaos_swap_assets.domain.policy.decisions import tasks_of, told

        found = load_policy(policy or reach.settings().policy_file)
        rows = [asdict(one) for one in told(found)]
        if as_json:
            typer.echo(as_json_text({"version": found.version, "decisions": rows}))
        else:
            show_rows([_in_words(row) for row in rows], as_json=False, below=["what_follows"])
            tasks = ", ".join(tasks_of(found))
            say(f"version {found.version}", f"left to a person: {tasks or 'nothing'}")

    @app.command("test")
    def test(
        policy: PolicyFile = None,
        days: Annotated[int, typer.Option(min=1, max=800, help="How far back refunds are replayed")] = 90,
        as_json: AsJson = False,
    ) -> None:
        """Replay the last days and print the pounds that would have moved under a policy. Writes nothing."""
        from khaos_swap_assets.adapters.policy import load_policy
        from khaos_swap_assets.domain.policy.trial import totals
        from khaos_swap_assets.stages.credit_notes.policy_trial import try_policy

        settings = reach.settings()
        present = load_policy(settings.policy_file)
        tried = load_policy(policy) if policy else present
        with reach.store() as conn:
            trials = list(try_policy(conn, settings, present, tried, days=days, now=reach.clock()))
        changed, sums = [one for one in trials if one.is_changed], totals(trials)
        echo = _echo_json if as_json else _echo_table
        echo(present.version, tried.version, days, changed, sums)

    return app


def _in_words(row: dict[str, Any]) -> dict[str, str]:
    marks = [word for word, holds in (("task", row["is_task"]), ("default", row["is_default"])) if holds]
    by = "" if row["is_default"] else f"{row['approver']} from {row['effective_on']}"
    words = {"decision": row["name"].replace("_", " "), "choice": row["choice"], "what_follows": row["words"]}
    return {**words, "Stock Code": row["stock_code"], "by": by, "state": ", ".join(marks)}


def _echo_json(present: str, tried: str, days: int, changed: Sequence[Trial], sums: Sequence[TrialTotal]) -> None:
    rows = [asdict(one) | {"difference_pence": one.difference_pence} for one in changed]
    added = [asdict(one) | {"difference_pence": one.difference_pence} for one in sums]
    whole = {"policy": tried, "in_force": present, "days": days, "totals": added, "changed": rows}
    typer.echo(as_json_text(whole))


def _echo_table(present: str, tried: str, days: int, changed: Sequence[Trial], sums: Sequence[TrialTotal]) -> None:
    from khaos_swap_assets.domain.money.amounts import format_money

    def money(pence: int | None, currency: str) -> str:
        return "no rate" if pence is None else format_money(pence, currency)

    if changed:
        show_rows(list(map(_row, changed)), as_json=False, below=["now", "under_the_policy"])
    say(f"policy {tried} against {present}, refunds of the last {days} days")
    for one in sums:
        now, then, moved, vat = (
            money(pence, one.currency)
            for pence in (one.now_pence, one.then_pence, one.difference_pence, one.vat_effect_pence)
        )
        unknown = f" ({one.without_rate} returns without a known rate)" if one.without_rate else ""
        say(
            f"{one.currency}: {one.changed} of {one.returns} returns change; notes of {now} become {then}; "
            f"{moved} would have moved, VAT claimed back {vat} more{unknown}"
        )
    typer.echo("What is posted already keeps its contents; nothing was written.")


def _row(one: Trial) -> Row:
    return {
        "rma": one.rma,
        "note_pence": one.note_then_pence,
        "difference_pence": one.difference_pence,
        "VAT_pence": "no rate" if one.vat_effect_pence is None else one.vat_effect_pence,
        "currency": one.currency,
        "posted": one.is_posted,
        "now": one.outcome_now,
        "under_the_policy": one.outcome_then,
    }
