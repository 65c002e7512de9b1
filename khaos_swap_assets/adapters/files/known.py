"""Exports that are recognised by their set of headings, whatever their order.

Belongs here: for each known export its headings and what each is to us. Stays out: comparing headings (``headings``).
Sources: Khaos names no headings of its grids in public, so that each column has the spellings in use (khaos.md §17);
Shopify's orders and transactions exports and Matrixify's; Swap's dashboard table (swap.md §14); of payouts the
spellings in use among payment providers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ORDERS, NOTES, REFUNDS, CODES, RETURNS = "sales-orders", "credit-notes", "refunds", "stock-codes", "returns"
PAYOUTS, INSPECTIONS, WRITE_OFFS = "payouts", "inspections", "write-offs"


@dataclass(frozen=True, slots=True)
class KnownExport:
    """One export. It is meant where of each group of ``signature`` one heading stands; ``columns`` by plain heading.

    With ``refusal`` it is recognised in order to say how to export something that can be audited.
    ``is_by_spelling``: its headings are not documented. ``tells`` is what a reader of the report must know of it.
    """

    name: str
    kind: str
    signature: tuple[frozenset[str], ...]
    columns: Mapping[str, str]
    tells: tuple[str, ...] = ()
    refusal: str = ""
    is_by_spelling: bool = False


def _spelled(spellings: Mapping[str, str]) -> dict[str, str]:
    return {name: column for column, names in spellings.items() for name in names.split()}


NOTE_SPELLINGS = {
    "credit_note_code": "inv_code invoice_code inv_no invoice_no invoice_number credit_note credit_note_no "
    "credit_note_number cn_code cn_no credit_code doc_code document_code document_no document_number",
    "associated_ref": "ass_ref assoc_ref ass_reference associated_reference external_ref web_ref channel_ref",
    "order_ref": "so_code sales_order sales_order_code order_code order_no so_number sales_order_no source_order",
    "customer_ref": "urn customer_urn company_code customer_code account_code account_no account_ref",
    "created_on": "inv_date invoice_date issue_date date_issued credit_note_date credit_date document_date tax_date "
    "date_created",
    "stock_code": "item_code product_code stock_item_code stock_item",
    "quantity": "qty units inv_qty qty_credited",
    "gross": "total gross_total total_gross line_total gross_value gross_amount total_inc_vat total_inc amount_inc_vat",
    "net": "net_total total_net net_value net_amount total_ex_vat total_ex amount_ex_vat goods_net line_net",
    "delivery_gross": "delivery delivery_total carriage carriage_gross postage shipping",
    "currency": "currency_code curr ccy",
}
ORDER_SPELLINGS = {
    "order_ref": "ass_ref assoc_ref ass_reference associated_ref associated_reference external_ref web_ref channel_ref",
    "so_code": "sales_order sales_order_code order_code so_number sales_order_no",
    "customer_ref": NOTE_SPELLINGS["customer_ref"],
    "ordered_at": "order_date date_ordered so_date date_created created_at date_placed",
    "line_ref": "line_id line_no sales_order_item_id soi_id import_ref",
    "stock_code": NOTE_SPELLINGS["stock_code"],
    "quantity": "qty units qty_ordered ordered_qty qty_user",
    "unit_price_gross": "unit_price price_gross gross_price unit_gross price_inc_vat price_inc unit_price_inc_vat "
    "price_net_inc",
    "vat_rate": "tax_rate vat vat_percent vat_pct tax_percent",
    "discount_gross": "discount line_discount discount_value discount_amount",
    "order_discount_gross": "order_discount total_discount",
    "goods_after_discount": "goods_total subtotal",
    "delivery_gross": NOTE_SPELLINGS["delivery_gross"],
    "invoiced_on": "inv_date invoice_date date_invoiced issue_date",
    "currency": NOTE_SPELLINGS["currency"],
}
CODE_SPELLINGS = {
    "stock_code": NOTE_SPELLINGS["stock_code"] + " code sku",
    "stock_id": "id stockid",
    "description": "desc short_description stock_description name title",
    "other_ref": "other_reference alt_ref alternative_ref",
    "barcode": "bar_code barcodes ean upc gtin ean13",
    "discontinued": "is_discontinued disc archived",
}
REFUND_SPELLINGS = {
    "refund_id": "transaction transaction_id refund id payment_id reference",
    "order_ref": "order order_name order_no order_number",
    "return_id": "rma rma_number return",
    "refunded_at": "created_at processed_at date refund_date created refunded_on",
    "currency": NOTE_SPELLINGS["currency"],
    "amount": "refund_amount gross value total amount_refunded",
    "gateway": "payment_method method payment_gateway processor",
    "status": "state result",
}
PAYOUT_SPELLINGS = {
    "provider": "gateway processor payment_gateway",
    "payout_id": "payout payout_no payout_reference automatic_payout_id settlement_id settlement_batch batch_id "
    "transfer_id deposit_id",
    "paid_on": "payout_date paid_at arrival_date automatic_payout_effective_at settlement_date deposit_date",
    "payout_total": "total_payout payout_amount settlement_amount",
    "line_id": "balance_transaction_id transaction_id",
    "kind": "type transaction_type reporting_category category",
    "refund_id": "refund source_id refund_reference psp_reference modification_reference",
    "order_ref": "order order_name order_no order_number merchant_reference invoice_number",
    "return_id": "rma rma_number return",
    "currency": NOTE_SPELLINGS["currency"],
    "gross": "amount gross_amount value",
    "fee": "fees fee_amount commission processing_fee",
    "net": "net_amount net_value",
}
INSPECTION_SPELLINGS = {
    "order_ref": "order order_name order_no order_number shopify_order_name",
    "return_id": "rma rma_number return",
    "sku": "product_sku item_sku variant_sku stock_code item_code product_code",
    "condition": "item_condition quality grade result qc_condition",
    "quantity": "qty units returned_quantity return_qty returned_qty quantity_returned",
    "inspected_at": "date receipt_date received_at inspection_date inspected_on",
    "inspected_by": "inspector operator user",
}
WRITE_OFF_SPELLINGS = {
    "stock_code": CODE_SPELLINGS["stock_code"] + " item",
    "quantity": "qty units qty_written_off quantity_written_off written_off",
    "written_off_on": "date write_off_date date_written_off written_off_date created_on",
    "cost": "total_cost cost_value value write_off_value stock_value",
    "written_off_by": "user username user_name operator",
    "currency": NOTE_SPELLINGS["currency"],
}
SPELLINGS: Mapping[str, Mapping[str, str]] = {
    NOTES: _spelled(NOTE_SPELLINGS),
    ORDERS: _spelled(ORDER_SPELLINGS),
    CODES: _spelled(CODE_SPELLINGS),
    REFUNDS: _spelled(REFUND_SPELLINGS),
    PAYOUTS: _spelled(PAYOUT_SPELLINGS),
    INSPECTIONS: _spelled(INSPECTION_SPELLINGS),
    WRITE_OFFS: _spelled(WRITE_OFF_SPELLINGS),
}


def _group(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _as_spelled(name: str, kind: str, spellings: Mapping[str, str], needed: str) -> KnownExport:
    """An export that is known by any spelling of the columns that it needs."""
    signature = tuple(_group(spellings[column]) | {column} for column in needed.split())
    return KnownExport(
        name, kind, signature, {one: one for one in spellings} | _spelled(spellings), is_by_spelling=True
    )


_NOTE_IDS = _group(NOTE_SPELLINGS["credit_note_code"]) | {"credit_note_code"}
_ORDER_IDS = _group(ORDER_SPELLINGS["order_ref"])
_CODES = _group(NOTE_SPELLINGS["stock_code"]) | {"stock_code"}
_NETTED = (
    "is netted (sales less returns) and names no document: set the filter's Credit Notes to Show Only, and export "
)

KNOWN: tuple[KnownExport, ...] = (
    KnownExport(
        "Khaos: Sales Invoice Manager, Credit Notes with their items",
        NOTES,
        (_NOTE_IDS, _group(NOTE_SPELLINGS["gross"]) | {"gross"}, _CODES, _group("qty quantity urn ass_ref so_code")),
        {name: name for name in NOTE_SPELLINGS} | _spelled(NOTE_SPELLINGS),
        is_by_spelling=True,
    ),
    KnownExport(
        "Khaos: Sales Summary with Credit Notes combined",
        NOTES,
        (_CODES, _group("qty_sold sold_qty net_qty qty_net"), _group("net_sales gross_sales sales_value net_value")),
        {},
        refusal=_NETTED + "Sales Invoice Manager, Credit Notes with their items, one row a line",
    ),
    KnownExport(
        "Shopify: orders export",
        ORDERS,
        (_group("name"), _group("lineitem_sku"), _group("lineitem_quantity"), _group("lineitem_price")),
        {
            "name": "order_ref",
            "created_at": "ordered_at",
            "currency": "currency",
            "lineitem_sku": "stock_code",
            "lineitem_quantity": "quantity",
            "lineitem_price": "unit_price_gross",
            "lineitem_discount": "discount_gross",
            "shipping": "delivery_gross",
            "discount_amount": "order_discount_gross",
            "subtotal": "goods_after_discount",
        },
        tells=("no VAT rates stand in it", "prices are taken as including VAT"),
    ),
    KnownExport(
        "Matrixify: orders export",
        ORDERS,
        (_group("name"), _group("line_sku"), _group("line_quantity"), _group("line_price")),
        {
            "name": "order_ref",
            "created_at": "ordered_at",
            "processed_at": "invoiced_on",
            "currency": "currency",
            "line_sku": "stock_code",
            "line_quantity": "quantity",
            "line_price": "unit_price_gross",
            "line_discount": "discount_gross",
        },
        tells=("no VAT rates stand in it", "prices are taken as including VAT"),
    ),
    KnownExport(
        "Khaos: Sales Orders with their items",
        ORDERS,
        (
            _ORDER_IDS | {"order_ref"},
            _CODES,
            _group("qty quantity qty_ordered"),
            _group(ORDER_SPELLINGS["unit_price_gross"]),
        ),
        {name: name for name in ORDER_SPELLINGS} | _spelled(ORDER_SPELLINGS),
        is_by_spelling=True,
    ),
    KnownExport(
        "Shopify: transactions export",
        REFUNDS,
        (_group("kind"), _group("amount"), _group("gateway"), _group("order name"), _group("created_at status")),
        {
            "transaction": "refund_id",
            "id": "refund_id",
            "name": "order_ref",
            "order": "order_ref",
            "kind": "kind",
            "gateway": "gateway",
            "created_at": "refunded_at",
            "amount": "amount",
            "currency": "currency",
            "status": "status",
        },
    ),
    KnownExport(
        "Matrixify: transactions of orders",
        REFUNDS,
        (_group("name"), _group("transaction_kind"), _group("transaction_amount")),
        {
            "transaction_id": "refund_id",
            "name": "order_ref",
            "transaction_kind": "kind",
            "transaction_gateway": "gateway",
            "transaction_processed_at": "refunded_at",
            "transaction_amount": "amount",
            "transaction_currency": "currency",
            "transaction_status": "status",
        },
    ),
    KnownExport(
        "Shopify: a sales summary",
        REFUNDS,
        (_group("returns"), _group("net_sales"), _group("gross_sales")),
        {},
        refusal="shows goods by the day on which they came back, not money: export the transactions of orders",
    ),
    _as_spelled("a payment provider's payouts with their lines", PAYOUTS, PAYOUT_SPELLINGS, "payout_id paid_on gross"),
    _as_spelled(
        "the warehouse's file of inspections, as it is uploaded to Swap",
        INSPECTIONS,
        INSPECTION_SPELLINGS,
        "order_ref sku condition quantity",
    ),
    _as_spelled("Khaos: Write Off Report", WRITE_OFFS, WRITE_OFF_SPELLINGS, "stock_code quantity written_off_on"),
    KnownExport(
        "Khaos: Stock List",
        CODES,
        (_CODES, _group("description short_description other_ref barcode stock_id")),
        {name: name for name in CODE_SPELLINGS} | _spelled(CODE_SPELLINGS),
        is_by_spelling=True,
    ),
    KnownExport(
        "Swap: table of the dashboard",
        RETURNS,
        (_group("order order_number order_name"), _group("status return_status"), _group("total refund_value")),
        {
            "order": "shopify_order_name",
            "order_number": "shopify_order_name",
            "order_name": "shopify_order_name",
            "rma": "rma_number",
            "rma_number": "rma_number",
            "refund_value": "total_refund_value_customer_currency",
            "created_date": "date_created",
            "type": "type_string",
            "shipping_status": "delivery_status",
            "status": "return_status",
            "return_status": "return_status",
            "total": "total_refund_value_customer_currency",
            "currency": "customer_currency",
            "processed_by": "processed_by",
            "quality_control": "quality_control_status",
            "delivered_date": "delivered_date",
        },
        tells=("totals may include fees",),
    ),
)
