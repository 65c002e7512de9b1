"""What the bench finds decides what becomes of the goods: each condition, quantity, source and correction.

Belongs here: findings and the documents and tasks that follow, under both policies (gateway.md, swap.md §4).
Stays out: where units are (``test_goods_custody``).
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from khaos_swap_assets_tests.acceptance.swap_wire import product
from khaos_swap_assets_tests.acceptance.warehouse import UNSEEN, Warehouse, goods_settings, warehouse

__all__ = ["warehouse"]
SHELF, QUARANTINE, GONE = "1", "2", "3"
FOUND = {
    "Sellable": SHELF, "sellable": SHELF, "Damaged": QUARANTINE, "damaged": QUARANTINE, "No-Value": QUARANTINE,
    "No Value": QUARANTINE, "Missing": GONE, "missing": GONE,
}  # fmt: skip
ASKED = ("Wrong-Item", "Wrong item", "Not Expected", "Qty Mismatch", "Singed", "B-grade")
DUE, NOT_BACK, OVERDUE = "stock_adjustment_due", "stock_not_returned", "inspection_overdue"


def reasons(warehouse: Warehouse, number: int = 1) -> dict[str, int]:
    """Units by ReturnReason of the document of RMA<number>."""
    found: Counter[str] = Counter()
    for _, reason, units, _ in warehouse.given.get(f"RMA{number}", ()):
        found[reason] += units
    return dict(found)


def pence(warehouse: Warehouse, number: int = 1) -> int:
    return sum(row[3] for row in warehouse.given[f"RMA{number}"])


def kinds(warehouse: Warehouse, number: int) -> set[str]:
    return {kind for kind, _, subject, _ in warehouse.open_exceptions() if subject.split("/")[0] == f"RMA{number}"}


def test_each_condition_in_each_spelling_moves_goods_or_asks_a_person(warehouse: Warehouse) -> None:
    """Every one on a Stock Code of its own, so that its level speaks of it alone."""
    spelled = [*FOUND, *ASKED, "Pending", "damage"]
    for number, condition in enumerate(spelled, 1):
        warehouse.expects(number, product(f"S{number}"))
        warehouse.finds(number, condition, sku=f"S{number}")
    warehouse.settles()
    by = {condition: number for number, condition in enumerate(spelled, 1)}
    assert {one: reasons(warehouse, by[one]) for one in FOUND} == {one: {reason: 1} for one, reason in FOUND.items()}
    assert {one: warehouse.books.levels[f"S{by[one]}"] for one in spelled} == {
        one: 11 if FOUND.get(one) == SHELF else 10 for one in spelled
    }
    assert {one for one in ASKED if reasons(warehouse, by[one])} == set()
    assert {one for one in ASKED if NOT_BACK in kinds(warehouse, by[one])} == set(ASKED)
    assert {NOT_BACK in kinds(warehouse, by[one]) for one in ("Missing", "missing")} == {True}
    assert (reasons(warehouse, by["Pending"]), kinds(warehouse, by["Pending"])) == ({}, set())
    assert not any(kinds(warehouse, by[one]) for one in FOUND if FOUND[one] != GONE)


def test_partial_quantities_are_credited_by_condition_to_the_penny(warehouse: Warehouse) -> None:
    """RMA1 keeps a fee of £2.95 back: three units of £27.05. RMA2 is short, and the warehouse says so."""
    fee = {"handling_fee": 2.95, "total": 27.05, "total_refund_value_customer_currency": 27.05}
    warehouse.expects(1, product("HAT", 30.0, 3), **fee)
    warehouse.expects(2, product("CAP", 30.0, 3))
    warehouse.finds(1, "Sellable", 1)
    warehouse.finds(1, "Damaged", 2)
    warehouse.finds(2, "Sellable", 1, "CAP")
    warehouse.finds(2, "Missing", 2, "CAP")
    warehouse.settles(6)
    assert (reasons(warehouse, 1), pence(warehouse, 1)) == ({SHELF: 1, QUARANTINE: 2}, 2705)
    assert (reasons(warehouse, 2), pence(warehouse, 2)) == ({SHELF: 1, GONE: 2}, 3000)
    assert (warehouse.books.levels["HAT"], warehouse.books.levels["CAP"]) == (11, 11)
    assert [row[2:] for row in warehouse.tasks(NOT_BACK)] == [("RMA2", 2000)]


def test_what_was_not_counted_yet_waits_and_is_overdue_once(warehouse: Warehouse) -> None:
    warehouse.expects(1, product("HAT", 30.0, 3))
    warehouse.finds(1, "Sellable", 1)
    assert warehouse.settles() == []
    assert warehouse.open_exceptions() == []
    warehouse.now = datetime(2026, 3, 12, 12, tzinfo=UTC)
    warehouse.settles()
    assert [row[:3] for row in warehouse.tasks(OVERDUE)] == [(OVERDUE, "operations", "RMA1")]
    warehouse.finds(1, "Damaged", 2)
    assert warehouse.settles() == ["RMA1"]
    assert (reasons(warehouse), warehouse.open_exceptions()) == ({SHELF: 1, QUARANTINE: 2}, [])


def test_more_than_the_return_says_is_never_credited(warehouse: Warehouse) -> None:
    warehouse.expects(1, product("HAT", 20.0, 2))
    warehouse.finds(1, "Sellable", 3)
    warehouse.settles()
    assert (reasons(warehouse), pence(warehouse), warehouse.books.levels["HAT"]) == ({SHELF: 2}, 2000, 12)
    assert [row[:3] for row in warehouse.tasks(NOT_BACK)] == [(NOT_BACK, "operations", "RMA1")]
    assert "1 x HAT more" in warehouse.told(NOT_BACK)[0]["message"]


def test_a_wrong_item_among_right_ones_holds_the_document_until_it_is_corrected(warehouse: Warehouse) -> None:
    warehouse.expects(1, product("HAT", 20.0, 2))
    warehouse.finds(1, "Sellable", 1)
    warehouse.finds(1, "Wrong-Item", 1)
    assert warehouse.settles() == []
    assert [row[:3] for row in warehouse.tasks(NOT_BACK)] == [(NOT_BACK, "operations", "RMA1")]
    assert warehouse.corrects("1-HAT-Wrong-Item", "Damaged").exit_code == 0
    assert warehouse.settles() == ["RMA1"]
    assert (reasons(warehouse), warehouse.open_exceptions()) == ({SHELF: 1, QUARANTINE: 1}, [])


def test_two_findings_of_one_unit_that_contradict_each_other_are_asked_and_nothing_goes_on_sale(
    warehouse: Warehouse,
) -> None:
    for number, (first, second) in enumerate([("Sellable", "Damaged"), ("Damaged", "Sellable")], 1):
        warehouse.expects(number, product(f"S{number}"))
        warehouse.finds(number, first, sku=f"S{number}")
        warehouse.finds(number, second, sku=f"S{number}")
    warehouse.settles()
    assert {row[2] for row in warehouse.tasks(NOT_BACK)} == {"RMA1", "RMA2"}
    assert {warehouse.books.levels[code] for code in ("S1", "S2")} == {10}


def test_a_finding_sent_again_is_one_and_its_name_is_not_used_twice(warehouse: Warehouse) -> None:
    warehouse.expects(1, product("HAT", 20.0, 2))
    assert warehouse.finds(1, "Sellable").json() == {"accepted": True, "is_repeated": False}
    assert warehouse.finds(1, "Sellable").json() == {"accepted": True, "is_repeated": True}
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        warehouse.finds(1, "Sellable", 2)
    assert warehouse.settles() == []


FILE = """Order number,SKU,Condition,Returned quantity
#LX1,HAT,Sellable,1
LX1,HAT,Damaged,1
#LX2,CAP,Missing,1
#LX3,TIE,Wrong item,1
#LX9,HAT,Sellable,1
#LX2,HAT,Sellable,1
"""


def test_the_file_for_swap_counts_once_however_often_and_by_whom_it_comes(warehouse: Warehouse, tmp_path: Path) -> None:
    for number, sku, units in ((1, "HAT", 2), (2, "CAP", 1), (3, "TIE", 1)):
        warehouse.expects(number, product(sku, 10.0 * units, units))
    warehouse.sync()
    done = warehouse.uploads(tmp_path, FILE)
    assert (done.exit_code, done.stdout.split(";")[0]) == (1, "4 inspections are new, 0 were known")
    assert "line 6" in done.stderr
    assert "line 7" in done.stderr
    assert "line 2" not in done.stderr
    again = warehouse.uploads(tmp_path, FILE)
    assert again.stdout.startswith("0 inspections are new, 4 were known")
    other = warehouse.uploads(tmp_path, "\n".join(FILE.splitlines()[:2]) + "\n", "again.csv")
    assert "0 inspections are new" in other.stdout
    assert warehouse.settles() == ["RMA1", "RMA2"]
    assert (reasons(warehouse, 1), reasons(warehouse, 2)) == ({SHELF: 1, QUARANTINE: 1}, {GONE: 1})
    assert warehouse.books.levels == {"HAT": 11, "CAP": 10, "TIE": 10}


def test_the_bench_first_and_the_file_after_it_are_one_finding(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.expects(1)
    warehouse.finds(1, "Sellable")
    warehouse.sync()
    done = warehouse.uploads(tmp_path, "Order,SKU,Condition,Qty\n#LX1,HAT,Sellable,1\n")
    assert (done.exit_code, "0 inspections are new" in done.stdout) == (1, True)
    assert warehouse.settles() == ["RMA1"]
    assert (reasons(warehouse), warehouse.books.levels, warehouse.open_exceptions()) == ({SHELF: 1}, {"HAT": 11}, [])


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_correction_before_the_credit_leaves_no_trace_in_the_stock(warehouse: Warehouse, *, by_hand: bool) -> None:
    warehouse.expects(1)
    warehouse.finds(1, "Sellable")
    warehouse.sync(minutes=10)
    if by_hand:
        warehouse.corrects("1-HAT-Sellable", "Damaged")
    else:
        warehouse.finds(1, "Damaged", corrects="1-HAT-Sellable")
    assert warehouse.settles() == ["RMA1"]
    assert (reasons(warehouse), warehouse.books.levels["HAT"]) == ({QUARANTINE: 1}, 10)
    assert warehouse.open_exceptions() == []
    assert "Damaged" in (listed := warehouse.inspections("list", "--rma", "RMA1").stdout)
    assert "Sellable" not in listed.replace("1-HAT-Sellable", "")


def test_a_correction_after_the_credit_takes_the_goods_off_the_shelf_and_credits_nothing_twice(
    warehouse: Warehouse,
) -> None:
    warehouse.expects(1, product("HAT", 20.0, 2))
    warehouse.finds(1, "Sellable", 2)
    assert warehouse.settles() == ["RMA1"]
    warehouse.corrects("1-HAT-Sellable", "Damaged", 2)
    assert warehouse.settles() == []
    assert {row[:3] for row in warehouse.tasks(DUE)} == {
        (DUE, "operations", "RMA1/HAT/damaged"), (DUE, "operations", "RMA1/HAT/sellable"),
    }  # fmt: skip
    messages = " ".join(row["message"] for row in warehouse.told(DUE))
    assert "take 2 x HAT off the level of site 1; £20.00" in messages
    assert "add 2 x HAT to the level of site 9; £20.00" in messages
    for _ in range(2):
        warehouse.sync(minutes=20)
    warehouse.books.levels["HAT"] -= 2
    warehouse.books.aside["HAT"] += 2
    for _ in range(2):
        warehouse.sync(minutes=20)
    assert (warehouse.open_exceptions(), len(warehouse.given)) == ([], 1)


def test_swap_s_quality_control_settles_only_what_no_finding_named(warehouse: Warehouse) -> None:
    """RMA1: one of two lines named. RMA2: one of two units named. RMA3: Swap calls it missing by itself (48 hours)."""
    approved = {"quality_control_status": "Approved"}
    warehouse.expects(1, product("HAT"), product("CAP", 20.0), **approved)
    warehouse.expects(2, product("TIE", 20.0, 2), **approved)
    warehouse.expects(3, product("BAG"), quality_control_status="Missing")
    warehouse.expects(4, product("BELT"), quality_control_status="Not Approved")
    warehouse.finds(1, "Damaged")
    warehouse.finds(2, "Missing", sku="TIE")
    warehouse.settles()
    assert sorted(row[:3] for row in warehouse.given["RMA1"]) == [("CAP", SHELF, 1), ("HAT", QUARANTINE, 1)]
    assert reasons(warehouse, 2) == {SHELF: 1, GONE: 1}
    assert (reasons(warehouse, 3), reasons(warehouse, 4)) == ({}, {})
    assert warehouse.books.levels["BAG"] == 10
    warehouse.now = datetime(2026, 3, 12, 12, tzinfo=UTC)
    warehouse.settles()
    assert {kinds(warehouse, number) & {OVERDUE, NOT_BACK} != set() for number in (3, 4)} == {True}
    warehouse.finds(3, "Missing", sku="BAG")
    warehouse.settles()
    assert reasons(warehouse, 3) == {GONE: 1}
    assert kinds(warehouse, 3) == {NOT_BACK}


@pytest.mark.parametrize("qc", ["Pending", "Missing"])
def test_48_hours_without_inspection_are_told_where_the_limit_is_two_days(warehouse: Warehouse, qc: str) -> None:
    warehouse.settings = goods_settings(inspection_days=2)
    warehouse.expects(1, delivered_date="8 Mar 2026, 11:20:00", quality_control_status=qc)
    warehouse.expects(2, product("CAP"), delivered_date="9 Mar 2026, 11:20:00", quality_control_status=qc)
    warehouse.sync()
    assert [row[:3] for row in warehouse.tasks(OVERDUE)] == [(OVERDUE, "operations", "RMA1")]
    assert warehouse.postings() == {}


def test_credit_first_credits_at_once_and_each_finding_is_a_task_of_its_own_units(warehouse: Warehouse) -> None:
    warehouse.settings = goods_settings(legs_policy="credit_first")
    warehouse.expects(1, product("HAT", 60.0, 4), **UNSEEN)
    warehouse.expects(2, product("CAP"), delivered_date="N/A", delivery_status="In-Transit")
    warehouse.settles()
    assert (reasons(warehouse, 1), reasons(warehouse, 2)) == ({GONE: 4}, {GONE: 1})
    assert (warehouse.books.levels, warehouse.open_exceptions()) == ({"HAT": 10, "CAP": 10}, [])
    for condition, units in (("Sellable", 2), ("Damaged", 1), ("Missing", 1)):
        warehouse.finds(1, condition, units)
    warehouse.settles()
    assert warehouse.tasks(DUE) == [
        (DUE, "operations", "RMA1/HAT/damaged", 1500), (DUE, "operations", "RMA1/HAT/sellable", 3000),
    ]  # fmt: skip
    assert [row[2:] for row in warehouse.tasks(NOT_BACK)] == [("RMA1", 1500)]
    assert not warehouse.verdict("every_inspected_unit_has_moved").passed
    warehouse.sync(minutes=20)
    warehouse.books.levels["HAT"] += 2
    warehouse.books.aside["HAT"] += 1
    warehouse.sync(minutes=20)
    assert warehouse.tasks(DUE) == []
    assert warehouse.verdict("every_inspected_unit_has_moved").passed
    assert len(warehouse.given) == 2


def test_credit_first_corrected_before_and_after_the_adjustment_was_made(warehouse: Warehouse) -> None:
    warehouse.settings = goods_settings(legs_policy="credit_first")
    for number, sku in ((1, "HAT"), (2, "CAP")):
        warehouse.expects(number, product(sku))
        warehouse.finds(number, "Sellable", sku=sku)
    warehouse.settles()
    assert [row[2] for row in warehouse.tasks(DUE)] == ["RMA1/HAT/sellable", "RMA2/CAP/sellable"]
    warehouse.books.levels["CAP"] += 1
    warehouse.settles()
    assert [row[2] for row in warehouse.tasks(DUE)] == ["RMA1/HAT/sellable"]
    warehouse.corrects("1-HAT-Sellable", "Damaged")
    warehouse.corrects("2-CAP-Sellable", "Damaged")
    warehouse.settles()
    messages = {row["subject"]: row["message"] for row in warehouse.told(DUE)}
    assert messages.keys() == {"RMA1/HAT/damaged", "RMA2/CAP/damaged", "RMA2/CAP/sellable"}
    assert "take 1 x CAP off the level of site 1" in messages["RMA2/CAP/sellable"]
    assert "add 1 x HAT to the level of site 9" in messages["RMA1/HAT/damaged"]
    assert {note.pounds for note in warehouse.books.documents.values() if note.is_note} == {10}


def test_credit_first_waits_for_nobody_and_a_level_that_moves_otherwise_proves_nothing(warehouse: Warehouse) -> None:
    warehouse.settings = goods_settings(legs_policy="credit_first")
    warehouse.expects(1, product("HAT", 20.0, 2))
    warehouse.finds(1, "Sellable", 2)
    warehouse.settles()
    warehouse.settles()
    for change in (1, -3, 5):
        warehouse.books.levels["HAT"] += change
        warehouse.settles(1)
        assert [row[2] for row in warehouse.tasks(DUE)] == ["RMA1/HAT/sellable"]
