"""The XML documents that the sandbox's Khaos puts inside its string answers.

Belongs here: one function for each document of contracts/khaos.md §7.1-§7.5, from the world's records to text. Stays
out: which records are asked for (``khaos_server``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from khaos_swap_assets.sandbox.khaos_books import Entry
from khaos_swap_assets.sandbox.khaos_packs import Items, note_lines, sold_lines
from khaos_swap_assets.sandbox.khaos_prices import net_of_gross
from khaos_swap_assets.sandbox.khaos_wire import LONDON, cdata, day, escape, flag, money
from khaos_swap_assets.sandbox.world import Customer, Note, Order, StockItem, WorldLine

SITES = {1: "Main Warehouse", 9: "Not Saleable"}
DELIVERY_VAT = 20
TAX_CODES = {20: "1", 0: "2", 5: "4"}
STAGES = {1: "CANCELLED", 9: "ORDERS_RELEASED", 10: "ORDERS_STAGING", 70: "ISSUEDCURRENT", 71: "ISSUED_ARCHIVEDQ1"}
UNKNOWN_STOCK_TAGS = (
    "<ICN_CODE/><PURCHASE_MULTIPLE>1</PURCHASE_MULTIPLE><COUNTRY_OF_MANUFACTURE>PT</COUNTRY_OF_MANUFACTURE>"
)
UNKNOWN_STATUS_TAGS = "<LOYALTY_TIER/><PICK_WAVE>0</PICK_WAVE>"


@dataclass(frozen=True)
class Style:
    """How this installation writes: CDATA around descriptions, tags nobody documented, signs of Credit Notes.

    Without ``shows_note_items`` a note has no INVOICE, as in the contract's own sample (khaos.md §7.4). Without
    ``shows_order_codes`` ExportOrders names no code and no type (§7.5). ``items``: the catalogue, for the packs of an
    order and of a note.
    """

    has_cdata: bool = False
    has_extra_tags: bool = True
    has_negative_notes: bool = False
    shows_items: bool = True
    shows_note_items: bool = True
    shows_order_codes: bool = True
    items: Items = field(default_factory=dict)
    pack_orders: str = "header"
    pack_notes: str = "header"

    def words(self, text: str) -> str:
        """A description."""
        return cdata(text) if self.has_cdata else escape(text)


def stock_items(items: Iterable[StockItem], style: Style) -> str:
    """The answer of ExportStock."""
    return f"<STOCK_ITEMS>{''.join(_stock_item(item, style) for item in items)}</STOCK_ITEMS>"


def stock_status(items: Iterable[StockItem], site_id: int) -> str:
    """The answer of ExportStockStatus: one site, or with -1 each site's row with a SITE of its own."""
    if site_id == -1:
        rows = "".join(_level(item, site, f"<SITE>{SITES[site]}</SITE>") for item in items for site in SITES)
        return f"<STOCK_STATUS>{rows}</STOCK_STATUS>"
    rows = "".join(_level(item, site_id, "") for item in items)
    return f'<STOCK_STATUS SITE="{SITES[site_id]}">{rows}</STOCK_STATUS>'


def status_list(entries: Iterable[tuple[Entry, Customer | None]], style: Style) -> str:
    """The answer of ExportOrderStatusEx."""
    rows = "".join(
        _note_status(entry, customer, style) if isinstance(entry, Note) else _order_status(entry, customer, style)
        for entry, customer in entries
    )
    return f"<STATUS_LIST>{rows}</STATUS_LIST>"


def sales_orders(entries: Iterable[tuple[Entry, Customer | None]], style: Style) -> str:
    """The answer of ExportOrders: whole orders with customer, payment and lines, and notes in the same schema."""
    rows = "".join(
        _note_order(entry, customer, style) if isinstance(entry, Note) else _sales_order(entry, customer, style)
        for entry, customer in entries
    )
    return f"<SALES_ORDERS>{rows}</SALES_ORDERS>"


