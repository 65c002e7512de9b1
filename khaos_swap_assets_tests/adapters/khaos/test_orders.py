from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from lxml import etree

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos import orders
from khaos_swap_assets.adapters.khaos.records import FullOrder, NoteItems
from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder

ADDRESS = (
    "<IADDRESS1>14 Quarry Lane</IADDRESS1><IADDRESS2/><ITOWN>Matlock</ITOWN><IPOSTCODE>DE4 3AA</IPOSTCODE>"
    "<ICOUNTRY_CODE>GB</ICOUNTRY_CODE><IFORENAME>Asha</IFORENAME><ISURNAME>Patel</ISURNAME>"
    "<IEMAIL>a.patel@example.com</IEMAIL><ITEL>01629 000000</ITEL>"
)
LINE = "<STOCK_CODE>FELL</STOCK_CODE><ORDER_QTY>2</ORDER_QTY><PRICE_GRS>84.99</PRICE_GRS><IMPORT_REF>137</IMPORT_REF>"


def order(
    lines: str = f"<ORDER_ITEM>{LINE}</ORDER_ITEM>",
    ref: str = "LK10457",
    code: str = '<INTERNAL_REF TYPE_ID="1" TYPE_DESC="Sales Order">SO48213</INTERNAL_REF>',
    header: str = "<DELIVERY_GRS>4.95</DELIVERY_GRS>",
    currency: str = "GBP",
    address: str = ADDRESS,
) -> str:
    return (
        "<SALES_ORDER><CUSTOMER_DETAIL><COMPANY_CODE>PATEL0007</COMPANY_CODE><WEB_USER>a.patel@example.com</WEB_USER>"
        f"<ADDRESSES><INVADDR>{address}</INVADDR></ADDRESSES></CUSTOMER_DETAIL>"
        f"<ORDER_HEADER>{code}<ORDER_DATE>2025-11-03 10:22:05</ORDER_DATE>"
        f"<ORDER_CURRENCY_CODE>{currency}</ORDER_CURRENCY_CODE><ASSOCIATED_REF>{ref}</ASSOCIATED_REF>{header}"
        f"</ORDER_HEADER><ORDER_ITEMS>{lines}</ORDER_ITEMS></SALES_ORDER>"
    )


def read(*found: str) -> list[FullOrder]:
    return orders.read_orders(etree.fromstring(f"<SALES_ORDERS>{''.join(found)}</SALES_ORDERS>"))


NOTE_TYPE = '<INTERNAL_REF TYPE_ID="2" TYPE_DESC="Credit Note">CN1</INTERNAL_REF>'
TWO = f"<ORDER_ITEM>{LINE}</ORDER_ITEM>" * 2


def read_note(*found: str) -> NoteItems | None:
    return orders.read_note(etree.fromstring(f"<SALES_ORDERS>{''.join(found)}</SALES_ORDERS>"), "CN1")


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        ([order(code=NOTE_TYPE)], (("FELL", 2),)),
        ([order(TWO, code=NOTE_TYPE)], (("FELL", 4),)),
        ([order(TWO.replace(">2<", ">-2<"), code=NOTE_TYPE)], (("FELL", 4),)),
        ([order(code="<SORDER_CODE>CN1</SORDER_CODE>", ref="")], (("FELL", 2),)),
        ([order(code="")], (("FELL", 2),)),
        ([order(), order(code=NOTE_TYPE)], (("FELL", 2),)),
    ],
)
def test_the_goods_of_a_note_are_read_by_its_code(found: list[str], lines: tuple[tuple[str, int], ...]) -> None:
    assert read_note(*found) == NoteItems(lines, "PATEL0007")


