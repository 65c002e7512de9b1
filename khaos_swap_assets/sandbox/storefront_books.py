"""The sandbox shop's refunds: what money truly moved when Swap processed a return.

Belongs here: which refund a processed return brings, by which means of payment and when, and what a script makes of
it. Stays out: GraphQL and faults (``storefront_server``), and who gets a script (``storefront_trouble``).
Each refund has random numbers of its own, made of the seed and the RMA, so that nothing else of the world moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from khaos_swap_assets.sandbox.maker import LONDON
from khaos_swap_assets.sandbox.storefront_payouts import SCRIPTS as PAYOUT_SCRIPTS
from khaos_swap_assets.sandbox.world import Order, Payment, Rma, RmaLine, StoreRefund, World

ON = "storefront"
"""The world's memory says under this name that the shop is connected."""
LIVE = "live"
"""And by this value that people watch: money moves within seconds."""

GATEWAYS = ("shopify_payments", "shopify_payments", "paypal")
GIFT_CARD_SHARE = 0.12
NATIVE_SHARE = 0.5
NAMELESS = ("ambiguous", "instead")
"""Scripts of refunds that name no return."""
OTHER_CURRENCY = {"GBP": "EUR", "EUR": "GBP"}
INSTEAD = "instead"
"""The script of a return that Swap closed without paying, and that staff refunded in the shop instead."""
RESTOCKED, LOCATION = "restocked", "7731"
"""The script of a return whose goods staff had the shop restock, and the shop's location."""
OFF_BY = {"short": -100, "over": 395}


def settle(world: World) -> list[StoreRefund]:
    """Make every refund whose time has come by ``world.now``; those that were made now."""
    if ON not in world.memory:
        return []
    paid: dict[str, list[int]] = {}
    for refund in world.store_refunds.values():
        paid.setdefault(refund.rma, []).append(sum(one.amount_pence for one in refund.payments))
    orders = {order.order_id: order for order in reversed(world.orders.values())}
    names = {order.order_name: order for order in reversed(world.orders.values())}
    due = [
        rma
        for rma in world.rmas.values()
        if is_processed(world, rma) and rma.refund_pence > sum(paid.get(rma.rma_number, ()))
    ]
    made = [
        refund
        for rma in due
        for refund in _refunds(world, rma, _order(rma, orders, names), paid.get(rma.rma_number, []))
    ]
    world.store_refunds |= {one.refund_id: one for one in made}
    return made


def is_processed(world: World, rma: Rma) -> bool:
    """Swap says that it refunded, or staff did so in the shop instead."""
    return rma.status == "Closed" and rma.refund_pence > 0 and processed_at(world, rma) is not None


def processed_at(world: World, rma: Rma) -> datetime | None:
    """When Swap processed it; of one refunded in the shop instead, when Swap closed it."""
    is_instead = world.money_scripts.get(rma.rma_number) == INSTEAD
    return rma.processed_at or (rma.closed_at if is_instead else None)


def shopify_return_id(world: World, rma: Rma) -> str:
    """The storefront's number of the return, where Swap works in its native mode for it; else empty."""
    is_native = ON in world.memory and _random(world, rma, "native").random() < NATIVE_SHARE
    return f"77{_digits(rma)}" if is_native and world.money_scripts.get(rma.rma_number) not in NAMELESS else ""


def _order(rma: Rma, orders: dict[str, Order], names: dict[str, Order]) -> Order | None:
    """The order that was paid: of a returned exchange the original one."""
    named = (line.original_order_name for line in rma.lines if line.original_order_name in names)
    return orders.get(rma.order_id) or names.get(next(named, ""))


def _refunds(world: World, rma: Rma, order: Order | None, paid: list[int]) -> Iterator[StoreRefund]:
    script, before = world.money_scripts.get(rma.rma_number, ""), sum(paid)
    if script == "unpaid" or (script and paid):
        return
    at = _moment(world, rma, script, is_later=before > 0)
    if at > world.now:
        return
    pence = rma.refund_pence - before + OFF_BY.get(script, 0)
    currency = OTHER_CURRENCY.get(rma.currency, "GBP") if script == "currency" else rma.currency
    number = refund_id(rma, 1 + len(paid))
    order_id, order_name = (order.order_id, order.order_name) if order else (rma.order_id, rma.order_name)
    first = StoreRefund(
        refund_id=number, order_id=order_id, order_name=order_name, currency=currency, created_at=at,
        payments=_payments(world, rma, number, pence, currency, at, script),
        rma=rma.rma_number, return_ref=shopify_return_id(world, rma),
    )  # fmt: skip
    if script != "ambiguous" and not before:
        first.line_items = [(line.line_item_id, line.sku, line.quantity, line.cost_pence) for line in _goods(rma)]
    first.restocked_at = LOCATION if script == RESTOCKED else ""
    yield first
    if script == "twice":
        again = at + timedelta(hours=1)
        payment = Payment(
            transaction_id=f"{number}91",
            gateway="shopify_payments",
            amount_pence=pence,
            currency=currency,
            processed_at=again,
        )
        yield StoreRefund(
            refund_id=f"{number}9",
            order_id=order_id,
            order_name=order_name,
            currency=currency,
            created_at=again,
            payments=[payment],
            rma=rma.rma_number,
            is_again=True,
        )


def refund_id(rma: Rma, count: int) -> str:
    """The number of a return's first, second … refund."""
    return f"9188{_digits(rma)}{count}"


def subject_of(refund: StoreRefund) -> str:
    """How trouble with a refund names it."""
    return f"{refund.order_name}/{refund.refund_id}"


def _digits(rma: Rma) -> str:
    return "".join(filter(str.isdigit, rma.return_id))[-8:]


def _goods(rma: Rma) -> list[RmaLine]:
    return [line for line in rma.lines if line.outcome == "Refund"]


def _payments(
    world: World, rma: Rma, number: str, pence: int, currency: str, at: datetime, script: str
) -> list[Payment]:
    rng = _random(world, rma, f"tender {number}")
    is_told = script in PAYOUT_SCRIPTS
    gateway = GATEWAYS[0] if is_told else rng.choice(GATEWAYS)
    is_split = rng.random() < GIFT_CARD_SHARE and pence > 1000 and not is_told
    gift_pence = pence * rng.randint(20, 60) // 100 if is_split else 0
    parts = [(gateway, pence - gift_pence), *([("gift_card", gift_pence)] if gift_pence else [])]
    status = "FAILURE" if script == "failed" else "SUCCESS"
    return [
        Payment(
            transaction_id=f"{number}{at_}",
            gateway=name,
            amount_pence=part,
            currency=currency,
            processed_at=at,
            status="SUCCESS" if name == "gift_card" and not script else status,
        )
        for at_, (name, part) in enumerate(parts)
    ]


def _moment(world: World, rma: Rma, script: str, *, is_later: bool) -> datetime:
    """When the money moves: soon after Swap's date and on the same London day; a late one takes a day or two."""
    rng = _random(world, rma, "moment")
    said = rma.updated_at if is_later else processed_at(world, rma)
    assert said is not None
    if script == "late":
        return said + timedelta(hours=rng.randint(20, 40))
    if world.memory[ON] == LIVE:
        return said + timedelta(seconds=rng.randint(1, 8))
    tomorrow = (said.astimezone(LONDON) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return min(said + timedelta(minutes=rng.randint(1, 90)), tomorrow.astimezone(said.tzinfo) - timedelta(seconds=1))


def _random(world: World, rma: Rma, what: str) -> Random:
    return Random(f"{world.seed}/{rma.rma_number}/{what}")  # noqa: S311
