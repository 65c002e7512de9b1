"""A refund or a cancelled order of the storefront's JSON becomes a record, or a fault that names all that is wrong.

Belongs here: field names of the Admin GraphQL API, money and dates of one of them. Stays out: paging (``client``).
Money is taken in the presentment currency, which is the customer's; amounts are decimal text and become minor units.
An unknown kind, status or gateway is kept as it is. Of an order its id, name and total are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.adapters.storefront.records import ReadRefund
from khaos_swap_assets.adapters.swap import dates
from khaos_swap_assets.adapters.swap.raw import cleaned, content_hash
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.adapters.swap.values import MOST_LINES, MOST_PENCE, MOST_UNITS
from khaos_swap_assets.domain.goods.cancellations import CancelledOrder
from khaos_swap_assets.domain.money.amounts import to_pence
from khaos_swap_assets.domain.records.stores import owner, qualified
from khaos_swap_assets.domain.refunds.payments import Refund, RefundLine, Transaction

Json = Mapping[str, Any]


class FieldReading:
    """Reads fields of one record; what cannot be read is kept in ``faults``."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def fault(self, place: str, reason: str) -> None:
        """Keep one more thing that is wrong, and where."""
        self.faults.append(f"{place}: {reason}")

    def require_own(self, name: str, others: Collection[str], place: str) -> None:
        """What begins with another store's name would be taken as that store's."""
        if store := owner(others, name):
            self.fault(place, f"begins like one of store {store}")

    def number(self, node: Json, name: str, place: str) -> str:
        """The last part of a global id such as ``gid://…/Refund/918``."""
        found = self.key(tail(node.get(name)), place + name)
        if not found:
            self.fault(place + name, "is no id")
        return found

    def key(self, value: object, place: str) -> str:
        """A text that identifies or tells a kind; nothing is ``''``."""
        if not isinstance(value, str | None):
            self.fault(place, "is no text")
            return ""
        try:
            return texts.key(value or "")
        except ValueError as error:
            self.fault(place, str(error))
            return ""

    def moment(self, node: Json, name: str, place: str) -> datetime | None:
        """A date with its time; None where there is none."""
        value = node.get(name)
        if value is None:
            return None
        try:
            return dates.parse(value if isinstance(value, str) else "?", UTC)
        except ValueError as error:
            self.fault(place + name, str(error))
            return None

    def money(self, node: Json, name: str, place: str, side: str = "presentmentMoney") -> tuple[int, str]:
        """Minor units and currency of one side of a money bag."""
        bag = node.get(name)
        money = bag.get(side) if isinstance(bag, dict) else None
        if not isinstance(money, dict):
            self.fault(place + name, f"holds no {side}")
            return 0, ""
        currency, amount = str(money.get("currencyCode") or "").upper(), money.get("amount")
        try:
            pence = to_pence(amount if isinstance(amount, str | int | Decimal) else "?", currency)
        except (ValueError, TypeError) as error:
            self.fault(f"{place}{name}.{side}", str(error))
            return 0, currency
        if not 0 <= pence < MOST_PENCE:
            self.fault(f"{place}{name}.{side}", "is negative or too large an amount")
        return pence, currency

    def amount(self, node: Json, name: str, place: str = "") -> tuple[int, str]:
        """Minor units, of either sign, and currency of a plain amount."""
        money = node.get(name)
        currency = str(money.get("currencyCode") or "").upper() if isinstance(money, dict) else ""
        value = money.get("amount") if isinstance(money, dict) else None
        try:
            pence = to_pence(value if isinstance(value, str | int | Decimal) else "?", currency)
        except (ValueError, TypeError) as error:
            self.fault(place + name, str(error))
            return 0, currency
        if abs(pence) >= MOST_PENCE:
            self.fault(place + name, "is too large an amount")
        return pence, currency


def read_refund(order: Json, raw: object, store: str = "", others: Collection[str] = ()) -> ReadRefund | RowFault:
    """Read one element of an order's ``refunds``, whose lists are complete, collecting all that is wrong with it.

    What a further store numbers begins with its name, and nothing of the first one with that of one of the ``others``
    (``records.stores``).
    """
    node, of_order = cleaned(raw), texts.subject(f"refund of order {qualified(store, _name(order))}")
    if not isinstance(node, dict):
        return RowFault(of_order, content_hash(node), ("the refund is no object",))
    reading = FieldReading()
    record = _refund(reading, cleaned(order), node)
    reading.require_own(record.order_name, others, "order.name")
    if reading.faults:
        subject = f"refund {qualified(store, number)}" if (number := tail(node.get("id"))) else of_order
        return RowFault(texts.subject(subject), content_hash(node), tuple(dict.fromkeys(reading.faults)))
    return ReadRefund(_named_by_store(record, store), content_hash([_name(order), order.get("totalPriceSet"), node]))


def _named_by_store(one: Refund, store: str) -> Refund:
    return replace(
        one,
        refund_id=qualified(store, one.refund_id),
        order_id=qualified(store, one.order_id),
        order_name=qualified(store, one.order_name),
        return_ref=qualified(store, one.return_ref),
    )


