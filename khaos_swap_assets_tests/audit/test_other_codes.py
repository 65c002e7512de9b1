"""Codes that were renamed, or damaged on the way: the money is in step, and the SKU is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from khaos_swap_assets.audit.writing import Result
from khaos_swap_assets_tests.audit.files import Shop, evidence_of


def a_shop(sku: str, code: str = "NEW-1", **catalogue: str) -> Shop:
    """One return of ``sku``, for which Khaos sold and credited ``code``."""
    shop = Shop(codes=[{"stock_code": code, **catalogue}, {"stock_code": "OTHER"}])
    shop.sold(1, code=code)
    shop.returned(1, sku=sku)
    shop.credited("CN1", 1, stock_code=code)
    return shop


def told(result: Result) -> list[tuple[str, str, str, int]]:
    return [(one.kind, one.sku, one.suggestion, one.money_at_risk_pence) for one in result.findings]


def statuses(result: Result) -> dict[str, str]:
    return {row.rma or row.credit_note_codes[0]: row.status for row in result.rows}


@pytest.mark.parametrize(
    ("sku", "code", "other_ref"),
    [
        ("OLD-1", "NEW-1", "OLD-1"),
        ("OLD-1", "NEW-1", ""),
        ("0017", "17", ""),
        ("17", "0017", ""),
        ("MUG\u2011BLUE", "MUG-BLUE", ""),
        ("MUG\u2013BLUE", "MUG-BLUE", ""),
        ("mug-blue", "MUG-BLUE", ""),
        ("MUG-BLUE ", "MUG-BLUE", ""),
        ("MUG\u00a0BLUE", "MUG BLUE", ""),
        ("ＭＵＧ", "MUG", ""),
        ("CAFE\u0301", "CAFÉ", ""),
        ("CAFE", "CAFÉ", ""),
    ],
)
def test_a_code_under_another_name_is_no_missing_note(tmp_path: Path, sku: str, code: str, other_ref: str) -> None:
    result = a_shop(sku, code, other_ref=other_ref).audited(tmp_path)
    assert (statuses(result), told(result)) == ({"RMA1": "matched"}, [("sku_unknown", sku, code, 0)])


def test_a_name_that_two_codes_had_is_told_and_the_money_is_in_step(tmp_path: Path) -> None:
    shop = a_shop("OLD-1", other_ref="OLD-1")
    shop.codes.append({"stock_code": "NEW-2", "other_ref": "OLD-1"})
    result = shop.audited(tmp_path)
    assert statuses(result) == {"RMA1": "matched"}
    assert [kind for kind, *_ in told(result)] == ["sku_ambiguous"]


@pytest.mark.parametrize(
    "change",
    [
        {"order_ref": "", "customer_ref": ""},
        {"customer_ref": "C9"},
        {"stock_code": "OTHER"},
    ],
)
def test_another_name_excuses_no_other_difference(tmp_path: Path, change: dict[str, str]) -> None:
    shop = a_shop("OLD-1", other_ref="OLD-1")
    shop.notes[0] |= change
    assert statuses(shop.audited(tmp_path)) == {"RMA1": "credit_note_missing", "CN1": "credit_note_orphan"}


@pytest.mark.parametrize(("name", "status"), [("OLD-1", "value_gap"), ("", "credit_note_missing")])
def test_a_known_name_at_another_value_is_a_value_gap(tmp_path: Path, name: str, status: str) -> None:
    shop = a_shop("OLD-1", other_ref=name)
    shop.notes[0] |= {"gross": "20.00", "net": "16.67"}
    assert statuses(shop.audited(tmp_path))["RMA1"] == status


def test_a_renamed_code_at_another_value_has_a_gap_of_price_and_not_of_goods(tmp_path: Path) -> None:
    shop = a_shop("OLD-1", other_ref="OLD-1")
    shop.notes[0] |= {"gross": "20.00", "net": "16.67"}
    assert len(list(shop.audited(tmp_path).rows)) == 1
    assert evidence_of(tmp_path, "RMA1")["goods"] == "note: price of NEW-1; refund: cost of the same goods"


def test_one_note_for_two_returns_may_hold_a_renamed_code(tmp_path: Path) -> None:
    shop = a_shop("OLD-1", other_ref="OLD-1")
    shop.sold(1, code="OTHER", price="5.00")
    shop.returned(2, sku="OTHER", cost="5.00", shopify_order_name="#LX1")
    shop.credited("CN1", 1, stock_code="OTHER", gross="5.00", net="4.17")
    for row in shop.notes:
        row["associated_ref"] = "RMA1, RMA2"
    result = shop.audited(tmp_path)
    assert {row.rma: (row.status, row.matched_by) for row in result.rows} == dict.fromkeys(
        ("RMA1", "RMA2"), ("matched", "one_to_many")
    )


@pytest.mark.parametrize(("name", "status"), [("OLD-1", "matched"), ("", "credit_note_missing")])
def test_without_a_reference_only_a_known_name_counts(tmp_path: Path, name: str, status: str) -> None:
    shop = a_shop("OLD-1", other_ref=name)
    shop.notes[0]["associated_ref"] = ""
    assert statuses(shop.audited(tmp_path))["RMA1"] == status


@pytest.mark.parametrize(("names", "status"), [(("", ""), "ambiguous"), (("OLD-1", "OLD-2"), "matched")])
def test_two_renamed_codes_of_one_order_are_told_apart_by_what_names_them(
    tmp_path: Path, names: tuple[str, str], status: str
) -> None:
    shop = Shop(codes=[{"stock_code": f"NEW-{at}", "other_ref": name} for at, name in enumerate(names, start=1)])
    for number in (1, 2):
        shop.sold(1, code=f"NEW-{number}")
        shop.returned(number, sku=f"OLD-{number}", shopify_order_name="#LX1")
        shop.credited(f"CN{number}", number, stock_code=f"NEW-{number}", order_ref="KCCLX1", customer_ref="C1")
    found = statuses(shop.audited(tmp_path))
    assert (found["RMA1"], found["RMA2"]) == (status, status)


def test_a_reference_that_of_another_renamed_code_loses_against_the_goods(tmp_path: Path) -> None:
    shop = Shop(codes=[{"stock_code": f"NEW-{number}", "other_ref": f"OLD-{number}"} for number in (1, 2)])
    for number in (1, 2):
        shop.sold(1, code=f"NEW-{number}")
        shop.returned(number, sku=f"OLD-{number}", shopify_order_name="#LX1")
        shop.credited(f"CN{number}", 3 - number, stock_code=f"NEW-{number}", order_ref="KCCLX1", customer_ref="C1")
    result = shop.audited(tmp_path)
    assert {row.rma: (row.status, *row.credit_note_codes) for row in result.rows} == {
        "RMA1": ("matched", "CN1"),
        "RMA2": ("matched", "CN2"),
    }


DAMAGED = [
    ("0017", "17", {}),
    ("MUG-BLUE", "MUG\u2011BLUE", {}),
    ("NEW-1", "OLD-1", {"other_ref": "OLD-1"}),
    ("NEW-1", "5060000000017", {"barcode": "5060000000017"}),
    ("NEW-1", "FOO", {}),
]


@pytest.mark.parametrize(("code", "typed", "catalogue"), DAMAGED)
def test_a_note_that_a_spreadsheet_damaged_is_in_step_and_its_code_told(
    tmp_path: Path, code: str, typed: str, catalogue: dict[str, str]
) -> None:
    shop = a_shop(code, code, **catalogue)
    shop.notes[0]["stock_code"] = typed
    result = shop.audited(tmp_path)
    name = "" if typed == "FOO" else code
    assert (statuses(result), told(result)) == ({"RMA1": "matched"}, [("sku_unknown", typed, name, 0)])


def test_a_damaged_note_at_another_value_has_a_gap_of_price_and_not_of_goods(tmp_path: Path) -> None:
    shop = a_shop("0017", "0017")
    shop.notes[0] |= {"stock_code": "17", "gross": "20.00", "net": "16.67"}
    (row,) = shop.audited(tmp_path).rows
    assert (row.status, row.legs["goods"]) == ("value_gap", -499)
    assert evidence_of(tmp_path, "RMA1")["goods"] == "note: price of 0017; refund: cost of the same goods"


@pytest.mark.parametrize(("gross", "net", "status"), [("0.00", "0.00", "matched"), ("3.95", "3.29", "value_gap")])
def test_carriage_beside_the_goods_is_no_damaged_code(tmp_path: Path, gross: str, net: str, status: str) -> None:
    shop = a_shop("NEW-1")
    shop.credited("CN1", 1, stock_code="CARRIAGE", gross=gross, net=net)
    result = shop.audited(tmp_path)
    assert statuses(result) == {"RMA1": status}
    assert "sku_unknown" not in {kind for kind, *_ in told(result)}


@pytest.mark.parametrize("gross", ["0.00", "3.95"])
def test_an_item_of_the_range_beside_the_goods_is_goods_unless_it_is_free(tmp_path: Path, gross: str) -> None:
    shop = a_shop("NEW-1")
    shop.credited("CN1", 1, stock_code="OTHER", gross=gross, net=gross)
    in_step, apart = {"RMA1": "matched"}, {"RMA1": "credit_note_missing", "CN1": "credit_note_orphan"}
    assert statuses(shop.audited(tmp_path)) == (in_step if gross == "0.00" else apart)


@pytest.mark.parametrize("typed", ["NEW-1", "OLD-1"])
def test_one_note_for_two_returns_tells_each_code_that_it_holds_under_another_name(tmp_path: Path, typed: str) -> None:
    sku = "OLD-1" if typed == "NEW-1" else "NEW-1"
    shop = a_shop(sku, other_ref="OLD-1")
    shop.sold(1, code="OTHER", price="5.00")
    shop.returned(2, sku="OTHER", cost="5.00", shopify_order_name="#LX1")
    shop.credited("CN1", 1, stock_code="OTHER", gross="5.00", net="4.17")
    for row in shop.notes:
        row["associated_ref"] = "RMA1, RMA2"
    shop.notes[0]["stock_code"] = typed
    result = shop.audited(tmp_path)
    assert statuses(result) == {"RMA1": "matched", "RMA2": "matched"}
    assert told(result) == [("sku_unknown", "OLD-1", "NEW-1", 0)]
