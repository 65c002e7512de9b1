from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, SettingsError, TransientError
from khaos_swap_assets.adapters.khaos.client import MOST_REFUSED, KhaosClient, ReturnRefused, connect
from khaos_swap_assets.adapters.khaos.envelope import KhaosFault, UnusableDocumentError
from khaos_swap_assets.adapters.khaos.records import NoteItems, StockLevel
from khaos_swap_assets.adapters.settings import KhaosSettings
from khaos_swap_assets_tests.adapters.khaos import wires
from khaos_swap_assets_tests.adapters.khaos.test_orders import order
from khaos_swap_assets_tests.adapters.khaos.test_status import note, row
from khaos_swap_assets_tests.adapters.khaos.wires import Params, Refusal, Server, client

NOON = datetime(2025, 7, 1, 12, tzinfo=UTC)


def stock_items(params: Params) -> str:
    codes = params["StockCode"].split(",")
    if "POISON" in codes:
        raise Refusal("Access violation at address 0")
    if "BROKEN" in codes:
        return wires.text("ExportStock", "<STOCK_ITEMS><STOCK_ITEM>")
    rows = "".join(
        f"<STOCK_ITEM><STOCK_CODE>{code}</STOCK_CODE><STOCK_ID>1</STOCK_ID></STOCK_ITEM>"
        for code in codes
        if code != "GONE"
    )
    return wires.text("ExportStock", f"<STOCK_ITEMS>{rows}</STOCK_ITEMS>", is_cdata=True)


def statuses(*rows: str) -> str:
    return wires.text("ExportOrderStatusEx", f"<STATUS_LIST>{''.join(rows)}</STATUS_LIST>")


def test_version_and_sites() -> None:
    khaos = client(
        Server(
            GetVersion=lambda _: wires.text("GetVersion", "8.236.14.0"),
            GetSiteList=lambda _: wires.returning(
                "GetSiteList",
                '<return><CurrentSiteID>1</CurrentSiteID><List SOAP-ENC:arrayType="x[1]">'
                "<item><SiteID>1</SiteID><SiteName>Main</SiteName></item></List></return>",
            ),
        )
    )
    assert khaos.get_version() == "8.236.14.0"
    assert khaos.get_site_list() == {1: "Main"}


@pytest.mark.parametrize(
    ("since", "asked"), [(NOON, "2025-07-01T13:00:00"), (None, "1899-12-31T00:00:00")], ids=["since", "all"]
)
def test_changed_codes_are_asked_in_london_time(since: datetime | None, asked: str) -> None:
    rows = "".join(f"<item><StockCode>{code}</StockCode></item>" for code in ("A", "B,C"))
    server = Server(
        GetStockList=lambda _: wires.returning("GetStockList", f"<return><Count>2</Count><List>{rows}</List></return>")
    )
    codes, faults = client(server).get_stock_list(since, date_type=2)
    assert codes == ["A"]
    assert [fault.subject for fault in faults] == ["B,C"]
    assert server.calls == [("GetStockList", {"DateType": "2", "DateValue": asked, "StockItemType": "0"})]


def test_stock_is_fetched_in_chunks_and_loses_only_bad_codes() -> None:
    server = Server(ExportStock=stock_items)
    codes = ["A", "B", "POISON", "C", "BROKEN", "GONE", "X,Y"]
    rows, faults = client(server, chunk_size=4).export_stock(codes)
    assert [found.stock_code for found in rows] == ["A", "B", "C"]
    assert [fault.subject for fault in faults] == ["X,Y", "POISON", "BROKEN"]
    assert server.calls[0][1]["StockCode"] == "A,B,POISON,C"
    assert server.calls[0][1]["MappingType"] == "1"


def test_levels_carry_the_site_that_was_asked() -> None:
    server = Server(
        ExportStockStatus=lambda _: wires.text(
            "ExportStockStatus", '<STOCK_STATUS><STOCK_ITEM CODE="A"><LEVEL>3</LEVEL></STOCK_ITEM></STOCK_STATUS>'
        )
    )
    assert client(server).export_stock_status(["A"], 9) == ([StockLevel("A", 9, 3)], [])
    assert server.calls[0][1]["SiteID"] == "9"


