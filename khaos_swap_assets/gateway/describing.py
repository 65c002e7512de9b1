"""What the OpenAPI page says of bodies and answers.

Belongs here: descriptions, and nothing that runs. Stays out: the endpoints themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

DETAIL = {
    "type": "object",
    "properties": {
        "detail": {"description": "What is wrong"},
        "where": {"type": "string", "description": "The address that was asked"},
        "what_to_do": {"type": "string"},
    },
    "required": ["detail", "where", "what_to_do"],
}
ANSWERS = {
    400: "The body cannot be read",
    401: "Not proven to come from whom it says",
    403: "Only https is served to other machines",
    405: "The method is not served here",
    408: "The body was not whole in time",
    409: "The id was used for another finding",
    413: "Longer than 1 MB",
    415: "A packed body is not unpacked here",
    422: "A header cannot be read",
    429: "Too many requests of one sender; Retry-After says when to come again",
    431: "The headers are too long",
    503: "Nothing was kept; Retry-After says when to come again",
}
OF_ALL = (400, 415, 429, 431, 503)
OF_BODIES = (*OF_ALL, 401, 403, 408, 413)
PUSHES: dict[str, Any] = {
    "stock": ("Items", "Stock Codes, each an object; Khaos's StockItem"),
    "stock-status": ("Statuses", "Levels, one entry a site; Khaos's StockStatus"),
    "order-status": ("Statuses", "Orders that moved on; Khaos's SalesOrderStatus"),
}


def answers(codes: Iterable[int], **good: Any) -> dict[int | str, dict[str, Any]]:
    """The refusals an operation may give, and what it says when all is well."""
    refusals: dict[int | str, dict[str, Any]] = {code: _answer(ANSWERS[code], DETAIL) for code in sorted(set(codes))}
    return refusals | {int(code.strip("_")): _answer("Done", schema) for code, schema in good.items()}


def body(schema: dict[str, Any], *, is_required: bool = True) -> dict[str, Any]:
    """A JSON body."""
    return {"requestBody": {"required": is_required, "content": {"application/json": {"schema": schema}}}}


def push(name: str) -> dict[str, Any]:
    """A push of Khaos: an object with a list. Whatever comes is kept whole, an exception where it cannot be read."""
    member, about = PUSHES[name]
    schema = {"properties": {member: {"description": about}}, "description": "Kept whole"}
    return body(schema, is_required=False)


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


WEBHOOK: dict[str, Any] = {
    "summary": "A return was created or processed",
    "responses": answers(OF_BODIES),
    "openapi_extra": body(
        {
            "type": "object",
            "required": ["jwt"],
            "properties": {
                "jwt": {"type": "string", "description": "HS256 token, at most 300 s old, claims equal to the body's"},
                "return": {"description": "The return as Swap sends it; only its names are kept"},
            },
        }
    ),
}
SHOP_WEBHOOK: dict[str, Any] = {
    "summary": "An order was cancelled in the shop, or a refund was made",
    "responses": answers(OF_BODIES),
    "openapi_extra": body(
        {
            "type": "object",
            "properties": {
                "id": {"description": "Number of the order; of the refund where order_id is there too"},
                "order_id": {"description": "Number of the order that a refund belongs to"},
            },
            "description": "Signed as a whole by X-Shopify-Hmac-Sha256; only these numbers are kept",
        }
    ),
}
