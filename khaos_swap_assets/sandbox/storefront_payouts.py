"""The sandbox shop's payouts: what its payment provider transferred each morning, as the provider's own books have it.

Belongs here: making payouts of the payments before them, what a script makes of one, the values of the schema, and the
truth about it all. Stays out: GraphQL and faults (``storefront_server``, ``storefront_schema``).
Payouts are made when they are first asked for, are kept, and never change. Amounts are pence in pounds, refunds
negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from khaos_swap_assets.sandbox.maker import LONDON
from khaos_swap_assets.sandbox.payout_records import StorePayout, StorePayoutLine
from khaos_swap_assets.sandbox.world import Order, Payment, Plant, StoreRefund, World

HIDDEN, OFF, STRAY = "payout_hidden", "payout_off", "payout_stray"
SCRIPTS = (HIDDEN, OFF, STRAY)
"""A payment in no payout; one of another amount; and one in whose payout a refund stands that nobody made, beside a
line of a kind that nobody knows, with a total that is a pound short."""
GATEWAY = "shopify_payments"
HOUR = time(6)
MORE_PENCE, STRAY_PENCE, STRANGE_PENCE, SHORT_PENCE = 395, 3500, 300, 100
WITHIN_DAYS = 7
STRANGE = "LOYALTY_CLAWBACK"
MIXED = "gid://shopify/ShopifyPaymentsPayout/1"
Json = dict[str, Any]
InShop = Callable[[int, str], int]


def pay_out(world: World, in_shop: InShop) -> list[StorePayout]:
    """Make the payouts of every morning that has come; those that were made now. ``in_shop``: pence in pounds."""
    moved = [
        (part, refund)
        for refund in world.store_refunds.values()
        for part in refund.payments
        if part.gateway == GATEWAY and part.status == "SUCCESS" and part.processed_at and not refund.is_broken
    ]
    if not moved:
        return []
    first = min(part.processed_at for part, _ in moved if part.processed_at)
    done = {line.line_id for payout in world.store_payouts.values() for line in payout.lines}
    waiting = [*_refund_lines(world, moved, in_shop), *_charges(world, first, in_shop)]
    left = sorted((one for one in waiting if one[1].line_id not in done), key=lambda one: (one[0], one[1].line_id))
    made = []
    for morning in _mornings(world, first):
        taken, left = [one for one in left if one[0] < morning], [one for one in left if one[0] >= morning]
        if taken:
            made.append(_payout(world, morning, [line for _, line in taken]))
    world.store_payouts |= {one.payout_id: one for one in made}
    return made


def _mornings(world: World, first: datetime) -> Iterator[datetime]:
    """Each morning since the last payout, or since the day after the first payment."""
    last = max((one.issued_at for one in world.store_payouts.values()), default=first)
    day = last.astimezone(LONDON).date() + timedelta(days=1)
    while (morning := datetime.combine(day, HOUR, LONDON).astimezone(first.tzinfo)) <= world.now:
        yield morning
        day += timedelta(days=1)


Moved = tuple[datetime, StorePayoutLine]


def _refund_lines(world: World, moved: Sequence[tuple[Payment, StoreRefund]], in_shop: InShop) -> Iterator[Moved]:
    for part, refund in moved:
        script = world.money_scripts.get(refund.rma, "")
        if script == HIDDEN or not part.processed_at:
            continue
        pence = in_shop(part.amount_pence, part.currency) + MORE_PENCE * (script == OFF)
        yield part.processed_at, StorePayoutLine(
            line_id=f"55{part.transaction_id}", kind="REFUND", gross_pence=-pence, transaction_id=part.transaction_id,
            order_id=refund.order_id, order_name=refund.order_name, script=script,
        )  # fmt: skip


def _charges(world: World, first: datetime, in_shop: InShop) -> Iterator[Moved]:
    """What customers paid since the first refund, with the provider's fee of 1.5 per cent and 20p."""
    for order in world.orders.values():
        if first <= order.ordered_at <= world.now:
            pence = in_shop(_total(order), order.currency)
            yield order.ordered_at, StorePayoutLine(
                line_id=f"54{order.order_id}", kind="CHARGE", gross_pence=pence, order_id=order.order_id,
                fee_pence=(pence * 15 + 500) // 1000 + 20, order_name=order.order_name,
            )  # fmt: skip


