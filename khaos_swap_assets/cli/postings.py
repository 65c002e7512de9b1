"""The commands of people about postings: ``khaos-swap postings …``.

Belongs here: arguments and readable answers. Stays out: what a hand may do (``stages.credit_notes.people``) and how the
store is reached (``Reach``, given by ``cli``). Every change needs ``--by`` and ``--reason``. ``--json`` prints JSON.
The work is imported inside each command, so that ``--help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.cli.posting_page import Seen, posting_data, show_posting
from khaos_swap_assets.cli.showing import AsJson, Row, as_json_text, require_one_of, show_rows

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.domain.documents.postings import Posting
    from khaos_swap_assets.stages.credit_notes import people

Reference = Annotated[str, typer.Argument(help="Reference of the posting, as Khaos knows it")]
By = Annotated[str, typer.Option("--by", help="Your name, for the audit log")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit log")]
OfStore = Annotated[str, typer.Option("--store", help="Only of returns of this store, where there are several")]


@dataclass(frozen=True)
class Reach:
    """How the commands reach the world; each part is opened when a command needs it."""

    open_store: Callable[[], psycopg.Connection[Any]]
    settings: Callable[[], Settings]
    open_khaos: Callable[[], people.ReturnProcessor]
    clock: Callable[[], datetime]

    @contextmanager
    def store(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection; what is wrong becomes one line on stderr and its exit code."""
        try:
            conn = self.open_store()
            try:
                yield conn
            finally:
                conn.close()
        except KhaosSwapError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(error.exit_code) from None


def store_asked(reach: Reach, name: str) -> str | None:
    """The store that people call so, as our tables have it; None where none is named. Another is a usage error."""
    known = reach.settings().store_names if name else {}
    require_one_of(name, tuple(known), "--store")
    return known.get(name)


def postings_app(reach: Reach) -> typer.Typer:
    """The commands about postings."""
    app = typer.Typer(help="What we hand to Khaos, and what became of it.", no_args_is_help=True)
    _add_list(app, reach)
    _add_show(app, reach)
    _add_release(app, reach)
    _add_feed(app, reach)
    _add_postings_verdicts(app, reach)
    return app


