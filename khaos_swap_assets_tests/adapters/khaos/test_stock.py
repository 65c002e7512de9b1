from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos import stock
from khaos_swap_assets.adapters.khaos.envelope import Value
from khaos_swap_assets.adapters.khaos.records import StockLevel
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault
from khaos_swap_assets.domain.records.stock_codes import StockCode

PARENT = """<STOCK_ITEMS><STOCK_ITEM>
  <STOCK_CODE>FELL-JKT</STOCK_CODE><STOCK_ID>7741</STOCK_ID><ASSOCIATED_REF/>
  <STOCK_DESC><![CDATA[Fell Waterproof Jacket]]></STOCK_DESC>
  <SELL_PRICE IS_NET="0">84.99</SELL_PRICE><VAT_RATE>20</VAT_RATE><DISCONTINUED>-1</DISCONTINUED>
  <STOCK_CONTROLLED>0</STOCK_CONTROLLED>
  <SCS><HEADING LEVEL="1">Colour</HEADING>
    <STYLE><DESCRIPTION>Moss</DESCRIPTION>
      <STYLE><DESCRIPTION>Medium</DESCRIPTION>
        <SCS_ITEM><STOCK_CODE>FELL-JKT-MOS-M</STOCK_CODE><STOCK_ID>7744</STOCK_ID>
          <DESCRIPTION>Fell Waterproof Jacket Moss M</DESCRIPTION><STOCK_CONTROLLED>-1</STOCK_CONTROLLED>
          <DISCONTINUED>0</DISCONTINUED><BARCODES><BARCODE DESC="EAN">5060000077446</BARCODE></BARCODES></SCS_ITEM>
      </STYLE>
      <STYLE><SCS_ITEM><STOCK_CODE>FELL-JKT-MOS-L</STOCK_CODE><STOCK_ID>7745</STOCK_ID></SCS_ITEM></STYLE>
    </STYLE></SCS>
</STOCK_ITEM></STOCK_ITEMS>"""
FULL = """<STOCK_ITEM><STOCK_CODE> GIFT-01 </STOCK_CODE><STOCK_ID>9</STOCK_ID><ASSOCIATED_REF>G1</ASSOCIATED_REF>
  <STOCK_DESC>Gift box</STOCK_DESC><ICN_CODE>?</ICN_CODE><PURCHASE_MULTIPLE><X>1</X></PURCHASE_MULTIPLE>
  <BARCODES><BARCODE DESC="EAN">501</BARCODE><BARCODE>502</BARCODE><BARCODE>501</BARCODE><BARCODE/></BARCODES>
  <LINKED_ITEMS>
    <LINK_ITEM><STOCK_CODE>SOAP</STOCK_CODE><LINK_TYPE>3</LINK_TYPE><LINK_VALUE>2.0</LINK_VALUE></LINK_ITEM>
    <LINK_ITEM><STOCK_CODE>CARD</STOCK_CODE><LINK_TYPE>1</LINK_TYPE><LINK_VALUE>9.99</LINK_VALUE></LINK_ITEM>
    <LINK_ITEM><STOCK_CODE>BOX</STOCK_CODE><LINK_TYPE>3</LINK_TYPE><LINK_VALUE>1</LINK_VALUE></LINK_ITEM>
  </LINKED_ITEMS></STOCK_ITEM>"""


def items(*rows: str) -> etree._Element:
    return etree.fromstring(f"<STOCK_ITEMS>{''.join(rows)}</STOCK_ITEMS>")


def test_children_stand_beside_their_parent_and_inherit() -> None:
    rows, faults = stock.read_stock(etree.fromstring(PARENT))
    assert faults == []
    assert [row.sell_pence for row in rows[:1]] == [8499]
    assert [replace(row, sell_pence=None) for row in rows] == [
        StockCode(
            "FELL-JKT",
            "7741",
            "Fell Waterproof Jacket",
            is_discontinued=True,
            is_stock_controlled=False,
            variants=("FELL-JKT-MOS-M", "FELL-JKT-MOS-L"),
        ),
        StockCode("FELL-JKT-MOS-M", "7744", "Fell Waterproof Jacket Moss M", barcodes=("5060000077446",)),
        StockCode("FELL-JKT-MOS-L", "7745", is_discontinued=True),
    ]


@pytest.mark.parametrize(
    ("parent", "own", "pence"),
    [
        ('IS_NET="-1"', "", (12000, 10000)),
        ('IS_NET="0"', "", (10000, 8333)),
        ("", "", (10000, 8333)),
        ('IS_NET="-1"', ' IS_NET="0"', (10000, 8333)),
        ('IS_NET="0"', ' IS_NET="-1"', (12000, 10000)),
    ],
)
def test_a_variant_is_priced_net_where_its_parent_is_and_says_nothing_else(
    parent: str, own: str, pence: tuple[int, int]
) -> None:
    leaf = "".join(f"<{tag}{own}>100.00</{tag}>" for tag in ("SELL_PRICE", "BUY_PRICE"))
    (_, child), faults = stock.read_stock(
        items(
            f"<STOCK_ITEM><STOCK_CODE>P</STOCK_CODE><STOCK_ID>1</STOCK_ID><SELL_PRICE {parent}>1</SELL_PRICE>"
            f"<BUY_PRICE {parent}>1</BUY_PRICE><VAT_RATE>20</VAT_RATE><RUN_TO_ZERO>-1</RUN_TO_ZERO><SCS><STYLE>"
            f"<SCS_ITEM><STOCK_CODE>C</STOCK_CODE><STOCK_ID>2</STOCK_ID>{leaf}</SCS_ITEM></STYLE></SCS></STOCK_ITEM>"
        )
    )
    assert (faults, (child.sell_pence, child.buy_pence), child.is_run_to_zero) == ([], pence, True)


