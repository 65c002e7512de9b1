"""Returns whose SKU, order, outcome or refund is wrong: one function a story, which plants what must stay open.

Belongs here: stories whose trouble lies in what the shop and Swap say. Stays out: trouble with time, goods and Credit
Notes (``trouble_after``) and returns in order (``scenarios``).
Each story is told so that exactly the planted kinds hold once sixteen days have passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from khaos_swap_assets.sandbox.maker import Maker
from khaos_swap_assets.sandbox.scenarios import Scenario, arriving, in_transit
from khaos_swap_assets.sandbox.world import Order, Plant, Rma, StockItem

GENERIC_URN = "Amazo-0626"


def plant(maker: Maker, kind: str, rma: Rma, why: str, *, sku: str = "", is_nameless: bool = False) -> None:
    """Write down that ``kind`` must be open for this return at the end."""
    maker.world.plants.append(Plant(kind, rma=rma.rma_number, sku=sku, why=why, is_nameless=is_nameless))


def _misspelt(respell: Callable[[StockItem], str], why: str) -> Scenario:
    def story(maker: Maker) -> None:
        _, rma = maker.refunded()
        line = maker.rng.choice(rma.lines)
        line.sku = respell(maker.world.items[line.sku])
        plant(maker, "sku_unknown", rma, why, sku=line.sku)

    return story


def sku_unknown_in_transit(maker: Maker) -> None:
    """The SKU was renamed in Khaos while the parcel is still on its way."""
    in_transit(maker)
    rma = maker.last_rma()
    rma.lines[0].sku += "-OLD"
    plant(maker, "sku_unknown", rma, "renamed, not yet delivered", sku=rma.lines[0].sku)


def sold_alone(maker: Maker, item: StockItem, quantity: int = 1) -> tuple[Order, Rma]:
    """An order of one item and the refunded return of all of it."""
    at = maker.times()
    order = maker.order(maker.customer(), [(item, quantity)], at.ordered_at)
    return order, maker.close(maker.rma(order, [(order.lines[0], quantity)], at.created_at), at)


def sku_ambiguous_by_spelling(maker: Maker) -> None:
    """Two Stock Codes differ only by a space."""
    number = len(maker.world.items)
    item = maker.item(f"TWN-{number} M")
    maker.item(f"TWN-{number}-M")
    _, rma = sold_alone(maker, item)
    rma.lines[0].sku = f"twn{number}m"
    plant(maker, "sku_ambiguous", rma, "two Stock Codes look alike", sku=rma.lines[0].sku)


def sku_ambiguous_by_barcode(maker: Maker) -> None:
    """Two Stock Codes carry one barcode, and the SKU is that barcode."""
    number = len(maker.world.items)
    barcode = f"50601{number:08d}"
    item = maker.item(f"BAR-{number}-A", barcode=barcode)
    maker.item(f"BAR-{number}-B", barcode=barcode)
    _, rma = sold_alone(maker, item)
    rma.lines[0].sku = barcode
    plant(maker, "sku_ambiguous", rma, "two Stock Codes share a barcode", sku=barcode)


def sku_discontinued(maker: Maker) -> None:
    """The Stock Code was taken out of use after the sale."""
    item = maker.item(f"OLD-{len(maker.world.items)}", is_discontinued=True)
    _, rma = sold_alone(maker, item)
    plant(maker, "sku_discontinued", rma, "out of use", sku=item.stock_code)


def order_not_named(maker: Maker) -> None:
    """Swap names no order."""
    _, rma = maker.refunded()
    rma.order_name = ""
    plant(maker, "order_not_found", rma, "the return names no order")


def order_unknown(maker: Maker) -> None:
    """Khaos has no such order."""
    _, rma = maker.refunded()
    rma.order_name = f"#ZZ{rma.order_name[3:]}"
    plant(maker, "order_not_found", rma, "Khaos has no order of that reference")


def order_without_code(maker: Maker) -> None:
    """The order exists and never held what came back."""
    order, rma = maker.refunded()
    sold = {line.stock_code for line in order.lines}
    rma.lines[0].sku = next(item.stock_code for item in maker.stock if item.stock_code not in sold)
    plant(maker, "order_not_found", rma, "the order holds none of that Stock Code")


def order_twice(maker: Maker) -> None:
    """Two Sales Orders carry the reference."""
    order, rma = maker.refunded()
    twin = maker.order(maker.world.customers[order.urn], maker.basket(), order.ordered_at)
    twin.associated_ref, twin.order_name = order.associated_ref, order.order_name
    plant(maker, "order_ambiguous", rma, "two orders carry the reference")


def orders_differ(maker: Maker) -> None:
    """The lines of one return name two original orders."""
    at = maker.times()
    customer = maker.customer()
    orders = [maker.order(customer, maker.basket(1), at.ordered_at) for _ in range(2)]
    rma = maker.rma(orders[0], [(order.lines[0], 1) for order in orders], at.created_at)
    for line, order in zip(rma.lines, orders, strict=True):
        line.original_order_name = order.order_name
    maker.close(rma, at)
    plant(maker, "order_ambiguous", rma, "its lines name two orders")


def order_not_invoiced(maker: Maker) -> None:
    """Refunded while the order still stands on hold in Khaos."""
    order, rma = maker.refunded()
    order.stage_id, order.invoice_code, order.issued_at = 19, "", None
    plant(maker, "order_not_invoiced", rma, "no invoice was issued")


def customer_generic(maker: Maker) -> None:
    """A marketplace order on a collective account."""
    order, rma = maker.refunded()
    generic = replace(maker.world.customers.pop(order.urn), urn=GENERIC_URN, is_generic=True)
    maker.world.customers[GENERIC_URN] = generic
    order.urn = rma.urn = GENERIC_URN
    plant(maker, "customer_unknown", rma, "collective account")


def customer_missing(maker: Maker) -> None:
    """The order belongs to no account at all."""
    order, rma = maker.refunded()
    order.urn = rma.urn = ""
    plant(maker, "customer_unknown", rma, "no account")


def over_return_pair(maker: Maker) -> None:
    """Two were sold; one came back, then two more. Only the later return is wrong."""
    first_at = maker.times()
    later_at = replace(first_at, refunded_at=first_at.refunded_at + timedelta(minutes=30))
    order = maker.order(maker.customer(), [(maker.rng.choice(maker.stock), 2)], first_at.ordered_at)
    maker.close(maker.rma(order, [(order.lines[0], 1)], first_at.created_at), first_at)
    later = maker.close(maker.rma(order, [(order.lines[0], 2)], later_at.created_at), later_at)
    plant(maker, "over_return", later, "an earlier return took one of the two")


def over_return_alone(maker: Maker) -> None:
    """One return takes back more than was sold."""
    order, rma = sold_alone(maker, maker.rng.choice(maker.stock))
    rma.lines[0].quantity += 1
    plant(maker, "over_return", rma, f"{order.so_code} sold one")


def _ended_as(outcome: str) -> Scenario:
    def story(maker: Maker) -> None:
        at = maker.times()
        order = maker.order(maker.customer(), maker.basket(), at.ordered_at)
        rma = maker.rma(order, maker.picks(order), at.created_at)
        for line in rma.lines:
            line.outcome = outcome
        maker.close(rma, at)
        if "Credit" in outcome:
            rma.store_credit_pence = sum(line.cost_pence for line in rma.lines)
        plant(maker, "outcome_needs_policy", rma, outcome)

    return story


def refund_beside_exchange(maker: Maker) -> None:
    """One line refunded, the other exchanged: the refund is posted, the exchange is a task."""
    at = maker.times()
    order = maker.order(maker.customer(), maker.basket(2), at.ordered_at)
    rma = maker.rma(order, [(line, 1) for line in order.lines], at.created_at)
    rma.lines[1].outcome = "Exchange"
    rma.exchange_items.append({"sku": maker.rng.choice(maker.stock).stock_code, "quantity": 1, "price": 0})
    maker.close(rma, at)
    plant(maker, "outcome_needs_policy", rma, "exchange beside a refund")


def part_payment_later(maker: Maker) -> None:
    """Goodwill is paid on top, days after the first refund, and no new line explains it."""
    _, rma = maker.refunded()
    rma.quality_control_status, rma.inspect_at = "Approved", None
    later = maker.world.now + timedelta(hours=maker.rng.randint(30, 60))
    rma.steps.append((later, {"refund_pence": rma.refund_pence + maker.rng.randint(200, 900)}))
    plant(maker, "outcome_needs_policy", rma, "a later part payment", is_nameless=True)


def _refund_off_by(pence: int, why: str) -> Scenario:
    def story(maker: Maker) -> None:
        _, rma = maker.refunded()
        rma.refund_pence += pence
        plant(maker, "refund_not_explained", rma, why)

    return story


def refund_without_lines(maker: Maker) -> None:
    """Money went out for a return that holds no goods."""
    _, rma = maker.refunded()
    rma.lines.clear()
    plant(maker, "refund_not_explained", rma, "no line at all")


SHOP_TROUBLE: Mapping[str, tuple[Scenario, ...]] = {
    "sku_unknown": (
        _misspelt(lambda item: f"{item.stock_code}-OLD", "renamed in Khaos"),
        _misspelt(lambda item: item.stock_code.lower(), "lower case"),
        _misspelt(lambda item: item.other_ref, "the item's Other Ref"),
        _misspelt(lambda _: "", "no SKU"),
        sku_unknown_in_transit,
    ),
    "sku_ambiguous": (sku_ambiguous_by_spelling, sku_ambiguous_by_barcode),
    "sku_discontinued": (sku_discontinued,),
    "order_not_found": (order_unknown, order_not_named, order_without_code),
    "order_ambiguous": (order_twice, orders_differ),
    "order_not_invoiced": (order_not_invoiced,),
    "customer_unknown": (customer_generic, customer_missing),
    "over_return": (over_return_pair, over_return_alone),
    "outcome_needs_policy": (
        _ended_as("Exchange"),
        refund_beside_exchange,
        _ended_as("Shop Later Credit"),
        part_payment_later,
        _ended_as("Warranty"),
        _ended_as("Store Credit"),
    ),
    "refund_not_explained": (
        _refund_off_by(395, "delivery was refunded too"),
        _refund_off_by(-1, "a penny short"),
        refund_without_lines,
    ),
}
"""Each kind with its stories, the commonest first."""


def arriving_misspelt(maker: Maker) -> None:
    """A return submitted now whose SKU is no Stock Code."""
    arriving(maker)
    rma = maker.last_rma()
    rma.lines[0].sku += "-OLD"
    plant(maker, "sku_unknown", rma, "renamed in Khaos", sku=rma.lines[0].sku)