def _add_list(app: typer.Typer, reach: Reach) -> None:
    @app.command("list")
    def list_postings(
        state: Annotated[str, typer.Option(help="planned, in_doubt, confirmed, refused or withdrawn")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Show postings that are undone (or of one state), and what holds the feed."""
        from khaos_swap_assets.adapters.store.postings import SqlPostings
        from khaos_swap_assets.domain.documents.postings import State
        from khaos_swap_assets.stages.credit_notes.stopping import feed_problems, held

        require_one_of(state, get_args(State), "--state")
        with reach.store() as conn:
            book = SqlPostings(conn)
            found = book.of_state(state) if state else book.undone()
            stopped = feed_problems(conn, settings=reach.settings(), now=reach.clock())
            behind = held(conn, settings=reach.settings(), now=reach.clock())
        waits = {one.reference: one.waits_for for one in behind}
        rows = [{**_short(one), "waits_for": waits.get(one.reference, "")} for one in found]
        show_rows(
            rows if as_json else [{**row, "state": row["state"].replace("_", " ")} for row in rows],
            as_json=as_json,
            below=("doubt", "waits_for"),
            none=f"no posting is {state.replace('_', ' ')}" if state else "no posting is planned or in doubt",
        )
        for line in stopped:
            typer.echo(line, err=True)


def _add_show(app: typer.Typer, reach: Reach) -> None:
    @app.command()
    def show(reference: Reference, as_json: AsJson = False) -> None:
        """Show one posting beside what Khaos shows of it, line by line, who acts next, and its history."""
        from khaos_swap_assets.adapters.policy import load_policy
        from khaos_swap_assets.adapters.store import audit_log, months
        from khaos_swap_assets.adapters.store.postings import SqlPostings
        from khaos_swap_assets.stages.casework.evidence import stories
        from khaos_swap_assets.stages.credit_notes import people

        settings = reach.settings()
        with reach.store() as conn:
            posting = people.find(book := SqlPostings(conn), reference)
            told = stories(conn, settings, load_policy(settings.policy_file), posting.rma, reach.clock())
            seen = Seen(
                note=book.note(posting.credit_note_code) if posting.credit_note_code else None,
                steps=[step for story in told if story.rma == posting.rma for step in story.next_steps],
                history=audit_log.of_document(conn, f"posting {reference}"),
                log_set_apart_to=months.log_set_apart_to(conn),
            )
        if as_json:
            typer.echo(as_json_text(posting_data(posting, seen)))
        else:
            show_posting(posting, seen)


def _add_release(app: typer.Typer, reach: Reach) -> None:
    @app.command()
    def release(
        reference: Reference,
        by: By,
        reason: Reason,
        has_looked: Annotated[
            bool, typer.Option("--i-looked-in-khaos", help="Of one in doubt: Khaos holds no return and no note of it")
        ] = False,
        is_back: Annotated[
            bool, typer.Option("--take-back", help="Undo a release while Khaos has not collected the document")
        ] = False,
    ) -> None:
        """Let a planned posting go (assist), or send one in doubt once more after you looked in Khaos."""
        from khaos_swap_assets.stages.credit_notes import people

        with reach.store() as conn:
            person = people.Person(by, reason)
            if is_back:
                done = people.take_release_back(conn, reference, person, now=reach.clock())
                typer.echo(f"the release of {done.reference} is taken back; it waits as before")
                return
            done = people.release(conn, reference, person, now=reach.clock(), has_looked=has_looked)
        again = ", once more and without another search" if done.state == "in_doubt" else ""
        typer.echo(f"{done.reference} is released; Khaos gets it at its next pull{again}")


def _add_feed(app: typer.Typer, reach: Reach) -> None:
    @app.command()
    def hold(by: By, reason: Reason) -> None:
        """Stop the feed at once: no document leaves until it is resumed."""
        from khaos_swap_assets.stages.credit_notes import people

        with reach.store() as conn:
            people.hold_feed(conn, people.Person(by, reason), now=reach.clock())
        typer.echo("the feed is held; no document leaves until khaos-swap postings resume")

    @app.command()
    def resume(by: By, reason: Reason) -> None:
        """Let documents leave again after a hold."""
        from khaos_swap_assets.stages.credit_notes import people

        with reach.store() as conn:
            people.resume_feed(conn, people.Person(by, reason), now=reach.clock())
        typer.echo("the feed goes on; khaos-swap postings list says what else may stop it")

    @app.command("trust-feed")
    def trust_feed(by: By, reason: Reason) -> None:
        """Continue after a token that we never gave, once Khaos has imported everything that it holds."""
        from khaos_swap_assets.stages.credit_notes import people

        with reach.store() as conn:
            tokens = people.trust_feed(conn, people.Person(by, reason), now=reach.clock())
        typer.echo(f"the feed goes on after {', '.join(tokens)}; everything planned is searched for again first")


def _add_postings_verdicts(app: typer.Typer, reach: Reach) -> None:
    @app.command()
    def resolve(
        reference: Reference,
        by: By,
        reason: Reason,
        confirmed: Annotated[str, typer.Option("--confirmed", help="Code of its Credit Note")] = "",
        not_posted: Annotated[bool, typer.Option("--not-posted", help="Khaos has none and gets none")] = False,
    ) -> None:
        """Say what became of a posting in doubt, or accept the value at which one was witnessed."""
        from khaos_swap_assets.stages.credit_notes import people

        with reach.store() as conn:
            person = people.Person(by, reason)
            if bool(confirmed) == not_posted:
                raise people.ActionError("give one of --confirmed CODE and --not-posted")
            if confirmed:
                done = people.resolve_confirmed(conn, reference, confirmed, person, now=reach.clock())
            else:
                done = people.resolve_not_posted(conn, reference, person, now=reach.clock())
        typer.echo(f"{done.reference} is {done.state}")

    @app.command()
    def process(
        reference: Reference,
        return_code: Annotated[str, typer.Option("--return-code", help="Code of the return in Khaos")],
        by: By,
        reason: Reason,
    ) -> None:
        """Have Khaos process the return of a posting in doubt; the code comes from a person who looked."""
        from khaos_swap_assets.stages.credit_notes import people

        with reach.store() as conn:
            person, khaos = people.Person(by, reason), reach.open_khaos()
            done, words = people.process_return(conn, khaos, reference, return_code, person, now=reach.clock())
        typer.echo(f"{done.reference} is {done.state}: {words}")


def _short(posting: Posting) -> Row:
    return {
        "rma": posting.rma,
        "value_pence": posting.value_pence,
        "currency": posting.currency,
        "state": posting.state,
        "is_released": posting.is_released,
        "reference": posting.reference,
        "customer": posting.customer_code,
        "credit_note": posting.credit_note_code,
        "planned_at": posting.planned_at,
        "handed_out_at": posting.handed_out_at,
        "doubt": posting.doubt,
    }
