"""Stock: the disposition of each unit, and what two levels prove."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.goods.dispositions import Inspection, Strange, disposition_of, judge_level, settle
from khaos_swap_assets.domain.records.returns import ReturnLine
from khaos_swap_assets_tests.domain.records import REFUNDED_AT, line


@pytest.mark.parametrize(
    ("condition", "disposition"),
    [
        ("Sellable", "sellable"),
        ("sellable", "sellable"),
        ("Damaged", "damaged"),
        ("No-Value", "damaged"),
        ("no value", "damaged"),
        ("Missing", "missing"),
        ("Pending", ""),
        ("Wrong-Item", ""),
        ("Not Expected", ""),
        ("Qty Mismatch", ""),
        ("Sellable?No", ""),
        ("", ""),
    ],
)
def test_a_condition_has_its_disposition(condition: str, disposition: str) -> None:
    assert disposition_of(condition) == disposition


def test_what_is_kept_is_never_missing_and_comes_to_no_shelf() -> None:
    rows = [line("P1", quantity=2), line("P2")]
    for status in ("Pending", "Missing", "Approved"):
        settled = settle(rows, [], status, {"P1": "kept"})
        assert settled.dispositions["P1"] == {"kept": 2}
        assert settled.leftovers["P1"] == 0
    both = [seen("Missing", 2), seen("Sellable", 1, sku="SKU-P2")]
    settled = settle(rows, both, "", {"P1": "kept"})
    assert (dict(settled.dispositions), settled.excess) == ({"P1": {"kept": 2}, "P2": {"sellable": 1}}, ())


def test_goods_that_the_warehouse_has_came_back_whatever_is_marked() -> None:
    rows = [line("P1", quantity=2), line("P2", sku="SKU-P1")]
    settled = settle(rows, [seen("Sellable"), seen("Damaged", 1, 1)], "", {"P1": "kept"})
    assert dict(settled.dispositions) == {"P1": {"damaged": 1, "kept": 1}, "P2": {"sellable": 1}}


def test_units_of_which_nobody_can_tell_wait_for_the_warehouse_or_swap() -> None:
    rows = [line("P1", quantity=2), line("P2")]
    settled = settle(rows, [seen("Sellable")], "Approved", {"P1": "unclear"})
    assert settled.dispositions["P1"] == {"sellable": 1}
    assert (settled.unclear, settled.leftovers) == ({"P1": 1}, {"P1": 1, "P2": 0})
    assert settled.dispositions["P2"] == {"sellable": 1}


def seen(condition: str, quantity: int = 1, hour: int = 0, **changes: Any) -> Inspection:
    told = {"sku": "SKU-P1", "line_item_id": "", "inspection_id": f"{condition}-{hour}"} | changes
    return Inspection(
        rma="RMA1001",
        condition=condition,
        quantity=quantity,
        inspected_at=REFUNDED_AT + timedelta(hours=hour),
        **told,
    )


@pytest.mark.parametrize(
    ("quantity", "inspections", "status", "settled", "left"),
    [
        (1, [], "Pending", {}, 1),
        (1, [seen("Sellable")], "Pending", {"sellable": 1}, 0),
        (3, [seen("Sellable", 1), seen("Sellable", 1, 1)], "", {"sellable": 2}, 1),
        (2, [seen("No-Value", 1), seen("Missing", 1)], "", {"damaged": 1, "missing": 1}, 0),
        (2, [], "Approved", {"sellable": 2}, 0),
        (2, [], "Missing", {}, 2),
        (2, [seen("Missing")], "Missing", {"missing": 1}, 1),
        (2, [], "Not Approved", {}, 2),
        (2, [], "Damaged", {}, 2),
        (2, [], "whatever", {}, 2),
        (2, [seen("Damaged")], "Approved", {"damaged": 1, "sellable": 1}, 0),
        (2, [seen("Wrong-Item")], "Approved", {"sellable": 1}, 1),
        (2, [seen("Wrong-Item", 2)], "Missing", {}, 2),
        (1, [seen("Pending")], "", {}, 1),
        (1, [seen("Pending")], "Approved", {"sellable": 1}, 0),
        (1, [seen("Wrong-Item"), seen("Sellable", 1, 5)], "", {"sellable": 1}, 0),
        (0, [seen("Sellable")], "Approved", {}, 0),
    ],
)  # fmt: skip
def test_units_are_settled(
    quantity: int, inspections: list[Inspection], status: str, settled: dict[str, int], left: int
) -> None:
    settlement = settle([line("P1", quantity=quantity)], inspections, status)
    assert settlement.dispositions == {"P1": settled}
    assert settlement.leftovers == {"P1": left}


@pytest.mark.parametrize(
    ("inspections", "strange"),
    [
        ([seen("Wrong-Item")], (Strange("P1", "SKU-P1", "Wrong-Item", 1),)),
        ([seen("Mouldy", 2)], (Strange("P1", "SKU-P1", "Mouldy", 2),)),
        ([seen("Wrong-Item", 5)], (Strange("P1", "SKU-P1", "Wrong-Item", 2),)),
        ([seen("Not Expected", sku="SKU-X")], (Strange("", "SKU-X", "Not Expected", 1),)),
        ([seen("Pending")], ()),
        ([seen("Sellable")], ()),
        ([seen("Wrong-Item"), seen("Sellable", 2, 3)], ()),
        ([seen("Wrong-Item", 2), seen("Sellable", 1, 3)], (Strange("P1", "SKU-P1", "Wrong-Item", 1),)),
    ],
)
def test_strange_conditions_stay_until_the_units_are_settled(
    inspections: list[Inspection], strange: tuple[Strange, ...]
) -> None:
    assert settle([line("P1", quantity=2)], inspections, "").strange == strange


def test_units_beyond_the_line_are_reported_and_settle_nothing() -> None:
    settlement = settle([line("P1")], [seen("Sellable"), seen("Damaged", 2, 1)], "")
    assert settlement.dispositions == {"P1": {"sellable": 1}}
    assert settlement.excess == (Strange("P1", "SKU-P1", "Damaged", 2),)


def test_two_sources_that_differ_about_the_same_units_settle_none_of_them() -> None:
    """The file said Sellable; the bench says Damaged of the only unit: nobody may sell it before a person decides."""
    by_file, by_bench = seen("Sellable", inspection_id="file-1"), seen("Damaged", 1, 1, inspection_id="bench-1")
    settlement = settle([line("P1")], [by_bench, by_file], "Approved")
    assert (settlement.dispositions, settlement.disputed) == ({"P1": {}}, {"P1": 1})
    assert (settlement.leftovers, settlement.excess) == ({"P1": 1}, ())
    strange = seen("Wrong-Item", 1, 2, inspection_id="bench-2")
    assert settle([line("P1")], [by_file, strange], "").disputed == {"P1": 1}


def test_two_sources_that_agree_or_speak_of_different_units_dispute_nothing() -> None:
    by_file, by_bench = seen("Sellable", inspection_id="file-1"), seen("Damaged", 1, 1, inspection_id="bench-1")
    both = settle([line("P1", quantity=2)], [by_file, by_bench], "")
    assert (both.dispositions, both.disputed) == ({"P1": {"sellable": 1, "damaged": 1}}, {})
    again = settle([line("P1")], [by_file, seen("Sellable", 1, 1, inspection_id="bench-2")], "")
    assert (again.dispositions, again.disputed, len(again.excess)) == ({"P1": {"sellable": 1}}, {}, 1)
    more = settle([line("P1")], [by_file, seen("Damaged", 3, 1, inspection_id="bench-2")], "")
    assert (more.disputed, [one.quantity for one in more.excess]) == ({"P1": 1}, [2])


def test_an_inspection_of_no_line_is_excess() -> None:
    assert settle([line("P1")], [seen("Sellable", sku="")], "").excess == (Strange("", "", "Sellable", 1),)


def settled(lines: list[ReturnLine], *inspections: Inspection) -> dict[str, dict[str, int]]:
    return {key: dict(counts) for key, counts in settle(lines, inspections, "").dispositions.items()}


def test_the_line_item_wins_over_the_sku() -> None:
    lines = [line("P1", sku="SAME"), line("P2", sku="SAME")]
    found = seen("Damaged", sku="SAME", line_item_id="L-P2")
    assert settled(lines, found) == {"P1": {}, "P2": {"damaged": 1}}
    assert settled(lines, seen("Damaged", sku="SKU-OTHER", line_item_id="L-P2"))["P2"] == {"damaged": 1}


def test_an_unknown_line_item_falls_back_to_the_sku() -> None:
    assert settled([line("P1")], seen("Sellable", line_item_id="L-unknown")) == {"P1": {"sellable": 1}}


def test_several_rows_of_one_sku_are_filled_one_after_the_other() -> None:
    lines = [line("P2", sku="SAME"), line("P1", sku="SAME", quantity=2)]
    assert settled(lines, seen("Sellable", 2, sku="SAME"), seen("Missing", 1, 1, sku="SAME")) == {
        "P1": {"sellable": 2},
        "P2": {"missing": 1},
    }


def test_refunded_rows_are_filled_first() -> None:
    lines = [line("P1", sku="SAME", outcome="Exchange"), line("P2", sku="SAME")]
    assert settled(lines, seen("Sellable", sku="SAME")) == {"P1": {}, "P2": {"sellable": 1}}


LINES = st.lists(
    st.builds(
        lambda number, sku, quantity, item: line(f"P{number}", sku=sku, quantity=quantity, line_item_id=item),
        st.integers(1, 9), st.sampled_from(["A", "B"]), st.integers(0, 4), st.sampled_from(["", "L1", "L2"]),
    ),
    max_size=5, unique_by=lambda row: row.product_id,
)  # fmt: skip
INSPECTIONS = st.lists(
    st.builds(
        lambda name, condition, quantity, hour, sku, item: seen(
            condition, quantity, hour, sku=sku, line_item_id=item, inspection_id=name
        ),
        st.uuids().map(str), st.sampled_from(["Sellable", "Damaged", "Missing", "Wrong-Item", "Pending", "odd"]),
        st.integers(1, 4), st.integers(0, 3), st.sampled_from(["A", "B", "C"]), st.sampled_from(["", "L1", "L2", "L3"]),
    ),
    max_size=6, unique_by=lambda found: found.inspection_id,
)  # fmt: skip
STATUSES = st.sampled_from(["", "Pending", "Approved", "Not Approved", "Missing"])


@given(LINES, INSPECTIONS, STATUSES)
def test_every_unit_is_settled_once_or_left(lines: list[ReturnLine], found: list[Inspection], status: str) -> None:
    settlement = settle(lines, found, status)
    for row in lines:
        counts = settlement.dispositions[row.product_id]
        assert all(units > 0 for units in counts.values())
        assert sum(counts.values()) + settlement.leftovers[row.product_id] == row.quantity


@given(LINES, INSPECTIONS, STATUSES, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(
    lines: list[ReturnLine], found: list[Inspection], status: str, random: Any
) -> None:
    shuffled = settle(random.sample(lines, len(lines)), random.sample(found, len(found)), status)
    assert shuffled == settle(lines, found, status)


@pytest.mark.parametrize(
    ("before", "after", "moved", "others", "if_wrong", "verdict"),
    [
        (5, 6, 1, False, 0, "confirmed"),
        (0, 3, 3, False, 0, "confirmed"),
        (5, 5, 1, False, 0, "failed"),
        (5, 6, 1, True, 0, "cannot_tell"),
        (5, 5, 1, True, 0, "cannot_tell"),
        (5, 7, 1, False, 0, "cannot_tell"),
        (5, 4, 1, False, 0, "cannot_tell"),
        (None, 6, 1, False, 0, "cannot_tell"),
        (5, None, 1, False, 0, "cannot_tell"),
        (5, 5, 0, False, 1, "confirmed"),
        (5, 6, 0, False, 1, "failed"),
        (5, 7, 0, False, 1, "cannot_tell"),
        (5, 6, 0, True, 1, "cannot_tell"),
        (5, 5, 0, False, 0, "cannot_tell"),
    ],
)
def test_two_levels_prove_what_they_can(
    before: int | None, after: int | None, moved: int, others: bool, if_wrong: int, verdict: str
) -> None:
    assert judge_level(before, after, moved, others, if_wrong=if_wrong) == verdict


@pytest.mark.parametrize(
    ("change", "moved", "if_wrong", "raised", "verdict"),
    [
        (1, 1, 0, 0, "confirmed"),
        (0, 1, 0, 0, "cannot_tell"),
        (-1, 1, 0, 0, "cannot_tell"),
        (2, 1, 0, 1, "confirmed"),
        (1, 1, 0, 1, "cannot_tell"),
        (3, 1, 0, 1, "cannot_tell"),
        (1, 1, 0, None, "cannot_tell"),
        (2, 0, 2, 0, "failed"),
        (1, 0, 2, 0, "cannot_tell"),
        (0, 0, 2, 0, "cannot_tell"),
        (3, 0, 2, 1, "failed"),
    ],
)
def test_beside_other_documents_only_a_rise_by_all_that_could_raise_it_proves_anything(
    change: int, moved: int, if_wrong: int, raised: int | None, verdict: str
) -> None:
    assert judge_level(5, 5 + change, moved, True, if_wrong=if_wrong, raised=raised) == verdict


@given(
    st.integers(1, 4), st.booleans(), st.lists(st.integers(1, 3), max_size=3), st.integers(0, 5), st.integers(0, 4),
    st.data(),
)  # fmt: skip
def test_what_is_said_beside_other_documents_is_true(
    units: int, is_sellable: bool, noted: list[int], sold: int, on_shelf: int, data: st.DataObject
) -> None:
    shelved = min(on_shelf, units)
    rose = sum(data.draw(st.integers(0, one)) for one in noted)
    moved, if_wrong = (units, 0) if is_sellable else (0, units)
    verdict = judge_level(9, 9 + shelved + rose - sold, moved, True, if_wrong=if_wrong, raised=sum(noted))
    if verdict != "cannot_tell":
        assert shelved == units
        assert verdict == ("confirmed" if is_sellable else "failed")
