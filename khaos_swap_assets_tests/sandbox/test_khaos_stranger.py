"""A SOAP client that is not ours reads and calls the whole Khaos sandbox by its WSDL alone, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import zeep
import zeep.exceptions
import zeep.helpers
from lxml import etree
from zeep import xsd

from khaos_swap_assets.sandbox import khaos_returns as ledger
from khaos_swap_assets.sandbox import khaos_server, switches
from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, NOW, REF, URN, document, served, small_world

LONG_AGO = datetime(1899, 12, 31)  # noqa: DTZ001
SITES = [{"SiteID": 1, "SiteName": "Main Warehouse"}, {"SiteID": 9, "SiteName": "Not Saleable"}]
LEVELS = '<STOCK_STATUS SITE="Main Warehouse"><STOCK_ITEM CODE="{}"><LEVEL>12</LEVEL></STOCK_ITEM></STOCK_STATUS>'
ADD_ONS = {"cancel_order": "on"}
JUNE = datetime(2026, 6, 1), datetime(2026, 7, 31)  # noqa: DTZ001


class Stranger:
    """zeep in front of a served sandbox; it follows no address but the sandbox's own."""

    def __init__(self, url: str, state: State) -> None:
        self.state, self.books = state, Books(state)
        transport = zeep.Transport()  # type: ignore[no-untyped-call]
        transport.session.trust_env = False
        address = f"{url}{khaos_server.BASE}/wsdl/IKosWeb"
        self.client = zeep.Client(address, transport=transport)  # type: ignore[no-untyped-call]

    def __call__(self, operation: str, *parameters: object) -> Any:
        answer = self.client.service[operation](*parameters)
        return zeep.helpers.serialize_object(answer, dict)  # type: ignore[no-untyped-call]

    def document(self, operation: str, *parameters: object) -> etree._Element:
        return etree.fromstring(self(operation, *parameters))


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[str, State]]:
    state = State(small_world())
    with served(create_app(state, gateway_url="http://127.0.0.1:9")) as url:
        yield url, state


@pytest.fixture
def stranger(running: tuple[str, State]) -> Stranger:
    url, state = running
    state.world, state.switches = small_world(), dict(ADD_ONS)
    return Stranger(url, state)


def version(ask: Stranger) -> object:
    return ask("GetVersion"), khaos_server.VERSION


def site_list(ask: Stranger) -> object:
    return ask("GetSiteList"), {"CurrentSiteID": 1, "List": SITES}


def stock_list(ask: Stranger) -> object:
    found = ask("GetStockList", 0, LONG_AGO, 0)
    told = [(row["StockCode"], row["StockDesc"], row["LastUpdated"]) for row in found["List"]]
    wanted = [
        (JACKET, "Fell Jacket <Moss> & M", datetime(2026, 5, 24, 10, tzinfo=UTC)),
        (HAT, "Wool Hat", datetime(1899, 12, 30, tzinfo=UTC)),
    ]
    return (found["Count"], told), (2, wanted)


def stock(ask: Stranger) -> object:
    return ask.document("ExportStock", f"{JACKET},{HAT}", 1, LONG_AGO).xpath("//STOCK_CODE/text()"), [JACKET, HAT]


def stock_status(ask: Stranger) -> object:
    return ask.document("ExportStockStatus", JACKET, 1, LONG_AGO, 1, 0).xpath("string(//LEVEL)"), "10"


def order_status(ask: Stranger) -> object:
    by_code = ask.document("ExportOrderStatusEx", URN, 1, *([False] * 4), xsd.SkipValue, xsd.SkipValue, "", True)
    by_window = ask.document("ExportOrderStatusEx", "", 1, False, False, True, True, *JUNE, "70", True)
    told = [found.xpath("//ORDER_STATUS/@SORDER_CODE") for found in (by_code, by_window)]
    return told, [["SO48213"], ["SO48213"]]


def orders(ask: Stranger) -> object:
    return ask.document("ExportOrders", REF, 2).xpath("//ORDER_ITEM/STOCK_CODE/text()"), [JACKET, JACKET, HAT]