def test_an_item_is_read_with_all_that_a_match_needs() -> None:
    (row,), _ = stock.read_stock(items(FULL))
    assert row == StockCode(
        " GIFT-01 ", "9", "Gift box", "G1", ("501", "502"), pack_components=(("SOAP", 2), ("BOX", 1))
    )


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("<STOCK_ITEM><STOCK_ID>5</STOCK_ID></STOCK_ITEM>", KhaosRowFault("5", "STOCK_CODE is missing")),
        ("<STOCK_ITEM><STOCK_CODE>A</STOCK_CODE></STOCK_ITEM>", KhaosRowFault("A", "STOCK_ID is missing")),
        (
            "<STOCK_ITEM><STOCK_CODE>A</STOCK_CODE><STOCK_ID>5</STOCK_ID><DISCONTINUED>maybe</DISCONTINUED></STOCK_ITEM>",
            KhaosRowFault("A", "DISCONTINUED: 'maybe' is neither true nor false"),
        ),
        (
            "<STOCK_ITEM><STOCK_CODE>A</STOCK_CODE><STOCK_ID>5</STOCK_ID><LINKED_ITEMS><LINK_ITEM><STOCK_CODE>B"
            "</STOCK_CODE><LINK_TYPE>3</LINK_TYPE><LINK_VALUE>0.5</LINK_VALUE></LINK_ITEM></LINKED_ITEMS></STOCK_ITEM>",
            KhaosRowFault("A", "LINK_VALUE: '0.5' is no whole number of units"),
        ),
    ],
)
def test_a_bad_item_loses_only_itself(row: str, fault: KhaosRowFault) -> None:
    rows, faults = stock.read_stock(items(row, FULL))
    assert [found.stock_code for found in rows] == [" GIFT-01 "]
    assert faults == [fault]


def test_a_blank_answer_has_no_items() -> None:
    assert stock.read_stock(None) == ([], [])
    assert stock.read_levels(None, 1) == ([], [])


def test_a_code_that_comes_twice_counts_once() -> None:
    child = "<STOCK_ITEM><STOCK_CODE>FELL-JKT-MOS-L</STOCK_CODE><STOCK_ID>7745</STOCK_ID></STOCK_ITEM>"
    both = etree.fromstring(PARENT.replace("</STOCK_ITEMS>", f"{child}</STOCK_ITEMS>"))
    assert len(stock.read_stock(both)[0]) == 3


def level(code: str, found: str, status: str = "0") -> str:
    return f'<STOCK_ITEM CODE="{code}" ID="7"><LEVEL>{found}</LEVEL><STATUS>{status}</STATUS><NEW/></STOCK_ITEM>'


def test_levels_are_whole_units_of_controlled_items() -> None:
    root = etree.fromstring(
        '<STOCK_STATUS SITE="Main">'
        + level("A", "14")
        + level("B", "-2.0", "2")
        + level("C", "", "5")
        + level("D", "1.5")
        + level("E", "")
        + level("F", "0", "4")
        + "</STOCK_STATUS>"
    )
    rows, faults = stock.read_levels(root, 9)
    assert rows == [StockLevel("A", 9, 14), StockLevel("B", 9, -2), StockLevel("F", 9, 0)]
    assert [(fault.subject, fault.reason) for fault in faults] == [
        ("D", "LEVEL: '1.5' is no whole number of units"),
        ("E", "LEVEL is missing"),
    ]


def test_changed_codes_come_once_and_as_they_are() -> None:
    rows: list[Value] = [{"StockCode": code} for code in ("A ", "B", "A", "B", "", " ")]
    assert stock.changed_codes({"Count": "6", "List": rows}) == ["A ", "B", "A"]


def test_a_space_at_the_end_makes_another_code() -> None:
    rows, faults = stock.read_stock(
        items(
            *(
                f"<STOCK_ITEM><STOCK_CODE>{code}</STOCK_CODE><STOCK_ID>{number}</STOCK_ID></STOCK_ITEM>"
                for number, code in enumerate(("47503J", "47503J ", "\n  47503K", " "))
            )
        )
    )
    assert [row.stock_code for row in rows] == ["47503J", "47503J ", "  47503K"]
    assert [fault.reason for fault in faults] == ["STOCK_CODE is missing"]
    levels, _ = stock.read_levels(etree.fromstring("<STOCK_STATUS>" + level("47503J ", "3") + "</STOCK_STATUS>"), 1)
    assert levels == [StockLevel("47503J ", 1, 3)]


@pytest.mark.parametrize("empty", [{"Count": "0", "List": []}, {"Count": "0", "List": ""}, [], ""])
def test_no_changed_code_is_an_empty_list(empty: Value) -> None:
    assert stock.changed_codes(empty) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [({"Count": "3", "List": [{"StockCode": "A"}]}, "says 3 rows and holds 1"), ("surprise", "holds no list")],
)
def test_a_list_that_is_not_what_it_says_is_refused(value: Value, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        stock.changed_codes(value)


def test_sites_by_id() -> None:
    rows: Value = {"List": [{"SiteID": "1", "SiteName": "Main"}, {"SiteID": "9"}]}
    assert stock.sites(rows) == {1: "Main", 9: ""}
    with pytest.raises(PermanentError, match="usable id"):
        stock.sites({"List": [{"SiteID": "x"}]})