def read_cancelled(raw: Json, store: str = "", others: Collection[str] = ()) -> CancelledOrder | RowFault | None:
    """When and why the shop cancelled an order; None where it did not. Names as ``read_refund`` has them."""
    order, reading = cleaned(raw), FieldReading()
    at = reading.moment(order, "cancelledAt", "")
    if at is None and not reading.faults:
        return None
    total_pence, currency = reading.money(order, "totalPriceSet", "")
    order_id, name = reading.number(order, "id", ""), reading.key(_name(order), "name")
    reading.require_own(name, others, "name")
    reason = reading.key(order.get("cancelReason"), "cancelReason")
    if reading.faults or at is None:
        subject = cancelled_subject(qualified(store, _name(order)))
        return RowFault(subject, content_hash(order), tuple(dict.fromkeys(reading.faults)))
    return CancelledOrder(
        order_id=qualified(store, order_id), order_name=qualified(store, name), cancelled_at=at, reason=reason,
        total_pence=total_pence, currency=currency,
    )  # fmt: skip


def cancelled_subject(order_name: str) -> str:
    """How a fault names a cancelled order."""
    return texts.subject(f"cancelled order {order_name}")


def _refund(reading: FieldReading, order: Json, node: Json) -> Refund:
    total_pence, currency = reading.money(node, "totalRefundedSet", "")
    named = node.get("return")
    record = Refund(
        refund_id=reading.number(node, "id", ""),
        order_id=reading.number(order, "id", "order."),
        order_name=reading.key(_name(order), "order.name"),
        return_ref=reading.key(tail(named.get("id")), "return.id") if isinstance(named, dict) else "",
        currency=currency,
        total_pence=total_pence,
        delivery_pence=sum(
            _delivery(reading, one, place) for place, one in _nodes(node, "refundShippingLines", reading)
        ),
        created_at=reading.moment(node, "createdAt", "") or datetime.min.replace(tzinfo=UTC),
        transactions=tuple(_payment(reading, one, place) for place, one in _nodes(node, "transactions", reading)),
        lines=tuple(_line(reading, one, place) for place, one in _nodes(node, "refundLineItems", reading)),
        **_sold(reading, order, currency),
    )
    if record.created_at.year == 1:
        reading.fault("createdAt", "is empty")
    if any(one.currency != currency for one in record.moved):
        reading.fault("transactions", f"are not all in {currency or 'the currency of the refund'}")
    return record


def _sold(reading: FieldReading, order: Json, currency: str) -> dict[str, int]:
    """The rate of the sale: what the order came to in the refund's currency and in the shop's; nothing in others."""
    if order.get("totalPriceSet") is None:
        return {}
    sold_pence, sold_in = reading.money(order, "totalPriceSet", "order.")
    shop_pence, _ = reading.money(order, "totalPriceSet", "order.", "shopMoney")
    return {"sold_pence": sold_pence, "sold_shop_pence": shop_pence} if sold_in == currency else {}


def _payment(reading: FieldReading, node: Json, place: str) -> Transaction:
    amount_pence, currency = reading.money(node, "amountSet", place)
    shop_pence, shop_currency = reading.money(node, "amountSet", place, "shopMoney")
    return Transaction(
        transaction_id=reading.number(node, "id", place),
        kind=reading.key(node.get("kind"), place + "kind"),
        status=reading.key(node.get("status"), place + "status"),
        gateway=reading.key(node.get("gateway"), place + "gateway"),
        amount_pence=amount_pence,
        currency=currency,
        shop_pence=shop_pence,
        shop_currency=shop_currency,
        processed_at=reading.moment(node, "processedAt", place),
        is_test=node.get("test") is True,
    )


def _line(reading: FieldReading, node: Json, place: str) -> RefundLine:
    item, location = node.get("lineItem"), node.get("location")
    return RefundLine(
        line_item_id=reading.key(tail(item.get("id")), place + "lineItem.id") if isinstance(item, dict) else "",
        sku=reading.key(item.get("sku"), place + "lineItem.sku") if isinstance(item, dict) else "",
        quantity=_units(reading, node.get("quantity"), place + "quantity"),
        subtotal_pence=reading.money(node, "subtotalSet", place)[0],
        tax_pence=reading.money(node, "totalTaxSet", place)[0],
        restock_type=reading.key(node.get("restockType"), place + "restockType"),
        location_id=tail(location.get("id")) if isinstance(location, dict) else "",
        ordered_quantity=_units(reading, item.get("quantity") or 0, place + "lineItem.quantity")
        if isinstance(item, dict)
        else 0,
    )


def _units(reading: FieldReading, value: object, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_UNITS:
        reading.fault(place, "is no whole number of units")
        return 0
    return value


def _delivery(reading: FieldReading, node: Json, place: str) -> int:
    return reading.money(node, "subtotalAmountSet", place)[0]


def _nodes(node: Json, name: str, reading: FieldReading) -> Sequence[tuple[str, Json]]:
    """Each entry of a list with its place in words; a list that is none is a fault."""
    connection = node.get(name)
    entries = connection.get("nodes") if isinstance(connection, dict) else None
    if not isinstance(entries, list) or len(entries) > MOST_LINES:
        reading.fault(name, "is no list" if not isinstance(entries, list) else f"holds more than {MOST_LINES} entries")
        return []
    for at, entry in enumerate(entries):
        if not isinstance(entry, dict):
            reading.fault(f"{name}[{at}]", "is no object")
    return [(f"{name}[{at}].", entry) for at, entry in enumerate(entries) if isinstance(entry, dict)]


def tail(gid: object) -> str:
    """``918`` of ``gid://shopify/Refund/918?x=1``, ``"918"`` or ``918``; empty for what is no id."""
    text = str(gid) if isinstance(gid, str | int) and not isinstance(gid, bool) else ""
    found = text.partition("?")[0].rpartition("/")[2].strip()
    return found if found.isascii() and found.isalnum() else ""


def _name(order: Json) -> str:
    name = order.get("name")
    return name.strip() if isinstance(name, str) else ""
