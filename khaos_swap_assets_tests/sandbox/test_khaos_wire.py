from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from khaos_swap_assets.sandbox import khaos_wire as wire
from khaos_swap_assets.sandbox.khaos_interface import INTERFACE

SUMMER = datetime(2026, 7, 3, 23, 30, tzinfo=UTC)
ROWS = [{"StockCode": "A&B", "LastUpdated": wire.stamp(SUMMER)}, {"StockCode": "C", "LastUpdated": ""}]
STOCK: wire.Struct = {"Count": 2, "List": ROWS}


def parsed(text: str) -> Any:
    return etree.fromstring(text.encode())


@pytest.mark.parametrize("body", [b"", b"no xml", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.read_call(body)


def test_a_document_type_from_outside_is_refused() -> None:
    call = '<!DOCTYPE e SYSTEM "http://127.0.0.1:9/x"><e><Body><GetVersion/></Body></e>'
    with pytest.raises(wire.WireError, match="document type"):
        wire.read_call(call.encode())


@pytest.mark.parametrize("prefix", ["SOAP-ENV", "s", "soapenv"])
def test_a_call_is_read_by_local_names(prefix: str) -> None:
    body = (
        f'<{prefix}:Envelope xmlns:{prefix}="http://schemas.xmlsoap.org/soap/envelope/"><{prefix}:Body>'
        f'<x:ExportOrders xmlns:x="{INTERFACE}"><MappingType>2</MappingType><OrderCode> KCC1 </OrderCode>'
        f"</x:ExportOrders></{prefix}:Body></{prefix}:Envelope>"
    )
    assert wire.read_call(body.encode()) == ("ExportOrders", {"MappingType": "2", "OrderCode": "KCC1"})


def test_inline_structs_stay_in_place() -> None:
    text = wire.answer("GetStockList", STOCK)
    assert "href" not in text
    assert parsed(text).xpath("//return/List/item/StockCode/text()") == ["A&B", "C"]
    assert parsed(wire.answer("GetCompanyInfo", [{"PaysVAT": True}])).xpath("//item/PaysVAT/text()") == ["true"]


def test_an_empty_array_names_the_type_of_what_it_lacks() -> None:
    assert 'SOAP-ENC:arrayType="NS2:TCompanyInfo[0]"' in wire.answer("GetCompanyInfo", [])


def test_every_reference_of_a_multi_ref_answer_has_one_body() -> None:
    root = parsed(wire.answer("GetStockList", STOCK, is_multiref=True))
    wanted = sorted(ref.removeprefix("#") for ref in root.xpath("//@href"))
    assert wanted == sorted(root.xpath("//@id")) == ["1", "2", "3", "4"]
    assert root.xpath("//return/@href") == [f"#{root.xpath('//*[Count]/@id')[0]}"]


@pytest.mark.parametrize("has_cdata", [False, True])
def test_a_document_in_a_string_arrives_unharmed(has_cdata: bool) -> None:
    document = "<A><![CDATA[x ]] > & y]]></A>"
    text = wire.answer("ExportStock", document, has_cdata=has_cdata)
    assert parsed(text).xpath("string(//return)") == document


@pytest.mark.parametrize(("shape", "name"), [("A", "ERemotableException"), ("B", "EWebServiceError")])
def test_both_shapes_of_a_fault(shape: str, name: str) -> None:
    root = parsed(wire.fault(wire.KhaosFaultError("No < such"), shape))
    assert root.xpath("string(//faultstring)") == "No < such"
    assert root.xpath("string(//faultcode)") == "SOAP-ENV:Client"
    assert root.xpath(f"count(//*[local-name()='{name}'])") == 1


@pytest.mark.parametrize(("pence", "text"), [(0, "0.00"), (5, "0.05"), (8499, "84.99"), (-105, "-1.05")])
def test_money(pence: int, text: str) -> None:
    assert wire.money(pence) == text


def test_dates_leave_as_london_time() -> None:
    assert (wire.day(SUMMER), wire.stamp(SUMMER)) == ("04/07/2026", "2026-07-04T00:30:00.000Z")
    assert (wire.day(None), wire.stamp(None), wire.stamp(None, has_zero_date=False)) == ("", wire.ZERO_DATE, "")


@pytest.mark.parametrize(
    ("text", "is_end", "moment"),
    [
        ("04/07/2026", False, datetime(2026, 7, 3, 23, tzinfo=UTC)),
        ("04/07/2026", True, datetime(2026, 7, 4, 23, tzinfo=UTC)),
        ("2026-07-04", True, datetime(2026, 7, 4, 23, tzinfo=UTC)),
        ("04/07/2026 10:00:00", True, datetime(2026, 7, 4, 9, tzinfo=UTC)),
        ("2026-07-04T10:00:00", False, datetime(2026, 7, 4, 9, tzinfo=UTC)),
        ("2026-07-04T10:00:00.000Z", False, datetime(2026, 7, 4, 9, tzinfo=UTC)),
        ("2026-01-04T10:00:00", False, datetime(2026, 1, 4, 10, tzinfo=UTC)),
        ("", False, None),
        ("1899-12-30T00:00:00.000Z", False, None),
        ("1899-12-31T00:00:00", True, None),
    ],
)
def test_date_parameters_are_london_time(text: str, is_end: bool, moment: datetime | None) -> None:
    assert wire.read_moment(text, is_end=is_end) == moment


def test_a_bad_date_is_a_fault() -> None:
    with pytest.raises(wire.KhaosFaultError, match="not a valid date"):
        wire.read_moment("yesterday")
