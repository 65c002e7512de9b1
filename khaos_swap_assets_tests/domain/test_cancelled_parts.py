"""Units taken off an order that goes on: what proves that Khaos has them off too, and what is trouble until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.goods.cancellations import (
    CancelledPart,
    OrderProgress,
    SeenPart,
    part_problems,
    seen_part,
)

AT = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
PART = CancelledPart(
    order_id="1",
    order_name="#LX1",
    sku="HAT",
    stock_code="HAT",
    units=1,
    stays=1,
    value_pence=1250,
    currency="GBP",
    cancelled_at=AT,
)
OPEN = OrderProgress("picking", ("SO1",), 12)
SENT = OrderProgress("sent", ("SO1",), 70)
UNITS = st.one_of(st.none(), st.integers(0, 5))


@pytest.mark.parametrize(
    ("order", "stays", "units", "most", "progress"),
    [
        (OPEN, 1, 2, None, "picking"),
        (OPEN, 1, 1, None, "taken_off"),
        (OPEN, 1, 1, 2, "taken_off"),
        (SENT, 1, 1, None, "taken_off"),
        (SENT, 1, 2, 2, "sent"),
        # None left is proof only where there were some: the code may be another in Khaos.
        (OPEN, 0, 0, None, "picking"),
        (OPEN, 0, 0, 1, "taken_off"),
        (SENT, 0, 0, 1, "taken_off"),
        (SENT, 0, 0, None, "sent"),
        (SENT, 0, 1, 1, "sent"),
        # What either side does not tell proves nothing.
        (OPEN, None, 0, 3, "picking"),
        (OPEN, 1, None, 2, "picking"),
        (OrderProgress("not_found"), 1, 1, 2, "not_found"),
        (OrderProgress("cancelled", ("SO1",)), 1, None, 2, "cancelled"),
    ],
)
def test_fewer_units_than_before_or_no_more_than_stay_prove_it(
    order: OrderProgress, stays: int | None, units: int | None, most: int | None, progress: str
) -> None:
    before = SeenPart("picking", units_most=most)
    assert seen_part(replace(PART, stays=stays), order, units, before).progress == progress


@given(looks=st.lists(UNITS, min_size=1), stays=UNITS)
def test_units_that_no_look_saw_fewer_than_ordered_are_never_off(looks: list[int | None], stays: int | None) -> None:
    seen = SeenPart("not_found")
    for units in looks:
        seen = seen_part(replace(PART, stays=stays), OPEN, units, seen)
        if seen.progress == "taken_off":
            assert units is not None
            assert stays is not None
            assert units <= stays
            assert units or any(one for one in looks if one)
    assert seen.units_most == max((one for one in looks if one is not None), default=None)


@pytest.mark.parametrize(
    ("seen", "has_return", "told"),
    [
        (SeenPart("picking", ("SO1",), 12, 2), False, ["cancelled_order_open"]),
        (SeenPart("waiting", ("SO1",), 10), True, ["cancelled_order_open"]),
        (SeenPart("sent", ("SO1",), 70, 2), False, ["cancelled_order_sent"]),
        (SeenPart("sent", ("SO1",), 70, 2), True, []),
        (SeenPart("taken_off", ("SO1",), 12, 1), False, []),
        (SeenPart("cancelled", ("SO1",)), False, []),
        (SeenPart("not_found"), False, []),
    ],
)
def test_it_is_trouble_while_it_may_be_sent_and_where_it_was(seen: SeenPart, has_return: bool, told: list[str]) -> None:
    found = list(part_problems(PART, seen, has_return=has_return))
    assert [one.kind for one in found] == told
    assert all((one.subject, one.money_at_risk_pence) == ("#LX1/HAT", 1250) for one in found)


def test_a_message_says_what_when_where_and_how_far() -> None:
    (open_,) = part_problems(PART, SeenPart("picking", ("SO1",), 12, 2), has_return=False)
    assert open_.message == (
        "1 x HAT taken off the order in the shop on 2026-07-01 at 10:30, and Sales Order SO1 is still open in Khaos "
        "with 2: picking; Khaos cancels whole orders only"
    )
    (sent,) = part_problems(PART, SeenPart("sent", ("SO1",), 70), has_return=False)
    assert sent.message.endswith("was sent and Khaos does not tell whether with them; a return is expected")
