from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import date, timedelta

import httpx
import pytest

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, TransientError
from khaos_swap_assets.adapters.khaos.client import KhaosClient, ReturnRefused, connect
from khaos_swap_assets.adapters.khaos.records import NoteItems
from khaos_swap_assets.adapters.khaos.writes import OrderRefused
from khaos_swap_assets.adapters.settings import KhaosSettings
from khaos_swap_assets.sandbox import khaos_returns as ledger
from khaos_swap_assets.sandbox import switches
from khaos_swap_assets.sandbox.app import Credentials, create_app
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_server import BASE
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import Order, WorldLine
from khaos_swap_assets_tests.bridging import Bridge
from khaos_swap_assets_tests.sandbox.small import (
    HAT,
    JACKET,
    NOW,
    REF,
    SOAP_PATH,
    URN,
    client_of,
    document,
    envelope,
    small_books,
    small_world,
    soap,
)

STYLES = [
    dict(zip(("multiref", "cdata", "fault_http", "fault_shape", "extra_tags"), values, strict=True))
    for values in itertools.product(("off", "on"), ("off", "on"), ("500", "200"), ("A", "B"), ("on", "off"))
]


class Wire:
    """A sandbox over the small world with the product's own client in front of it."""

    def __init__(self, **credentials: str) -> None:
        self.state = State(small_world())
        self.books = Books(self.state)
        self.app = create_app(self.state, gateway_url="http://gateway", credentials=Credentials(**credentials))
        self.plain = client_of(self.app)
        self.khaos = self.connect()

    def connect(self, **settings: str) -> KhaosClient:
        wanted = KhaosSettings.model_validate({"url": f"http://sandbox{BASE}", "retries": 0, **settings})
        return connect(wanted, transport=Bridge(self.app), sleep=lambda _seconds: None)


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.khaos.http.close()


@pytest.mark.parametrize("style", STYLES, ids=lambda style: "-".join(style.values()))
def test_every_way_of_writing_says_the_same(wire: Wire, style: dict[str, str]) -> None:
    assert switches.set_switches(wire.state, style) == []
    khaos = wire.khaos
    assert khaos.get_version() == "8.236.14.0"
    assert khaos.get_site_list() == {1: "Main Warehouse", 9: "Not Saleable"}
    items, _ = khaos.export_stock([JACKET, "no such"])
    assert [(item.stock_code, item.description) for item in items] == [(JACKET, "Fell Jacket <Moss> & M")]
    assert [order.order.so_code for order in khaos.export_orders(REF)] == ["SO48213"]
    assert khaos.get_company_info(URN) == ("GBP", 0)
    with pytest.raises(ReturnRefused, match="does not exist"):
        khaos.process_return("RET1", "auth")


@pytest.mark.parametrize("signs", ["positive", "negative"])
@pytest.mark.parametrize(("items", "in_list", "by_code"), [("status", 1, 0), ("export", 0, 1), ("none", 0, 0)])
def test_the_items_of_a_note_are_shown_by_one_way_or_by_none(
    wire: Wire, items: str, in_list: int, by_code: int, signs: str
) -> None:
    assert switches.set_switches(wire.state, {"note_items": items, "note_signs": signs}) == []
    code = ledger.import_document(wire.books, document()).note_code
    (note,) = wire.khaos.export_order_status(company_codes=[URN]).credit_notes
    assert note.lines == ((JACKET, 1),) * in_list
    assert (note.is_issued, note.is_issue_day_shown) == (True, items == "status")
    assert wire.khaos.export_note(code) == (NoteItems(((JACKET, 1),), URN) if by_code else None)
    assert [order.order.so_code for order in wire.khaos.export_orders(REF)] == ["SO48213"]


