"""Where units are by the facts, and the movements between: what was and what is always add up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.goods.custody import CUSTOMER, PLACES, LineGoods, movements, places_of

UNITS = st.integers(0, 6)
POSITIONS = st.dictionaries(st.sampled_from(list(PLACES)), st.integers(-3, 6).filter(bool), max_size=5)
HISTORIES = st.lists(
    st.builds(
        LineGoods,
        quantity=UNITS,
        delivery_status=st.sampled_from(["", "Pre-Transit", "In-Transit"]),
        is_delivered=st.booleans(),
        is_over=st.booleans(),
        sellable=UNITS,
        seen_sellable=UNITS,
        damaged=UNITS,
        b_grade=UNITS,
        written_off=UNITS,
        graded=UNITS,
        missing=UNITS,
        strange=UNITS,
        kept=UNITS,
        excess=UNITS,
        shelved=UNITS,
        set_aside=UNITS,
        is_loss_accepted=st.booleans(),
        is_credited_by_hand=st.booleans(),
    ),
    max_size=8,
)


@given(POSITIONS, POSITIONS)
def test_movements_make_the_one_of_the_other_and_take_what_they_give(
    before: dict[str, int], after: dict[str, int]
) -> None:
    units = Counter(before)
    units[CUSTOMER] = -sum(before.values())
    for source, place, moved in movements(before, after):
        assert moved > 0
        assert source != place
        units[source] -= moved
        units[place] += moved
        assert sum(units.values()) == 0
    assert {place: count for place, count in units.items() if count and place != CUSTOMER} == after
    assert list(movements(after, after)) == []


@given(HISTORIES)
def test_units_balance_after_every_step_of_a_history(steps: list[LineGoods]) -> None:
    """Receipts, inspections, corrections, parts, too many and too few, wrong items, kept: in any order."""
    ledger: Counter[str] = Counter()
    before: dict[str, int] = {}
    for goods in steps:
        after = places_of(goods)
        for source, place, moved in movements(before, after):
            ledger[source] -= moved
            ledger[place] += moved
        before = after
        assert sum(ledger.values()) == 0
        assert {place: units for place, units in ledger.items() if units and place != CUSTOMER} == after
        found = goods.sellable + goods.damaged + goods.missing + goods.strange + goods.kept
        found += goods.b_grade + goods.written_off
        assert -ledger[CUSTOMER] in (max(goods.quantity, found) + goods.excess, found + goods.excess)


@given(HISTORIES)
def test_no_more_is_available_than_khaos_holds_and_none_of_it_is_damaged(steps: list[LineGoods]) -> None:
    for goods in steps:
        places = places_of(goods)
        on_shelf = places.get("available", 0) + places.get("available_unseen", 0)
        assert on_shelf == goods.shelved
        assert places.get("non_saleable", 0) == goods.set_aside
        assert places.get("b_grade", 0) == goods.graded
        assert places.get("written_off", 0) == goods.written_off + goods.missing * goods.is_loss_accepted
        assert places.get("available_unseen", 0) <= max(goods.sellable - goods.seen_sellable, 0)
