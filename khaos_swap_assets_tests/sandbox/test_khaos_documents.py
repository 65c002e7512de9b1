"""Khaos's XML: read back with a parser of its own, it says what the books say, whatever the style."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.sandbox.khaos_documents import Style, sales_orders, status_list, stock_items, stock_status
from khaos_swap_assets.sandbox.world import Note, NoteLine, Order, StockItem, WorldLine
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, NOW, REF, URN, small_world

PLAIN = Style(has_extra_tags=False)
STYLES = [PLAIN, Style(), Style(has_cdata=True), Style(shows_items=False)]


def parts() -> tuple[Order, StockItem, StockItem]:
    world = small_world()
    return world.orders["SO48213"], world.items[JACKET], world.items[HAT]


def a_note(**changes: object) -> Note:
    lines = [NoteLine(JACKET, 1, 8499, 7083), NoteLine(HAT, 2, 2000, 2000)]
    return replace(Note("CN00001", URN, "RMA1", "GBP", NOW, lines, delivery_gross_pence=495), **changes)  # type: ignore[arg-type]


def row_of(text: str) -> ET.Element:
    (row,) = ET.fromstring(text)
    return row


def said(element: ET.Element, path: str) -> str:
    return element.findtext(path) or ""


@pytest.mark.parametrize("style", STYLES)
def test_words_with_signs_of_xml_come_back_whole(style: Style) -> None:
    _, jacket, _ = parts()
    jacket.description = 'Fell <Moss> & ]]> "M"'
    row = row_of(stock_items([jacket], style))
    assert said(row, "STOCK_DESC") == jacket.description
    assert said(row, "SELL_PRICE") == "84.99"


@pytest.mark.parametrize(("is_gone", "flag"), [(True, "-1"), (False, "0")])
def test_a_discontinued_item_says_so_twice(is_gone: bool, flag: str) -> None:
    row = row_of(stock_items([replace(parts()[1], is_discontinued=is_gone)], PLAIN))
    assert (said(row, "DISCONTINUED"), said(row, "DELETED")) == (flag, flag)


@pytest.mark.parametrize("barcode", ["", "5060000000017"])
def test_a_barcode_is_there_or_is_not(barcode: str) -> None:
    row = row_of(stock_items([replace(parts()[1], barcode=barcode)], PLAIN))
    assert [one.text for one in row.iter("BARCODE")] == ([barcode] if barcode else [])


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"available": 3}, "0"),
        ({"available": 0}, "3"),
        ({"is_discontinued": True}, "4"),
        ({"is_stock_controlled": False}, "5"),
        ({"is_stock_controlled": False, "is_discontinued": True}, "5"),
    ],
)
def test_the_status_of_a_level(changes: dict[str, object], status: str) -> None:
    item = replace(parts()[1], **changes)  # type: ignore[arg-type]
    assert said(row_of(stock_status([item], 1)), "STATUS") == status


@pytest.mark.parametrize(("site", "name", "level"), [(1, "Main Warehouse", "7"), (9, "Not Saleable", "2")])
def test_one_site_names_itself_once_and_shows_its_own_level(site: int, name: str, level: str) -> None:
    root = ET.fromstring(stock_status([replace(parts()[1], available=7, quarantine=2)], site))
    assert root.get("SITE") == name
    assert [said(row, "LEVEL") for row in root] == [level]


def test_all_sites_are_rows_with_a_site_of_their_own() -> None:
    root = ET.fromstring(stock_status([replace(parts()[1], available=7, quarantine=2)], -1))
    assert root.get("SITE") is None
    assert [(said(row, "SITE"), said(row, "LEVEL")) for row in root] == [("Main Warehouse", "7"), ("Not Saleable", "2")]


@pytest.mark.parametrize("style", STYLES)
def test_the_status_of_an_order(style: Style) -> None:
    order, *_ = parts()
    row = row_of(status_list([(order, small_world().customers[URN])], style))
    assert (row.get("SORDER_CODE"), row.get("ASSOCIATED_REF")) == ("SO48213", REF)
    assert (said(row, "ITEMS_TOTAL"), said(row, "DELIVERY_TOTAL"), said(row, "QTY_SOLD")) == ("179.99", "4.95", "3")
    assert said(row, "COMPLETE") == "-1"
    sent = [(one.get("STOCK_CODE"), one.get("QTY_SENT")) for one in row.iter("INVOICE_ITEM")]
    assert sent == ([(JACKET, "2"), (HAT, "1")] if style.shows_items else [])


def test_an_order_that_is_not_invoiced_has_no_invoice_and_is_not_complete() -> None:
    order = replace(parts()[0], invoice_code="", issued_at=None)
    row = row_of(status_list([(order, None)], PLAIN))
    assert list(row.iter("INVOICE")) == []
    assert (said(row, "COMPLETE"), said(row, "QTY_ASSIGNED"), said(row, "COMPANY_NAME")) == ("0", "0", "")


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_a_cancelled_order_says_why(is_cancelled: bool) -> None:
    row = row_of(status_list([(replace(parts()[0], is_cancelled=is_cancelled), None)], PLAIN))
    assert (row.find("CANCELLED") is not None) is is_cancelled


@pytest.mark.parametrize(("is_negative", "sign"), [(False, ""), (True, "-")])
def test_a_note_has_one_sign_everywhere(is_negative: bool, sign: str) -> None:
    row = row_of(status_list([(a_note(), None)], Style(has_negative_notes=is_negative)))
    assert said(row, "ITEMS_TOTAL") == f"{sign}104.99"
    assert said(row, "DELIVERY_TOTAL") == f"{sign}4.95"
    assert [one.get("QTY_SENT") for one in row.iter("INVOICE_ITEM")] == [f"{sign}1", f"{sign}2"]
    assert row.find("ORDER_TYPE").get("TYPE_ID") == "2"  # type: ignore[union-attr]


@pytest.mark.parametrize(("issued", "complete", "sent"), [(None, "0", "0"), (NOW - timedelta(hours=9), "-1", "3")])
def test_a_note_is_complete_when_it_is_issued(issued: object, complete: str, sent: str) -> None:
    row = row_of(status_list([(a_note(issued_at=issued), None)], PLAIN))
    invoice = row.find("INVOICES/INVOICE")
    assert invoice is not None
    assert (said(row, "COMPLETE"), invoice.get("QTY_SENT"), bool(invoice.get("ISSUE_DATE"))) == (
        complete, sent, sent != "0"
    )  # fmt: skip


@given(st.integers(1, 9), st.integers(1, 99_999), st.sampled_from([0, 20]))
def test_the_rows_of_an_order_multiply_out_to_each_line_exactly(units: int, pence: int, vat: int) -> None:
    order = replace(parts()[0], lines=[WorldLine(JACKET, units, pence, vat, "111")])
    rows = list(row_of(sales_orders([(order, None)], PLAIN)).iter("ORDER_ITEM"))
    price = "PRICE_NET" if vat == 0 else "PRICE_GRS"
    counted = [(int(said(row, "ORDER_QTY")), round(100 * float(said(row, price)))) for row in rows]
    assert sum(count for count, _ in counted) == units
    assert sum(count * unit for count, unit in counted) == pence
    assert len(counted) <= 2


def test_an_order_without_its_customer_still_names_its_code() -> None:
    row = row_of(sales_orders([(parts()[0], None)], PLAIN))
    assert said(row, "CUSTOMER_DETAIL/COMPANY_CODE") == URN
    assert list(row.iter("INVADDR")) == []
    assert said(row, "ORDER_HEADER/ORDER_AMOUNT") == "184.94"


def test_delivery_is_net_and_tax_of_one_gross() -> None:
    header = row_of(sales_orders([(parts()[0], None)], PLAIN)).find("ORDER_HEADER")
    assert header is not None
    figures = [round(100 * float(said(header, f"DELIVERY_{name}"))) for name in ("NET", "TAX", "GRS")]
    assert figures == [413, 82, 495]