def test_documents_may_be_shown_without_their_codes(wire: Wire) -> None:
    assert switches.set_switches(wire.state, {"note_items": "export", "order_codes": "hidden"}) == []
    code = ledger.import_document(wire.books, document()).note_code
    assert [order.order.so_code for order in wire.khaos.export_orders(REF)] == ["SO48213"]
    assert wire.khaos.export_note(code) == NoteItems(((JACKET, 1),), URN)


def test_orders_come_whole_and_exact(wire: Wire) -> None:
    (full,) = wire.khaos.export_orders(REF)
    order = full.order
    sums: dict[str, tuple[int, int]] = {}
    for line in order.lines:
        units, pence = sums.get(line.stock_code, (0, 0))
        sums[line.stock_code] = (units + line.quantity, pence + line.gross_pence)
    assert sums == {JACKET: (2, 16999), HAT: (1, 1000)}
    assert (order.customer_code, order.currency, order.delivery_gross_pence) == (URN, "GBP", 495)
    assert "14 Quarry Lane" in str(full.party)
    assert wire.khaos.export_orders("KCC-NONE") == []


def test_two_orders_may_carry_one_reference(wire: Wire) -> None:
    world = wire.state.world
    lines = [WorldLine(HAT, 1, 1000, 0, "9")]
    world.orders["SO2"] = Order("SO2", REF, "#LX10482", "60", URN, "GBP", NOW - timedelta(days=1), lines)
    assert [full.order.so_code for full in wire.khaos.export_orders(REF)] == ["SO48213", "SO2"]


def test_a_note_stands_in_the_feed_beside_its_order(wire: Wire) -> None:
    ledger.import_document(wire.books, document())
    by_customer = wire.khaos.export_order_status(company_codes=[URN])
    by_window = wire.khaos.export_order_status(since=NOW - timedelta(hours=1), until=NOW + timedelta(hours=1))
    (note,) = by_customer.credit_notes
    assert by_window.credit_notes == [note] == wire.khaos.export_order_status(associated_refs=["RMA1"]).credit_notes
    assert (note.gross_pence, note.net_pence, note.lines, note.is_issued) == (8499, 7083, ((JACKET, 1),), True)
    assert note.created_on == note.issued_on == date(2026, 7, 3)
    assert [order.so_code for order in by_customer.orders] == ["SO48213"]
    assert by_window.orders == []
    assert by_customer.orders[0].invoiced_on == date(2026, 6, 13)
    assert by_customer.orders[0].stock_codes == ((JACKET, 2), (HAT, 1))


def test_signs_of_notes_may_be_negative(wire: Wire) -> None:
    ledger.import_document(wire.books, document())
    (positive,) = wire.khaos.export_order_status(company_codes=[URN]).credit_notes
    wire.state.switches["note_signs"] = "negative"
    assert "-84.99" in soap(wire.plain)("ExportOrderStatusEx", IDs=URN, MappingType=1).text
    assert wire.khaos.export_order_status(company_codes=[URN]).credit_notes == [positive]


def test_a_change_brings_an_old_order_back_into_the_window(wire: Wire) -> None:
    since = NOW - timedelta(hours=1)
    assert wire.khaos.export_order_status(since=since, until=NOW).orders == []
    wire.state.world.orders["SO48213"].changed_at = NOW
    assert [order.so_code for order in wire.khaos.export_order_status(since=since, until=NOW).orders] == ["SO48213"]


