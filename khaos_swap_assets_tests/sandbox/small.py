"""A world of one order and one return, and a gateway that is a function, for the tests of the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
from fastapi import FastAPI

from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_interface import INTERFACE
from khaos_swap_assets.sandbox.khaos_wire import escape
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import Customer, Order, Rma, RmaLine, StockItem, World, WorldLine
from khaos_swap_assets_tests.bridging import Bridge
from khaos_swap_assets_tests.running import serving

NOW = datetime(2026, 7, 3, 9, tzinfo=UTC)
RMA, REF, URN = "RMA-2026-01001", "KCCLX10482", "PATEL00001"
JACKET, HAT = "FELL-JKT-MOS-M", "WOOL-HAT"
SOAP_PATH = "/LiveSoap/KhaosSBX.exe/soap/IKosWeb"


def small_world() -> World:
    """Two items, one customer, one issued order of two jackets and a hat, one return of a jacket."""
    world = World(7, NOW, "st_1")
    moved = NOW - timedelta(days=40)
    jacket = StockItem(JACKET, "7744", "Fell Jacket <Moss> & M", 8499, available=10, revised_at=moved, moved_at=moved)
    world.items = {JACKET: jacket, HAT: StockItem(HAT, "7745", "Wool Hat", 1000, vat_percent=0, available=5)}
    world.customers = {
        URN: Customer(URN, "Asha", "Patel", "a.patel@example.com", "14 Quarry Lane", "Matlock", "DE4 3AA")
    }
    ordered = NOW - timedelta(days=20)
    lines = [WorldLine(JACKET, 2, 16999, 20, "111"), WorldLine(HAT, 1, 1000, 0, "112")]
    order = Order("SO48213", REF, "#LX10482", "59", URN, "GBP", ordered, lines, delivery_gross_pence=495)
    order.invoice_code, order.issued_at, order.changed_at = "INV90551", ordered, ordered
    world.orders = {order.so_code: order}
    rma = Rma(RMA, "ret_1", "#LX10482", "59", URN, "GBP", ordered, NOW, [RmaLine("prd_1", "111", JACKET, 1, 8499)])
    rma.status, rma.refund_pence, rma.inspect_at = "Closed", 8499, NOW
    world.rmas = {RMA: rma}
    return world


def small_books() -> Books:
    """Books over ``small_world``."""
    return Books(State(small_world()))


def document(
    *, reference: str = "RMA1", sku: str = JACKET, quantity: str = "1.0", gross: str = "84.99", reason: str = "1",
    rma: str = RMA, urn: str = URN, order_ref: str = REF, process: bool = True,
) -> dict[str, object]:  # fmt: skip
    """A return document as our feed would hand it out."""
    item = {
        "SKU": sku,
        "Quantity": quantity,
        "ReturnReason": {"ID": reason},
        "SourceReference": {"SourceOrder": {"AssociatedRef": order_ref}},
        "UnitPrice": {"Gross": gross},
    }
    notes = f"Swap RMA {rma}"
    return {
        "AssociatedRef": reference, "URN": urn, "ReturnedItems": [item], "Notes": notes, "ProcessReturn": process
    }  # fmt: skip


class Gateway:
    """Our gateway as a function: pages by continuation, and a list of what was posted."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[list[dict[str, object]], str]] = {}
        self.pulls: list[tuple[str, str]] = []
        self.posts: list[tuple[str, dict[str, object]]] = []
        self.post_status = 200
        self.is_down = False

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("refused", request=request)
        if request.method == "POST":
            self.posts.append((request.url.path, json.loads(request.content)))
            return httpx.Response(self.post_status, json={})
        if request.url.path.endswith("/khaos/config"):
            return httpx.Response(200, json={"EndpointConfig": {"CReturnDownload": {"URL": "/khaos/returns"}}})
        token = request.headers["Sirion-Continuation"]
        self.pulls.append((token, request.headers.get("SpecificIDs", "")))
        documents, next_token = self.pages.get(token, ([], token))
        text = json.dumps({"Returns": documents, "ApiVersion": 1000, "Config": {}})
        return httpx.Response(200, text=text, headers={"Sirion-Continuation": next_token})


def client_of(app: FastAPI) -> httpx.Client:
    """A plain client of an application."""
    return httpx.Client(transport=Bridge(app), base_url="http://sandbox")


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The URL of an application that is served over real HTTP on loopback meanwhile."""
    with serving(app, ws="none") as port:
        yield f"http://127.0.0.1:{port}"


def envelope(operation: str, **parameters: object) -> bytes:
    """A SOAP call as a client would send it."""
    inner = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in parameters.items())
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<u:{operation} xmlns:u="{INTERFACE}">{inner}</u:{operation}></e:Body></e:Envelope>'
    ).encode()


Call = Callable[..., httpx.Response]


def soap(client: httpx.Client) -> Call:
    """``call(operation, **parameters)`` against the web service of the application."""
    return lambda operation, **parameters: client.post(SOAP_PATH, content=envelope(operation, **parameters))