def _stock_item(item: StockItem, style: Style) -> str:
    barcodes = f'<BARCODES><BARCODE DESC="EAN">{escape(item.barcode)}</BARCODE></BARCODES>' if item.barcode else ""
    return (
        f"<STOCK_ITEM><STOCK_CODE>{escape(item.stock_code)}</STOCK_CODE><STOCK_ID>{escape(item.stock_id)}</STOCK_ID>"
        f"<ASSOCIATED_REF>{escape(item.other_ref)}</ASSOCIATED_REF>"
        f"<STOCK_DESC>{style.words(item.description)}</STOCK_DESC>"
        f'<BUY_PRICE IS_NET="-1">{money(item.unit_gross_pence // 3)}</BUY_PRICE>'
        f'<SELL_PRICE IS_NET="0">{money(item.unit_gross_pence)}</SELL_PRICE><VAT_RATE>{item.vat_percent}</VAT_RATE>'
        f"<DELETED>{flag(item.is_discontinued)}</DELETED><WEB>-1</WEB>"
        f"<DISCONTINUED>{flag(item.is_discontinued)}</DISCONTINUED><RUN_TO_ZERO>0</RUN_TO_ZERO>"
        f"<STOCK_CONTROLLED>{flag(item.is_stock_controlled)}</STOCK_CONTROLLED>"
        f"{barcodes}{_pack(item)}{UNKNOWN_STOCK_TAGS if style.has_extra_tags else ''}</STOCK_ITEM>"
    )


def _pack(item: StockItem) -> str:
    links = "".join(
        f"<LINK_ITEM><STOCK_CODE>{escape(part.stock_code)}</STOCK_CODE><LINK_TYPE>3</LINK_TYPE>"
        f"<LINK_VALUE>{part.quantity}</LINK_VALUE><AUTO_ADD>-1</AUTO_ADD></LINK_ITEM>"
        for part in item.parts
    )
    return f"<LINKED_ITEMS>{links}</LINKED_ITEMS>" if links else ""


def _level(item: StockItem, site_id: int, extra: str) -> str:
    level = item.available if site_id == 1 else item.quarantine
    status = "5" if not item.is_stock_controlled else "4" if item.is_discontinued else "0" if level > 0 else "3"
    price = money(item.unit_gross_pence)
    return (
        f'<STOCK_ITEM CODE="{escape(item.stock_code)}" ID="{escape(item.stock_id)}" DESC="{escape(item.description)}" '
        f'OTHER_REF="{escape(item.other_ref)}"><SELL_PRICE>{price}</SELL_PRICE><WEBSELL_PRICE>{price}</WEBSELL_PRICE>'
        f"<SAFE_LEVEL>0</SAFE_LEVEL><MIN_LEVEL>0</MIN_LEVEL><LEVEL>{level}</LEVEL><STATUS>{status}</STATUS>"
        f"<LEAD_TIME/>{extra}</STOCK_ITEM>"
    )


def _order_status(order: Order, customer: Customer | None, style: Style) -> str:
    items = sum(line.gross_pence for line in order.lines)
    net = sum(net_of_gross(line.gross_pence, line.vat_percent) for line in order.lines)
    sold = sum(line.quantity for line in order.lines)
    is_issued, shown = order.issued_at is not None, sold_lines(style.items, order, style.pack_orders)
    cancelled = "<CANCELLED><REASON>Customer changed mind</REASON></CANCELLED>" if order.is_cancelled else ""
    return (
        f"{_head(order.so_code, order.associated_ref, order.urn, customer)}"
        f'<ORDER_TYPE TYPE_ID="S">Sales Order</ORDER_TYPE><CURRENCY_CODE>{order.currency}</CURRENCY_CODE>'
        f"<DATE_CREATED>{day(order.ordered_at)}</DATE_CREATED><DELIVERY_DATE>{day(order.ordered_at)}</DELIVERY_DATE>"
        f"{_totals(items, net, order.delivery_gross_pence)}<COMPLETE>{flag(is_issued)}</COMPLETE>"
        f"<QTY_SOLD>{sold}</QTY_SOLD><QTY_ASSIGNED>{sold if is_issued else 0}</QTY_ASSIGNED>{cancelled}"
        f"<INVOICES>{_invoice(order, [(line.stock_code, line.quantity) for line in shown], style)}</INVOICES>"
        f"{UNKNOWN_STATUS_TAGS if style.has_extra_tags else ''}</ORDER_STATUS>"
    )


