"""A small merchant, every status, every figure."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.run import reconcile
from khaos_swap_assets_tests.audit.files import AS_OF, COAT, SHIRT, Shop, kinds, row_of, small_shop
from khaos_swap_assets_tests.audit.reading import read_inputs

STATUSES = [
    ("RMA1", "matched", 2499, 2499, "reference", "certain"),
    ("RMA2", "value_gap", 2499, 2249, "reference", "certain"),
    ("RMA3", "credit_note_missing", 2499, 0, "", ""),
    ("RMA4", "in_flight", 2499, 0, "", ""),
    ("RMA5", "duplicate", 2499, 4998, "reference", "certain"),
    ("RMA6", "in_flight", 0, 0, "", ""),
    ("RMA7", "within_tolerance", 2499, 2500, "reference", "certain"),
    ("RMA8", "matched", 2499, 2499, "reference", "certain"),
    ("CN9", "credit_note_orphan", 0, 3000, "", ""),
]


@pytest.mark.parametrize(("key", "status", "refund", "credited", "matched_by", "certainty"), STATUSES)
def test_status_of_each_row(
    tmp_path: Path, key: str, status: str, refund: int, credited: int, matched_by: str, certainty: str
) -> None:
    row = row_of(small_shop().audited(tmp_path), key)
    assert (row.status, row.refund_pence, row.credited_pence) == (status, refund, credited)
    assert (row.matched_by, row.certainty) == (matched_by, certainty)
    assert row.gap_pence == credited - refund == sum(row.legs.values())


def test_each_return_and_each_note_is_told_once(tmp_path: Path) -> None:
    result = small_shop().audited(tmp_path)
    assert sorted(row.rma for row in result.rows if row.rma) == [f"RMA{number}" for number in range(1, 9)]
    codes = [code for row in result.rows for code in row.credit_note_codes]
    assert sorted(codes) == ["CN1", "CN2", "CN5A", "CN5B", "CN7", "CN8", "CN9"]


def test_the_worst_status_comes_first(tmp_path: Path) -> None:
    statuses = [row.status for row in small_shop().audited(tmp_path).rows]
    assert statuses[0] == "duplicate"
    assert statuses[-1] == "matched"


def test_the_order_of_the_input_changes_nothing(tmp_path: Path) -> None:
    forth, back = small_shop(), small_shop()
    for rows in (back.returns, back.orders, back.notes, back.codes):
        rows.reverse()
    assert list(forth.audited(tmp_path / "a").rows) == list(back.audited(tmp_path / "b").rows)


def test_the_exceptions(tmp_path: Path) -> None:
    assert kinds(small_shop().audited(tmp_path)) == {
        ("value_gap", "RMA2"),
        ("credit_note_missing", "RMA3"),
        ("credit_note_duplicate", "RMA5"),
        ("credit_note_orphan", "CN9"),
    }


def test_totals_are_kept_apart_by_currency(tmp_path: Path) -> None:
    totals = {one.currency: one for one in small_shop().audited(tmp_path).summary.totals}
    assert (totals["EUR"].refunded_pence, totals["EUR"].credited_pence, totals["EUR"].open.pence) == (2499, 2499, 0)
    pounds = totals["GBP"]
    assert (pounds.open.count, pounds.open.pence) == (4, 250 + 2499 + 2499 + 3000)
    assert sum(pounds.steps.values()) == pounds.gap_pence == sum(pounds.legs.values())
    assert sum(tally.pence for tally in pounds.by_age.values()) == pounds.open.pence


@pytest.mark.parametrize(
    ("as_of", "status"),
    [("2026-03-02", "in_flight"), ("2026-03-03", "in_flight"), ("2026-03-04", "credit_note_missing")],
)
def test_as_of_decides_what_is_in_flight(tmp_path: Path, as_of: str, status: str) -> None:
    shop = Shop()
    shop.sold(3)
    shop.returned(3)
    assert row_of(shop.audited(tmp_path, Span(date.fromisoformat(as_of))), "RMA3").status == status


def test_the_span_leaves_rows_out_and_not_what_they_match(tmp_path: Path) -> None:
    shop = small_shop()
    shop.returns[0]["date_closed"] = "2026-02-28T15:00:00Z"
    february = shop.audited(tmp_path, Span(AS_OF, date(2026, 2, 1), date(2026, 2, 28)))
    assert [(row.rma, row.status, row.period) for row in february.rows] == [
        ("RMA6", "in_flight", "2026-02"),
        ("RMA1", "matched", "2026-02"),
    ]


def test_a_month_begins_in_london(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1, date_closed="2026-04-30T23:30:00Z")
    assert row_of(shop.audited(tmp_path), "RMA1").period == "2026-05"


def test_vat_is_compared_at_the_rate_of_the_sale(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1, code=COAT, price="30.00", vat_rate="0")
    shop.returned(1, cost="30.00", sku=COAT)
    shop.credited("CN1", 1, gross="30.00", net="25.00", stock_code=COAT)
    row = row_of(shop.audited(tmp_path), "RMA1")
    assert (row.status, row.gap_pence, row.vat_gap_pence) == ("matched", 0, 500)


@pytest.mark.parametrize("change", [{"net": ""}, {"rate": ""}])
def test_no_vat_gap_without_both_figures(tmp_path: Path, change: dict[str, str]) -> None:
    shop = Shop()
    shop.sold(1, vat_rate=change.get("rate", "20"))
    shop.returned(1)
    shop.credited("CN1", 1, net=change.get("net", "20.83"))
    assert row_of(shop.audited(tmp_path), "RMA1").vat_gap_pence is None


def test_a_note_that_is_only_suggested_counts_as_unmatched(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1)
    shop.credited("CN1", 1, associated_ref="", order_ref="", customer_ref="")
    result = shop.audited(tmp_path)
    on_return, alone = row_of(result, "RMA1"), row_of(result, "CN1")
    assert (on_return.certainty, on_return.credit_note_codes) == ("suggested", ("CN1",))
    assert (on_return.status, on_return.credited_pence) == ("credit_note_missing", 0)
    assert (alone.status, alone.credited_pence, alone.certainty) == ("credit_note_orphan", 2499, "suggested")
    assert kinds(result) == {("credit_note_orphan", "CN1")}
    assert (on_return.open_pence, alone.open_pence) == (2499, 0)


def test_two_notes_that_fit_two_returns_are_ambiguous(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1, quantity=2)
    shop.returned(1)
    shop.returned(2, shopify_order_name="#LX1")
    shop.credited("CN1", 1, associated_ref="")
    result = shop.audited(tmp_path)
    assert {row.status for row in result.rows} == {"ambiguous"}
    assert sum(row.credited_pence for row in result.rows) == 2499
    told = next(finding for finding in result.findings if finding.kind == "credit_note_orphan")
    assert "RMA1, RMA2" in told.message


@pytest.mark.parametrize(("order", "status"), [("KCCLX1", "matched"), ("", "ambiguous")])
def test_of_equal_returns_of_a_customer_only_the_order_tells_which_a_note_means(
    tmp_path: Path, order: str, status: str
) -> None:
    shop = Shop()
    for number in (1, 2):
        shop.sold(number, customer_ref="C1")
        shop.returned(number)
    shop.credited("CN1", 1, order_ref=order)
    assert row_of(shop.audited(tmp_path), "RMA1").status == status


def test_one_note_for_two_returns_gives_each_its_refund(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.sold(1, code=COAT, price="89.00")
    shop.returned(1)
    shop.returned(2, cost="89.00", sku=COAT, shopify_order_name="#LX1")
    shop.credited("CN1", 1, associated_ref="")
    shop.credited("CN1", 1, associated_ref="", stock_code=COAT, gross="89.00", net="74.17")
    result = shop.audited(tmp_path)
    assert [(row.rma, row.status, row.credited_pence, row.matched_by) for row in result.rows] == [
        ("RMA1", "matched", 2499, "one_to_many"),
        ("RMA2", "matched", 8900, "one_to_many"),
    ]


TROUBLE = [
    ("sku_unknown", "RMA1/shirt-m", {"sku": "shirt-m"}),
    ("sku_unknown", "RMA1/", {"sku": ""}),
    ("order_not_found", "RMA1", {"shopify_order_name": "#LX77"}),
    ("refund_not_explained", "RMA1", {"refund": "20.00"}),
]


@pytest.mark.parametrize(("kind", "subject", "change"), TROUBLE)
def test_what_holds_a_return_is_told_instead_of_the_missing_note(
    tmp_path: Path, kind: str, subject: str, change: dict[str, str]
) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1, **change)
    shop.sold(2)
    shop.returned(2)
    assert kinds(shop.audited(tmp_path)) == {(kind, subject), ("credit_note_missing", "RMA2")}


def test_a_column_that_is_not_there_accuses_nobody(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1)
    shop.credited("CN1", 1)
    shop.sold(2, invoiced_on="", customer_ref="")
    shop.returned(2)
    paths = shop.write(tmp_path)
    assert {kind for kind, _ in kinds(shop.audited(tmp_path))} == {"order_not_invoiced", "customer_unknown"}
    text = paths.sales_orders.read_text().replace("invoiced_on", "x").replace("customer_ref", "y")
    paths.sales_orders.write_text(text)
    result = reconcile(read_inputs(paths, skips_bad_rows=False), Span(AS_OF))
    assert kinds(result) == {("credit_note_missing", "RMA2")}


def test_stock_codes_are_compared_character_by_character(tmp_path: Path) -> None:
    shop = Shop()
    shop.codes.append({"stock_code": SHIRT + " "})
    shop.sold(1, code=SHIRT + " ")
    shop.returned(1)
    assert ("order_not_found", "RMA1") in kinds(shop.audited(tmp_path))


def test_a_note_of_another_name_for_the_order_is_matched(tmp_path: Path) -> None:
    shop = Shop()
    for number, name in enumerate(("#LX1", "SO2", "lx3", "kcclx4"), start=1):
        shop.sold(number)
        shop.returned(number)
        shop.credited(f"CN{number}", number, associated_ref="", order_ref=name, customer_ref="")
    for number, name in enumerate(("#LX5", "KCCLX6", "SO7"), start=5):
        shop.sold(number)
        shop.returned(number)
        shop.credited(f"CN{number}", number, associated_ref=name, order_ref="", customer_ref="")
    assert {(row.status, row.matched_by) for row in shop.audited(tmp_path).rows} == {("matched", "order_value")}


def test_the_parts_of_a_pack_are_the_pack(tmp_path: Path) -> None:
    shop = Shop()
    shop.codes.append({"stock_code": "SET", "pack_components": f"{SHIRT}:2;{COAT}:1"})
    shop.sold(1, code="SET", price="100.00")
    shop.returned(1, sku="SET", cost="100.00")
    shop.credited("CN1", 1, gross="40.00", net="33.33", quantity="2")
    shop.credited("CN1", 1, gross="60.00", net="50.00", stock_code=COAT)
    row = row_of(shop.audited(tmp_path), "RMA1")
    assert (row.status, row.certainty, sum(map(abs, row.legs.values()))) == ("matched", "certain", 0)


def test_a_pack_beside_one_of_its_parts_shows_no_units_too_many(tmp_path: Path) -> None:
    shop = Shop()
    shop.codes.append({"stock_code": "SET", "pack_components": f"{SHIRT}:1;{COAT}:1"})
    shop.sold(1, code="SET", price="100.00")
    shop.sold(1)
    shop.returned(1, sku="SET", cost="100.00", refund="124.99")
    shop.returns[0]["products"].append(
        {**shop.returns[0]["products"][0], "product_id": "x", "sku": SHIRT, "cost": "24.99"}
    )
    shop.credited("CN1", 1, gross="64.99", net="54.16", quantity="2")
    shop.credited("CN1", 1, gross="60.00", net="50.00", stock_code=COAT)
    row = row_of(shop.audited(tmp_path), "RMA1")
    assert (row.status, row.certainty, sum(map(abs, row.legs.values()))) == ("matched", "certain", 0)


@pytest.mark.parametrize("files", [("notes",), ("orders",), ("notes", "orders")])
def test_a_file_without_currencies_has_those_of_the_other_side(tmp_path: Path, files: tuple[str, ...]) -> None:
    shop = Shop()
    shop.sold(1, currency="EUR")
    shop.returned(1, customer_currency="EUR")
    shop.credited("CN1", 1, currency="EUR")
    shop.credited("CN2", 2)
    paths = shop.write(tmp_path)
    for name in files:
        path = tmp_path / f"{name}.csv"
        path.write_text(path.read_text().replace(",currency,", ",x,").replace(",EUR,", ",,").replace(",GBP,", ",,"))
    result = reconcile(read_inputs(paths, skips_bad_rows=False), Span(AS_OF))
    assert [(row.status, row.currency) for row in result.rows] == [("credit_note_orphan", "GBP"), ("matched", "EUR")]
    assert kinds(result) == {("credit_note_orphan", "CN2")}


def test_money_of_another_currency_is_never_held_against_the_note(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1, price="120.00", currency="EUR")
    shop.returned(1, cost="120.00", customer_currency="EUR")
    shop.credited("CN1", 1, gross="120.00", net="100.00", currency="EUR")
    shop.paid(1, "101.69")
    result = shop.audited(tmp_path)
    row = row_of(result, "RMA1")
    assert (row.status, row.currency, row.refund_pence, row.credited_pence) == ("matched", "EUR", 12000, 12000)
    assert kinds(result) == {("refund_currency_differs", "RMA1")}


EARLY = [
    ("24.99", "Open", "2026-03-31", "in_flight"),
    ("20.00", "Open", "2026-03-31", "value_gap"),
    ("24.99", "Cancelled", "2026-03-31", "value_gap"),
]


@pytest.mark.parametrize(("gross", "status", "as_of", "expected"), EARLY)
def test_a_note_before_the_money(tmp_path: Path, gross: str, status: str, as_of: str, expected: str) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1, return_status=status, date_closed="")
    shop.credited("CN1", 1, gross=gross, net="")
    assert row_of(shop.audited(tmp_path, Span(date.fromisoformat(as_of))), "RMA1").status == expected


@pytest.mark.parametrize(("as_of", "expected"), [("2026-03-03", "in_flight"), ("2026-03-10", "value_gap")])
def test_a_note_for_money_that_never_moved(tmp_path: Path, as_of: str, expected: str) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1)
    shop.credited("CN1", 1)
    shop.paid(1, "24.99", status="failed")
    assert row_of(shop.audited(tmp_path, Span(date.fromisoformat(as_of))), "RMA1").status == expected


def test_two_parts_of_a_credit_are_no_double(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1, refund="22.04", handling_fee=2.95)
    shop.credited("CN1", 1, gross="20.00", net="16.67")
    shop.credited("CN2", 1, gross="4.99", net="4.16")
    row = row_of(shop.audited(tmp_path), "RMA1")
    assert (row.status, row.legs["fee"], row.legs["quantity"], row.credit_note_codes) == (
        "value_gap",
        295,
        0,
        ("CN1", "CN2"),
    )
