"""The sandbox's storefront over HTTP: a GraphQL endpoint with the vendor's access token, query points and bad days.

Belongs here: the token, the points of a query and the bucket they come from, armed faults. Stays out: what the answers
hold (``storefront_schema``) and which refunds there are (``storefront_books``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from graphql import (
    DocumentNode,
    FieldNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    validate,
)
from graphql import execute as run
from graphql.error import GraphQLError
from graphql.execution import ExecutionResult
from graphql.language import IntValueNode, VariableNode

from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.storefront_books import settle
from khaos_swap_assets.sandbox.storefront_payouts import pay_out
from khaos_swap_assets.sandbox.storefront_schema import SCHEMA, Shop, in_shop

PATH = "/shop/admin/api/{version}/graphql.json"
SINGLE_QUERY_LIMIT = 1000
SCOPES = (
    *("read_orders", "read_all_orders", "read_returns", "read_products"),
    *("read_shopify_payments_accounts", "read_shopify_payments_payouts"),
)
PAYOUTS = "shopifyPaymentsAccount"
PLANS = {"components": (10000.0, 500.0), "standard": (1000.0, 50.0), "tiny": (60.0, 1000.0)}
"""Points of the bucket and points restored a second, by the switch ``store_plan``."""

Json = dict[str, Any]


@dataclass
class Purse:
    """The points that are left, and the wall clock when they were counted."""

    points: float = 1000.0
    at: float = 0.0

    def refill(self, most: float, rate: float) -> None:
        """Give back what came since."""
        now = time.monotonic()
        self.points, self.at = min(most, self.points + (now - self.at) * rate) if self.at else most, now


def storefront_router(books: Books) -> APIRouter:
    """The storefront's part of the sandbox's app."""
    router, purse, state = APIRouter(), Purse(), books.state

    @router.post(PATH)
    def graphql(version: str, body: Json, request: Request) -> Response:
        if state.faults.take("store_slow"):
            time.sleep(float(state.switch("slow_seconds", "3")))
        if request.headers.get("x-shopify-access-token") != state.store_token:
            return _json(
                {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, 401
            )
        for fault, status in (("store_429", 429), ("store_500", 500)):
            if state.faults.take(fault):
                return _json({"errors": "Internal Server Error" if status == 500 else "Throttled"}, status)
        with state.lock:
            books.touch(*settle(books.world))
            if PAYOUTS in str(body.get("query")):
                books.touch(*pay_out(books.world, in_shop))
            books.flush()
            return _json(answer(state, purse, body), truncated=state.faults.take("store_truncated"))

    return router


def answer(state: State, purse: Purse, body: Json) -> Json:
    """The answer to one query: its data with its cost, or why not."""
    most, rate = PLANS[state.switch("store_plan", "components")]
    purse.refill(most, rate)
    variables = body.get("variables") or {}
    try:
        document = parse(str(body.get("query") or ""))
    except GraphQLError as error:
        return {"errors": [{"message": error.message}]}
    if wrong := validate(SCHEMA, document):
        return {"errors": [{"message": one.message, "extensions": {"code": "undefinedField"}} for one in wrong]}
    cost = cost_of(document, variables)
    if cost > min(SINGLE_QUERY_LIMIT, most):
        words = (
            f"Query cost is {cost}, which exceeds the single query max cost limit ({min(SINGLE_QUERY_LIMIT, most)})."
        )
        extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": SINGLE_QUERY_LIMIT}
        return {"errors": [{"message": words, "extensions": extensions}]}
    if cost > purse.points or state.faults.take("store_throttled"):
        told = {"cost": _told(cost, None, purse, most, rate)}
        return {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": told}
    if PAYOUTS in str(body["query"]) and state.faults.take("store_payouts_denied"):
        return {"errors": [{"message": "Access denied for payouts", "extensions": {"code": "ACCESS_DENIED"}}]}
    mixes = "balanceTransactions" in str(body["query"]) and state.faults.take("store_payouts_mixed")
    shop = Shop(state.world, SCOPES, drifts=state.faults.take("store_page_drift"), mixes=mixes)
    result = run(SCHEMA, document, root_value=shop, variable_values=variables)
    assert isinstance(result, ExecutionResult)
    actual = max(cost // 10, 1)
    purse.points -= actual
    errors = {"errors": [{"message": one.message} for one in result.errors]} if result.errors else {}
    return {"data": result.data, **errors, "extensions": {"cost": _told(cost, actual, purse, most, rate)}}


def cost_of(document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """Points that a query asks for: one an object, two a list and its entries times what each of them costs."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return sum(_cost(one.selection_set, variables) for one in operations)


def _cost(selections: SelectionSetNode | None, variables: Mapping[str, Any]) -> int:
    total = 0
    for node in selections.selections if selections else ():
        if isinstance(node, InlineFragmentNode):
            total += _cost(node.selection_set, variables)
        elif isinstance(node, FieldNode) and node.selection_set:
            inner = _cost(node.selection_set, variables)
            first = _first(node, variables)
            total += 1 + inner if first is None else 2 + first * (inner if node.name.value == "orders" else 1)
    return total


def _first(field: FieldNode, variables: Mapping[str, Any]) -> int | None:
    for argument in field.arguments:
        if argument.name.value == "first" and isinstance(argument.value, VariableNode):
            return int(variables.get(argument.value.name.value) or 1)
        if argument.name.value == "first" and isinstance(argument.value, IntValueNode):
            return int(argument.value.value)
    return None


def _told(cost: int, actual: int | None, purse: Purse, most: float, rate: float) -> Json:
    status = {"maximumAvailable": most, "currentlyAvailable": int(purse.points), "restoreRate": rate}
    return {"requestedQueryCost": cost, "actualQueryCost": actual, "throttleStatus": status}


def _json(body: object, status: int = 200, *, truncated: bool = False) -> Response:
    text = json.dumps(body)
    return Response(text[: len(text) // 2] if truncated else text, status, media_type="application/json")
