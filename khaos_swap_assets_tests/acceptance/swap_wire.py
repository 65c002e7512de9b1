"""A Swap written from its contract alone, as a function of a request (swap.md §2).

Belongs here: the list of returns, version 2, and one ordinary return. Stays out: what the product makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

Json = dict[str, Any]
FROM, TO = "from_return_submission_date", "to_return_submission_date"
ABSENT = object()
"""A field that Swap does not send at all."""


def product(sku: str = "HAT", cost: float = 10.0, units: int = 1, **changes: Any) -> Json:
    """A returned row: ``cost`` pounds for all of its units (swap.md §2.4)."""
    given = {
        "product_id": f"prd_{sku}", "shopify_line_item_id": f"line_{sku}", "sku": sku, "item_count": units,
        "cost": cost, "currency": "GBP", "return_type": "Refund", "product_name": sku, "tags": "",
    }  # fmt: skip
    return given | changes


def closed(number: int, *products: Json, **changes: Any) -> Json:
    """RMA<number> of order #LX<number>, paid on 9 March 2026 as ``rma_processed`` says (swap.md §2.8)."""
    rows = list(products) or [product()]
    refund = round(sum(row["cost"] for row in rows), 2)
    given = {
        "rma_number": f"RMA{number}", "return_id": f"ret_{number}", "shopify_order_name": f"#LX{number}",
        "order_id": f"59{number}", "date_created": "2 Mar 2026, 09:14:05", "date_updated": "9 Mar 2026, 15:41:30",
        "submission_date": "2 Mar 2026, 09:16:48", "type_string": "Refund", "type": ["Refund"],
        "delivery_status": "Delivered", "return_status": "Closed", "total": refund, "handling_fee": 0,
        "store_id": "S1", "customer_name": "Priya Nolan", "customer_currency": "GBP",
        "total_additional_payment": 0, "total_credit_exchange_value": 0,
        "total_refund_value_customer_currency": refund, "total_store_credit_value_customer_currency": 0,
        "rma_processed": "9 Mar 2026, 15:41:29", "processed_by": "kim@larch.example",
        "quality_control_status": "Approved", "delivered_date": "6 Mar 2026, 11:20:00",
        "date_closed": "9 Mar 2026, 15:41:29", "tags": "", "return_shipments": [], "products": rows,
        "exchange_items": [], "shipping_address": {"name": "Priya Nolan", "address1": "4 Mill Row", "city": "Leeds"},
    }  # fmt: skip
    return {name: value for name, value in (given | changes).items() if value is not ABSENT}


def submitted(one: Json) -> str:
    """When a return was submitted, as a question asks for it (swap.md §2.1)."""
    moment = datetime.strptime(one["submission_date"], "%d %b %Y, %H:%M:%S").replace(tzinfo=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


@dataclass
class SwapOnTheWire:
    """Its returns by id; a call answers all of them, those of one RMA, or those submitted within two moments."""

    returns: dict[str, Json] = field(default_factory=dict)

    def put(self, *some: Mapping[str, Any]) -> None:
        """Add or replace returns."""
        self.returns |= {one["return_id"]: dict(one) for one in some}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        rma, first, last = (asked.get(name) for name in ("rma_number", FROM, TO))
        rows = [one for one in self.returns.values() if rma in (None, one["rma_number"])]
        if first and last:
            rows = [one for one in rows if first <= submitted(one) <= last]
        pages = {
            "page": 1, "items_per_page": 100, "current_page_size": len(rows), "total_pages": 1,
            "total_items": len(rows), "items_in_remaining_pages": 0, "has_next_page": False, "has_previous_page": False,
        }  # fmt: skip
        return httpx.Response(200, json={"returns": rows, "version": 2, "query_params": {}, "pagination": pages})
