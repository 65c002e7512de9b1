"""What was paid per unit (U-7, U-8, U-26): caps of money, and one Stock Code twice on an order, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from khaos_swap_assets_tests.audit.files import Shop, row_of


def told(shop: Shop, folder: Path) -> dict[tuple[str, str], int]:
    return {(one.kind, one.subject): one.money_at_risk_pence for one in shop.audited(folder).findings}


def brought_back(shop: Shop, number: int, cost: str, *, item: str = "", quantity: int = 1, net: str = "") -> None:
    """A return of order #LX1 with its own note of the same value."""
    shop.returned(number, cost=cost, quantity=quantity, shopify_order_name="#LX1")
    shop.returns[-1]["products"][0]["shopify_line_item_id"] = item
    more = {"order_ref": "KCCLX1", "customer_ref": "C1", "quantity": str(quantity)}
    shop.credited(f"CN{number}", number, gross=cost, net=net, **more)


@pytest.mark.parametrize(
    ("sold", "refunds", "excess"),
    [
        ([("24.99", 1, "3.13")], ["21.86"], {}),
        ([("24.99", 1, "3.13")], ["24.99"], {1: 313}),
        ([("11.67", 3, "0.02")], ["11.66", "11.67", "11.66"], {}),
        ([("11.67", 3, "0.02")], ["11.67", "11.67", "11.67"], {3: 2}),
        ([("24.99", 2, "3.13")], ["23.43", "23.42"], {}),
        ([("24.99", 2, "3.13")], ["23.43", "23.43"], {2: 1}),
        ([("30.00", 1, "")], ["30.00", "30.00"], {2: 3000}),
        ([("25.00", 1, ""), ("25.00", 1, "5.00"), ("18.00", 1, "")], ["25.00", "20.00", "18.00"], {}),
        ([("25.00", 1, ""), ("25.00", 1, "5.00"), ("18.00", 1, "")], ["25.00", "25.00", "18.00"], {2: 500}),
    ],
)
def test_what_is_refunded_beyond_what_was_paid_is_told(
    tmp_path: Path, sold: list[tuple[str, int, str]], refunds: list[str], excess: dict[int, int]
) -> None:
    shop = Shop()
    for price, quantity, discount in sold:
        shop.sold(1, price=price, quantity=quantity, discount_gross=discount)
    for number, refund in enumerate(refunds, start=1):
        brought_back(shop, number, refund)
    found = told(shop, tmp_path)
    assert {key: pence for key, pence in found.items() if key[0] == "over_return"} == {
        ("over_return", f"RMA{number}"): pence for number, pence in excess.items()
    }


@pytest.mark.parametrize(("refund", "excess"), [("21.86", 0), ("24.99", 313)])
def test_u7_a_discount_of_the_order_as_a_whole_is_off_each_of_its_lines(
    tmp_path: Path, refund: str, excess: int
) -> None:
    shop = Shop()
    shop.codes += [{"stock_code": "B"}, {"stock_code": "C"}]
    for code, price in (("B", "39.99"), ("SHIRT-M", "24.99"), ("C", "14.99")):
        shop.sold(1, code=code, price=price, order_discount_gross="10.00")
    brought_back(shop, 1, refund)
    found = told(shop, tmp_path)
    assert found.get(("over_return", "RMA1"), 0) == excess


def suits() -> Shop:
    """One code twice: £36.00 at 20 % and £30.00 at 0 %."""
    shop = Shop()
    shop.sold(1, price="36.00", line_ref="L1")
    shop.sold(1, price="30.00", vat_rate="0", line_ref="L2")
    return shop


@pytest.mark.parametrize(
    ("item", "cost", "net", "gap"),
    [
        ("L2", "30.00", "30.00", 0),
        ("L2", "30.00", "25.00", 500),
        ("", "30.00", "25.00", 500),
        ("L1", "36.00", "30.00", 0),
        ("L1", "30.00", "25.00", 0),
        ("", "33.00", "27.50", None),
    ],
)
def test_the_rate_is_that_of_the_line_that_the_return_names(
    tmp_path: Path, item: str, cost: str, net: str, gap: int | None
) -> None:
    """Without a reference the exact price tells the line; where nothing does, no rate is guessed."""
    shop = suits()
    brought_back(shop, 1, cost, item=item, net=net)
    result = shop.audited(tmp_path)
    assert row_of(result, "RMA1").vat_gap_pence == gap
    assert [one.money_at_risk_pence for one in result.findings if one.kind == "vat_differs"] == ([gap] if gap else [])


@pytest.mark.parametrize("item", ["L2", ""])
def test_the_cause_is_the_discount_of_the_line_that_came_back(tmp_path: Path, item: str) -> None:
    shop = Shop()
    shop.sold(1, price="25.00", line_ref="L1")
    shop.sold(1, price="25.00", discount_gross="5.00", line_ref="L2")
    brought_back(shop, 1, "20.00", item=item)
    shop.notes[-1] |= {"gross": "25.00", "net": "20.83"}
    row = row_of(shop.audited(tmp_path), "RMA1")
    assert (row.status, row.gap_pence, row.legs["discount"]) == ("value_gap", 500, 500)


def test_a_line_named_twice_is_refunded_at_its_own_price_only_once(tmp_path: Path) -> None:
    """Two returns name the line of £20.00: the second is beyond it, although a dearer unit was sold too."""
    shop = Shop()
    shop.sold(1, price="25.00", line_ref="L1")
    shop.sold(1, price="20.00", line_ref="L2")
    brought_back(shop, 1, "20.00", item="L2")
    brought_back(shop, 2, "20.00", item="L2")
    assert told(shop, tmp_path).get(("over_return", "RMA2")) == 2000
