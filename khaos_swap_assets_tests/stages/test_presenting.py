"""What an asset shows: an exact count, the newest rows, every kind of cell, and a picture with words beside it."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import dagster as dg
import pytest

from khaos_swap_assets.adapters.store import tables
from khaos_swap_assets.adapters.store.columns import TABLES
from khaos_swap_assets.stages.presenting import PREVIEWS, as_table, made_of, picture, table_metadata
from khaos_swap_assets_tests.stages.tables import rows_of
from khaos_swap_assets_tests.stages.town import NOON, Town, a_return, connect


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (7, 7),
        (True, True),
        (None, ""),
        ("text", "text"),
        (["a", "b"], "a, b"),
        ([], ""),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 12, 0, 1, 999_999, tzinfo=UTC), "2026-03-01 12:00"),
        (datetime(2026, 7, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2026-06-30 23:00"),
    ],
)
def test_every_kind_of_value_has_a_cell(value: object, shown: object) -> None:
    table = as_table([{"column": value}])
    assert isinstance(table, dg.TableMetadataValue)
    assert table.records[0].data == {"column": shown}


def test_an_empty_table_is_said_in_words() -> None:
    assert as_table([]) == dg.MetadataValue.text("no rows")


def levels(town: Town, count: int) -> dict[str, Any]:
    town.do(
        "INSERT INTO khaos.stock_levels (stock_code, site_id, available, observed_at, is_as_told) "
        "SELECT 'X' || lpad(n::text, 4, '0'), '1', n, %s + n * interval '1 s', false FROM generate_series(1, %s) n",
        NOON, count,
    )  # fmt: skip
    with connect(town) as conn:
        return dict(table_metadata(conn, "khaos.stock_levels", "observed_at"))


def test_a_table_shows_its_count_its_columns_and_its_newest_rows(town: Town) -> None:
    shown = levels(town, 60)
    assert shown["dagster/row_count"].value == 60
    columns = [column.name for column in shown["dagster/column_schema"].schema.columns]
    assert {"stock_code", "site_id", "available", "observed_at"} <= {*columns}
    rows = rows_of(shown["preview"])
    assert [row["stock_code"] for row in rows] == [f"X{number:04}" for number in range(60, 10, -1)]
    assert list(rows[0]) == ["stock_code", "available", "observed_at"]


@pytest.mark.parametrize("table", PREVIEWS)
def test_people_find_what_they_look_for_first_and_no_id_or_pence(town: Town, table: str) -> None:
    """An RMA, then pounds; every column is one of the table, and what is left out stands in the schema."""
    names = [column.rpartition("=")[2] for column in PREVIEWS[table].split()]
    with connect(town) as conn:
        known = {name for name, _ in tables.read(conn, table, next(name for name in names if name != "rma"), 1).columns}
    assert {*names} <= known | {"rma"}
    assert not [name for name in names if name.endswith(("_id", "_hash"))]
    assert [name == "rma" for name in names] == sorted((name == "rma" for name in names), reverse=True)
    assert all("currency" in known for name in names if name.endswith("_pence"))


def test_a_preview_says_the_rma_and_the_pounds(town: Town) -> None:
    town.sells_and_takes_back(a_return(1)).read()
    with connect(town) as conn:
        (line,) = rows_of(table_metadata(conn, "swap.return_lines", "return_id")["preview"])
    assert list(line.items())[:2] == [("rma", "RMA1"), ("cost", "£10.00")]


def test_a_column_is_shown_with_its_meaning(town: Town) -> None:
    with connect(town) as conn:
        shown = table_metadata(conn, "khaos.stock_levels", "observed_at")["dagster/column_schema"]
    assert isinstance(shown, dg.TableSchemaMetadataValue)
    told = {column.name: (column.type, column.description) for column in shown.schema.columns}
    assert told["available"] == ("integer", "Units available at the site")
    assert told["stock_code"] == ("text", "Stock Code in Khaos")


def test_an_empty_table_shows_zero(town: Town) -> None:
    shown = levels(town, 0)
    assert (shown["dagster/row_count"].value, shown["preview"].value) == (0, "no rows")


def test_the_legs_of_a_gap_are_one_sentence() -> None:
    row = {"currency": "GBP", "gap_goods_pence": -500, "gap_tax_pence": 0, "gap_pence": -417, "gap_fee_pence": 83}
    assert made_of(row) == "goods -£5.00; fee £0.83"


@pytest.mark.parametrize("rma", ["RMA1", "RMA-2026-01101", "R" * 99])
def test_the_heading_of_an_rma_is_as_wide_as_the_longest(rma: str) -> None:
    """In Dagster a heading does not wrap, and its characters are 6/7 as wide as those of a cell."""
    table = as_table([{"rma": rma}, {"rma": "R1"}])
    assert isinstance(table, dg.TableMetadataValue)
    (column,) = table.schema.columns
    assert (column.name.strip(), len(column.name) * 6 >= min(len(rma), 17) * 7) == ("rma", True)
    assert len(column.name) <= 20


def test_an_amount_below_zero_does_not_break_in_a_table() -> None:
    table = as_table([{"gap": "-£1.00", "on": "2026-03-10", "pence": -100}])
    assert isinstance(table, dg.TableMetadataValue)
    assert table.records[0].data == {"gap": "‑£1.00", "on": "2026-03-10", "pence": -100}


def test_a_picture_has_words_for_whoever_cannot_see_it() -> None:
    text = picture(b"png", "Credit Notes by day").value
    assert text == f"![Credit Notes by day](data:image/png;base64,{base64.b64encode(b'png').decode()})"


def test_rows_of_anybody_are_shown_for_people() -> None:
    """An RMA first, pounds in place of pence, no internal id; what has no currency stays a number."""
    (row,) = rows_of(
        as_table([{"return_id": "R1", "place": "here", "value_pence": 950, "currency": "EUR", "rma": "RMA1"}])
    )
    assert list(row.items()) == [("rma", "RMA1"), ("place", "here"), ("value", "€9.50")]
    assert rows_of(as_table([{"gap_pence": 5, "places": 2}])) == [{"gap_pence": 5, "places": 2}]


def test_every_table_that_an_asset_shows_has_its_columns_for_people() -> None:
    assert PREVIEWS.keys() == TABLES.keys()
