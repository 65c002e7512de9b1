"""How Swap spells a return on the wire: field names, dates, nulls and amounts of both lists (swap.md §2.3-§2.7, §3.2).

Belongs here: turning one ``Rma`` into the JSON that Swap would show. Stays out: HTTP, filters, paging and faults.
Amounts leave as JSON numbers with two decimals, or as strings by the switch ``amount_style``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from khaos_swap_assets.sandbox.storefront_books import shopify_return_id
from khaos_swap_assets.sandbox.world import Customer, Rma, RmaLine, World

Json = dict[str, object]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec")
PROCESSED = ("Yes", "true", "Processed")
NULLS: dict[str, object] = {"N/A": "N/A", "empty": "", "null": None}
NOBODY = Customer(
    urn="", forename="Unknown", surname="Shopper", email="unknown@example.com", address1="", town="", postcode=""
)
STORE_NAME = "Larch & Fen"
V1_NAMES = {"rma_number": "rma", "shopify_order_name": "order_name", "rma_processed": "processed"}
V1_LACKS = (
    "shopify_return_id",
    "submission_date",
    "intention_date",
    "customer_email",
    "total_store_credit_value_customer_currency",
    "store_credit_revenue",
    "return_shipments",
    "exchange_items",
    "portal_quick_link",
)


@dataclass(frozen=True)
class Spelling:
    """The switches that decide how values look (swap.md §12.2)."""

    date_style: str = "engb"
    null_style: str = "N/A"
    amount_style: str = "number"
    cost_basis: str = "line"
    kept_shown: str = "status"
    processed: str = "date"

    def marker(self, rma: Rma) -> object:
        """What says that a return was processed: a date, one of several words, or never anything (swap.md §2.3)."""
        if rma.processed_at is None or self.processed == "none":
            return rma.processed_word or self.date(None)
        return self.date(rma.processed_at) if self.processed == "date" else PROCESSED[rma.created_at.second % 3]

    def date(self, moment: datetime | None) -> object:
        """A moment in UTC without a zone, British ('3 Sept 2025, 14:52:21') or ISO; nothing by ``null_style``."""
        if moment is None:
            return NULLS[self.null_style]
        utc = moment.astimezone(UTC)
        if self.date_style == "iso":
            return utc.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return f"{utc.day} {MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M:%S}"

    def amount(self, pence: int) -> object:
        """Pence as units with two decimals; the shortest text of such a float is exact."""
        value = Decimal(pence) / 100
        return f"{value:.2f}" if self.amount_style == "string" else float(value)

    def rows(self, line: RmaLine) -> list[RmaLine]:
        """The rows that show a line: one; with unit costs one or two, so that each unit has whole pence."""
        each, dearer = divmod(line.cost_pence, line.quantity)
        if self.cost_basis == "line" or not dearer:
            return [line]
        cheap = replace(line, quantity=line.quantity - dearer, cost_pence=each * (line.quantity - dearer))
        dear = replace(line, quantity=dearer, cost_pence=(each + 1) * dearer, product_id=f"{line.product_id}b")
        return [cheap, dear]

    def cost(self, row: RmaLine) -> object:
        """The row's cost, or one unit's."""
        return self.amount(row.cost_pence // row.quantity if self.cost_basis == "unit" else row.cost_pence)


def return_wire(world: World, rma: Rma, spelling: Spelling) -> Json:
    """One element of ``returns[]``; ``broken_fields`` of the RMA replace what they name."""
    customer = world.customers.get(rma.urn, NOBODY)
    wire = _identity(world, rma) | _dates(rma, spelling) | _people(rma, customer) | _money(rma, spelling)
    rows = [row for line in rma.lines for row in spelling.rows(line)]
    sent = [row for row in rows if row.is_labelled and not row.is_kept]
    wire |= {
        "return_shipments": [_shipment(world, rma, sent, spelling)] if sent else [],
        "products": [_product(world, rma, row, spelling) for row in rows],
        "exchange_items": list(rma.exchange_items),
    }
    wire |= _kept(rma, spelling)
    for path, value in rma.broken_fields.items():
        _replace(wire, path.split("."), value)
    return wire


def order_wire(world: World, rma: Rma, spelling: Spelling) -> Json:
    """One element of V1's ``orders[]``: some fields under other names, and some not at all (swap.md §3.2)."""
    wire = return_wire(world, rma, spelling)
    shown = {V1_NAMES.get(name, name): value for name, value in wire.items() if name not in V1_LACKS}
    return {"order_alt_type": "", **shown}


def _kept(rma: Rma, spelling: Spelling) -> Json:
    """The mark of goods that the customer keeps: no field is documented, so status, a tag, or a tag of each line."""
    is_whole = bool(rma.lines) and all(line.is_kept for line in rma.lines)
    if is_whole and spelling.kept_shown == "status":
        return {"delivery_status": "Green return"}
    is_by_line = spelling.kept_shown == "line" and not rma.is_marked_kept
    is_marked = rma.is_marked_kept or (any(line.is_kept for line in rma.lines) and not is_by_line)
    return {"tags": "vip, green return"} if is_marked else {}


