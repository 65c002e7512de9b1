"""A large text in which nothing is odd gives the same table as columns as it does record by record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files import documents, layouts, plain_columns, plain_rows, reading
from khaos_swap_assets.adapters.files.columns import Columns, pairs_of, values_of
from khaos_swap_assets.adapters.files.tables import Layout
from khaos_swap_assets_tests.adapters.files.test_plain_rows import ODD, ORDERS, PAID, REFUNDS, SOUND, told

MORE = [
    *(
        '"A1","SO1",C1,GBP,HAT,3,1.00,20,"a, b"',
        'A1,SO1,C1,GBP,HAT,2.0,1,20,"say ""so"""',
        "A1 ,SO1,C1,GBP,HAT,1,1,20,",
    ),
    *('A1,SO1,C1,GBP,HAT,1,1,20,"two\nlines"', "A1,SO1,C1,gbp,HAT,1,1,20,", "A1,SO1,C1,GBP,HAT,1,1,20,\r"),
    *("A1,SO9,C1,GBP,HAT,1,1,20,", "A1,SO1,C1,GBP,HAT,99999999,9999999,20,", 'A1,SO1,C1,GBP,"HAT,1,1,20,'),
]
SAID_TWICE = "order_ref,so_code,currency,stock_code,quantity,unit_price_gross,discount_gross,delivery_gross,ordered_at"


@pytest.fixture(autouse=True)
def all_are_large() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_columns, "LARGE", 1)
        yield


def record_by_record(file: Path, layout: Layout[Any]) -> list[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_columns, "LARGE", 2**62)
        patch.setattr(plain_rows.PlainRows, "values_of", lambda _, records: None)
        return told(reading.read_table(file, layout))


def written(folder: Path, *lines: str) -> Path:
    file = folder / "table.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return file


@pytest.mark.parametrize(
    ("layout", "header", "sound"), [(layouts.SALES_ORDERS, ORDERS, SOUND), (layouts.REFUNDS, REFUNDS, PAID)]
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(odd=st.lists(st.sampled_from(ODD + MORE), max_size=2), places=st.lists(st.integers(0, 2), max_size=12))
def test_a_table_is_the_same_as_columns_as_record_by_record(
    tmp_path: Path, layout: Layout[Any], header: str, sound: Sequence[str], odd: list[str], places: list[int]
) -> None:
    file = written(tmp_path, header, *sound, *odd, *(sound[at] for at in places))
    assert told(reading.read_table(file, layout)) == record_by_record(file, layout)


@pytest.mark.parametrize(
    "line",
    [
        "A1,,GBP,HAT,1,5.00,5.01,,",
        "A1,,GBP,HAT,1,5.00,,2.00,",
        "A1,,EUR,HAT,1,5.00,,,",
        "A1,,GBP,HAT,9999999,999999,,,",
    ],
)
def test_what_speaks_against_the_lines_before_it_is_seen_in_columns_too(tmp_path: Path, line: str) -> None:
    file = written(tmp_path, SAID_TWICE, "A1,SO1,GBP,HAT,1,5.00,,1.00,2026-05-01", line)
    found = reading.read_table(file, layouts.SALES_ORDERS)
    assert not isinstance(found.rows, Columns)
    assert found.rejected == 1
    assert told(found) == record_by_record(file, layouts.SALES_ORDERS)


def test_rows_are_made_when_they_are_asked_for_and_say_the_same_as_all_of_them(tmp_path: Path) -> None:
    lines = [
        "A2,SO2,GBP,HAT,2,7.50,0.50,,",
        "A1,,GBP,CAP,1,5,,1.00,2026-05-01",
        "A2,SO3,GBP,HAT,2.0,7.50,,3.10,2026-06-01",
    ]
    columns = reading.read_table(written(tmp_path, SAID_TWICE, *lines), layouts.SALES_ORDERS).rows
    assert isinstance(columns, Columns)
    rows = list(columns)
    assert [row.line for row in rows] == [2, 3, 4]
    assert (columns[1], columns[-1], columns[:2]) == (rows[1], rows[2], rows[:2])
    by_order = documents.by_order(columns)
    assert dict(by_order.items()) == dict(documents.by_order(rows))
    assert list(by_order) == ["A2", "A1"]
    assert by_order.get("A3") is None
    assert list(documents.order_sums(columns)) == list(documents.order_sums(rows))
    assert pairs_of(columns, "order_ref", "so_code") == pairs_of(rows, "order_ref", "so_code")
    assert set(values_of(columns, "delivery_pence")) == set(values_of(rows, "delivery_pence"))
