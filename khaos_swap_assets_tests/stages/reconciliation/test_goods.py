"""The goods of a month: each unit in one place at two values, what is proposed, and what was on no shelf at its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy, GoodsDecision
from khaos_swap_assets.stages.reconciliation.month_end import goods_tables
from khaos_swap_assets_tests.stages.stock.test_adjustments import inspected
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order, connect

OPEN: dict[str, Any] = {"status": "Open", "processed_at": None, "closed_at": None, "quality_control_status": "Pending"}


GIVEN: dict[str, Any] = {"conditions": {"No-Value": "written_off", "B-grade": "b_grade"}, "b_grade_suffix": "-B"}
POLICY = CreditNotePolicy(
    returned_goods=GoodsDecision(
        choice="by_condition", reason="agreed", approver="Kim", effective_on=date(2026, 1, 1), **GIVEN
    )
)


@pytest.fixture
def audited(town: Town) -> Town:
    """A merchant who writes off what has no value, and sells B-grade."""
    town.policy = POLICY
    return town.with_settings(mode="audit", post_from=None)


def costs(town: Town, pence: int | None, **later: float) -> None:
    """Khaos tells another cost of the HAT, and it is read."""
    town.khaos.items["HAT"] = replace(town.khaos.items["HAT"], buy_pence=pence)
    town.sync(**later)


def told(town: Town, table: str, period: str = "2026-03") -> list[str]:
    """The rows of a table, without its head."""
    with connect(town) as conn:
        return goods_tables(conn, period, town.now)[table].splitlines()[2:]


@pytest.mark.parametrize(
    ("condition", "place", "proposed"),
    [
        ("Sellable", "back in the saleable stock", ""),
        (
            "Damaged",
            "in quarantine, at its value until it is written down or off",
            "write down or off by what it will bring",
        ),
        ("No-Value", "written off", "write off at cost"),
        ("B-grade", "to be sold as B-grade, at its value until it is written down", "write down to what B-grade will"),
        ("Missing", "not in the parcel: a loss, for a claim", "claim; no stock came in"),
        ("Wrong-Item", "not what was sold, at the bench", ""),
        ("", "delivered and not inspected", ""),
    ],
)
def test_u27_every_returned_unit_has_its_place_and_its_value(
    audited: Town, condition: str, place: str, proposed: str
) -> None:
    """A shirt whose cost was first told after its sale, and is £22.00 in Khaos."""
    audited.sells_and_takes_back(a_return(1, quality_control_status="Pending"))
    costs(audited, 2200)
    if condition:
        inspected(audited, (condition, 1))
    audited.sync()
    figures = "| 1 | not known | £22.00 | £0.00 |"
    assert told(audited, "returned_goods") == [f"| {place} {figures}", f"| sold: all of them {figures}"]
    rows = told(audited, "stock_proposed")
    assert [row.startswith(f"| {proposed}") and "| 1 | not known | £22.00 |" in row for row in rows] == (
        [True] if proposed else []
    )


@pytest.mark.parametrize(
    ("costs_told", "values"),
    [
        ([2200], ("£22.00", "£22.00", "£0.00")),
        ([2200, 2500], ("£22.00", "£25.00", "£3.00")),
        ([2200, 1950], ("£22.00", "£19.50", "\N{NON-BREAKING HYPHEN}£2.50")),
        ([2200, 2500, 9900], ("£22.00", "£25.00", "£3.00")),
        ([2200, None], ("£22.00", "not known", "£0.00")),
        ([None, 2500], ("not known", "£25.00", "£0.00")),
    ],
)
def test_the_cost_of_the_sale_beside_the_value_of_the_day_of_processing(
    audited: Town, costs_told: list[int | None], values: tuple[str, ...]
) -> None:
    """Costs are told before the sale, before the note is issued, and after it; the difference is told, no error."""
    audited.khaos.sell(an_order(9))
    for pence in costs_told[:1]:
        costs(audited, pence)
    sold_on, noted_on = audited.today(), audited.today() + timedelta(days=2)
    audited.sells_and_takes_back(a_return(1))
    audited.khaos.orders = [replace(one, invoiced_on=sold_on) for one in audited.khaos.orders]
    for pence in costs_told[1:2]:
        costs(audited, pence, days=2)
    audited.khaos.notes["CN1"] = a_note(associated_ref="RMA1", created_on=noted_on, issued_on=noted_on)
    audited.sync(days=2)
    for pence in costs_told[2:]:
        costs(audited, pence, days=2)
    (row, _) = told(audited, "returned_goods")
    assert row == f"| back in the saleable stock | 1 | {' | '.join(values)} |"
    assert [kind for kind in audited.kinds() if "stock" in kind] == []


def test_what_had_come_in_is_told_as_it_stood_when_the_month_ended(audited: Town) -> None:
    """Two HATs came on 9 March and were found sellable in April; one CAP was on its way at the end of March."""
    pending = a_return(1, a_line("HAT", 2, 2000), quality_control_status="Pending")
    audited.sells_and_takes_back(pending)
    audited.khaos.sell(an_order(2, ("CAP", 1)))
    audited.swap.put(a_return(2, a_line("CAP"), **{**OPEN, "delivered_at": None, "delivery_status": "In-Transit"}))
    costs(audited, 2200)
    assert told(audited, "not_on_a_shelf") == ["| Delivered, nobody has looked | under 2 days | 2 | £20.00 | £44.00 |"]
    audited.khaos.items["CAP"] = replace(audited.khaos.items["CAP"], is_discontinued=True)
    audited.now = datetime(2026, 4, 2, 12, tzinfo=UTC)
    inspected(audited, ("Sellable", 2))
    audited.edit(a_return(2, a_line("CAP"), **{**OPEN, "delivered_at": audited.now}))
    costs(audited, 2500)
    assert told(audited, "not_on_a_shelf") == ["| Delivered, nobody has looked | 7 to 30 days | 2 | £20.00 | £44.00 |"]
    assert told(audited, "open_to_buy") == [
        "| On its way back | not ordered again | 1 | not known |",
        "| Delivered, nobody has looked |  | 2 | £44.00 |",
    ]
    assert told(audited, "not_on_a_shelf", "2026-04") == [
        "| Inspected, and not in Khaos yet | 7 to 30 days | 2 | £20.00 | £50.00 |",
        "| Delivered, nobody has looked | under 2 days | 1 | £10.00 | not known |",
    ]


def test_a_month_without_goods_says_so(audited: Town) -> None:
    with connect(audited) as conn:
        tables = goods_tables(conn, "2026-01", audited.now)
    assert [table.count("\n") for table in tables.values()] == [1] * 5