def test_an_order_not_invoiced_and_a_cancelled_one(wire: Wire) -> None:
    order = wire.state.world.orders["SO48213"]
    order.issued_at, order.stage_id = None, 12
    assert wire.khaos.export_order_status(so_codes=["SO48213"]).orders[0].invoiced_on is None
    order.is_cancelled, order.stage_id = True, 1
    assert wire.khaos.export_order_status(so_codes=["SO48213"]).orders[0].is_cancelled
    assert "SO48213" not in soap(wire.plain)("ExportOrderStatusEx", IDs="SO48213", MappingType=3).text


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"IDs": "a.patel@example.com", "MappingType": 2}, True),
        ({"IDs": REF, "MappingType": 4, "InvoiceStageIDs": "70,71"}, True),
        ({"IDs": REF, "MappingType": 4, "InvoiceStageIDs": "10"}, False),
        ({"IDs": REF, "MappingType": 3}, False),
        ({"MappingType": 1, "DateFrom": "01/06/2026", "DateTo": "30/06/2026"}, True),
        ({"MappingType": 1, "DateFrom": "01/06/2026"}, None),
        ({"IDs": REF, "MappingType": 9}, None),
    ],
)
def test_ways_to_ask_for_status(wire: Wire, parameters: dict[str, object], found: bool | None) -> None:
    answer = soap(wire.plain)("ExportOrderStatusEx", **parameters)
    assert ("faultstring" in answer.text) is (found is None)
    assert ("SO48213" in answer.text) is bool(found)


def test_levels_by_site(wire: Wire) -> None:
    ledger.import_document(wire.books, document(reason="2"))
    assert [tuple(row) for row in wire.khaos.export_stock_status([JACKET, HAT], 1)[0]] == [
        (JACKET, 1, 10), (HAT, 1, 5)
    ]  # fmt: skip
    assert [tuple(row) for row in wire.khaos.export_stock_status([JACKET], 9)[0]] == [(JACKET, 9, 1)]
    everywhere = soap(wire.plain)("ExportStockStatus", StockCode=JACKET, SiteID=-1).text
    assert everywhere.count("&lt;LEVEL&gt;") == 2
    assert "faultstring" in soap(wire.plain)("ExportStockStatus", StockCode=JACKET, SiteID=4).text


def test_what_changed_and_what_moved(wire: Wire) -> None:
    khaos, recent = wire.khaos, NOW - timedelta(days=1)
    assert khaos.get_stock_list(None)[0] == [JACKET, HAT]
    assert khaos.get_stock_list(recent, 0)[0] == khaos.get_stock_list(recent, 2)[0] == []
    ledger.import_document(wire.books, document())
    assert (khaos.get_stock_list(recent, 0)[0], khaos.get_stock_list(recent, 2)[0]) == ([], [JACKET])


def test_unallocated_credit_is_seen(wire: Wire) -> None:
    ledger.import_document(wire.books, document())
    assert wire.khaos.get_company_info(URN) == ("GBP", 8499)
    with pytest.raises(PermanentError):
        wire.khaos.get_company_info("NOBODY")


def test_process_return_by_a_person(wire: Wire) -> None:
    kept = ledger.import_document(wire.books, document(process=False))
    assert wire.khaos.process_return(kept.return_code, "refund-1") == "processed"
    assert wire.khaos.process_return(kept.return_code, "refund-1") == "already_processed"
    assert len(wire.state.world.notes) == 1


def test_an_answer_lost_after_the_commit_leaves_doubt(wire: Wire) -> None:
    kept = ledger.import_document(wire.books, document(process=False))
    wire.state.faults.arm("khaos_fault_after_commit")
    with pytest.raises(InDoubtError):
        wire.khaos.process_return(kept.return_code, "refund-1")
    assert kept.state == "processed"


def test_the_wsdl_tells_what_there_is(wire: Wire) -> None:
    path = f"{BASE}/wsdl/IKosWeb"
    assert 'name="ProcessReturn"' in wire.plain.get(path).text
    wire.state.switches["process_return"] = "off"
    assert 'name="ProcessReturn"' not in wire.plain.get(path).text
    assert "not a valid method" in soap(wire.plain)("ProcessReturn", ReturnCode="R", ManualAuthCode="A").text