def _total(order: Order) -> int:
    return sum(line.gross_pence for line in order.lines) + order.delivery_gross_pence


def _payout(world: World, morning: datetime, lines: list[StorePayoutLine]) -> StorePayout:
    strays = [one for one in lines if one.script == STRAY]
    lines = [*lines, *(more for one in strays for more in _beside(one))]
    total = sum(line.gross_pence - line.fee_pence for line in lines) - (SHORT_PENCE if strays else 0)
    return StorePayout(
        payout_id=f"44{morning.astimezone(LONDON):%Y%m%d}", issued_at=morning, net_pence=total, lines=lines
    )


def _beside(one: StorePayoutLine) -> list[StorePayoutLine]:
    """What stands in the payout of such a refund: one that nobody made, and a line of an unknown kind."""
    number = one.line_id[2:]
    stray = replace(one, line_id=f"56{number}", gross_pence=-STRAY_PENCE, transaction_id=f"99{number}")
    return [stray, StorePayoutLine(f"57{number}", STRANGE, -STRANGE_PENCE)]


def truth(world: World) -> Iterator[Plant]:
    """What must be open about the payouts that were asked for, by the world's clock."""
    for payout in world.store_payouts.values():
        for line in payout.lines:
            is_stray = line.line_id.startswith("56")
            if line.kind == "REFUND" and (is_stray or line.script == OFF):
                kind = "payout_without_refund" if is_stray else "payout_amount_differs"
                yield Plant(kind, refund=f"{GATEWAY} {payout.payout_id}/{line.line_id}", why="the provider took it")
        if any(line.script == STRAY for line in payout.lines):
            yield Plant("payout_total_differs", refund=f"payout {GATEWAY} {payout.payout_id}", why="a pound is gone")
    if world.store_payouts:
        yield from _hidden(world)


def _hidden(world: World) -> Iterator[Plant]:
    today = world.now.astimezone(LONDON).date()
    for refund in world.store_refunds.values():
        for part in refund.payments if world.money_scripts.get(refund.rma) == HIDDEN else ():
            day = part.processed_at.astimezone(LONDON).date() if part.processed_at else today
            if day + timedelta(days=WITHIN_DAYS) < today:
                yield Plant("refund_not_in_payout", refund=f"refund {part.transaction_id}", why="no payout holds it")


def payouts_of(world: World) -> list[Json]:
    """Values of the schema, the newest first."""
    newest = sorted(world.store_payouts.values(), key=lambda one: one.issued_at, reverse=True)
    return [
        {
            "id": f"gid://shopify/ShopifyPaymentsPayout/{one.payout_id}",
            "issuedAt": f"{one.issued_at:%Y-%m-%dT%H:%M:%SZ}",
            "status": "PAID",
            "transactionType": "DEPOSIT" if one.net_pence >= 0 else "WITHDRAWAL",
            "net": amount(one.net_pence),
        }
        for one in newest
    ]


def transactions_of(world: World, query: str, *, mixes: bool) -> list[Json]:
    """Values of the schema for the payout that ``query`` names; with ``mixes`` they name another one."""
    payout = world.store_payouts.get(query.partition("payments_transfer_id:")[2])
    return [_transaction(payout, line, mixes=mixes) for line in payout.lines] if payout else []


def _transaction(payout: StorePayout, line: StorePayoutLine, *, mixes: bool) -> Json:
    order = {"id": f"gid://shopify/Order/{line.order_id}", "name": line.order_name} if line.order_id else None
    return {
        "id": f"gid://shopify/ShopifyPaymentsBalanceTransaction/{line.line_id}",
        "type": line.kind,
        "test": False,
        "amount": amount(line.gross_pence),
        "fee": amount(line.fee_pence),
        "net": amount(line.gross_pence - line.fee_pence),
        "sourceOrderTransactionId": line.transaction_id or None,
        "associatedOrder": order,
        "associatedPayout": {"id": MIXED if mixes else f"gid://shopify/ShopifyPaymentsPayout/{payout.payout_id}"},
    }


def amount(pence: int) -> Json:
    """Pounds as the schema writes them, of either sign."""
    sign = "-" if pence < 0 else ""
    return {"amount": f"{sign}{abs(pence) // 100}.{abs(pence) % 100:02}", "currencyCode": "GBP"}
