"""Rows and pages as Swap writes them, for the tests of this folder."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
from pydantic import SecretStr

from khaos_swap_assets.adapters.settings import SwapSettings

STORE = "st_7f3k9q"


def settings(**changes: Any) -> SwapSettings:
    given: dict[str, Any] = {
        "url": "https://swap.example/returns-api",
        "api_key": SecretStr("key-123456"),
        "store_id": STORE,
    }
    return SwapSettings(**(given | {"requests_per_second": 100.0, "retries": 2} | changes))


def product(number: int = 1, **changes: Any) -> dict[str, Any]:
    row = {
        "product_id": f"prd_{number}",
        "shopify_line_item_id": f"142009773{number:05}",
        "original_order_name": "#LX10482",
        "sku": "MER-CRW-NVY-M",
        "main_reason_text": "Fit",
        "comments": "call me on 07700 900123",
        "item_count": 1,
        "cost": Decimal("85.00"),
        "return_type": "Refund",
        "currency": "GBP",
        "is_faulty": False,
    }
    return row | changes


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    whole = {
        "rma_number": f"{20000 + number}",
        "return_id": f"ret_{number}",
        "shopify_order_name": "#LX10482",
        "order_id": "5903347716233",
        "date_created": "2 Mar 2026, 09:14:05",
        "date_updated": "9 Mar 2026, 15:41:30",
        "submission_date": "2 Mar 2026, 09:16:48",
        "type_string": "Refund",
        "type": ["Refund"],
        "delivery_status": "Delivered",
        "return_status": "Closed",
        "total": Decimal("81.05"),
        "handling_fee": Decimal("3.95"),
        "store_id": STORE,
        "customer_name": "Priya Nolan",
        "customer_email": "priya.nolan@example.com",
        "customer_national_id": "QQ123456C",
        "customer_currency": "GBP",
        "total_additional_payment": 0,
        "total_refund_value_customer_currency": Decimal("81.05"),
        "total_store_credit_value_customer_currency": 0,
        "rma_processed": "9 Mar 2026, 15:41:29",
        "processed_by": "warehouse@larchandfen.example",
        "quality_control_status": "Approved",
        "delivered_date": "6 Mar 2026, 11:20:00",
        "date_closed": "9 Mar 2026, 15:41:29",
        "shipment_from_address_city": "Leeds",
        "shipment_from_address_country": "GB",
        "billing_address": {"name": "Priya Nolan", "address1": "4 Mill Row", "postcode": "LS1 4AB"},
        "return_shipments": [{"shipment_id": "shp_1", "tracking_url": "https://track.example/QA1", "items": []}],
        "products": [product()],
        "portal_quick_link": "https://returns.example/r/20417",
    }
    return whole | changes


def dumps(value: Any) -> str:
    """JSON text with Decimals as bare numbers."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{dumps(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def page(rows: list[Any], number: int = 1, pages: int = 1, total: int | None = None, **paging: Any) -> str:
    pagination = {
        "page": number,
        "total_pages": pages,
        "total_items": len(rows) if total is None else total,
        "has_next_page": number < pages,
    }
    return dumps({"returns": rows, "version": 2, "query_params": {}, "pagination": pagination | paging})


class Swap:
    """A network that answers page by page from a list of bodies, and remembers the questions."""

    def __init__(self, *bodies: str | httpx.Response) -> None:
        self.bodies, self.requests = list(bodies), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return body if isinstance(body, httpx.Response) else httpx.Response(200, text=body)

    @property
    def questions(self) -> list[dict[str, str]]:
        return [{name: values[0] for name, values in parse_qs(one.url.query.decode()).items()} for one in self.requests]