def _note_status(note: Note, customer: Customer | None, style: Style) -> str:
    sign = -1 if style.has_negative_notes else 1
    items = sign * sum(line.gross_pence for line in note.lines)
    net = sign * sum(line.net_pence for line in note.lines)
    shown = note_lines(style.items, note, style.pack_notes)
    lines = [(line.stock_code, sign * line.quantity) for line in shown]
    complete = flag(note.issued_at is not None)
    invoice = _invoice(note, lines, style) if style.shows_note_items else ""
    return (
        f"{_head(note.code, note.associated_ref, note.urn, customer)}"
        f'<ORDER_TYPE TYPE_ID="2">Credit Note</ORDER_TYPE><CURRENCY_CODE>{note.currency}</CURRENCY_CODE>'
        f"<DATE_CREATED>{day(note.created_at)}</DATE_CREATED>"
        f"{_totals(items, net, sign * note.delivery_gross_pence)}<COMPLETE>{complete}</COMPLETE>"
        f"<INVOICES>{invoice}</INVOICES></ORDER_STATUS>"
    )


def _head(code: str, reference: str, urn: str, customer: Customer | None) -> str:
    name = f"{customer.forename} {customer.surname}" if customer else ""
    return (
        f'<ORDER_STATUS SORDER_CODE="{escape(code)}" ASSOCIATED_REF="{escape(reference)}">'
        f'<COMPANY_NAME COMPANY_CODE="{escape(urn)}" OTHER_REF="{escape(customer.email if customer else "")}">'
        f"{escape(name)}</COMPANY_NAME>"
    )


def _totals(items_pence: int, net_pence: int, delivery_pence: int) -> str:
    delivery_net = net_of_gross(delivery_pence, DELIVERY_VAT)
    return (
        f'<ITEMS_TOTAL NET_VALUE="{money(net_pence)}">{money(items_pence)}</ITEMS_TOTAL>'
        f'<DELIVERY_TOTAL NET_VALUE="{money(delivery_net)}">{money(delivery_pence)}</DELIVERY_TOTAL>'
    )


def _invoice(entry: Entry, lines: list[tuple[str, int]], style: Style) -> str:
    code = entry.code if isinstance(entry, Note) else entry.invoice_code
    if not code:
        return ""
    quantity = sum(units for _, units in lines)
    items = "".join(f'<INVOICE_ITEM STOCK_CODE="{escape(stock)}" QTY_SENT="{units}"/>' for stock, units in lines)
    shown = f"<INVOICE_ITEMS>{items}</INVOICE_ITEMS>" if style.shows_items else ""
    issued = day(entry.issued_at)
    return (
        f'<INVOICE INVOICE_CODE="{escape(code)}" INVOICE_DATE="{issued}" SHIP_DATE="{issued}" ISSUE_DATE="{issued}" '
        f'INVOICE_STAGE_ID="{entry.stage_id}" INVOICE_STAGE_DESC="{STAGES.get(entry.stage_id, "")}" COURIER="" '
        f'QTY_SOLD="{quantity}" QTY_SENT="{quantity if issued else 0}" MOVED="0">{shown}</INVOICE>'
    )


def _sales_order(order: Order, customer: Customer | None, style: Style) -> str:
    total = sum(line.gross_pence for line in order.lines) + order.delivery_gross_pence
    shown = sold_lines(style.items, order, style.pack_orders)
    lines = "".join(_order_item(line, units, unit) for line in shown for units, unit in _unit_prices(line))
    delivery_net = net_of_gross(order.delivery_gross_pence, DELIVERY_VAT)
    code = escape(order.so_code)
    named = f"{_internal_ref('1', 'Sales Order', code)}<SORDER_CODE>{code}</SORDER_CODE>"
    return (
        f"<SALES_ORDER>{_customer_detail(order.urn, customer, style)}<PAYMENTS><PAYMENT_DETAIL><PAYMENT_AMOUNT>"
        f"{money(total)}</PAYMENT_AMOUNT><PAYMENT_TYPE>2</PAYMENT_TYPE><AUTH_CODE>SHOPIFY</AUTH_CODE></PAYMENT_DETAIL>"
        f"</PAYMENTS><ORDER_HEADER>{named if style.shows_order_codes else ''}"
        f"<ORDER_DATE>{order.ordered_at.astimezone(LONDON):%Y-%m-%dT%H:%M:%S}</ORDER_DATE><ORDER_AMOUNT>{money(total)}</ORDER_AMOUNT>"
        f"<ORDER_CURRENCY_CODE>{order.currency}</ORDER_CURRENCY_CODE><SITE>{SITES[1]}</SITE>"
        f"<ASSOCIATED_REF>{escape(order.associated_ref)}</ASSOCIATED_REF><DELIVERY_NET>{money(delivery_net)}"
        f"</DELIVERY_NET><DELIVERY_TAX>{money(order.delivery_gross_pence - delivery_net)}</DELIVERY_TAX><DELIVERY_GRS>"
        f"{money(order.delivery_gross_pence)}</DELIVERY_GRS><SALES_SOURCE>Website</SALES_SOURCE></ORDER_HEADER>"
        f"<ORDER_ITEMS>{lines}</ORDER_ITEMS></SALES_ORDER>"
    )


