"""Rows become orders and notes, whatever their order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files.documents import (
    by_order,
    notes,
    sales_orders,
    stock_codes,
)
from khaos_swap_assets.adapters.files.layouts import NoteRow, OrderRow, StockCodeRow

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 11, 12, tzinfo=UTC)


def sold(**changes: Any) -> OrderRow:
    """Two ABC at £10.00 each of order LX1."""
    plain = OrderRow(2, "LX1", "", "", None, "GBP", "", "ABC", 2, 1000, None, 0, None, None)
    return plain._replace(**changes)


def noted(code: str = "CN1", **changes: Any) -> NoteRow:
    """One ABC of £12.00 gross, £10.00 net."""
    return NoteRow(2, code, "RMA1", "LX1", "C1", None, "GBP", "ABC", 1, 1200, 1000, None)._replace(**changes)


def test_a_catalogue_keeps_what_matching_needs() -> None:
    plain = StockCodeRow(2, "ABC ", "17", "Coat", "OTHER", "", False, ())
    pack = plain._replace(stock_code="SET", barcode="50123", is_discontinued=True, pack_components=(("ABC ", 2),))
    one, other = stock_codes([plain, pack])
    assert (one.stock_code, one.barcodes, one.is_discontinued) == ("ABC ", (), False)
    assert (other.barcodes, other.is_discontinued, other.pack_components) == (("50123",), True, (("ABC ", 2),))


def test_lines_of_one_reference_stay_together_in_their_order() -> None:
    rows = [sold(line=2), sold(line=3, order_ref="LX2"), sold(line=4)]
    assert {ref: [row.line for row in some] for ref, some in by_order(rows).items()} == {"LX1": [2, 4], "LX2": [3]}


def test_an_order_without_code_goes_by_its_reference() -> None:
    (order,) = sales_orders([sold(), sold(stock_code="DEF", line_ref="L2")], tells_invoice=True)
    assert (order.so_code, order.associated_ref) == ("LX1", "LX1")
    assert [(line.stock_code, line.import_ref) for line in order.lines] == [("ABC", ""), ("DEF", "L2")]


def test_several_sales_order_codes_are_several_orders() -> None:
    rows = [sold(so_code="SO2"), sold(so_code="SO1"), sold(so_code="SO2", stock_code="DEF")]
    found = sales_orders(rows, tells_invoice=True)
    assert [(order.so_code, len(order.lines)) for order in found] == [("SO1", 1), ("SO2", 2)]


@pytest.mark.parametrize(
    ("tells_invoice", "invoiced_on", "expected"),
    [
        (True, None, None),
        (True, date(2026, 1, 6), date(2026, 1, 6)),
        (False, None, date.min),
        (False, date(2026, 1, 6), date(2026, 1, 6)),
    ],
)
def test_only_a_file_that_tells_invoices_can_hold_an_order_that_is_not_invoiced(
    tells_invoice: bool, invoiced_on: date | None, expected: date | None
) -> None:
    (order,) = sales_orders([sold(invoiced_on=invoiced_on)], tells_invoice=tells_invoice)
    assert order.invoiced_on == expected


def test_what_any_line_says_of_the_order_is_said_of_the_order() -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    rows = [sold(), sold(customer_ref="C7", ordered_at=late, invoiced_on=date(2026, 7, 2), delivery_pence=395)]
    (order,) = sales_orders([*rows, sold(delivery_pence=395)], tells_invoice=True)
    assert (order.customer_code, order.invoiced_on, order.delivery_gross_pence) == ("C7", date(2026, 7, 2), 395)
    assert order.ordered_on == date(2026, 7, 1), "half past midnight of a summer's day in London"


@settings(max_examples=50)
@given(st.integers(0, 50), st.integers(0, 10**6), st.integers(0, 10**4))
def test_a_discount_is_of_the_line_and_not_of_each_unit(quantity: int, price: int, discount: int) -> None:
    row = sold(quantity=quantity, unit_price_pence=price, discount_pence=discount)
    (order,) = sales_orders([row], tells_invoice=False)
    assert row.sold_pence == quantity * price - discount
    assert order.lines[0].gross_pence == row.sold_pence


def test_a_note_counts_its_delivery_once_and_keeps_its_first_day() -> None:
    rows = [
        noted(delivery_pence=395, created_on=date(2026, 3, 12)),
        noted(stock_code="DEF", delivery_pence=395, created_on=date(2026, 3, 11)),
        noted(stock_code="", gross_pence=395, delivery_pence=395),
    ]
    (note,) = notes(rows)
    assert (note.gross_pence, note.delivery_pence, note.created_on) == (2795, 395, date(2026, 3, 11))
    assert [line.stock_code for line in note.lines] == ["ABC", "DEF"]


@pytest.mark.parametrize(
    ("nets", "vat"), [((1000,), 200), ((1000, 1200), 200), ((1000, None), None), ((None,), None), ((0,), 1200)]
)
def test_vat_is_known_only_where_every_line_says_its_net(nets: tuple[int | None, ...], vat: int | None) -> None:
    (note,) = notes(noted(net_pence=net) for net in nets)
    assert note.vat_pence == vat


def test_a_note_of_delivery_alone_knows_no_vat() -> None:
    (note,) = notes([noted(stock_code="", gross_pence=395, net_pence=None, delivery_pence=395)])
    assert (note.lines, note.gross_pence, note.vat_pence) == ((), 395, None)


@pytest.mark.parametrize(
    ("refs", "order_ref", "associated_ref"),
    [
        (["A", "A"], "A", "A"),
        (["", "A"], "A", "A"),
        (["A", "B"], "", "A, B"),
        (["B", "A", "B"], "", "B, A"),
        (["", ""], "", ""),
    ],
)
def test_a_note_whose_lines_name_two_orders_has_none(refs: list[str], order_ref: str, associated_ref: str) -> None:
    (note,) = notes(noted(order_ref=ref, associated_ref=ref) for ref in refs)
    assert (note.order_ref, note.associated_ref) == (order_ref, associated_ref)


def test_matching_sees_no_line_of_zero_units() -> None:
    (note,) = notes([noted(), noted(stock_code="FEE", quantity=0, gross_pence=300)])
    assert (note.record.codes, note.record.value_pence) == ((("ABC", 1),), 1500)


codes = st.sampled_from(["CN1", "CN2", "CN3"])
note_rows = st.lists(
    st.builds(noted, codes, gross_pence=st.integers(0, 10**6), net_pence=st.none(), quantity=st.integers(0, 9)),
    max_size=12,
)


@settings(max_examples=50)
@given(note_rows, st.randoms(use_true_random=False))
def test_no_penny_of_the_notes_is_lost_and_the_order_of_rows_changes_no_sum(rows: list[NoteRow], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    sums = {note.code: note.gross_pence for note in notes(rows)}
    assert sums == {note.code: note.gross_pence for note in notes(shuffled)}
    assert sum(sums.values()) == sum(row.gross_pence for row in rows)
    assert list(sums) == sorted(sums)
