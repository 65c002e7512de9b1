"""Asking the storefront: every page of every list, within its budget of query points.

Belongs here: questions, paging and its guards, errors in GraphQL's words, the connection from settings. Stays out: what
a refund means (``wire``), the arithmetic of points (``bucket``), when to ask and how far back (``stages.storefront``).
Reads only. A query dearer than the bucket holds is asked again in smaller pages; one that came at a bad moment is asked
again when the points are back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from khaos_swap_assets.adapters import json_text
from khaos_swap_assets.adapters.errors import PermanentError, SettingsError, TransientError
from khaos_swap_assets.adapters.http import Http
from khaos_swap_assets.adapters.settings import LOOPBACK
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.settings_stores import prefix_of, variable
from khaos_swap_assets.adapters.storefront import queries
from khaos_swap_assets.adapters.storefront.bucket import Bucket, number_of
from khaos_swap_assets.adapters.storefront.records import ReadRefund, RefundSweep
from khaos_swap_assets.adapters.storefront.wire import read_cancelled, read_refund
from khaos_swap_assets.adapters.swap.raw import cleaned
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.goods.cancellations import CancelledOrder
from khaos_swap_assets.domain.records.stores import bare, qualified

MAX_PAGES = 10_000
MAX_BYTES = 10 * 1024 * 1024
HOPELESS = 5
HINTS = {
    401: "check {0}STOREFRONT_ACCESS_TOKEN",
    402: "the shop is frozen until its owner settles its account",
    403: "check {0}STOREFRONT_ACCESS_TOKEN and the scopes of its app",
    404: "check {0}STOREFRONT_URL and {0}STOREFRONT_API_VERSION",
}
NEEDED_SCOPES = ("read_orders", "read_returns")
PRODUCT_SCOPE = "read_products"
PAYOUT_SCOPES = ("read_shopify_payments_accounts", "read_shopify_payments_payouts")
ALL_ORDERS = "read_all_orders"
"""Without this scope the storefront shows no order that is older than 60 days."""


class _TooDearError(Exception):
    """The query costs more than the bucket ever holds."""


class _NoLocationsError(Exception):
    """The app may not see locations."""


class StorefrontClient:
    """Asks one shop for refunds. Every method raises ``VendorError`` when a reading fails; nothing is half read."""

    def __init__(self, http: Http, settings: StorefrontSettings, bucket: Bucket) -> None:
        self._http, self._bucket = http, bucket
        self.store, self._others = settings.store, settings.others
        self._path = f"/admin/api/{settings.api_version}/graphql.json"
        self._size, self._nested = settings.page_size, settings.nested_size
        self._cost, self._shows_locations = 0, True

    def changed_since(self, moment: datetime) -> RefundSweep:
        """The refunds of all orders updated at or after ``moment`` (aware); the caller subtracts its overlap."""
        return self._sweep(f"updated_at:>='{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'")

    def of_order(self, order_id: str) -> RefundSweep:
        """The refunds of one order."""
        return self._sweep(f"id:{bare(self.store, order_id)}")

    def _sweep(self, wanted: str) -> RefundSweep:
        """The refunds of all orders that a filter names; an order that is refused loses itself alone."""
        refunds: dict[str, ReadRefund] = {}
        faults: dict[str, RowFault] = {}
        refused: dict[str, str] = {}
        cancelled: dict[str, CancelledOrder] = {}
        orders = pages = 0
        for page in self.every_page(queries.ORDERS, "orders", filter=wanted):
            pages, orders = pages + 1, orders + len(page)
            for order in page:
                match read_cancelled(order, self.store, self._others):
                    case CancelledOrder() as one:
                        cancelled[one.order_id] = one
                    case RowFault() as fault:
                        faults[fault.row_hash] = fault
                try:
                    found = [read_refund(order, raw, self.store, self._others) for raw in self._whole(order)]
                except PermanentError as error:
                    refused[qualified(self.store, _name(order))] = str(error)
                    continue
                faults |= {read.row_hash: read for read in found if isinstance(read, RowFault)}
                refunds |= {read.record.refund_id: read for read in found if isinstance(read, ReadRefund)}
        if len(refused) == orders >= HOPELESS:
            raise PermanentError(f"the storefront tells the refunds of none of {orders} orders: {refused.popitem()[1]}")
        return RefundSweep(
            refunds=tuple(refunds.values()), faults=tuple(faults.values()), orders=orders, pages=pages,
            refused=refused, cancelled=tuple(cancelled.values()),
        )  # fmt: skip

    def scopes(self) -> frozenset[str]:
        """What the access token may read."""
        data = self._ask(queries.SCOPES, {})
        installed = data.get("currentAppInstallation")
        granted = installed.get("accessScopes") if isinstance(installed, dict) else None
        entries = granted if isinstance(granted, list) else []
        return frozenset(str(one.get("handle")) for one in entries if isinstance(one, dict))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def every_page(self, query: str, *within: str, **more: Any) -> Iterator[list[Any]]:
        """The pages of the list that the names ``within`` lead to; ``more`` are the query's own variables."""
        seen: set[str] = set()
        after: str | None = None
        while True:
            entries, after = self._page(query, within, {"after": after, **more})
            yield entries
            if after is None:
                return
            _guard(after, seen, entries)

    def _page(self, query: str, within: Sequence[str], more: Mapping[str, Any]) -> tuple[list[Any], str | None]:
        """One page and the cursor of the next, in pages as small as the bucket asks for."""
        while True:
            nested = {"nested": self._nested} if "$nested" in query else {}
            try:
                data = self._ask(query, {"first": self._size, **nested, **more})
                return _connection(_inside(data, within[:-1]), within[-1])
            except _TooDearError as error:
                if self._size == 1 and self._nested == 1:
                    raise PermanentError(f"POST {self._path}: one order is too dear to ask for: {error}") from None
                self._size, self._nested = max(self._size // 2, 1), max(self._nested // (1 + (self._size == 1)), 1)
                self._cost = 0

    def _whole(self, order: dict[str, Any]) -> list[Any]:
        """The refunds of an order, each list of theirs read to its end."""
        refunds = order.get("refunds")
        if not isinstance(refunds, list):
            raise PermanentError(f"POST {self._path}: an order holds no list of refunds")
        for refund in refunds:
            for name in queries.CONNECTIONS if isinstance(refund, dict) else ():
                self._complete(refund, name)
        return refunds

    def _complete(self, refund: dict[str, Any], name: str) -> None:
        """Append the further pages of one list; what is no list is left for the reading of the refund to name."""
        if not isinstance(refund.get(name), dict):
            return
        nodes, after = _connection(refund, name)
        seen: set[str] = set()
        while after is not None:
            _guard(after, seen, nodes)
            variables = {"id": refund.get("id"), "after": after, "nested": self._nested}
            node = self._ask(queries.rest_of(name), variables).get("node")
            if not isinstance(node, dict):
                raise PermanentError(f"POST {self._path}: a refund is gone while its {name} were read")
            more, after = _connection(node, name)
            nodes = [*nodes, *more]
        refund[name] = {"nodes": nodes}

    def _ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The ``data`` of the answer to one query; without locations from the first time that they are denied."""
        try:
            return self._sent(query if self._shows_locations else queries.without_location(query), variables)
        except _NoLocationsError:
            self._shows_locations = False
            return self._sent(queries.without_location(query), variables)

    def _sent(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Send one query when there are points for it."""
        self._bucket.wait_for(self._cost)
        text = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"content-type": "application/json"}
        answer = self._http.read("POST", self._path, content=text, headers=headers, check=self._check)
        return cast(dict[str, Any], _body(answer, self._path)["data"])

    def _check(self, answer: httpx.Response) -> None:
        """Judge one answer: ``TransientError`` has it asked again, by which time its points are there."""
        body = _body(answer, self._path)
        extensions = body.get("extensions")
        cost = extensions.get("cost") if isinstance(extensions, dict) else None
        self._bucket.learn(cost)
        requested = number_of(cost.get("requestedQueryCost")) if isinstance(cost, dict) else None
        self._cost = requested or self._cost
        if errors := body.get("errors"):
            self._judge(errors)
        if not isinstance(body.get("data"), dict):
            raise PermanentError(f"POST {self._path}: the answer holds no data")

    def _judge(self, errors: object) -> None:
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {"message": str(errors)}
        extensions = first.get("extensions")
        code = str(extensions.get("code") or "") if isinstance(extensions, dict) else ""
        words = f"POST {self._path}: {code} {str(first.get('message') or 'an error without words')[:200]}"
        if code == "MAX_COST_EXCEEDED" or (self._bucket.most is not None and self._cost > self._bucket.most):
            raise _TooDearError(words)
        if code == "THROTTLED":
            self._bucket.wait_for(self._cost)
        if code in ("THROTTLED", "INTERNAL_SERVER_ERROR", "TIMEOUT"):
            raise TransientError(words)
        if code == "ACCESS_DENIED" and self._shows_locations and "location" in words.casefold():
            raise _NoLocationsError
        needed = ", ".join((*NEEDED_SCOPES, PRODUCT_SCOPE))
        hint = f"; its app needs the scopes {needed}" if code == "ACCESS_DENIED" else ""
        raise PermanentError(words + hint)