@pytest.mark.parametrize("found", [[], [order()], [order("", code=NOTE_TYPE)]])
def test_a_note_that_is_not_shown_or_without_goods_is_none(found: list[str]) -> None:
    assert read_note(*found) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([order(code='<INTERNAL_REF TYPE_ID="1" TYPE_DESC="Sales Order">CN1</INTERNAL_REF>')], "a Sales Order"),
        ([order(code=NOTE_TYPE), order(code=NOTE_TYPE)], "two documents"),
        ([order(code=""), order(code="")], "2 documents, some without their codes, cannot be told apart"),
        ([order(code=NOTE_TYPE), order(code="")], "cannot be told apart"),
        ([order("<ORDER_ITEM><STOCK_CODE>A</STOCK_CODE></ORDER_ITEM>", code=NOTE_TYPE)], "ORDER_QTY"),
    ],
)
def test_what_cannot_be_the_note_is_an_error_that_names_it(found: list[str], words: str) -> None:
    with pytest.raises(PermanentError, match=f"Credit Note CN1: .*{words}"):
        read_note(*found)


def gross(line: str, currency: str = "GBP") -> int:
    head = "<STOCK_CODE>A</STOCK_CODE>"
    return read(order(f"<ORDER_ITEM>{head}{line}</ORDER_ITEM>", currency=currency))[0].order.lines[0].gross_pence


def test_an_order_is_read_with_its_lines() -> None:
    (found,) = read(order())
    assert found.order == SalesOrder(
        so_code="SO48213",
        associated_ref="LK10457",
        customer_code="PATEL0007",
        currency="GBP",
        ordered_on=date(2025, 11, 3),
        invoiced_on=None,
        is_cancelled=False,
        delivery_gross_pence=495,
        lines=(OrderLine(1, "FELL", 2, 16998, "1", "137"),),
    )


def test_the_party_is_name_and_address_and_nothing_else() -> None:
    (found,) = read(order())
    assert found.party == {
        "InvoiceAddress": {
            "Line1": "14 Quarry Lane",
            "Town": "Matlock",
            "Postcode": "DE4 3AA",
            "Country": {"Code": "GB"},
        },
        "InvoiceContact": {"Forename": "Asha", "Surname": "Patel"},
    }
    assert "Patel" not in repr(found)


def test_a_party_is_cut_to_the_lengths_of_the_contract() -> None:
    (found,) = read(order(address=f"<IADDRESS1>{'x' * 50}</IADDRESS1><ICOUNTRY_NAME>France</ICOUNTRY_NAME>"))
    assert found.party == {
        "InvoiceAddress": {"Line1": "x" * 35, "Country": {"Name": "France"}},
        "InvoiceContact": {},
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("<ORDER_QTY>3</ORDER_QTY><PRICE_GRS>24.99</PRICE_GRS><KSD_DISCOUNT>10</KSD_DISCOUNT>", 6747),
        ("<ORDER_QTY>3</ORDER_QTY><PRICE_NET>20.83</PRICE_NET><KSD_DISCOUNT>10</KSD_DISCOUNT>", 6749),
        ("<ORDER_QTY>1</ORDER_QTY><PRICE_NET>10.00</PRICE_NET><TAX_RATE>2</TAX_RATE>", 1000),
        ("<ORDER_QTY>1</ORDER_QTY><PRICE_NET>10.00</PRICE_NET><TAX_RATE>4</TAX_RATE>", 1050),
        ("<ORDER_QTY>2</ORDER_QTY><PRICE_NET>20.8333</PRICE_NET><TAX_RATE>1</TAX_RATE>", 5000),
        ("<ORDER_QTY>1</ORDER_QTY><PRICE_GRS>10.00</PRICE_GRS><TAX_RATE>7</TAX_RATE>", 1000),
        ("<ORDER_QTY>1</ORDER_QTY><PRICE_GRS>12</PRICE_GRS><PRICE_NET>10</PRICE_NET>", 1200),
        ("<ORDER_QTY>1</ORDER_QTY><PRICE_GRS>0</PRICE_GRS>", 0),
        ("<ORDER_QTY>2.0</ORDER_QTY><PRICE_GRS>5.00</PRICE_GRS><KSD_DISCOUNT>100</KSD_DISCOUNT>", 0),
        ("<ORDER_QTY>1</ORDER_QTY><PRICE_GRS>0.05</PRICE_GRS><KSD_DISCOUNT>50</KSD_DISCOUNT>", 2),
    ],
)
def test_a_line_is_worth_what_khaos_makes_of_it(line: str, expected: int) -> None:
    assert gross(line) == expected


