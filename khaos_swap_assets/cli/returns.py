"""The commands about returns: ``khaos-swap returns show RMA|ORDER``, ``returns list`` and ``returns coming``.

Belongs here: arguments and the printed answers. Stays out: what is told (``reporting.refund_story``,
``judging.foreseen``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from khaos_swap_assets.cli.postings import OfStore, Reach, store_asked
from khaos_swap_assets.cli.showing import AsJson, Row, as_json_text, show_rows, width, wrapped

if TYPE_CHECKING:
    from khaos_swap_assets.domain.judging.foreseen import ReturnCause
    from khaos_swap_assets.domain.reporting.refund_story import Story


def returns_app(reach: Reach) -> typer.Typer:
    """The commands about returns."""
    app = typer.Typer(help="Where a customer's refund is, and which returns will fail.", no_args_is_help=True)
    _add_coming(app, reach)
    _add_list(app, reach)

    @app.command()
    def show(
        name: Annotated[str, typer.Argument(metavar="RMA|ORDER", help="An RMA or an order name, with or without #")],
        as_json: AsJson = False,
    ) -> None:
        """Goods, money, credit and who acts next, in words that can be read out."""
        from khaos_swap_assets.adapters.policy import load_policy
        from khaos_swap_assets.stages.casework.evidence import stories

        settings = reach.settings()
        with reach.store() as conn:
            found = stories(conn, settings, load_policy(settings.policy_file), name, reach.clock())
        if not found:
            raise typer.BadParameter(f"no return in Swap has the RMA or the order {name!r}", param_hint="'RMA|ORDER'")
        typer.echo(as_json_text([asdict(one) for one in found]) if as_json else "\n\n".join(map(_printed, found)))

    return app


def _add_coming(app: typer.Typer, reach: Reach) -> None:
    @app.command()
    def coming(
        cause: Annotated[
            str, typer.Option(metavar="CODE", help="The open returns that this SKU, order or VAT code holds")
        ] = "",
        limit: Annotated[int, typer.Option(min=1, help="At most so many rows")] = 1_000,
        as_json: AsJson = False,
    ) -> None:
        """Which open returns will fail when their parcels land, by cause, and which codes sold or listed will."""
        from khaos_swap_assets.adapters.khaos.orders import RATES
        from khaos_swap_assets.adapters.store import return_causes

        with reach.store() as conn:
            if cause:
                rows: list[Row] = [*return_causes.children(conn, list(RATES), cause, limit)]
            else:
                rows = [_cause_row(one) for one in return_causes.known(conn, limit)]
        show_rows(rows, as_json=as_json, below=("why", "will_fail"), none="no open return will fail")


def _add_list(app: typer.Typer, reach: Reach) -> None:
    @app.command("list")
    def list_returns(
        store: OfStore = "",
        is_open: Annotated[bool, typer.Option("--open", help="Only those that Swap has open")] = False,
        limit: Annotated[int, typer.Option(min=1, help="At most so many rows")] = 100,
        as_json: AsJson = False,
    ) -> None:
        """The returns that changed last: Swap's status beside ours, refund beside credit."""
        from khaos_swap_assets.adapters.store import desk_lists

        wanted, settings = store_asked(reach, store), reach.settings()
        with reach.store() as conn:
            found = desk_lists.newest(conn, limit, store=wanted, is_open=is_open)
        rows = [{**asdict(one), "store": settings.name_of(one.store)} for one in found]
        show_rows(rows, as_json=as_json, none="no return is known")


def _cause_row(one: ReturnCause) -> Row:
    told = {"cause": one.name, "returns": one.returns, "sold": one.sold, "listed": one.listed, "owner": one.owner}
    return {**told, "perhaps": one.suggestion, "why": one.why, "will_fail": one.holds}


def _printed(story: Story) -> str:
    return "\n".join(_lines(story))


def _lines(story: Story) -> Iterator[str]:
    yield f"{story.rma}, order {story.order_name or '(none)'}: {story.status}"
    for title, sentences in (("Goods", story.goods), ("Money", story.money), ("Credit", story.credit)):
        yield title
        yield from _below(sentences or ("nothing is known",))
    yield "Who acts next"
    for step in story.next_steps:
        yield from _below((f"{step.owner}: {step.what}", *((f"to do: {step.action}",) if step.action else ())))


def _below(sentences: tuple[str, ...]) -> Iterator[str]:
    for sentence in sentences:
        yield from wrapped(sentence, width(), "  ", "    ")