@pytest.mark.parametrize(
    ("keys", "mapping"),
    [({"company_codes": ["A", "B"]}, "1"), ({"so_codes": ["A", "B"]}, "3"), ({"associated_refs": ["A", "B"]}, "4")],
)
def test_the_status_feed_by_keys(keys: dict[str, list[str]], mapping: str) -> None:
    server = Server(ExportOrderStatusEx=lambda _: statuses(row(), note()))
    feed = client(server).export_order_status(**keys)  # type: ignore[arg-type]
    assert [found.so_code for found in feed.orders] == ["SO1"]
    assert [found.credit_note_code for found in feed.credit_notes] == ["CN1"]
    (method, params) = server.calls[0]
    assert method == "ExportOrderStatusEx"
    assert params == {
        "IDs": "A,B",
        "MappingType": mapping,
        "WebOnly": "0",
        "ConfirmedOnly": "0",
        "IncludeTracking": "0",
        "IncludeCancelled": "-1",
        "DateFrom": "1899-12-31T00:00:00",
        "DateTo": "1899-12-31T00:00:00",
        "InvoiceStageIDs": "",
        "ShowItems": "-1",
    }


def test_the_status_feed_by_window_goes_week_by_week_without_a_gap() -> None:
    server = Server(ExportOrderStatusEx=lambda _: statuses(row(), note("CN1"), note("BAD", currency="")))
    feed = client(server).export_order_status(since=NOON, until=NOON + timedelta(days=16))
    windows = [(params["DateFrom"], params["DateTo"]) for _, params in server.calls]
    assert windows == [
        ("2025-07-01T13:00:00", "2025-07-08T13:00:00"),
        ("2025-07-08T13:00:00", "2025-07-15T13:00:00"),
        ("2025-07-15T13:00:00", "2025-07-17T13:00:00"),
    ]
    assert {(params["IDs"], params["MappingType"], params["IncludeTracking"]) for _, params in server.calls} == {
        ("", "1", "-1")
    }
    assert (len(feed.orders), len(feed.credit_notes), len(feed.faults)) == (1, 1, 1)


def test_a_window_too_full_to_read_is_halved() -> None:
    def answer(params: Params) -> str:
        start, end = (datetime.fromisoformat(params[name]) for name in ("DateFrom", "DateTo"))
        if end - start > timedelta(days=2):
            return wires.text("ExportOrderStatusEx", "<STATUS_LIST><ORDER_STATUS")
        return statuses(note(f"CN{start:%d}"))

    feed = client(Server(ExportOrderStatusEx=answer)).export_order_status(since=NOON, until=NOON + timedelta(days=7))
    assert len(feed.credit_notes) == 4


def test_windows_that_stay_unreadable_are_an_error() -> None:
    server = Server(ExportOrderStatusEx=lambda _: wires.text("ExportOrderStatusEx", "<STATUS_LIST>"))
    with pytest.raises(UnusableDocumentError):
        client(server).export_order_status(since=NOON, until=NOON + timedelta(days=60))
    assert len(server.calls) == MOST_REFUSED


def test_an_hour_that_is_refused_loses_itself_alone() -> None:
    broken = NOON + timedelta(days=3, hours=2)

    def answer(params: Params) -> str:
        start, end = (datetime.fromisoformat(params[name]) for name in ("DateFrom", "DateTo"))
        if start <= broken.replace(tzinfo=None) + timedelta(hours=1) <= end:
            raise Refusal("access violation")
        return statuses(note(f"CN{start:%d%H%M}"))

    feed = client(Server(ExportOrderStatusEx=answer)).export_order_status(since=NOON, until=NOON + timedelta(days=7))
    assert [one.reason for one in feed.refused] == ["Khaos refused ExportOrderStatusEx: access violation"]
    assert len(feed.credit_notes) == 8


@pytest.mark.parametrize(
    "keys",
    [{}, {"since": NOON}, {"since": NOON, "until": NOON, "so_codes": ["A"]}, {"so_codes": [], "company_codes": []}],
)
def test_the_status_feed_needs_exactly_one_way(keys: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="one kind of key"):
        client(Server()).export_order_status(**keys)  # type: ignore[arg-type]


def test_no_keys_are_no_call() -> None:
    server = Server()
    assert client(server).export_order_status(so_codes=[]).orders == []
    assert server.calls == []


def test_an_order_is_asked_by_its_reference() -> None:
    server = Server(ExportOrders=lambda _: wires.text("ExportOrders", f"<SALES_ORDERS>{order()}</SALES_ORDERS>"))
    (found,) = client(server).export_orders("LK10457")
    assert found.order.so_code == "SO48213"
    assert server.calls == [("ExportOrders", {"OrderCode": "LK10457", "MappingType": "2"})]


