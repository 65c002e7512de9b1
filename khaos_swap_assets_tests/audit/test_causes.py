"""Why both sides differ, from what the files show; FINANCE_RULES U-20 and U-28 with their own figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets_tests.audit.files import COAT, Shop, evidence_of, kinds, row_of


def legs_of(shop: Shop, folder: Path, rma: str = "RMA1") -> dict[str, int]:
    row = row_of(shop.audited(folder), rma)
    assert sum(row.legs.values()) == row.gap_pence
    assert {leg for leg, pence in row.legs.items() if pence} == set(evidence_of(folder, rma))
    return {leg: pence for leg, pence in row.legs.items() if pence}


def test_u28_difference_waterfall(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1, price="58.55")
    shop.returned(1, cost="58.55", handling_fee=2.95)
    shop.credited("CN1", 1, gross="58.55", net="48.79", delivery_gross="3.95")
    shop.paid(1, "40.60")
    shop.paid(1, "15.00", gateway="gift_card")
    row = row_of(shop.audited(tmp_path), "RMA1")
    assert (row.credited_pence, row.refund_pence, row.gap_pence) == (6250, 4060, 2190)
    assert {leg: pence for leg, pence in row.legs.items() if pence} == {"tender": 1500, "delivery": 395, "fee": 295}
    assert row.status == "value_gap"


def test_legs_and_their_evidence_are_told_in_the_exception(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1)
    shop.credited("CN1", 1, delivery_gross="3.95")
    told = next(finding for finding in shop.audited(tmp_path).findings if finding.kind == "value_gap")
    assert told.message == "Refund £24.99, credited £28.94 by CN1: delivery £3.95 (note: delivery)"


LEGS: list[tuple[dict[str, Any], dict[str, str], dict[str, str], dict[str, int]]] = [
    ({"quantity": 2, "cost": "49.98"}, {"quantity": "2"}, {"quantity": "1"}, {"quantity": -2499}),
    ({"refund": "22.04", "handling_fee": 2.95}, {}, {}, {"fee": 295}),
    ({"refund": "22.04", "return_shipments": [{"postage_fee": 2.95}]}, {}, {}, {"fee": 295}),
    ({"refund": "22.04", "return_shipments": [{"postage_fee": 2.0}, {"postage_fee": 0.95}]}, {}, {}, {"fee": 295}),
    ({"refund": "22.04", "handling_fee": 2.95, "return_shipments": [{"postage_fee": 2.95}]}, {}, {}, {"fee": 295}),
    (
        {"refund": "19.09", "handling_fee": 2.95, "return_shipments": [{"postage_fee": 2.95}]},
        {},
        {},
        {"unexplained": 590},
    ),
    ({"refund": "22.00", "return_shipments": [{"postage_fee": 2.95}]}, {}, {}, {"unexplained": 299}),
    ({"return_shipments": [{"postage_fee": 2.95}]}, {}, {"gross": "23.00", "net": "19.17"}, {"goods": -199}),
    (
        {"cost": "21.86"},
        {"discount_gross": "3.13"},
        {"gross": "24.99"},
        {"discount": 313},
    ),
    ({}, {}, {"gross": "20.83"}, {"tax": -416}),
    ({}, {}, {"gross": "23.00", "net": "19.17"}, {"goods": -199}),
    ({"refund": "0", "outcome": "Shop Later Credit"}, {}, {}, {"tender": 2499}),
    ({"refund": "0", "outcome": "Exchange"}, {}, {}, {"exchange": 2499}),
    (
        {"refund": "10.00", "outcome": "Exchange", "exchange_items": [{"quantity": 1, "price": 14.99}]},
        {},
        {},
        {"exchange": 1499},
    ),
]


@pytest.mark.parametrize(("returned", "sold", "credited", "expected"), LEGS)
def test_legs(
    tmp_path: Path, returned: dict[str, Any], sold: dict[str, Any], credited: dict[str, str], expected: dict[str, int]
) -> None:
    shop = Shop()
    shop.sold(1, **{**sold, "quantity": int(sold.get("quantity", 1))})
    shop.returned(1, **returned)
    shop.credited("CN1", 1, **credited)
    assert legs_of(shop, tmp_path) == expected


def test_exchanges_and_taxes_on_top_are_read_from_swap(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1, refund="29.99")
    shop.returns[0]["products"][0]["refunded_non_inclusive_taxes"] = 5.0
    shop.credited("CN1", 1)
    assert legs_of(shop, tmp_path) == {"tax": -500}


@pytest.mark.parametrize("damage", ["x", None, [], {}, -5, "NaN"])
def test_evidence_that_cannot_be_read_explains_nothing(tmp_path: Path, damage: Any) -> None:
    shop = Shop()
    shop.sold(1)
    labels = [{"postage_fee": damage}, damage]
    shop.returned(1, refund="20.00", exchange_items=[{"price": damage, "quantity": 1}, damage], return_shipments=labels)
    shop.returns[0]["products"][0] |= {"refunded_non_inclusive_taxes": damage, "refunded_duties": damage}
    shop.credited("CN1", 1)
    assert legs_of(shop, tmp_path) == {"unexplained": 499}


def test_one_missing_side_is_all_goods(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1)
    shop.credited("CN9", 99, stock_code=COAT, gross="30.00", net="25.00", delivery_gross="3.95")
    assert legs_of(shop, tmp_path) == {"goods": -2499}
    assert legs_of(shop, tmp_path, "CN9") == {"goods": 3000, "delivery": 395}


def rounded_shop(gaps: list[str]) -> Shop:
    shop = Shop()
    for number, gross in enumerate(gaps, start=1):
        shop.sold(number)
        shop.returned(number)
        shop.credited(f"CN{number:03}", number, gross=gross, net="20.83")
    return shop


def test_u20_small_residuals_are_accepted(tmp_path: Path) -> None:
    result = rounded_shop(["25.00", "24.98", "25.01"]).audited(tmp_path)
    assert [row_of(result, f"RMA{number}").status for number in (1, 2, 3)] == [
        "within_tolerance",
        "within_tolerance",
        "value_gap",
    ]


def test_u20_differences_of_one_sign_are_no_chance(tmp_path: Path) -> None:
    result = rounded_shop(["25.00"] * 20).audited(tmp_path)
    assert {row.status for row in result.rows} == {"value_gap"}
    assert ("differences_systematic", "2026-03 rounding GBP") in kinds(result)
    assert {row.status for row in rounded_shop(["25.00"] * 19).audited(tmp_path).rows} == {"within_tolerance"}


def test_a_small_difference_with_a_cause_is_no_rounding(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1)
    shop.credited("CN1", 1, delivery_gross="0.01")
    assert row_of(shop.audited(tmp_path), "RMA1").status == "value_gap"


@pytest.mark.parametrize(("delivery_net", "gap"), [("28.94", 0)])
def test_vat_of_delivery_follows_goods_of_one_rate(tmp_path: Path, delivery_net: str, gap: int) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1, refund=delivery_net)
    shop.credited("CN1", 1, delivery_gross="3.95")
    row = row_of(shop.audited(tmp_path), "RMA1")
    assert (row.gap_pence, row.vat_gap_pence) == (0, gap)


VAT = [
    ("24.99", "20.83", "20", 0),
    ("24.99", "20.82", "20", 0),
    ("24.99", "20.81", "20", 2),
    ("24.99", "24.99", "20", 416),
    ("24.99", "20.83", "0", 416),
]


@pytest.mark.parametrize(("gross", "net", "rate", "pence"), VAT)
def test_the_right_value_at_another_vat_is_told_and_a_tie_is_not(
    tmp_path: Path, gross: str, net: str, rate: str, pence: int
) -> None:
    shop = Shop()
    shop.sold(1, vat_rate=rate)
    shop.returned(1)
    shop.credited("CN1", 1, gross=gross, net=net)
    found = [one.money_at_risk_pence for one in shop.audited(tmp_path).findings if one.kind == "vat_differs"]
    assert found == ([pence] if pence else [])


def test_an_exchange_that_is_right_asks_nobody(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    shop.returned(1, refund="0", outcome="Exchange")
    shop.credited("CN1", 1)
    shop.sold(2)
    shop.returned(2, refund="0", outcome="Exchange")
    shop.credited("CN2", 2, gross="30.00", net="25.00")
    result = shop.audited(tmp_path)
    assert (row_of(result, "RMA1").status, row_of(result, "RMA2").status) == ("matched", "value_gap")
    assert kinds(result) == {("value_gap", "RMA2"), ("outcome_needs_policy", "RMA2")}
