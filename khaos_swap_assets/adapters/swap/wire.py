"""One row of Swap's list becomes a domain record, or a fault that names everything wrong with it.

Belongs here: field names of API version 2, the content hash, and what of a row may be kept. Stays out: paging
(``client``) and single values (``values``). Source: contracts/swap.md §2.3 to §2.6, §7, §8, §9.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.adapters.settings import SwapSettings
from khaos_swap_assets.adapters.settings_stores import variable
from khaos_swap_assets.adapters.swap.extras import read_extras
from khaos_swap_assets.adapters.swap.party import party_of
from khaos_swap_assets.adapters.swap.raw import (
    NUMBERED,
    cleaned,
    content_hash,
    named_by_store,
    storable,
    unknown_fields,
    without_personal_data,
)
from khaos_swap_assets.adapters.swap.records import ReadReturn, RowFault
from khaos_swap_assets.adapters.swap.values import MOST_LINES, MOST_PENCE, JsonRow
from khaos_swap_assets.domain.money.amounts import exponent_of
from khaos_swap_assets.domain.records.returns import CLOSED, PROCESSED, PROCESSED_OF_V1, REFUND, Return, ReturnLine
from khaos_swap_assets.domain.records.stores import owner

REFUND_VALUE = "total_refund_value_customer_currency"
TOO_MANY = f"products: holds more than {MOST_LINES} lines"
STORE_CREDIT_VALUE = "total_store_credit_value_customer_currency"


def read_row(raw: object, settings: SwapSettings) -> ReadReturn | RowFault:
    """Read one element of ``returns``, collecting all that is wrong with it."""
    row = named_by_store(cleaned(raw), settings.store)
    if not isinstance(row, dict):
        return _fault(row, ["the row is no object"])
    faults: list[str] = []
    record = parse_return(row, settings, faults)
    if faults:
        return _fault(row, faults)
    kept = without_personal_data(row)
    return ReadReturn(
        record=record,
        raw=storable(kept),
        unknown_fields=unknown_fields(row),
        content_hash=content_hash(kept),
        party=party_of(row),
    )


def parse_return(raw: Mapping[str, Any], settings: SwapSettings, faults: list[str]) -> Return:
    """Make the record of a row; whatever cannot be read is added to ``faults``, and then the record means nothing.

    Amounts become minor units of the shopper's currency, dates UTC; statuses stay as Swap spells them.
    """
    row, zone = JsonRow(raw, faults), ZoneInfo(settings.date_zone)
    return_id, currency = row.key("return_id"), _currency(row, raw)
    extras = read_extras(raw, currency)
    processed_field = PROCESSED_OF_V1 if PROCESSED_OF_V1 in raw and PROCESSED not in raw else PROCESSED
    processed_at, processed_word = row.marker(processed_field, zone)
    record = Return(
        store_id=_store(row, settings),
        return_id=return_id,
        rma=row.key("rma_number"),
        order_name=row.text("shopify_order_name"),
        order_id=row.text("order_id"),
        status=row.word("return_status"),
        delivery_status=row.word("delivery_status"),
        quality_control_status=row.word("quality_control_status"),
        outcomes=row.list_of("type", "type_string"),
        currency=currency,
        refund_pence=row.pence(REFUND_VALUE, currency),
        store_credit_pence=row.pence(STORE_CREDIT_VALUE, currency),
        additional_payment_pence=row.pence("total_additional_payment", currency),
        handling_fee_pence=row.pence("handling_fee", currency),
        total_pence=row.pence("total", currency),
        created_at=row.moment("date_created", zone),
        updated_at=row.moment("date_updated", zone),
        submitted_at=row.moment("submission_date" if row.has("submission_date") else "submitted_at", zone),
        processed_at=processed_at,
        closed_at=row.moment("date_closed", zone),
        delivered_at=row.moment("delivered_date", zone),
        lines=_lines(raw, return_id, currency, settings, faults),
        exchange_pence=extras.exchange_pence,
        taxes_on_top_pence=extras.taxes_on_top_pence,
        duties_on_top_pence=extras.duties_on_top_pence,
        processed_word=processed_word,
        processed_by="" if processed_at else row.person("processed_by"),
        processed_field=processed_field,
        store=settings.store,
    )
    _require_refund_value(row, record)
    row.text("shopify_return_id")  # no part of the record, yet an index of the store holds it
    return record


def _store(row: JsonRow, settings: SwapSettings) -> str:
    _require_own_names(row, settings.others)
    store_id = row.text("store_id") or settings.store_id
    if store_id != settings.store_id:
        row.fault("store_id", f"is another store than {variable(settings.store, 'SWAP_STORE_ID')}")
    return store_id


def _require_own_names(row: JsonRow, others: Sequence[str]) -> None:
    """What begins with another store's name would be taken as that store's."""
    for name in sorted(NUMBERED):
        if store := owner(others, row.text(name)):
            row.fault(name, f"begins like one of store {store}")


def _currency(row: JsonRow, raw: Mapping[str, Any]) -> str:
    """The shopper's currency; of the lines, where the header has none and they agree."""
    products = raw.get("products")
    lines = products if isinstance(products, list) else []
    of_lines = {str(line.get("currency")) for line in lines if isinstance(line, dict)}
    code = row.text("customer_currency") or (of_lines.pop() if len(of_lines) == 1 else "")
    return _code(row, "customer_currency", code)


