"""The command of CX about one return: ``khaos-swap returns show RMA|ORDER``.

Belongs here: the argument and the printed answer. Stays out: what is told (``reporting.refund_story``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.cli.showing import AsJson, as_json_text, width, wrapped

if TYPE_CHECKING:
    from khaos_swap_assets.domain.reporting.refund_story import Story


def returns_app(reach: Reach) -> typer.Typer:
    """The commands about returns."""
    app = typer.Typer(help="Where a customer's refund is.", no_args_is_help=True)

    @app.callback()
    def only_show() -> None:
        """Where a customer's refund is."""

    @app.command()
    def show(
        name: Annotated[str, typer.Argument(metavar="RMA|ORDER", help="An RMA or an order name, with or without #")],
        as_json: AsJson = False,
    ) -> None:
        """Goods, money, credit and who acts next, in words that can be read out."""
        from khaos_swap_assets.adapters.policy import load_policy
        from khaos_swap_assets.stages.reconciliation.story import stories

        settings = reach.settings()
        with reach.store() as conn:
            found = stories(conn, settings, load_policy(settings.policy_file), name, reach.clock())
        if not found:
            raise typer.BadParameter(f"no return in Swap has the RMA or the order {name!r}", param_hint="'RMA|ORDER'")
        typer.echo(as_json_text([asdict(one) for one in found]) if as_json else "\n\n".join(map(_printed, found)))

    return app


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