def test_notes_are_asked_for_by_their_codes() -> None:
    def answer(params: Params) -> str:
        if params["OrderCode"] == "CN3":
            raise Refusal("Mapping Type 1 is not valid")
        shown = order(code="<SORDER_CODE>CN1</SORDER_CODE>") if params["OrderCode"] == "CN1" else ""
        return wires.text("ExportOrders", f"<SALES_ORDERS>{shown}</SALES_ORDERS>")

    server = Server(ExportOrders=answer)
    (_, read), (_, none), (code, error) = client(server).export_notes_many(["CN1", "CN2", "CN3"])
    assert (read, none, code) == (NoteItems((("FELL", 2),), "PATEL0007"), None, "CN3")
    assert isinstance(error, KhaosFault)
    assert ("ExportOrders", {"OrderCode": "CN1", "MappingType": "1"}) in server.calls


def nameless(statuses_of_ref: str, by_code: dict[str, int], by_ref: int = 1) -> Server:
    """A Khaos whose ExportOrders shows so many documents of a key, none with its code."""

    def answer(params: Params) -> str:
        count = by_ref if params["MappingType"] == "2" else by_code[params["OrderCode"]]
        return wires.text("ExportOrders", f"<SALES_ORDERS>{order(code='', ref='A') * count}</SALES_ORDERS>")

    return Server(ExportOrders=answer, ExportOrderStatusEx=lambda _: statuses(statuses_of_ref))


@pytest.mark.parametrize(
    ("named", "codes", "by_ref"),
    [
        (row(), ["SO1"], 1),
        (row() + note(), ["SO1"], 2),
        (row() + row(code="SO2"), ["SO1", "SO2"], 2),
    ],
)
def test_an_order_without_its_code_is_asked_for_by_the_code_in_the_status_feed(
    named: str, codes: list[str], by_ref: int
) -> None:
    server = nameless(named, dict.fromkeys(codes, 1), by_ref)
    assert [found.order.so_code for found in client(server).export_orders("A")] == codes
    assert [params["OrderCode"] for name, params in server.calls if name == "ExportOrders"] == ["A", *codes]


@pytest.mark.parametrize(
    ("named", "count", "why"),
    [
        ("", 1, "A without the code of its order, and the status feed names no order of it"),
        (note(), 1, "the status feed names no order of it"),
        (row(kind="<ORDER_TYPE/>"), 1, "the status feed cannot be read: ORDER_TYPE"),
        (row(), 2, "order SO1: 2 documents, some without their codes, cannot be told apart"),
        (row(), 0, "order SO1: ExportOrders shows nothing under its code"),
    ],
)
def test_an_order_that_no_code_tells_is_refused(named: str, count: int, why: str) -> None:
    with pytest.raises(PermanentError, match=why):
        client(nameless(named, {"SO1": count})).export_orders("A")


@pytest.mark.parametrize("document", ["", "<SALES_ORDERS/>"])
def test_no_order_may_be_said_by_an_empty_answer(document: str) -> None:
    assert client(Server(ExportOrders=lambda _: wires.text("ExportOrders", document))).export_orders("X") == []


@pytest.mark.parametrize(
    ("words", "is_none"),
    [
        ("Sales order LK1 not found", True),
        ("Order 'LK1' does not exist", True),
        ("There are no orders to export", True),
        ("No such sales order", True),
        ("Customer not found", False),
        ("Unable to complete network request to host", False),
        ("Reorder level not found", False),
    ],
)
def test_no_order_may_be_said_by_a_fault(words: str, is_none: bool) -> None:
    def refuse(_: Params) -> str:
        raise Refusal(words)

    khaos = client(Server(ExportOrders=refuse))
    if is_none:
        assert khaos.export_orders("LK1") == []
    else:
        with pytest.raises(KhaosFault):
            khaos.export_orders("LK1")


