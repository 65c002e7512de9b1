"""The returns file in its three forms, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.files.tables import Table
from khaos_swap_assets.audit.return_rows import ReturnRow
from khaos_swap_assets.audit.returns_file import read_returns


def returned(number: int, **more: Any) -> dict[str, Any]:
    row = {
        "return_id": f"ret_{number}",
        "rma_number": f"RMA{number}",
        "store_id": "st",
        "return_status": "Closed",
        "customer_currency": "GBP",
        "total_refund_value_customer_currency": 12.5,
        "date_closed": "2026-03-02",
        "products": [],
    }
    return {**row, **more}


def read(tmp_path: Path, content: str | bytes) -> Table[ReturnRow]:
    path = tmp_path / "returns.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_returns(path)
    assert not table.is_whole or len(table.rows) + table.rejected + table.no_data.total() == table.given
    return table


TWO = [returned(1), returned(2)]
FORMS = [
    ("\n".join(map(json.dumps, TWO)), [1, 2]),
    ("\r\n\n".join(map(json.dumps, TWO)), [1, 3]),
    (json.dumps(TWO), [1, 1]),
    (json.dumps(TWO, indent=0), [2, 12]),
    (json.dumps({"returns": TWO, "version": 2}), [1, 1]),
    (json.dumps({"version": 2, "returns": TWO, "pagination": {"page": 1}}, indent=0), [4, 14]),
    ("\n".join(json.dumps({"returns": [one]}) for one in TWO), [1, 2]),
    ("\ufeff" + json.dumps(TWO), [1, 1]),
]


@pytest.mark.parametrize(("content", "lines"), FORMS)
def test_forms(tmp_path: Path, content: str, lines: list[int]) -> None:
    table = read(tmp_path, content)
    assert [row.record.rma for row in table.rows] == ["RMA1", "RMA2"]
    assert ([row.line for row in table.rows], list(table.faults)) == (lines, [])
    assert table.rows[0].record.refund_pence == 1250


def test_one_object_is_one_return(tmp_path: Path) -> None:
    assert [row.line for row in read(tmp_path, "\n" + json.dumps(returned(1), indent=1)).rows] == [2]


def test_no_return_at_all_is_an_answer_and_an_empty_file_is_none(tmp_path: Path) -> None:
    assert (read(tmp_path, "[]").given, read(tmp_path, '{"returns": []}').given) == (0, 0)
    assert not read(tmp_path, " \n").is_whole


BROKEN = [
    (json.dumps(TWO[0]) + "\n{broken\n" + json.dumps(TWO[1]), 2, [2]),
    (json.dumps(TWO, indent=0)[:-20], 1, [12, 13, 14, 15, 16, 17, 18, 19]),
    (json.dumps({"returns": TWO}, indent=0)[:-40], 1, None),
    (json.dumps(TWO) + "\nand more", 2, [2]),
    ("[1, " + json.dumps(TWO[0]) + ", null]", 1, [1, 1]),
    ("[" * 100_000, 0, [1]),
    ('{"a":' * 100_000, 0, [1]),
    ('{"a": ' + "9" * 5000 + "}", 0, [1]),
    (json.dumps(TWO[0]) + "\n\u2028\n \t\n", 1, [2]),
    ("[" + json.dumps(TWO[0]) + json.dumps(TWO[1]) + "]", 1, [1]),
]


@pytest.mark.parametrize(("content", "good", "lines"), BROKEN)
def test_broken_json(tmp_path: Path, content: str, good: int, lines: list[int] | None) -> None:
    table = read(tmp_path, content)
    assert len(table.rows) == good
    assert table.rejected > 0
    assert lines is None or [fault.line for fault in table.faults] == lines


BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"return_id": None}, "return_id", ""),
    ({"total_refund_value_customer_currency": "NaN"}, "total_refund_value_customer_currency", "NaN"),
    ({"total_refund_value_customer_currency": -1}, "total_refund_value_customer_currency", ""),
    ({"total_refund_value_customer_currency": 1.234}, "total_refund_value_customer_currency", "1.234"),
    ({"date_closed": "0001-01-01"}, "date_closed", "0001-01-01"),
    ({"rma_number": "x" * 300}, "rma_number", "x" * 300),
    ({"products": None}, "products", ""),
    ({"products": ["x"]}, "products[0]", ""),
    ({"customer_currency": "pounds"}, "customer_currency", "pounds"),
    ({"rma_number": "a\ud800"}, "rma_number", "a\ufffd"),
]


@pytest.mark.parametrize(("change", "column", "value"), BAD_FIELDS)
def test_bad_fields(tmp_path: Path, change: dict[str, Any], column: str, value: str) -> None:
    table = read(tmp_path, json.dumps(returned(1, **change)))
    assert (table.rows, table.rejected) == ([], 1)
    assert column in [fault.column for fault in table.faults]
    assert not value or value in [fault.value for fault in table.faults]


def test_all_faults_of_a_line_are_told_with_the_value_once(tmp_path: Path) -> None:
    product = {"product_id": "p", "item_count": 0, "cost": "x", "currency": "GBP", "return_type": "Refund"}
    table = read(tmp_path, json.dumps(returned(1, products=[product])))
    told = sorted(str(fault).partition("column ")[2] for fault in table.faults)
    assert told == [
        "products[0].cost: 'x' is no amount of money",
        "products[0].item_count: '0' is no whole number of units, at least 1",
    ]


def test_a_return_comes_once_from_whatever_store(tmp_path: Path) -> None:
    rows = [
        returned(1),
        returned(1),
        returned(2, store_id="other"),
        returned(3, store_id=7),
        returned(4, store_id=None),
    ]
    table = read(tmp_path, json.dumps(rows))
    assert [row.record.store_id for row in table.rows] == ["st", "other", "7", ""]
    assert [(fault.column, fault.reason) for fault in table.faults] == [("return_id", "stands already on line 1")]


NEGATIVE = [
    ({"total_refund_value_customer_currency": -1}, "total_refund_value_customer_currency"),
    ({"handling_fee": -2.95}, "handling_fee"),
    ({"total_store_credit_value_customer_currency": "-1"}, "total_store_credit_value_customer_currency"),
    ({"total_additional_payment": -3}, "total_additional_payment"),
    (
        {"products": [{"product_id": "p", "item_count": 1, "cost": -4, "currency": "GBP", "return_type": "Refund"}]},
        "products[0].cost",
    ),
]


@pytest.mark.parametrize(("change", "column"), NEGATIVE)
def test_negative_amounts_are_bad_input(tmp_path: Path, change: dict[str, Any], column: str) -> None:
    table = read(tmp_path, json.dumps([returned(1, **change)]))
    assert [(fault.column, fault.reason) for fault in table.faults] == [
        (column, "is negative: amounts are written positive")
    ]


def test_the_environment_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHAOS_SWAP_SWAP_STORE_ID", "another")
    monkeypatch.setenv("KHAOS_SWAP_SWAP_COST_BASIS", "nonsense")
    assert len(read(tmp_path, json.dumps(TWO)).rows) == 2


TABLES = [
    ("RMA Number,Order Number,Status,Refund Value\nRMA1,#A1,Closed,12.00\n", "no refund has a month"),
    ("garbage\nmore", "as the API gives them"),
]


@pytest.mark.parametrize(("content", "told"), TABLES)
def test_what_is_neither_objects_nor_a_whole_table_is_told_with_what_is_needed(
    tmp_path: Path, content: str, told: str
) -> None:
    table = read(tmp_path, content)
    assert not table.is_whole
    assert any(told in str(kind) for kind in table.kinds)


DASHBOARD = (
    "Order #,Created Date,Type,Shipping Status,Status,Total,Customer,Email,Processed By,Quality Control,Delivered Date"
)


def test_the_table_of_the_dashboard_is_read_as_header_totals_and_says_so(tmp_path: Path) -> None:
    rows = "#A1,20/02/2026,Refund,Delivered,Closed,£12.00,P N,p@x.example,Jo,Approved,28/02/2026\n"
    rows += "#A2,21/02/2026,Refund,Delivered,Open,£15.00,P N,p@x.example,Jo,Pending,\n"
    table = read(tmp_path, DASHBOARD + "\n" + rows)
    assert [str(kind) for kind in table.kinds] == []
    assert [(row.record.rma, row.record.refund_pence, row.record.lines) for row in table.rows] == [
        ("#A1", 1200, ()),
        ("#A2", 1500, ()),
    ]
    assert any("no lines" in one for one in table.notices)


def test_lines_of_one_return_are_one_return(tmp_path: Path) -> None:
    head = "rma_number,shopify_order_name,return_status,total_refund_value_customer_currency,date_closed,sku,cost\n"
    body = "RMA1,#A1,Closed,24.00,2026-03-02,MUG,12.00\nRMA1,#A1,Closed,24.00,2026-03-02,TRAY,12.00\n"
    table = read(tmp_path, head + body)
    assert [[line.sku for line in row.record.lines] for row in table.rows] == [["MUG", "TRAY"]]
    assert len(table.rows) + table.rejected + table.no_data.total() == table.given == 2


V1 = {
    "return_id": "r1",
    "rma": "RMA1",
    "order_name": "#A1",
    "return_status": "Closed",
    "processed": "2026-03-02T15:00:00Z",
    "customer_currency": "GBP",
    "total_refund_value_customer_currency": 12,
    "products": [],
}
HOOK = {"jwt": "x", "return": {**V1, "status": "Closed", "shipping_status": "Delivered"}}


@pytest.mark.parametrize("content", [json.dumps({"orders": [V1], "version": 1}), json.dumps(HOOK), json.dumps([V1])])
def test_version_1_and_webhooks_read_like_version_2(tmp_path: Path, content: str) -> None:
    (row,) = read(tmp_path, content).rows
    assert (row.record.rma, row.record.order_name, row.record.refunded_at is not None) == ("RMA1", "#A1", True)


def test_what_is_wrong_is_told_under_the_name_that_the_file_has(tmp_path: Path) -> None:
    table = read(tmp_path, json.dumps([{**V1, "rma": ""}, {**V1, "date_closed": "99 Foo"}]))
    assert [kind.examples[0].column for kind in table.kinds] == ["rma", "date_closed"]


def test_of_one_return_read_twice_the_newer_counts(tmp_path: Path) -> None:
    older = {**V1, "return_status": "Open", "date_updated": "2026-02-28T10:00:00Z"}
    newer = {**V1, "date_updated": "2026-03-02T15:00:00Z"}
    for pair in ([older, newer], [newer, older], [newer, newer]):
        table = read(tmp_path, json.dumps(pair))
        assert [row.record.status for row in table.rows] == ["Closed"]
        assert (table.rejected, table.no_data.total()) == (0, 1)
    undated = read(tmp_path, json.dumps([V1, {**V1, "return_status": "Open"}]))
    assert "stands already" in str(undated.kinds[0])
