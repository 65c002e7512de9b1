"""Swap's raw JSON as we keep it: without personal data, without what a database cannot hold.

Belongs here: what is cut out, the content hash that tells a change, and the fields that no contract names. Stays out:
what the fields mean (``wire``). Source: contracts/swap.md §2.3 to §2.6, DESIGN §6.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from khaos_swap_assets.adapters.json_text import DEEPEST, REPLACEMENT
from khaos_swap_assets.domain.records.stores import qualified


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


PERSONAL = _names(
    "customer_name customer_email customer_national_id billing_address shipping_address comments tracking_url "
    "portal_quick_link shipment_from_address_city shipment_from_address_state processed_by jwt"
)
PERSONAL_WORDS = re.compile(
    "e?mail|phone|mobile|address|postcode|zip|first_?name|last_?name|surname|customer_?name|full_?name|national_id|"
    "birth|comment|note|url|link",
    re.IGNORECASE,
)
MAIL = re.compile(r"[^\s@,;<>]{1,64}@[^\s@,;<>]{1,190}\.[A-Za-z]{2,24}")
VOLATILE = _names(
    "date_updated elapsed_days_purchase_to_return elapsed_days_return_to_delivery elapsed_days_delivery_closed"
)
KNOWN = _names(
    "rma_number return_id shopify_return_id shopify_order_name order_id date_created date_updated submission_date "
    "submitted_at intention_date type_string type delivery_status return_status shipping_carrier tracking_number "
    "shipment_from_address_country shipment_from_address_city shipment_from_address_state "
    "shipment_from_address_parcel_weight total handling_fee store_id store_name customer_name customer_email "
    "customer_national_id customer_locale customer_currency total_additional_payment total_credit_exchange_value "
    "total_refund_value_customer_currency total_store_credit_value_customer_currency shop_now_revenue "
    "shop_later_revenue store_credit_revenue exchange_revenue refund_revenue shopify_order_date rma_processed "
    "processed processed_by order_alt_type quality_control_status delivered_date elapsed_days_purchase_to_return "
    "elapsed_days_return_to_delivery elapsed_days_delivery_closed date_closed total_refunded_taxes "
    "total_refunded_duties tags billing_address shipping_address return_shipments products exchange_items "
    "portal_quick_link"
)
KNOWN_OF_PRODUCTS = _names(
    "product_id shopify_product_id shopify_variant_id shopify_line_item_id order_number original_order_name date "
    "product_name variant_name full_sku_description sku main_reason_id main_reason_text sub_reason_id sub_reason_text "
    "comments item_count cost return_type currency vendor collection product_alt_type grams intake_reason tags "
    "is_faulty refunded_taxes refunded_duties refunded_inclusive_taxes refunded_inclusive_duties "
    "refunded_non_inclusive_taxes refunded_non_inclusive_duties"
)
KNOWN_OF_SHIPMENTS = _names(
    "shipment_id location_id destination_location_id display_name_returns_portal display_name carrier_id postage_fee "
    "label_type label_provider_type shipping_service using_split_shipment tracking_number tracking_url package items "
    "weight dimensions length width height unit barcode original_tax_amount tax_rate tax_title quantity price taxes "
    "discount"
)
NAMED = KNOWN | KNOWN_OF_PRODUCTS | KNOWN_OF_SHIPMENTS
NUMBERED = _names("rma_number return_id shopify_order_name order_id")
REF_OF_SHOP, ORIGINAL = "shopify_return_id", "original_order_name"
MOST_NAME = MOST_UNKNOWN = 100
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def cleaned(value: Any, room: int = DEEPEST) -> Any:
    """The same JSON with U+FFFD for each character that PostgreSQL cannot hold (NUL, lone surrogates).

    The same stands for whatever lies more than ``room`` levels deep.
    """
    if isinstance(value, str):
        return value if value.isprintable() else UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list | dict) and not room:
        return REPLACEMENT
    if isinstance(value, list):
        return [cleaned(part, room - 1) for part in value]
    if isinstance(value, dict):
        return {cleaned(name): cleaned(part, room - 1) for name, part in value.items()}
    return value


def named_by_store(row: Any, store: str) -> Any:
    """A row of another store than the first, with that store's name before whatever it numbers (``records.stores``).

    Of the storefront's number of the return, in either of its spellings, the number alone counts.
    """
    if not store or not isinstance(row, dict):
        return row
    numbered = {name: _of_store(store, part) if name in NUMBERED else part for name, part in row.items()}
    if isinstance(ref := row.get(REF_OF_SHOP), str | int):
        numbered[REF_OF_SHOP] = _of_store(store, str(ref).rpartition("/")[2])
    if isinstance(products := row.get("products"), list):
        numbered["products"] = [
            {**one, ORIGINAL: _of_store(store, one.get(ORIGINAL))} if isinstance(one, dict) else one for one in products
        ]
    return numbered


def _of_store(store: str, value: Any) -> Any:
    """Text, or a number as its digits, as one store's; nothing stays nothing, and what is neither stays a fault."""
    is_told = isinstance(value, str | int | Decimal) and not isinstance(value, bool)
    return qualified(store, str(value).strip()) if is_told else value


def without_personal_data(value: Any) -> Any:
    """The same JSON without names, addresses, e-mails, comments, links and tokens.

    A field that no contract names is cut as well when its name speaks of a person; an e-mail within a text becomes
    ``***``.
    """
    if isinstance(value, dict):
        return {name: without_personal_data(part) for name, part in value.items() if not _is_personal(name)}
    if isinstance(value, list):
        return [without_personal_data(part) for part in value]
    return MAIL.sub("***", value) if isinstance(value, str) else value


def storable(value: Any) -> Any:
    """The same JSON with each Decimal as its exact text, since JSON text has no other number that is no float."""
    if isinstance(value, dict):
        return {name: storable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [storable(part) for part in value]
    return str(value) if isinstance(value, Decimal) else value


def unknown_fields(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of fields that the contract does not have, those of lines as ``products.name``, in order; a hundred."""
    products = row.get("products")
    lines = [line for line in products if isinstance(line, dict)] if isinstance(products, list) else []
    of_lines = {f"products.{name[:MOST_NAME]}" for line in lines for name in line if name not in KNOWN_OF_PRODUCTS}
    return tuple(sorted({name[:MOST_NAME] for name in row if name not in KNOWN} | of_lines)[:MOST_UNKNOWN])


def content_hash(row: Any) -> str:
    """SHA-256 over what a return says.

    The same for another order of lines or fields and another spelling of a number; without Swap's own counters and
    its date of update, which move while nothing changes.
    """
    told = {name: part for name, part in row.items() if name not in VOLATILE} if isinstance(row, dict) else row
    return hashlib.sha256(_canonical(told).encode()).hexdigest()


def _is_personal(name: str) -> bool:
    return name in PERSONAL or (name not in NAMED and bool(PERSONAL_WORDS.search(name)))


def _canonical(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_canonical(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        parts = [_canonical(part) for part in value]
        return "[" + ",".join(sorted(parts)) + "]"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return json.dumps(_number(value))
    return json.dumps(value)


def _number(value: int | Decimal) -> str:
    """A number as text, the same for 81, 81.0 and 81.00."""
    number = Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return str(number)
    return format(number.normalize() if number else Decimal(0), "f")
