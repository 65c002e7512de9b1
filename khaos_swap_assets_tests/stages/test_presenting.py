"""What an asset shows: an exact count, the newest rows, every kind of cell, and a picture with words beside it."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from khaos_swap_assets.stages.presenting import as_table, picture, table_metadata, without_empty
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
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01 12:00:00+00:00"),
        (datetime(2026, 3, 1, 12, 0, 1, 999_999, tzinfo=UTC), "2026-03-01 12:00:01+00:00"),
    ],
)
def test_every_kind_of_value_has_a_cell(value: object, shown: object) -> None:
    table = as_table([{"column": value}])
    assert isinstance(table, dg.TableMetadataValue)
    assert table.records[0].data == {"column": shown}


def test_an_empty_table_is_said_in_words() -> None:
    assert as_table([]) == dg.MetadataValue.text("no rows")


def orders(town: Town, count: int) -> dict[str, Any]:
    town.do(
        "INSERT INTO khaos.wanted_orders (order_ref, state, asked_at) "
        "SELECT 'X' || lpad(n::text, 4, '0'), 'waiting', %s + n * interval '1 second' FROM generate_series(1, %s) n",
        NOON, count,
    )  # fmt: skip
    with connect(town) as conn:
        return dict(table_metadata(conn, "khaos.wanted_orders", "asked_at"))


def test_a_table_shows_its_count_its_columns_and_its_newest_rows(town: Town) -> None:
    shown = orders(town, 60)
    assert shown["dagster/row_count"].value == 60
    columns = [column.name for column in shown["dagster/column_schema"].schema.columns]
    assert columns == ["order_ref", "state", "asked_at", "tried_at", "attempts", "error"]
    refs = [record.data["order_ref"] for record in shown["preview"].records]
    assert refs == [f"X{number:04}" for number in range(60, 10, -1)]


def test_a_column_is_shown_with_its_meaning(town: Town) -> None:
    with connect(town) as conn:
        shown = table_metadata(conn, "khaos.stock_levels", "observed_at")["dagster/column_schema"]
    assert isinstance(shown, dg.TableSchemaMetadataValue)
    told = {column.name: (column.type, column.description) for column in shown.schema.columns}
    assert told["available"] == ("integer", "Units available at the site")
    assert told["stock_code"] == ("text", "Stock Code in Khaos")


def test_an_empty_table_shows_zero(town: Town) -> None:
    shown = orders(town, 0)
    assert (shown["dagster/row_count"].value, shown["preview"].value) == (0, "no rows")


def test_sealed_and_raw_columns_are_not_shown(town: Town) -> None:
    town.sells_and_takes_back(a_return(1)).read()
    with connect(town) as conn:
        for table, hidden in (("khaos.sales_orders", "party_sealed"), ("swap.returns", "raw")):
            preview = table_metadata(conn, table, "seen_at" if "orders" in table else "changed_at")["preview"]
            assert isinstance(preview, dg.TableMetadataValue)
            assert hidden not in preview.records[0].data


def test_columns_that_may_be_hidden_are_where_nothing_is_in_them() -> None:
    rows = [{"a": 0, "b": 0, "c": ""}, {"a": 0, "b": 5, "c": "x"}]
    assert without_empty(rows, ["a", "b"]) == [{"b": 0, "c": ""}, {"b": 5, "c": "x"}]
    assert without_empty([], ["a"]) == []


def test_an_amount_below_zero_does_not_break_in_a_table() -> None:
    table = as_table([{"gap": "-£1.00", "on": "2026-03-10", "pence": -100}])
    assert isinstance(table, dg.TableMetadataValue)
    assert table.records[0].data == {"gap": "‑£1.00", "on": "2026-03-10", "pence": -100}


def test_a_picture_has_words_for_whoever_cannot_see_it() -> None:
    text = picture(b"png", "Credit Notes by day").value
    assert text == f"![Credit Notes by day](data:image/png;base64,{base64.b64encode(b'png').decode()})"