def test_a_line_is_worked_in_the_decimals_of_its_currency() -> None:
    assert gross("<ORDER_QTY>3</ORDER_QTY><PRICE_GRS>333</PRICE_GRS><KSD_DISCOUNT>10</KSD_DISCOUNT>", "JPY") == 899


def test_the_discount_is_rounded_on_the_line_and_not_on_the_unit() -> None:
    assert orders.line_gross(Decimal("24.99"), Decimal(3), Decimal(10), "GBP") == 6747
    assert orders.line_gross(Decimal("0.99"), Decimal(10), Decimal("33.3"), "GBP") == 660


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("<DELIVERY_GRS>4.95</DELIVERY_GRS>", 495),
        ("<DELIVERY_NET>4.13</DELIVERY_NET><DELIVERY_TAX>0.82</DELIVERY_TAX>", 495),
        ("<DELIVERY_GRS>0</DELIVERY_GRS><DELIVERY_NET>5</DELIVERY_NET>", 0),
        ("<DELIVERY_GRS>-1</DELIVERY_GRS>", 0),
        ("<DELIVERY_GRS/>", 0),
        ("", 0),
    ],
)
def test_delivery_is_what_was_charged(header: str, expected: int) -> None:
    assert read(order(header=header))[0].order.delivery_gross_pence == expected


@pytest.mark.parametrize(
    "code",
    [
        "<INTERNAL_REF>SO48213</INTERNAL_REF>",
        "<SORDER_CODE>SO48213</SORDER_CODE><INTERNAL_REF>17</INTERNAL_REF>",
        "<FORCE_SORDER_CODE>SO48213</FORCE_SORDER_CODE>",
        '<INTERNAL_REF TYPE_ID="S">SO48213</INTERNAL_REF>',
        '<INTERNAL_REF TYPE_ID="99">SO48213</INTERNAL_REF>',
    ],
)
def test_the_code_of_an_order_may_stand_in_several_places(code: str) -> None:
    assert read(order(code=code))[0].order.so_code == "SO48213"


@pytest.mark.parametrize(
    "attributes", ['TYPE_ID="2"', 'TYPE_ID="C"', 'TYPE_DESC="Credit Note"', 'TYPE_ID="2" TYPE_DESC="Credit Note"']
)
def test_a_note_under_the_same_reference_is_no_order(attributes: str) -> None:
    note = order(code=f"<INTERNAL_REF {attributes}>CN1</INTERNAL_REF>")
    assert [found.order.so_code for found in read(note, order())] == ["SO48213"]


def test_two_orders_of_one_reference_both_come() -> None:
    second = order(code="<INTERNAL_REF>SO2</INTERNAL_REF>")
    assert [found.order.so_code for found in read(order(), second)] == ["SO48213", "SO2"]


@pytest.mark.parametrize("root", [None, etree.fromstring("<SALES_ORDERS/>")])
def test_no_order_is_an_empty_list(root: etree._Element | None) -> None:
    assert orders.read_orders(root) == []


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (order(code=""), "no Sales Order code"),
        (order(ref=""), "ASSOCIATED_REF is missing"),
        (order(currency=""), "ORDER_CURRENCY_CODE is missing"),
        (order("<ORDER_ITEM><STOCK_CODE>A</STOCK_CODE></ORDER_ITEM>"), "order SO48213: ORDER_QTY is missing"),
        (order("<ORDER_ITEM><STOCK_CODE>A</STOCK_CODE><ORDER_QTY>1</ORDER_QTY></ORDER_ITEM>"), "PRICE_GRS is missing"),
        (
            order(
                "<ORDER_ITEM><STOCK_CODE>A</STOCK_CODE><ORDER_QTY>0.5</ORDER_QTY><PRICE_GRS>1</PRICE_GRS></ORDER_ITEM>"
            ),
            "ORDER_QTY: '0.5'",
        ),
        (
            order(
                "<ORDER_ITEM><STOCK_CODE>A</STOCK_CODE><ORDER_QTY>1</ORDER_QTY><PRICE_NET>1</PRICE_NET>"
                "<TAX_RATE>9</TAX_RATE></ORDER_ITEM>"
            ),
            "percentage of code '9' is unknown",
        ),
    ],
)
def test_half_an_answer_is_refused(bad: str, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        read(order(), bad)
