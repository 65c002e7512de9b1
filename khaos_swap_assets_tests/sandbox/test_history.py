"""Real history as a world: small files made here, and the real file where it lies beside the repository."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from khaos_swap_assets.sandbox.history import load
from khaos_swap_assets.sandbox.history_file import HistoryError
from khaos_swap_assets.sandbox.world import World
from khaos_swap_assets_tests.sandbox import history_oracle

REAL = Path(__file__).parents[3] / "shared" / "data" / "online_retail_2009-12_2010-12.parquet"
COLUMNS = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "CustomerID", "Country"]

CHARGES = ["POST", " post ", "DOT", "C2", "C3", "D", "M", "m", "S", "B", "CRUK", "ADJUST2", "BANK CHARGES", "AMAZONFEE"]
CHARGES += ["TEST001", "gift_0001_20"]

Row = tuple[str, str, int, str, float, int | None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.parquet"


def world_of(path: Path, *rows: Row, month: str = "2010-06") -> World:
    """A world of rows (invoice, code, quantity, local time, price, customer)."""
    table = [
        (invoice, code, f"Item {code}", quantity, pd.Timestamp(at), price, customer, "United Kingdom")
        for invoice, code, quantity, at, price, customer in rows
    ]
    frame = pd.DataFrame(table, columns=COLUMNS).astype({"CustomerID": "Int32", "Quantity": "int32"})
    frame.to_parquet(path)
    return load(path, month)


def sale(invoice: str, code: str, quantity: int, day: str = "2010-05-03", price: float = 2.5, customer: int = 1) -> Row:
    return invoice, code, quantity, f"{day} 10:00", price, customer


def back(invoice: str, code: str, quantity: int, price: float = 2.5, customer: int | None = 1, hour: int = 12) -> Row:
    return invoice, code, -quantity, f"2010-06-15 {hour}:00", price, customer


def kinds(world: World) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for plant in world.plants:
        found.setdefault(plant.kind, []).append(f"{plant.rma}/{plant.sku}" if plant.sku else plant.rma)
    return found


def test_a_cancellation_with_one_fit_is_a_clean_return(path: Path) -> None:
    world = world_of(path, sale("500001", "85048", 12), back("C500009", "85048", 4))
    rma = world.rmas["RMA-C500009"]
    order = world.orders["SO500001"]
    assert (rma.order_name, rma.refund_pence, rma.urn, rma.status) == ("#500001", 1000, "1", "Closed")
    assert rma.closed_at == rma.processed_at == datetime(2010, 6, 15, 11, tzinfo=UTC)
    assert rma.inspect_at == datetime(2010, 6, 15, 10, tzinfo=UTC)
    assert [(line.sku, line.quantity, line.cost_pence, line.condition) for line in rma.lines] == [
        ("85048", 4, 1000, "Sellable")
    ]
    assert (order.associated_ref, order.urn, order.lines[0].gross_pence) == ("KCC500001", "1", 3000)
    assert order.issued_at == datetime(2010, 5, 3, 9, tzinfo=UTC)
    assert world.plants == []


def test_the_clock_stands_on_the_third_of_the_next_month(path: Path) -> None:
    world = world_of(path, sale("500001", "A", 1), back("C500009", "A", 1))
    assert world.now == datetime(2010, 7, 3, 8, tzinfo=UTC)
    assert world.post_from == date(2010, 6, 1)


@pytest.mark.parametrize(
    ("rows", "order_name"),
    [
        ([sale("500001", "A", 5), back("C500009", "A", 5)], "#500001"),
        ([sale("500001", "A", 4), back("C500009", "A", 5)], ""),
        ([sale("500001", "A", 2), sale("500001", "A", 3), back("C500009", "A", 5)], "#500001"),
        ([sale("500001", "A", 5), back("C500009", "A", 3), back("C500009", "A", 3)], ""),
        ([sale("500001", "A", 5), sale("500002", "A", 5), back("C500009", "A", 5)], ""),
        ([sale("500001", "A", 5), sale("500002", "A", 1), back("C500009", "A", 2)], "#500001"),
        ([sale("500001", "A", 5), back("C500009", "A", 1), back("C500009", "Z", 1)], ""),
        ([sale("500001", "A", 5, customer=2), back("C500009", "A", 1)], ""),
        ([sale("500001", "A", 5, day="2010-06-20"), back("C500009", "A", 1)], ""),
        ([sale("500001", "A", 5, day="2010-06-14"), back("C500009", "A", 1)], "#500001"),
        ([sale("500001", "A", -5), back("C500009", "A", 1)], ""),
        ([sale("500001", "a", 5), back("C500009", "A", 1)], ""),
    ],
    ids=[
        "all of it",
        "too many",
        "rows of one invoice add up",
        "rows of the return add up",
        "two fit",
        "only one fits",
        "a code is missing",
        "another customer",
        "a later invoice",
        "the same month, earlier",
        "never sold",
        "another case",
    ],
)
def test_the_original_order_is_named_only_where_exactly_one_fits(path: Path, rows: list[Row], order_name: str) -> None:
    world = world_of(path, *rows)
    assert world.rmas["RMA-C500009"].order_name == order_name
    assert ("order_not_found" in kinds(world)) == (not order_name)


@pytest.mark.parametrize("code", CHARGES)
def test_charges_are_part_of_the_refund_and_never_lines(path: Path, code: str) -> None:
    world = world_of(path, sale("500001", "A", 5), back("C500009", "A", 1), back("C500009", code, 1, price=4.0))
    rma = world.rmas["RMA-C500009"]
    assert [line.sku for line in rma.lines] == ["A"]
    assert rma.refund_pence == 650
    assert kinds(world) == {"refund_not_explained": ["RMA-C500009"]}
    assert code not in world.items


def test_a_line_of_zero_units_is_no_line(path: Path) -> None:
    world = world_of(path, sale("500001", "A", 5), back("C500009", "A", 1), back("C500009", "Z", 0))
    assert [line.sku for line in world.rmas["RMA-C500009"].lines] == ["A"]
    assert world.rmas["RMA-C500009"].order_name == "#500001"
    assert world.plants == []


def test_an_invoice_that_is_no_number_sells_too_and_one_of_charges_sells_nothing(path: Path) -> None:
    rows = [sale("W500001", "A", 5), sale("A500002", "B", 1, price=-53594.36), back("C500009", "A", 1)]
    world = world_of(path, *rows)
    assert list(world.orders) == ["SOW500001"]
    assert world.rmas["RMA-C500009"].order_name == "#W500001"


def test_a_cancellation_of_units_above_zero_and_of_a_price_below_counts_what_they_are_worth(path: Path) -> None:
    world = world_of(path, sale("500001", "A", 5), back("C500009", "A", -2), back("C500009", "A", 1, price=-2.5))
    rma = world.rmas["RMA-C500009"]
    assert [(line.quantity, line.cost_pence) for line in rma.lines] == [(2, 500), (1, 250)]
    assert (rma.refund_pence, rma.order_name) == (750, "#500001")


def test_a_return_of_charges_alone_is_not_explained_and_names_no_order(path: Path) -> None:
    world = world_of(path, sale("500001", "A", 5), back("C500009", "M", 1))
    assert kinds(world) == {"refund_not_explained": ["RMA-C500009"]}


def test_a_refund_of_nothing_asks_for_nothing(path: Path) -> None:
    assert world_of(path, back("C500009", "A", 1, price=0.0)).plants == []


def test_a_customer_who_is_unknown_fits_no_order(path: Path) -> None:
    world = world_of(path, ("500001", "A", 5, "2010-05-03 10:00", 2.5, None), back("C500009", "A", 1, customer=None))
    assert world.rmas["RMA-C500009"].urn == world.orders["SO500001"].urn == ""
    assert kinds(world) == {"order_not_found": ["RMA-C500009"]}


def test_a_code_first_sold_in_the_month_is_not_in_the_catalogue(path: Path) -> None:
    world = world_of(path, sale("500001", "NEW", 5, day="2010-06-01"), back("C500009", "NEW", 1))
    assert world.items == {}
    assert kinds(world) == {"sku_unknown": ["RMA-C500009/NEW"]}


def test_two_codes_that_look_alike_make_a_third_ambiguous(path: Path) -> None:
    sold = [sale("500001", "15056bl", 5), sale("500002", "15056 BL", 5), sale("500003", "15056BL", 2, day="2010-06-02")]
    world = world_of(path, *sold, back("C500009", "15056BL", 1))
    assert kinds(world) == {"sku_ambiguous": ["RMA-C500009/15056BL"]}


def test_codes_are_kept_raw(path: Path) -> None:
    world = world_of(path, sale("500001", "47503J ", 5), back("C500009", "47503J ", 1))
    assert list(world.items) == ["47503J "]
    assert world.plants == []


def test_a_code_with_a_comma_cannot_be_asked_for(path: Path) -> None:
    world = world_of(
        path, sale("500001", "A,B", 5), sale("500001", "C", 5), back("C500009", "A,B", 9), back("C500009", "C", 1)
    )
    assert list(world.items) == ["A,B", "C"]
    assert kinds(world) == {
        "record_unreadable": ["/A,B"],
        "sku_unknown": ["RMA-C500009/A,B"],
        "order_not_found": ["RMA-C500009"],
    }


def test_refunds_of_one_second_count_by_their_number(path: Path) -> None:
    returns = [back("C500009", "A", 3), back("C500010", "A", 3)]
    later, earlier = (
        (*one[:3], f"2010-06-15 12:00:00.{part}", *one[4:]) for one, part in zip(returns, "51", strict=True)
    )
    world = world_of(path, sale("500001", "A", 5), later, earlier)
    assert {rma.closed_at for rma in world.rmas.values()} == {datetime(2010, 6, 15, 11, tzinfo=UTC)}
    assert kinds(world) == {"over_return": ["RMA-C500010"]}


def test_a_refund_above_the_price_that_was_paid_is_over(path: Path) -> None:
    sold = [sale("500001", "A", 48, price=2.10), sale("500001", "CAP", 1, price=2.55)]
    world = world_of(path, *sold, back("C500009", "A", 1, price=2.55), back("C500010", "CAP", 1, price=2.55))
    assert kinds(world) == {"over_return": ["RMA-C500009"]}


def test_only_the_later_return_of_too_much_is_planted(path: Path) -> None:
    world = world_of(
        path,
        sale("500001", "A", 5),
        back("C500010", "A", 3, hour=11),
        back("C500009", "A", 3, hour=13),
        back("C500011", "A", 2, hour=10),
    )
    assert kinds(world) == {"over_return": ["RMA-C500009"]}


@pytest.mark.parametrize(
    ("quantity", "price", "pence"),
    [(3, 2.55, 765), (1, 0.001, 0), (5, 0.001, 1), (4, 0.001, 0), (7, 1.005, 704), (1, 0.29, 29)],
)
def test_money_is_rounded_half_up_by_line(path: Path, quantity: int, price: float, pence: int) -> None:
    world = world_of(path, sale("500001", "A", 9), back("C500009", "A", quantity, price=price))
    assert world.rmas["RMA-C500009"].refund_pence == pence


def test_what_lies_after_the_month_is_not_read(path: Path) -> None:
    world = world_of(path, sale("500001", "A", 5), sale("500002", "A", 5, day="2010-07-01"), back("C500009", "A", 1))
    assert list(world.orders) == ["SO500001"]


@pytest.mark.parametrize("month", ["2010-6", "2010-13", "June", ""])
def test_a_month_is_spelt_with_year_and_two_digits(path: Path, month: str) -> None:
    with pytest.raises(HistoryError, match="month must look like 2010-10"):
        load(path, month)


def test_a_month_without_cancellations_is_refused(path: Path) -> None:
    with pytest.raises(HistoryError, match="no C-invoice in 2010-06"):
        world_of(path, sale("500001", "A", 5))


def test_a_file_that_is_no_parquet_or_not_there_is_refused(path: Path) -> None:
    with pytest.raises(HistoryError, match="cannot read"):
        load(path, "2010-06")
    path.write_text("Invoice,StockCode")
    with pytest.raises(HistoryError, match="cannot read"):
        load(path, "2010-06")


def named(world: World) -> dict[str, str]:
    return {rma.rma_number[4:]: rma.order_name[1:] for rma in world.rmas.values()}


@pytest.mark.parametrize("seed", range(5))
def test_an_oracle_names_the_same_orders(path: Path, seed: int) -> None:
    history_oracle.write_small(path, seed)
    expected = history_oracle.one_fit(path, "2010-06")
    assert named(load(path, "2010-06")) == expected
    assert 0 < sum(map(bool, expected.values())) < len(expected)


@pytest.mark.history
@pytest.mark.skipif(not REAL.exists(), reason="the real trading data is not here")
@pytest.mark.parametrize(("month", "cancellations", "fits"), [("2010-10", 476, 267)])
def test_a_real_month(month: str, cancellations: int, fits: int) -> None:
    world = load(REAL, month)
    assert named(world) == history_oracle.one_fit(REAL, month)
    assert (len(world.rmas), sum(map(bool, named(world).values()))) == (cancellations, fits)
    counts = Counter(plant.kind for plant in world.plants)
    with_goods = sum(bool(rma.lines) for rma in world.rmas.values())
    assert counts["order_not_found"] == with_goods - fits
    assert all(plant.rma in world.rmas for plant in world.plants)