def company_info(ask: Stranger) -> object:
    ledger.import_document(ask.books, document())
    (found,) = ask("GetCompanyInfo", URN, 1)
    told = (found["CompanyCode"], found["CreditUnallocated"], found["CreditStop"], ask("GetCompanyInfo", "NOBODY", 1))
    return told, (URN, Decimal("84.99"), False, [])


def set_level(ask: Stranger) -> object:
    found = ask("ImportStockStatus", LEVELS.format(JACKET), False, True)
    told = [row["StockCode"] for row in found["List"]], ask.document("ExportStockStatus", JACKET, 1, LONG_AGO, 1, 0)
    return (told[0], told[1].xpath("string(//LEVEL)")), ([JACKET], "12")


def cancel(ask: Stranger) -> object:
    order = ask.state.world.orders["SO48213"]
    order.stage_id, order.ordered_at = 9, ask.state.world.now
    told = ask("CancelOrder", order.so_code, order.associated_ref)
    return (told, order.is_cancelled), ("Order SO48213 has been cancelled.", True)


def process_return(ask: Stranger) -> object:
    kept = ledger.import_document(ask.books, document(process=False))
    return (ask("ProcessReturn", kept.return_code, "refund-1"), kept.state), (ledger.PROCESSED, "processed")


CALLS: Mapping[str, Callable[[Stranger], Any]] = {
    "GetVersion": version,
    "GetSiteList": site_list,
    "GetStockList": stock_list,
    "ExportStock": stock,
    "ExportStockStatus": stock_status,
    "ExportOrderStatusEx": order_status,
    "ExportOrders": orders,
    "GetCompanyInfo": company_info,
    "ImportStockStatus": set_level,
    "ProcessReturn": process_return,
    "CancelOrder": cancel,
}


def test_the_wsdl_names_no_operation_that_is_not_called_here(stranger: Stranger) -> None:
    assert set(stranger.client.service._operations) == CALLS.keys() == khaos_server.HANDLERS.keys()


@pytest.mark.parametrize("style", [{}, {"multiref": "on", "cdata": "on"}], ids=["inline", "multiref"])
@pytest.mark.parametrize("operation", CALLS)
def test_every_operation_is_read_and_called_by_the_wsdl(
    stranger: Stranger, operation: str, style: dict[str, str]
) -> None:
    assert switches.set_switches(stranger.state, ADD_ONS | style) == []
    told, wanted = CALLS[operation](stranger)
    assert told == wanted


@pytest.mark.parametrize("shape", ["A", "B"])
@pytest.mark.parametrize("http", ["500", "200"])
def test_a_fault_is_a_fault_in_every_shape(stranger: Stranger, shape: str, http: str) -> None:
    assert switches.set_switches(stranger.state, {"fault_shape": shape, "fault_http": http}) == []
    with pytest.raises(zeep.exceptions.Fault, match="does not exist") as caught:
        stranger("ProcessReturn", "RET1", "auth")
    assert (caught.value.code, caught.value.actor) == ("SOAP-ENV:Client", "EKosException")


def test_an_operation_that_is_absent_is_absent_for_a_stranger(running: tuple[str, State]) -> None:
    url, state = running
    state.switches = {"site_list": "absent", "process_return": "off"}
    assert set(Stranger(url, state).client.service._operations) == CALLS.keys() - {
        "GetSiteList",
        "ProcessReturn",
        "CancelOrder",
    }


def test_a_moment_is_london_time_whatever_zone_it_claims(stranger: Stranger) -> None:
    stranger.state.world.orders["SO48213"].changed_at = NOW
    hours = [NOW.replace(hour=10, tzinfo=None), NOW.replace(hour=10)]
    for hour in hours:
        window = (hour, hour)
        found = stranger.document("ExportOrderStatusEx", "", 1, False, False, True, True, *window, "", True)
        assert found.xpath("//ORDER_STATUS/@SORDER_CODE") == ["SO48213"]
