"""Returned goods: every unit that was sold and is named by a return is in one place, whatever is reported of it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.goods.conditions import ConditionMap, Fate, Inspection
from khaos_swap_assets.domain.goods.dispositions import settle
from khaos_swap_assets.domain.records.returns import ReturnLine
from khaos_swap_assets.domain.reporting.returned_goods import ReturnedRow, returned_goods
from khaos_swap_assets_tests.domain.test_stock import INSPECTIONS, LINES, STATUSES

COSTS = st.none() | st.integers(0, 10**9)
DAMAGED: st.SearchStrategy[Fate] = st.sampled_from(["non_saleable", "written_off", "b_grade", "person"])
ODD: st.SearchStrategy[Fate] = st.sampled_from(["available", "b_grade", "written_off", "missing", "person"])


@given(LINES, INSPECTIONS, STATUSES, st.booleans(), COSTS, COSTS, st.data())
@settings(max_examples=60, deadline=None)
def test_u27_sold_is_kept_in_transit_received_sellable_non_sellable_scrapped_and_lost(
    lines: Sequence[ReturnLine],
    inspections: Sequence[Inspection],
    status: str,
    is_delivered: bool,
    sold: int | None,
    khaos: int | None,
    data: st.DataObject,
) -> None:
    ids = [line.product_id for line in lines] or [""]
    kept = data.draw(st.dictionaries(st.sampled_from(ids), st.sampled_from(["kept", "unclear"])))
    fates = ConditionMap.of({"Damaged": data.draw(DAMAGED), "odd": data.draw(ODD)})
    found = settle(lines, inspections, status, kept, fates)  # type: ignore[arg-type]
    rows = []
    for line in lines:
        units, key = found.dispositions[line.product_id], line.product_id
        strange = sum(one.quantity for one in found.strange if one.product_id == key)
        stock = (units.get(word, 0) for word in ("sellable", "damaged", "b_grade", "written_off", "missing"))
        others = (strange, found.disputed.get(key, 0), units.get("kept", 0), found.unclear.get(key, 0))
        rows.append(ReturnedRow(line.quantity, (*stock, *others), is_delivered, sold, khaos))
    totals = returned_goods(rows)
    assert sum(one.units for one in totals) == sum(line.quantity for line in lines)
    assert all(one.units > 0 for one in totals)
    for one in totals:
        assert one.sold_pence == (one.units - one.without_sold) * (sold or 0)
        assert one.khaos_pence == (one.units - one.without_khaos) * (khaos or 0)
        assert one.apart_pence == (0 if None in (sold, khaos) else one.khaos_pence - one.sold_pence)