def _code(row: JsonRow, name: str, code: str) -> str:
    """An ISO currency code in capitals; a wrong one is a fault, and pounds stand in for it."""
    try:
        exponent_of(code)
    except ValueError:
        row.fault(name, "is no currency code")
        return "GBP"
    return code.upper()


def _lines(
    raw: Mapping[str, Any], return_id: str, currency: str, settings: SwapSettings, faults: list[str]
) -> tuple[ReturnLine, ...]:
    products = raw.get("products")
    if not isinstance(products, list) or len(products) > MOST_LINES:
        faults.append("products: is no list" if not isinstance(products, list) else TOO_MANY)
        return ()
    lines = tuple(
        parse_line(JsonRow(product, faults, f"products[{index}]."), return_id, currency, settings)
        for index, product in enumerate(products)
        if _is_object(product, f"products[{index}]", faults)
    )
    if len({line.product_id for line in lines}) < len(lines):
        faults.append("products: two lines carry the same product_id")
    return lines


def parse_line(row: JsonRow, return_id: str, currency: str, settings: SwapSettings) -> ReturnLine:
    """Make the record of one line of a return; what cannot be read is added to the faults of the row."""
    quantity = row.quantity("item_count")
    own = _code(row, "currency", row.text("currency") or currency)
    cost_pence = row.pence("cost", own) * (quantity if settings.cost_basis == "unit" else 1)
    if abs(cost_pence) >= MOST_PENCE:
        row.fault("cost", "is too large an amount")
    return ReturnLine(
        return_id=return_id,
        product_id=row.key("product_id", "shopify_line_item_id"),
        line_item_id=row.text("shopify_line_item_id"),
        original_order_name=row.text("original_order_name"),
        sku=row.raw_text("sku"),
        quantity=quantity,
        cost_pence=cost_pence,
        currency=own,
        outcome=row.word("return_type"),
        reason=row.words("main_reason_text"),
        is_faulty=row.flag("is_faulty"),
    )


def _require_refund_value(row: JsonRow, record: Return) -> None:
    """A closed refund without a value must be seen by a person: taken as nothing, it would be missed in silence."""
    is_refund = any(line.outcome == REFUND and line.cost_pence for line in record.lines)
    if record.status == CLOSED and is_refund and not row.has(REFUND_VALUE):
        row.fault(REFUND_VALUE, "is empty on a closed return with refunded lines")


def _fault(row: object, reasons: list[str]) -> RowFault:
    row_hash = content_hash(row)
    rma = row.get("rma_number") if isinstance(row, dict) else None
    subject = texts.subject(str(rma).strip()) if isinstance(rma, str | int) and not isinstance(rma, bool) else ""
    return RowFault(subject or row_hash, row_hash, tuple(dict.fromkeys(reasons)))


def _is_object(value: object, place: str, faults: list[str]) -> bool:
    if isinstance(value, dict):
        return True
    faults.append(f"{place}: is no object")
    return False