def _note_order(note: Note, customer: Customer | None, style: Style) -> str:
    """A note in the schema of an order, told apart by the type of its INTERNAL_REF alone (khaos.md §7.5)."""
    sign = -1 if style.has_negative_notes else 1
    lines = "".join(
        f"<ORDER_ITEM><STOCK_CODE>{escape(line.stock_code)}</STOCK_CODE><ORDER_QTY>{sign * line.quantity}</ORDER_QTY>"
        f"<PRICE_GRS>{money(line.gross_pence // line.quantity)}</PRICE_GRS></ORDER_ITEM>"
        for line in note_lines(style.items, note, style.pack_notes)
    )
    return (
        f"<SALES_ORDER>{_customer_detail(note.urn, customer, style)}<PAYMENTS/><ORDER_HEADER>"
        f"{_internal_ref('2', 'Credit Note', escape(note.code)) if style.shows_order_codes else ''}"
        f"<ORDER_DATE>{note.created_at.astimezone(LONDON):%Y-%m-%dT%H:%M:%S}</ORDER_DATE>"
        f"<ORDER_CURRENCY_CODE>{note.currency}</ORDER_CURRENCY_CODE>"
        f"<ASSOCIATED_REF>{escape(note.associated_ref)}</ASSOCIATED_REF></ORDER_HEADER>"
        f"<ORDER_ITEMS>{lines}</ORDER_ITEMS></SALES_ORDER>"
    )


def _internal_ref(type_id: str, words: str, code: str) -> str:
    return f'<INTERNAL_REF TYPE_ID="{type_id}" TYPE_DESC="{words}">{code}</INTERNAL_REF>'


def _unit_prices(line: WorldLine) -> list[tuple[int, int]]:
    """(units, unit pence) rows that multiply out to the line exactly: the dearer units take a row of their own."""
    unit, dearer = divmod(line.gross_pence, line.quantity)
    rows = [(line.quantity - dearer, unit), (dearer, unit + 1)]
    return [row for row in rows if row[0]]


def _order_item(line: WorldLine, units: int, unit_pence: int) -> str:
    price = "PRICE_NET" if line.vat_percent == 0 else "PRICE_GRS"
    return (
        f"<ORDER_ITEM><STOCK_CODE>{escape(line.stock_code)}</STOCK_CODE><MAPPING_TYPE>1</MAPPING_TYPE>"
        f"<ORDER_QTY>{units}</ORDER_QTY><{price}>{money(unit_pence)}</{price}>"
        f"<TAX_RATE>{TAX_CODES.get(line.vat_percent, '5')}</TAX_RATE><KSD_DISCOUNT>0</KSD_DISCOUNT>"
        f"<IMPORT_REF>{escape(line.line_item_id)}</IMPORT_REF></ORDER_ITEM>"
    )


def _customer_detail(urn: str, customer: Customer | None, style: Style) -> str:
    head = f"<CUSTOMER_DETAIL><IS_NEW_CUSTOMER>0</IS_NEW_CUSTOMER><COMPANY_CODE>{escape(urn)}</COMPANY_CODE>"
    if customer is None:
        return f"{head}<ADDRESSES/></CUSTOMER_DETAIL>"
    extra = "<LOYALTY_NUMBER/>" if style.has_extra_tags else ""
    return (
        f"{head}<OTHER_REF>{escape(customer.email)}</OTHER_REF><WEB_USER>{escape(customer.email)}</WEB_USER>"
        f"<COMPANY_CLASS>Retail</COMPANY_CLASS>{extra}<ADDRESSES><INVADDR>"
        f"<IADDRESS1>{style.words(customer.address1)}</IADDRESS1><ITOWN>{escape(customer.town)}</ITOWN>"
        f"<IPOSTCODE>{escape(customer.postcode)}</IPOSTCODE><ICOUNTRY_CODE>{escape(customer.country)}</ICOUNTRY_CODE>"
        f"<IFORENAME>{escape(customer.forename)}</IFORENAME><ISURNAME>{escape(customer.surname)}</ISURNAME>"
        f"<IEMAIL>{escape(customer.email)}</IEMAIL></INVADDR></ADDRESSES></CUSTOMER_DETAIL>"
    )
