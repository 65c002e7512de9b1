"""The client against the sandbox's web service, which was written from the contract by another hand."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI

from khaos_swap_assets.adapters.errors import InDoubtError, TransientError
from khaos_swap_assets.adapters.khaos import capabilities
from khaos_swap_assets.adapters.khaos.client import KhaosClient, ReturnRefused
from khaos_swap_assets.adapters.khaos.envelope import KhaosFault
from khaos_swap_assets.adapters.khaos.soap import Soap
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_server import khaos_router
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import Note, NoteLine, ReturnDocument
from khaos_swap_assets_tests.adapters.khaos import wires

LONDON = ZoneInfo("Europe/London")
MANNERS: tuple[dict[str, str], ...] = (
    {},
    {"multiref": "on", "cdata": "on", "note_signs": "negative"},
    {"extra_tags": "off", "zero_dates": "off", "fault_http": "200", "fault_shape": "B"},
)


@pytest.fixture(scope="module")
def state() -> State:
    state = State(build(7, 40))
    world = state.world
    order = next(order for order in world.orders.values() if order.issued_at)
    lines = [NoteLine(line.stock_code, line.quantity, line.gross_pence, line.gross_pence - 1) for line in order.lines]
    world.notes["CN77777"] = Note("CN77777", order.urn, "RMA9", order.currency, world.now, lines, 495, issued_at=None)
    world.documents["RET1"] = ReturnDocument("RET1", "RMA8", order.urn, "partial", {})
    return state


@pytest.fixture(params=MANNERS, ids=["plain", "multi-ref", "bare"])
def khaos(state: State, request: pytest.FixtureRequest) -> KhaosClient:
    """A client of the sandbox under each of its manners."""
    state.switches.clear()
    state.switches.update(request.param)
    state.faults.armed.clear()
    app = FastAPI()
    app.include_router(khaos_router(Books(state)))
    server = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def served(asked: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=server) as session:
            url, headers = str(asked.url), dict(asked.headers)
            return await session.request(asked.method, url, content=asked.content, headers=headers)

    def handler(asked: httpx.Request) -> httpx.Response:
        answer = asyncio.run(served(asked))
        return httpx.Response(answer.status_code, content=answer.content, headers={"Retry-After": "1"})

    return wires.client(handler)


def test_the_whole_catalogue_comes_over(khaos: KhaosClient, state: State) -> None:
    codes, odd = khaos.get_stock_list(None)
    found, faults = khaos.export_stock(codes)
    unaddressable = {code for code in state.world.items if "," in code}
    assert {fault.subject for fault in odd} == unaddressable
    assert faults == []
    assert {item.stock_code: item.is_discontinued for item in found} == {
        code: item.is_discontinued for code, item in state.world.items.items() if code not in unaddressable
    }
    assert {(item.stock_code, item.other_ref, item.barcodes[:1]) for item in found} == {
        (item.stock_code, item.other_ref, (item.barcode,) if item.barcode else ())
        for item in state.world.items.values()
        if item.stock_code not in unaddressable
    }


def test_levels_of_both_sites_come_over(khaos: KhaosClient, state: State) -> None:
    items = [item for item in state.world.items.values() if item.is_stock_controlled and "," not in item.stock_code]
    for site_id, levels in ((1, [item.available for item in items]), (9, [item.quarantine for item in items])):
        rows, faults = khaos.export_stock_status([item.stock_code for item in items], site_id)
        assert faults == []
        assert [row.available for row in rows] == levels


def test_every_order_of_the_month_comes_over(khaos: KhaosClient, state: State) -> None:
    world = state.world
    start = min(order.ordered_at for order in world.orders.values()) - timedelta(days=1)
    feed = khaos.export_order_status(since=start, until=world.now + timedelta(days=1))
    assert feed.faults == []
    by_code = {order.so_code: order for order in feed.orders}
    assert set(by_code) == set(world.orders)
    for code, order in world.orders.items():
        assert by_code[code].items_gross_pence == sum(line.gross_pence for line in order.lines)
        assert by_code[code].is_cancelled == order.is_cancelled
        assert (by_code[code].invoiced_on is not None) == (order.issued_at is not None)
        assert by_code[code].ordered_on == order.ordered_at.astimezone(LONDON).date()


def test_a_note_comes_over_by_reference_and_by_customer(khaos: KhaosClient, state: State) -> None:
    note = state.world.notes["CN77777"]
    for feed in (
        khaos.export_order_status(associated_refs=["RMA9"]),
        khaos.export_order_status(company_codes=[note.urn]),
        khaos.export_order_status(so_codes=["CN77777"]),
    ):
        (found,) = (seen for seen in feed.credit_notes if seen.credit_note_code == "CN77777")
        assert found.gross_pence == sum(line.gross_pence for line in note.lines) + 495
        assert sum(quantity for _, quantity in found.lines) == sum(line.quantity for line in note.lines)
        assert not found.is_issued


def test_order_details_come_over_to_the_penny(khaos: KhaosClient, state: State) -> None:
    wanted = {order.associated_ref: order for order in list(state.world.orders.values())[:20]}
    for ref, found in khaos.export_orders_many([*wanted, "NO-SUCH-ORDER"]):
        assert isinstance(found, list)
        if ref not in wanted:
            assert found == []
            continue
        order = next(full.order for full in found if full.order.so_code == wanted[ref].so_code)
        assert sum(line.gross_pence for line in order.lines) == sum(line.gross_pence for line in wanted[ref].lines)
        assert order.delivery_gross_pence == wanted[ref].delivery_gross_pence
        assert found[0].party["InvoiceAddress"]["Line1"]


def test_open_credit_version_and_sites_come_over(khaos: KhaosClient, state: State) -> None:
    customer = next(iter(state.world.customers.values()))
    assert khaos.get_company_info(customer.urn) == (customer.currency, customer.unallocated_pence)
    assert khaos.get_version() == "8.236.14.0"
    assert set(khaos.get_site_list()) == {1, 9}


def test_what_is_missing_and_what_is_refused_is_told(khaos: KhaosClient, state: State) -> None:
    assert capabilities.read(khaos.http).missing == []
    with pytest.raises(ReturnRefused, match="does not exist"):
        khaos.process_return("RET404", "x")
    with pytest.raises(ReturnRefused, match="partially processed"):
        khaos.process_return("RET1", "x")
    with pytest.raises(KhaosFault, match="Site 5"):
        Soap(khaos.http).ask("ExportStockStatus", {"StockCode": "A", "SiteID": 5})
    state.switches["process_return"] = "off"
    assert not capabilities.read(khaos.http).has("ProcessReturn")


def test_a_level_is_set_at_its_site_and_read_back(khaos: KhaosClient, state: State) -> None:
    code = next(code for code in state.world.items if "," not in code)
    assert khaos.import_stock_level(code, "Main Warehouse", 41)
    assert khaos.import_stock_level(code, "Not Saleable", 7)
    assert [khaos.export_stock_status([code], site)[0][0].available for site in (1, 9)] == [41, 7]
    assert code in khaos.get_stock_list(state.world.now - timedelta(minutes=1), 2)[0]
    assert not khaos.import_stock_level("NONE & <NONE>", "Main Warehouse", 1)
    with pytest.raises(KhaosFault, match="Site Moon"):
        khaos.import_stock_level(code, "Moon", 1)
    asked = {"StockStatus": f'<STOCK_STATUS><STOCK_ITEM CODE="{code}"><LEVEL>1</LEVEL></STOCK_ITEM></STOCK_STATUS>'}
    assert Soap(khaos.http).change_list("ImportStockStatus", asked) == []
    assert state.world.items[code].available == 41
    state.faults.arm("khaos_fault_after_commit", 1)
    with pytest.raises(InDoubtError):
        khaos.import_stock_level(code, "Main Warehouse", 42)
    assert state.world.items[code].available == 42


@pytest.mark.parametrize("fault", ["khaos_500", "khaos_429", "khaos_truncated"])
def test_a_fault_of_the_wire_heals_or_is_transient(khaos: KhaosClient, state: State, fault: str) -> None:
    state.faults.arm(fault, 2)
    assert khaos.get_version() == "8.236.14.0"
    state.faults.arm(fault, 3)
    with pytest.raises(TransientError):
        khaos.get_version()


@pytest.mark.parametrize(("fault", "kind"), [("khaos_500", InDoubtError), ("khaos_429", TransientError)])
def test_a_write_is_in_doubt_only_when_it_may_have_happened(
    khaos: KhaosClient, state: State, fault: str, kind: type[Exception]
) -> None:
    state.faults.arm(fault, 1)
    with pytest.raises(kind):
        khaos.process_return("RET1", "x")
