"""A stretch of records in which nothing is odd gives the same table at once as record by record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files import layouts, plain_rows, reading
from khaos_swap_assets.adapters.files.tables import Layout, Table

ORDERS = "order_ref,so_code,customer_ref,currency,stock_code,quantity,unit_price_gross,vat_rate,note"
REFUNDS = "refund_id,order_ref,amount,gateway,kind"
SOUND = ["A1,SO1,C1,GBP,HAT,2,10.00,20,", "A1,SO1,C1,GBP,CAP,1,5,0,gift", "A2,SO2,C2,EUR,HAT,1,7.50,20,"]
PAID = ["R1,A1,10.00,shopify,refund", "R2,A2,5.00,klarna,", "R3,A3,7.50,shopify,sale"]
ODD = [
    *(
        "",
        ",,,,,,,,",
        ORDERS,
        REFUNDS,
        "Total,,,,,4,22.50,,",
        ",,,,,4,22.50,,",
        "Totals:,,22.50,,",
        ",,,,CAP,1,3.00,20,",
    ),
    *(
        "A1,SO1,C1,,HAT,1,4.00,20,",
        "A3,SO3,C3,GBP,HAT,1,£4.00,20,",
        "A3,SO3,C3,GBP,HAT,x,4.00,20,",
        "A3,SO3,C3,GBP,HAT",
    ),
    *("A1,SO1,C1,USD,HAT,1,4.00,20,", 'A3,"SO3', "A3,SO3,C3,GBP,Total,1,4.00,20,", "A4,SO4,C4,XXQ,HAT,1,1.00,20,"),
    *("Goods sent back in May 2026,,,,,,,,", "R1,A1,1.00,shopify,refund", "R9,A9,-1.00,shopify,refund"),
    *("A5,SO5,C5,GBP,order_ref,1,4.00,20,", "A5,SO5,C5,GBP,HAT,1,1.234,20,", 'A5,"S\nO",C5,GBP,HAT,1,4.00,20,'),
]


def told(table: Table[Any]) -> list[Any]:
    """Everything that a table says."""
    faults = [(one.line, one.column, one.value, one.reason, one.record) for one in table.faults]
    counts = (table.given, table.rejected, table.continued, dict(table.no_data), dict(table.torn))
    return [list(table.rows), faults, counts, table.notices, table.signs, table.reading]


@pytest.mark.parametrize(
    ("layout", "header", "sound"), [(layouts.SALES_ORDERS, ORDERS, SOUND), (layouts.REFUNDS, REFUNDS, PAID)]
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    parts=st.lists(st.tuples(st.booleans(), st.integers(0, len(ODD) - 1)), max_size=24),
    stretch=st.sampled_from([1, 2, 7]),
)
def test_a_table_is_the_same_in_stretches_as_record_by_record(
    tmp_path: Path, layout: Layout[Any], header: str, sound: Sequence[str], parts: list[tuple[bool, int]], stretch: int
) -> None:
    lines = [ODD[at] if is_odd else sound[at % len(sound)] for is_odd, at in parts]
    file = tmp_path / "table.csv"
    file.write_text("\n".join([header, *sound, *lines]) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "STRETCH", stretch)
        at_once = told(reading.read_table(file, layout))
        patch.setattr(plain_rows.PlainRows, "values_of", lambda _, records: None)
        assert at_once == told(reading.read_table(file, layout))


def test_sound_records_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("khaos_swap_assets.adapters.files.rows.RowReader.take", None)
    file = tmp_path / "orders.csv"
    file.write_text("\n".join([ORDERS, *SOUND]), encoding="utf-8")
    assert len(reading.read_table(file, layouts.SALES_ORDERS).rows) == len(SOUND)


def test_what_stands_once_each_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_rows, "MOST_KNOWN", 3)
    monkeypatch.setattr(reading, "STRETCH", 2)
    file = tmp_path / "refunds.csv"
    file.write_text("\n".join([REFUNDS, *(f"R{n},A{n},{n}.00,shopify,refund" for n in range(1, 12))]), encoding="utf-8")
    assert [row.amount_pence for row in reading.read_table(file, layouts.REFUNDS).rows] == [
        n * 100 for n in range(1, 12)
    ]