def connect(
    settings: StorefrontSettings,
    *,
    transport: httpx.BaseTransport | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> StorefrontClient:
    """Open the connection that the settings describe. Raises ``SettingsError`` naming each setting at fault."""
    require(settings)
    http = Http(
        settings.url,
        headers={"x-shopify-access-token": settings.access_token.get_secret_value(), "accept": "application/json"},
        timeout=settings.timeout_seconds,
        retries=settings.retries,
        transport=transport,
        sleep=sleep,
        clock=clock,
        max_bytes=MAX_BYTES,
        hints={status: hint.format(prefix_of(settings.store)) for status, hint in HINTS.items()},
    )
    return StorefrontClient(http, settings, Bucket(clock=clock, sleep=sleep))


def require(settings: StorefrontSettings) -> None:
    """Raise ``SettingsError`` for a storefront that is only half connected."""
    prefix = variable(settings.store, "STOREFRONT_")
    if not settings.is_connected:
        raise SettingsError(f"set {prefix}URL to connect the storefront")
    if not settings.access_token.get_secret_value().strip():
        raise SettingsError(f"{prefix}ACCESS_TOKEN: is required where {prefix}URL is set")
    address = urlsplit(settings.url)
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        raise SettingsError(f"{prefix}URL: must be https: over http anybody could read the access token")


def _body(answer: httpx.Response, path: str) -> dict[str, Any]:
    try:
        body = cleaned(json_text.tolerant(answer.content))
    except ValueError:
        raise TransientError(f"POST {path}: the answer is no whole JSON, {len(answer.content)} bytes") from None
    if not isinstance(body, dict):
        raise PermanentError(f"POST {path}: the answer is no object")
    return body


def _inside(data: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any]:
    """What these names lead to. Raises ``PermanentError`` where the shop has no such thing."""
    for name in names:
        found = data.get(name)
        if not isinstance(found, dict):
            raise PermanentError(f"the shop shows no {name}: it has none, or the scopes of the app do not show it")
        data = found
    return data


def _connection(parent: Mapping[str, Any], name: str) -> tuple[list[Any], str | None]:
    """The entries of a list and the cursor of its next page. Raises ``PermanentError`` for another shape."""
    connection = parent.get(name)
    page = connection.get("pageInfo") if isinstance(connection, dict) else None
    nodes = connection.get("nodes") if isinstance(connection, dict) else None
    if not isinstance(nodes, list) or not isinstance(page, dict) or not isinstance(page.get("hasNextPage"), bool):
        raise PermanentError(f"the answer holds no list of {name} with its pageInfo")
    cursor = page.get("endCursor")
    if page["hasNextPage"] and not (isinstance(cursor, str) and cursor):
        raise PermanentError(f"more {name} are said to follow, yet there is no cursor")
    return nodes, cursor if page["hasNextPage"] else None


def _name(order: Mapping[str, Any]) -> str:
    """An order's name, and its id without the words around it."""
    return f"{order.get('name') or 'order'} {str(order.get('id') or '').rpartition('/')[2]}"


def _guard(cursor: str, seen: set[str], entries: list[Any]) -> None:
    """Stop a paging that cannot end. Raises ``PermanentError``: the reading was stopped and nothing was taken."""
    wrong = ""
    if cursor in seen:
        wrong = "the cursor repeats an earlier one"
    elif not entries:
        wrong = "a page is empty, yet more is said to follow"
    elif len(seen) >= MAX_PAGES:
        wrong = f"more than {MAX_PAGES} pages"
    if wrong:
        raise PermanentError(f"{wrong}; the reading was stopped and nothing was taken")
    seen.add(cursor)
