"""Returns that are in order: nothing may be open about them when the month's work is done.

Belongs here: one function a story, each making exactly one return, and how common it is. Stays out: trouble.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, time, timedelta

from khaos_swap_assets.sandbox.maker import LONDON, Maker
from khaos_swap_assets.sandbox.storefront_books import is_processed
from khaos_swap_assets.sandbox.world import Rma, RmaLine, World

Scenario = Callable[[Maker], None]


def refunded(maker: Maker) -> None:
    """Refunded in pounds, inspected sellable; Swap may say so too."""
    _, rma = maker.refunded()
    rma.quality_control_status = maker.rng.choice(("Pending", "Approved"))


def refunded_in_euros(maker: Maker) -> None:
    """An order in euros, whose RMA is too long for a Khaos reference."""
    maker.refunded(currency="EUR")


def refunded_with_fee(maker: Maker) -> None:
    """The return label was withheld from the refund, or only shown and waived."""
    _, rma = maker.refunded(fee=maker.rng.choice((250, 295, 395)))
    if maker.rng.random() < 0.2:
        rma.refund_pence += rma.handling_fee_pence


def quantity_does_not_divide(maker: Maker) -> None:
    """Three sold units whose price has no third."""
    at = maker.times()
    order = maker.order(maker.customer(), [(maker.rng.choice(maker.stock), 3)], at.ordered_at)
    order.lines[0].gross_pence += 1 - order.lines[0].gross_pence % 3
    maker.close(maker.rma(order, [(order.lines[0], 3)], at.created_at), at)


def damaged(maker: Maker) -> None:
    """The warehouse found damage; the money goes back and the goods do not."""
    _, rma = maker.refunded()
    for line in rma.lines:
        line.condition = maker.rng.choice(("Damaged", "No-Value", "Sellable"))
    if any(line.condition != "Sellable" for line in rma.lines):
        rma.quality_control_status = "Not Approved"


def approved_in_swap(maker: Maker) -> None:
    """No inspection was sent: Swap's own approval settles every line."""
    _, rma = maker.refunded()
    rma.quality_control_status, rma.inspect_at = "Approved", None


def refunded_before_arrival(maker: Maker) -> None:
    """Refunded when the parcel was scanned; it arrives and is inspected in the days to come."""
    at = maker.times()
    late = replace(at, refunded_at=maker.month_end - timedelta(hours=maker.rng.randint(1, 48)))
    _, rma = maker.refunded(late)
    rma.delivered_at, rma.delivery_status, rma.inspect_at = None, "In-Transit", None
    arrival = maker.world.now + timedelta(hours=maker.rng.randint(1, 60))
    inspect_at = arrival + timedelta(hours=maker.rng.randint(3, 40))
    changes: dict[str, object] = {"delivered_at": arrival.isoformat(), "delivery_status": "Delivered"}
    rma.steps.append((arrival, changes | {"inspect_at": inspect_at.isoformat()}))


def refunded_later(maker: Maker) -> None:
    """Open today, closed and refunded in the days to come."""
    _, rma = maker.refunded()
    refund_pence = rma.refund_pence
    reopen(rma)
    at = maker.world.now + timedelta(hours=maker.rng.randint(2, 9 * 24))
    rma.steps.append((at, closing(at.isoformat(), refund_pence)))


def refunded_twice(maker: Maker) -> None:
    """A second line is added to the return and refunded after the first refund."""
    at = maker.times()
    order = maker.order(maker.customer(), maker.basket(2), at.ordered_at)
    rma = maker.close(maker.rma(order, [(order.lines[0], 1)], at.created_at), at)
    rma.quality_control_status, rma.inspect_at = "Approved", None
    number = len(maker.world.rmas)
    line: RmaLine = maker.line(order.lines[1], 1, number, 1)
    later = maker.world.now + timedelta(hours=maker.rng.randint(30, 60))
    total = rma.refund_pence + line.cost_pence
    rma.steps.append((later, {"add_line": asdict(line), "refund_pence": total}))


def noted_by_staff(maker: Maker) -> None:
    """Staff made the right Credit Note by hand and gave it the RMA."""
    order, rma = maker.refunded()
    maker.staff_note(order, rma, reference=rma.rma_number)


def noted_by_staff_early(maker: Maker) -> None:
    """The same, for a refund before the first day of posting."""
    order, rma = maker.refunded(maker.times(before_start=True))
    maker.staff_note(order, rma, reference=rma.rma_number)


def noted_without_reference(maker: Maker) -> None:
    """The right note by hand, without any reference: customer, codes, value and date must tell."""
    order, rma = maker.refunded()
    maker.staff_note(order, rma, reference="")


