"""Returns whose goods stay with the customer, and returns of which Swap and the warehouse say different things.

Belongs here: stories that a month holds beside those of the generator, with the truth about them. Stays out: how Swap
shows what is kept (``swap_wire``) and whether stock moved all the same (``khaos_truth``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from khaos_swap_assets.sandbox.generator import ended_month
from khaos_swap_assets.sandbox.maker import Maker
from khaos_swap_assets.sandbox.scenarios import Scenario, closing, reopen
from khaos_swap_assets.sandbox.trouble import plant
from khaos_swap_assets.sandbox.world import Order, Rma, RmaLine, World

FIRST_ORDER = 200_000
SHARE = 25


def kept(maker: Maker) -> None:
    """All of it is kept: no label, no parcel. Swap's own timer may call it missing, or staff approve it."""
    _, rma = maker.refunded()
    keep(rma, rma.lines)
    rma.quality_control_status = maker.rng.choice(("Pending", "Missing", "Approved"))


def kept_later(maker: Maker) -> None:
    """All of it is kept, and it is refunded in the days to come."""
    _, rma = maker.refunded()
    refund_pence = rma.refund_pence
    reopen(rma)
    keep(rma, rma.lines)
    at = maker.world.now + timedelta(hours=maker.rng.randint(2, 9 * 24))
    rma.steps.append((at, closing(at.isoformat(), refund_pence)))


def kept_beside_returned(maker: Maker) -> None:
    """One line is kept, the other comes back and is inspected."""
    _, rma = two_lines(maker)
    keep(rma, rma.lines[:1])
    rma.lines[1].condition = maker.rng.choice(("Sellable", "Damaged"))


def kept_and_returned_of_one_code(maker: Maker) -> None:
    """Two units of one line: one is kept, the other comes back."""
    at = maker.times()
    order = maker.order(maker.customer(), [(maker.rng.choice(maker.stock), 2)], at.ordered_at)
    sold = order.lines[0]
    rma = maker.rma(order, [(sold, 1), (sold, 1)], at.created_at)
    rma.lines[1].cost_pence = sold.gross_pence - rma.lines[0].cost_pence
    keep(maker.close(rma, at), rma.lines[:1])


def kept_or_not(maker: Maker) -> None:
    """Marked as kept, and every line has a label: nobody can tell."""
    _, rma = two_lines(maker)
    rma.is_marked_kept, rma.inspect_at = True, None
    plant(maker, "kept_unclear", rma, "marked as kept, and a parcel was delivered")


def never_arrived(maker: Maker) -> None:
    """No label, no parcel and no mark: a missing parcel alone says nothing about who has the goods."""
    at = maker.times()
    at = replace(at, refunded_at=min(at.refunded_at, maker.month_end - timedelta(days=8)))
    _, rma = maker.refunded(at)
    rma.delivered_at, rma.delivery_status, rma.inspect_at = None, "Pre-Transit", None
    for line in rma.lines:
        line.is_labelled = False
    plant(maker, "inspection_overdue", rma, "never arrived, and nothing says that it is kept")


def _disputed(status: str, condition: str) -> Scenario:
    """Swap's quality control of the whole return says one thing, the bench found another."""

    def story(maker: Maker) -> None:
        _, rma = maker.refunded()
        rma.quality_control_status = status
        for line in rma.lines:
            line.condition = condition
        plant(maker, "inspection_disputed", rma, f"Swap says {status}, the warehouse {condition}")

    return story


def keep(rma: Rma, lines: Sequence[RmaLine]) -> None:
    """Let the customer keep these lines; where these are all, no parcel travels and nobody inspects."""
    for line in lines:
        line.is_kept, line.condition = True, ""
    if all(line.is_kept for line in rma.lines):
        rma.delivered_at, rma.delivery_status, rma.inspect_at = None, "Pre-Transit", None


def two_lines(maker: Maker) -> tuple[Order, Rma]:
    """An order of two items, and the refunded return of one unit of each."""
    at = maker.times()
    order = maker.order(maker.customer(), maker.basket(2), at.ordered_at)
    rma = maker.rma(order, [(line, 1) for line in order.lines], at.created_at)
    return order, maker.close(rma, at)


KEPT: Sequence[Scenario] = (
    kept,
    kept_later,
    kept_beside_returned,
    kept_and_returned_of_one_code,
    kept_or_not,
    never_arrived,
)
DISPUTED: Sequence[Scenario] = (
    _disputed("Approved", "Damaged"),
    _disputed("Not Approved", "Sellable"),
    _disputed("Missing", "Sellable"),
)


def add(world: World, stories: Sequence[Scenario] = (*KEPT, *DISPUTED)) -> None:
    """Put each story into a month that is made already, the oftener the more returns it has."""
    maker = Maker(world, Random(f"{world.seed}/goods"), ended_month(world.now), first_order=FIRST_ORDER)  # noqa: S311
    for _ in range(max(1, len(world.rmas) // SHARE // len(stories))):
        for story in stories:
            story(maker)