class Crowd:
    """Counts how many calls are under way at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = self.asked = 0

    def __call__(self, params: Params) -> str:
        with self.lock:
            self.now += 1
            self.asked += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self.lock:
            self.now -= 1
        if params["OrderCode"] == "BAD":
            raise Refusal("boom")
        return wires.text("ExportOrders", f"<SALES_ORDERS>{order(ref=params['OrderCode'])}</SALES_ORDERS>")


def test_many_orders_come_in_order_two_at_a_time() -> None:
    crowd = Crowd()
    refs = ["A", "BAD", "B", "C", "D"]
    answers = list(client(Server(ExportOrders=crowd)).export_orders_many(refs))
    assert [ref for ref, _ in answers] == refs
    assert isinstance(answers[1][1], KhaosFault)
    assert [found[0].order.associated_ref for _, found in answers if isinstance(found, list)] == ["A", "B", "C", "D"]
    assert crowd.most == 2


def test_many_orders_stop_when_nobody_listens() -> None:
    crowd = Crowd()
    answers = client(Server(ExportOrders=crowd)).export_orders_many([f"R{number}" for number in range(50)])
    next(iter(answers))
    answers.close()  # type: ignore[attr-defined]
    assert crowd.asked < 10


COMPANY = (
    "<CompanyCode>PATEL0007</CompanyCode><CurrencyCode>GBP</CurrencyCode><CreditUnallocated>{}</CreditUnallocated>"
)


@pytest.mark.parametrize(
    "returned",
    [
        f"<return>{COMPANY}</return>",
        f'<return SOAP-ENC:arrayType="x[1]"><item>{COMPANY}</item></return>',
        f"<return><item><CompanyCode>OTHER</CompanyCode></item><item>{COMPANY}</item></return>",
    ],
)
@pytest.mark.parametrize(("spelt", "pence"), [("84.99", 8499), ("84.9899999999999949", 8499), ("-5", -500), ("0", 0)])
def test_open_credit_of_a_customer(returned: str, spelt: str, pence: int) -> None:
    server = Server(GetCompanyInfo=lambda _: wires.returning("GetCompanyInfo", returned.format(spelt)))
    assert client(server).get_company_info("PATEL0007") == ("GBP", pence)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("<return/>", "0 customers"),
        (f"<return>{COMPANY.format('much')}</return>", "CreditUnallocated: 'much' is no number"),
        (f"<return>{COMPANY.format('')}</return>", "is no number"),
        ("<return><CompanyCode>OTHER</CompanyCode></return>", "0 customers"),
    ],
)
def test_an_unknown_customer_is_an_error(returned: str, words: str) -> None:
    server = Server(GetCompanyInfo=lambda _: wires.returning("GetCompanyInfo", returned))
    with pytest.raises(PermanentError, match=words):
        client(server).get_company_info("PATEL0007")


@pytest.mark.parametrize("prefix", ["", "ERROR: "])
@pytest.mark.parametrize("stop", ["", "."])
@pytest.mark.parametrize("is_fault", [True, False])
@pytest.mark.parametrize(
    ("core", "expected"),
    [
        ("Return has successfully been processed", "processed"),
        ("Return has already been processed", "already_processed"),
        ("Return does not exist or has been deleted", None),
        ("Return has been partially processed, unable to continue", None),
        ("Return Code or Auth Code not defined", None),
    ],
)
def test_a_return_is_processed_or_refused(
    prefix: str, stop: str, is_fault: bool, core: str, expected: str | None
) -> None:
    def answer(params: Params) -> str:
        assert params == {"ReturnCode": "RET1", "ManualAuthCode": "refund-9"}
        if is_fault:
            raise Refusal(f"{prefix}{core}{stop}")
        return wires.text("ProcessReturn", f"{prefix}{core}{stop}")

    server = Server(ProcessReturn=answer)
    if expected:
        assert client(server).process_return("RET1", "refund-9") == expected
    else:
        with pytest.raises(ReturnRefused) as caught:
            client(server).process_return("RET1", "refund-9")
        assert caught.value.reason == core.lower()
    assert len(server.calls) == 1


@pytest.mark.parametrize("words", ["Unable to complete network request to host", ""])
def test_an_unknown_answer_leaves_a_return_in_doubt(words: str) -> None:
    def answer(_: Params) -> str:
        raise Refusal(words)

    with pytest.raises(InDoubtError, match="unknown words"):
        client(Server(ProcessReturn=answer)).process_return("RET1", "x")


def test_a_lost_answer_leaves_a_return_in_doubt_and_is_not_repeated() -> None:
    calls = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise httpx.ReadTimeout("slow")

    with pytest.raises(InDoubtError):
        client(handler).process_return("RET1", "x")
    assert len(calls) == 1


def test_an_outage_of_a_read_is_transient() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(TransientError):
        client(handler).export_stock(["A", "B"])


def test_a_session_is_opened_from_the_settings() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=wires.text("GetVersion", "8"))

    settings = KhaosSettings(url=f"{wires.URL}/", user="till", password=SecretStr("s3cret"))
    khaos = connect(settings, transport=httpx.MockTransport(handler))
    assert khaos.get_version() == "8"
    assert str(seen[0].url) == f"{wires.URL}/soap/IKosWeb"
    assert seen[0].headers["authorization"].startswith("Basic ")


def test_a_session_needs_an_address() -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_KHAOS_URL"):
        connect(KhaosSettings())


def test_no_error_shows_the_password() -> None:
    settings = KhaosSettings(url=wires.URL, user="till", password=SecretStr("s3cret"), retries=0)
    khaos = connect(settings, transport=httpx.MockTransport(lambda _: httpx.Response(401, text="s3cret")))
    with pytest.raises(PermanentError) as caught:
        khaos.get_version()
    assert "s3cret" not in str(caught.value) + repr(khaos)
    assert isinstance(khaos, KhaosClient)