def returned_exchange(maker: Maker) -> None:
    """The goods of an exchange order come back: its lines name the original order."""
    order, rma = maker.refunded()
    rma.order_name, rma.order_id = f"#SW-{order.order_name[3:]}", f"7{order.order_id}"
    for line in rma.lines:
        line.original_order_name = order.order_name


def in_transit(maker: Maker) -> None:
    """On its way for ever."""
    at = maker.times()
    order = maker.order(maker.customer(), maker.basket(), at.ordered_at)
    rma = maker.rma(order, maker.picks(order), at.created_at)
    rma.delivery_status = maker.rng.choice(("Pre-Transit", "In-Transit"))


def submitted_later(maker: Maker) -> None:
    """A shopper starts a return in the days to come."""
    at = maker.world.now + timedelta(hours=maker.rng.randint(1, 15 * 24))
    order = maker.order(maker.customer(), maker.basket(), at - timedelta(days=20))
    rma = maker.rma(order, maker.picks(order), at)
    rma.is_submitted = False
    rma.steps.append((at, {"is_submitted": True}))


def open_exchange(maker: Maker) -> None:
    """An exchange or credit that is not closed yet asks nothing of anyone."""
    in_transit(maker)
    rma = maker.last_rma()
    for line in rma.lines:
        line.outcome = maker.rng.choice(("Exchange", "Shop Later Credit"))


def ended_without_refund(maker: Maker) -> None:
    """Cancelled by the shopper, or never sent back."""
    in_transit(maker)
    rma = maker.last_rma()
    rma.status = maker.rng.choice(("Cancelled", "Expired"))


def in_order(world: World) -> Iterator[Rma]:
    """Refunded in pounds after the first day of posting, alone on its order, and nothing else is special about it."""
    special = {plant.rma for plant in world.plants} | world.scripts.keys() | world.money_scripts.keys()
    noted = {note.urn for note in world.notes.values()}
    orders = Counter(rma.order_id for rma in world.rmas.values())
    known = {order.order_id: order for order in world.orders.values()}
    start = datetime.combine(world.post_from, time.min, LONDON).astimezone(UTC) if world.post_from else world.now
    for rma in world.rmas.values():
        is_plain = is_processed(world, rma) and not (rma.steps or rma.broken_fields or rma.exchange_items)
        is_alone = orders[rma.order_id] == 1 and rma.order_id in known and rma.urn not in noted
        said = rma.processed_at
        if is_plain and is_alone and rma.rma_number not in special and rma.currency == "GBP" and said and said >= start:
            yield rma


def reopen(rma: Rma) -> None:
    """Back to delivered and not yet processed."""
    rma.status, rma.refund_pence, rma.processed_at, rma.closed_at = "Open", 0, None, None
    rma.updated_at = rma.delivered_at or rma.created_at


def closing(at: str, refund_pence: int) -> dict[str, object]:
    """The step that closes a return and refunds it at ``at`` (ISO text)."""
    return {"status": "Closed", "processed_at": at, "closed_at": at, "refund_pence": refund_pence}


CLEAN: Mapping[str, tuple[int, Scenario]] = {
    story.__name__: (weight, story)
    for weight, story in (
        (36, refunded),
        (8, refunded_in_euros),
        (8, refunded_with_fee),
        (4, quantity_does_not_divide),
        (6, damaged),
        (4, approved_in_swap),
        (4, refunded_before_arrival),
        (5, refunded_later),
        (3, refunded_twice),
        (4, noted_by_staff),
        (3, noted_by_staff_early),
        (2, noted_without_reference),
        (2, returned_exchange),
        (5, in_transit),
        (2, submitted_later),
        (2, open_exchange),
        (2, ended_without_refund),
    )
}
"""Each story with its weight."""


def arriving(maker: Maker) -> None:
    """Submitted now; delivered, refunded and inspected within the next minute."""
    now = maker.world.now
    order = maker.order(maker.customer(), maker.basket(), now - timedelta(days=12))
    rma = maker.rma(order, maker.picks(order), now)
    rma.is_submitted = False
    delivered_at, closed_at, inspect_at = ((now + timedelta(seconds=after)).isoformat() for after in (15, 30, 45))
    refund_pence = sum(line.cost_pence for line in rma.lines)
    rma.steps = [
        (now, {"is_submitted": True}),
        (now + timedelta(seconds=15), {"delivered_at": delivered_at, "delivery_status": "Delivered"}),
        (now + timedelta(seconds=30), closing(closed_at, refund_pence) | {"inspect_at": inspect_at}),
    ]
