"""Cells of a history file: a type that says the same is read alike; what cannot be meant is told by row and reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from khaos_swap_assets.running.processes import free_port
from khaos_swap_assets.sandbox.history_file import HistoryError, HistoryLine, read
from khaos_swap_assets_tests.running import Call

END = datetime(2010, 7, 1)  # noqa: DTZ001
PLAIN: dict[str, Any] = {
    "Invoice": ["500001", "C500002"],
    "StockCode": ["85048", " 85048a"],
    "Description": ["Ball ", None],
    "Quantity": [12, -4],
    "InvoiceDate": [pd.Timestamp("2010-06-01 10:15"), pd.Timestamp("2010-06-02 09:00")],
    "Price": [2.55, 0.29],
    "CustomerID": pd.array([13085, None], dtype="Int32"),
    "Country": ["Eire", "Eire"],
}
EXPECTED = [
    HistoryLine("500001", "85048", "Ball", 12, datetime(2010, 6, 1, 10, 15), 3060, "13085", True),  # noqa: DTZ001
    HistoryLine("C500002", " 85048a", "", -4, datetime(2010, 6, 2, 9, 0), 116, "", True),  # noqa: DTZ001
]
Change = Callable[[pd.DataFrame], pd.DataFrame]


def lines_of(folder: Path, frame: pd.DataFrame) -> list[HistoryLine]:
    frame.to_parquet(folder / "history.parquet")
    return list(read(folder / "history.parquet", END))


def faults_of(folder: Path, **columns: Any) -> list[str]:
    with pytest.raises(HistoryError) as caught:
        lines_of(folder, pd.DataFrame({**PLAIN, **columns}))
    return [line.removeprefix(f"{folder / 'history.parquet'}: ") for line in str(caught.value).splitlines()]


def as_type(column: str, kind: str) -> Change:
    return lambda frame: frame.astype({column: kind})


def as_text(column: str) -> Change:
    return lambda frame: frame.assign(**{column: frame[column].map(str, na_action="ignore").astype(object)})


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame,
        lambda frame: frame[sorted(frame.columns)],
        lambda frame: frame.rename(columns={"CustomerID": "Customer ID", "Invoice": "invoice"}),
        lambda frame: frame.drop(columns="Country"),
        lambda frame: frame.set_index(pd.Index([7, 3], name="row")),
        as_type("CustomerID", "float64"),
        lambda frame: frame.assign(CustomerID=["13085", ""]),
        lambda frame: frame.assign(CustomerID=["13085.0", None]),
        lambda frame: frame.assign(CustomerID=pd.Categorical(["13085", None])),
        as_type("Quantity", "float64"),
        as_text("Quantity"),
        as_text("Price"),
        lambda frame: frame.assign(Price=[Decimal("2.55"), Decimal("0.29")]),
        lambda frame: frame.assign(Price=[-2.55, 0.29]),
        as_type("InvoiceDate", "datetime64[ns]"),
        as_type("InvoiceDate", "datetime64[s]"),
        as_text("InvoiceDate"),
        lambda frame: frame.assign(InvoiceDate=frame["InvoiceDate"].dt.tz_localize("Europe/London")),
        lambda frame: frame.assign(InvoiceDate=["2010-06-01T09:15:00Z", "2010-06-02T10:00+02:00"]),
        lambda frame: frame.assign(InvoiceDate=["2010-06-01T09:15:00Z", "2010-06-02 09:00"]),
        lambda frame: frame.assign(StockCode=pd.Categorical(frame["StockCode"])),
        lambda frame: frame.assign(Invoice=[" 500001", "C500002 "]),
        lambda frame: frame.iloc[::-1],
    ],
    ids=range(23),
)
def test_whatever_says_the_same_is_read_alike(tmp_path: Path, change: Change) -> None:
    assert lines_of(tmp_path, change(pd.DataFrame(PLAIN))) == EXPECTED


def test_codes_and_invoices_may_be_numbers(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, pd.DataFrame({**PLAIN, "Invoice": [500001, 500002], "StockCode": [85048.0, 22423.0]}))
    assert [(line.invoice, line.code) for line in lines] == [("500001", "85048"), ("500002", "22423")]


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("Quantity", 1.5, "'1.5' is no whole number"),
        ("Quantity", None, "the cell is empty"),
        ("Quantity", float("inf"), "'inf' is no whole number"),
        ("Price", "2,55", "'2,55' is no price"),
        ("Price", None, "the cell is empty"),
        ("Price", 1e12, "'1000000000000.0' is no price"),
        ("StockCode", None, "the cell is empty"),
        ("StockCode", "  ", "the cell is empty"),
        ("Invoice", None, "the cell is empty"),
        ("InvoiceDate", None, "the cell is empty"),
        ("InvoiceDate", "01/06/2010 10:15", "'01/06/2010 10:15' is no date and time; write 2010-10-31 09:15:00"),
        ("InvoiceDate", "2010-06", "'2010-06' is no date and time; write 2010-10-31 09:15:00"),
        ("InvoiceDate", "2010-06-31 10:00", "'2010-06-31 10:00' is no date and time; write 2010-10-31 09:15:00"),
    ],
)
def test_a_cell_that_cannot_be_meant_is_told(tmp_path: Path, column: str, cell: object, said: str) -> None:
    good = str(PLAIN[column][0]) if isinstance(cell, str) else PLAIN[column][0]
    assert faults_of(tmp_path, **{column: [good, cell]}) == [f"row 2, column {column}: {said}"]


def test_dates_that_are_bare_numbers_are_refused(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, InvoiceDate=[1275387300000, 1275469200000])
    assert [fault.partition(":")[0] for fault in faults] == ["row 1, column InvoiceDate", "row 2, column InvoiceDate"]


def test_of_many_bad_cells_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    frame = pd.concat([pd.DataFrame({**PLAIN, "Price": [None, None]})] * 4, ignore_index=True)
    faults = faults_of(tmp_path, **{str(name): frame[name] for name in frame})
    assert faults[:2] == ["row 1, column Price: the cell is empty", "row 2, column Price: the cell is empty"]
    assert faults[-1] == "and 3 more cells like these"
    assert len(faults) == 6


def test_a_bad_cell_after_the_month_stops_nobody(tmp_path: Path) -> None:
    dates = [pd.Timestamp("2010-06-01"), pd.Timestamp("2010-07-01")]
    lines = lines_of(tmp_path, pd.DataFrame({**PLAIN, "InvoiceDate": dates, "Price": [2.55, None]}))
    assert [line.invoice for line in lines] == ["500001"]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert lines_of(tmp_path, pd.DataFrame(PLAIN).iloc[:0]) == []


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="no column Price, CustomerID; there are Invoice, StockCode, Description,"):
        lines_of(tmp_path, pd.DataFrame(PLAIN).drop(columns=["Price", "CustomerID"]))


def test_the_command_says_it_before_anything_starts(tmp_path: Path, call: Call) -> None:
    pd.DataFrame({**PLAIN, "Quantity": [1.5, -4]}).to_parquet(tmp_path / "history.parquet")
    done = call("demo", "--once", "--history", "history.parquet", "--month", "2010-06")
    said = "khaos-swap: --history history.parquet: row 1, column Quantity: '1.5' is no whole number\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    alone = ("sandbox", "--gateway", "http://127.0.0.1:1", "--history", "history.parquet", "--month", "2010-06")
    done = call(*alone, "--port", str(free_port()))
    assert done.returncode == 2
    assert "row 1, column Quantity: '1.5' is no whole number" in done.stderr
    assert "Traceback" not in done.stderr