def _identity(world: World, rma: Rma) -> Json:
    outcomes = sorted({line.outcome for line in rma.lines}, reverse=True)
    native = shopify_return_id(world, rma)
    return {
        **({"shopify_return_id": native} if native else {}),
        "rma_number": rma.rma_number,
        "return_id": rma.return_id,
        "shopify_order_name": rma.order_name,
        "order_id": rma.order_id,
        "type_string": ", ".join(outcomes),
        "type": outcomes,
        "delivery_status": rma.delivery_status,
        "return_status": rma.status,
        "quality_control_status": rma.quality_control_status,
        "shipping_carrier": "Royal Mail",
        "tracking_number": f"QA{rma.return_id[-9:]}GB",
        "shipment_from_address_parcel_weight": 1.1,
        "store_id": world.store_id_of(rma.store),
        "store_name": STORE_NAME,
        "tags": "",
        "portal_quick_link": f"https://returns.example/r/{rma.return_id}",
    }


def _dates(rma: Rma, spelling: Spelling) -> Json:
    moments = {
        "date_created": rma.created_at,
        "date_updated": rma.updated_at,
        "submission_date": rma.created_at,
        "submitted_at": rma.created_at,
        "intention_date": rma.created_at,
        "delivered_date": rma.delivered_at,
        "date_closed": rma.closed_at,
        "shopify_order_date": None,
    }
    return {name: spelling.date(moment) for name, moment in moments.items()} | {"rma_processed": spelling.marker(rma)}


def _people(rma: Rma, customer: Customer) -> Json:
    address = {
        "name": f"{customer.forename} {customer.surname}",
        "address1": customer.address1,
        "address2": "",
        "city": customer.town,
        "postcode": customer.postcode,
        "state_province_code": "",
        "country_code": customer.country,
    }
    return {
        "customer_name": address["name"],
        "customer_email": customer.email,
        "customer_locale": "en-GB",
        "customer_currency": rma.currency,
        "processed_by": "returns@larchandfen.example" if rma.processed_at else rma.processed_by or "N/A",
        "shipment_from_address_country": customer.country,
        "shipment_from_address_city": customer.town,
        "shipment_from_address_state": "",
        "billing_address": address,
        "shipping_address": dict(address),
    }


def _money(rma: Rma, spelling: Spelling) -> Json:
    def of(*outcomes: str) -> int:
        return sum(line.cost_pence for line in rma.lines if line.outcome in outcomes)

    pence = {
        "total": sum(line.cost_pence for line in rma.lines) - rma.handling_fee_pence,
        "handling_fee": rma.handling_fee_pence,
        "total_additional_payment": rma.additional_payment_pence,
        "total_credit_exchange_value": of("Exchange", "Shop Now Credit", "Shop Later Credit", "Store Credit"),
        "total_refund_value_customer_currency": rma.refund_pence,
        "total_store_credit_value_customer_currency": rma.store_credit_pence,
        "shop_now_revenue": of("Shop Now Credit"),
        "shop_later_revenue": of("Shop Later Credit"),
        "store_credit_revenue": of("Store Credit"),
        "exchange_revenue": of("Exchange"),
        "refund_revenue": of("Refund"),
    }
    return {name: spelling.amount(value) for name, value in pence.items()}


def _product(world: World, rma: Rma, line: RmaLine, spelling: Spelling) -> Json:
    item = world.items.get(line.sku)
    name = item.description if item else line.sku
    return {
        "product_id": line.product_id,
        "shopify_product_id": f"81{line.line_item_id[-8:]}",
        "shopify_variant_id": f"442{line.line_item_id[-8:]}",
        "shopify_line_item_id": line.line_item_id,
        "order_number": rma.order_name,
        "original_order_name": line.original_order_name or rma.order_name,
        "date": spelling.date(rma.created_at),
        "product_name": name.split(" / ")[0],
        "variant_name": name.rpartition(" / ")[2],
        "full_sku_description": name,
        "sku": line.sku,
        "main_reason_text": line.reason,
        "comments": "",
        "item_count": line.quantity,
        "cost": spelling.cost(line),
        "return_type": line.outcome,
        "currency": rma.currency,
        "vendor": STORE_NAME,
        "grams": 420,
        "is_faulty": line.is_faulty,
        **({"tags": "sale, Green Return"} if line.is_kept and spelling.kept_shown == "line" else {}),
    }


def _shipment(world: World, rma: Rma, rows: list[RmaLine], spelling: Spelling) -> Json:
    def shown(line: RmaLine) -> Json:
        item = world.items.get(line.sku)
        percent = item.vat_percent if item else 20
        extra = {"barcode": item.barcode if item else "", "tax_rate": percent / 100, "tax_title": "GB VAT"}
        return _product(world, rma, line, spelling) | extra

    return {
        "shipment_id": f"shp_{rma.return_id[4:]}",
        "location_id": "loc_uk_1",
        "carrier_id": "royal_mail",
        "postage_fee": spelling.amount(rma.handling_fee_pence),
        "label_type": "label",
        "shipping_service": "Tracked Returns 48",
        "display_name": "Royal Mail Tracked Returns",
        "using_split_shipment": False,
        "items": [shown(row) for row in rows],
    }


def _replace(wire: Json, path: list[str], value: object) -> None:
    """Set ``products.0.cost`` or ``total`` to a value that Swap should never send."""
    if len(path) == 3:
        rows = wire[path[0]]
        assert isinstance(rows, list)
        wire = rows[int(path[1])]
    wire[path[-1]] = value