def test_an_order_is_cancelled_where_the_add_on_is(wire: Wire) -> None:
    order = next(iter(wire.state.world.orders.values()))
    order.stage_id, order.issued_at, order.ordered_at = 10, None, NOW
    with pytest.raises(PermanentError, match="CancelOrder is missing"):
        wire.khaos.cancel_parameters()
    wire.state.switches["cancel_order"] = "on"
    names = wire.khaos.cancel_parameters()
    assert names == ("OrderCode", "AssociatedRef")
    with pytest.raises(OrderRefused, match="mismatch"):
        wire.khaos.cancel_order(names, order.so_code, "ANOTHER")
    wire.state.faults.arm("khaos_500")
    with pytest.raises(InDoubtError):
        wire.khaos.cancel_order(names, order.so_code, REF)
    assert not order.is_cancelled
    wire.state.faults.arm("khaos_fault_after_commit")
    with pytest.raises(InDoubtError):
        wire.khaos.cancel_order(names, order.so_code, REF)
    (seen,) = wire.khaos.export_order_status(associated_refs=[REF]).orders
    assert (seen.is_cancelled, seen.stage_id) == (True, None)


@pytest.mark.parametrize(("fault", "status"), [("khaos_500", 500), ("khaos_429", 429)])
def test_a_bad_day_of_the_server(wire: Wire, fault: str, status: int) -> None:
    wire.state.faults.arm(fault)
    assert soap(wire.plain)("GetVersion").status_code == status
    assert soap(wire.plain)("GetVersion").status_code == 200
    wire.state.faults.arm(fault)
    with pytest.raises(TransientError):
        wire.khaos.get_version()


def test_a_truncated_answer(wire: Wire) -> None:
    wire.state.faults.arm("khaos_truncated")
    text = soap(wire.plain)("GetVersion").text
    assert "</SOAP-ENV:Envelope>" not in text
    assert wire.khaos.get_version()


def test_a_slow_answer(wire: Wire) -> None:
    wire.state.switches["slow_seconds"] = "0.05"
    wire.state.faults.arm("khaos_slow")
    started = time.monotonic()
    assert soap(wire.plain)("GetVersion").status_code == 200
    assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize(("user", "password", "is_let_in"), [("web", "right", True), ("web", "wrong", False)])
def test_basic_auth_in_front(user: str, password: str, is_let_in: bool) -> None:
    guarded = Wire(khaos_user="web", khaos_password="right")
    assert guarded.plain.get(f"{BASE}/wsdl/IKosWeb").status_code == 401
    answer = guarded.plain.post(SOAP_PATH, content=envelope("GetVersion"), auth=(user, password))
    assert (answer.status_code == 200) is is_let_in


@pytest.mark.parametrize("header", ["", "Basic ???", "Bearer x", "Basic d2ViOg=="])
def test_nonsense_instead_of_credentials(header: str) -> None:
    guarded = Wire(khaos_user="web", khaos_password="right")
    headers = {"Authorization": header} if header else {}
    assert guarded.plain.post(SOAP_PATH, content=envelope("GetVersion"), headers=headers).status_code == 401


def test_what_is_no_call_gets_a_fault_not_a_crash(wire: Wire) -> None:
    answer = wire.plain.post(SOAP_PATH, content=b"<a>")
    assert answer.status_code == 500
    assert "Invalid request" in answer.text


def test_twenty_thousand_orders_are_read_quickly() -> None:
    books = small_books()
    order = books.world.orders["SO48213"]
    for number in range(20_000):
        code = f"SO{number:06d}"
        books.world.orders[code] = Order(
            code, f"R{number}", "#1", "1", URN, "GBP", NOW - timedelta(days=90), order.lines
        )  # fmt: skip
    client = client_of(create_app(books.state, gateway_url="http://gateway"))
    call = soap(client)
    call("ExportOrders", OrderCode="R1", MappingType=2)
    started = time.monotonic()
    for number in range(20):
        assert f"R{number}&lt;" in call("ExportOrders", OrderCode=f"R{number}", MappingType=2).text
    assert time.monotonic() - started < 2
    assert isinstance(call("GetVersion"), httpx.Response)
