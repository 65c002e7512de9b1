"""Whether credit still stands open: who is asked, how often, and when it becomes an exception."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.stages.credit_notes.allocation import due_customers, read_allocations
from khaos_swap_assets_tests.stages.town import Town, a_note, a_return, connect, refunded_ago


def credited(town: Town, days_ago: int, **changes: Any) -> Town:
    """A return with its note of so many days ago, a day after the refund."""
    return_ = a_return(1, **refunded_ago(days_ago + 1))
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(return_)
    issued_on = town.today() - timedelta(days=days_ago)
    given: dict[str, Any] = {"associated_ref": "RMA1", "created_on": issued_on, "issued_on": issued_on, **changes}
    town.khaos.notes["CN1"] = a_note("CN1", **given)
    town.khaos.credit["C1"] = 5000
    return town


def asked(town: Town) -> list[str]:
    return [what for how, what in town.khaos.asked if how == "company"]


@pytest.mark.parametrize(("days_ago", "is_asked"), [(0, False), (7, False), (8, True), (100, True)])
def test_a_customer_is_asked_about_when_a_note_is_past_the_limit(town: Town, days_ago: int, is_asked: bool) -> None:
    credited(town, days_ago).sync()
    assert asked(town) == (["C1"] if is_asked else [])


@pytest.mark.parametrize(
    "changes", [{"issued_on": None, "stage_id": 10}, {"associated_ref": "", "customer_code": "C9"}]
)
def test_a_note_not_issued_or_of_no_return_asks_nobody(town: Town, changes: dict[str, object]) -> None:
    credited(town, 30, **changes).sync()
    assert asked(town) == []


def test_open_credit_of_the_value_is_an_exception_until_it_is_allocated(town: Town) -> None:
    credited(town, 8).sync()
    assert town.kinds() == {"credit_note_unallocated": "CN1"}
    assert town.one("SELECT unallocated_pence FROM khaos.customers") == 5000
    town.khaos.credit["C1"] = 999
    town.sync(days=1, minutes=1)
    assert town.kinds() == {}
    assert town.one("SELECT allocated_at FROM khaos.credit_notes") == town.now


def test_a_customer_is_asked_about_once_a_day(town: Town) -> None:
    credited(town, 8).sync()
    town.sync(hours=23)
    assert asked(town) == ["C1"]
    town.sync(hours=1, minutes=1)
    assert asked(town) == ["C1", "C1"]


def test_an_allocated_note_is_never_asked_about_again(town: Town) -> None:
    credited(town, 8)
    town.khaos.credit["C1"] = 0
    town.sync()
    town.sync(days=3)
    assert asked(town) == ["C1"]


def test_the_budget_bounds_how_many_are_asked(town: Town) -> None:
    credited(town, 8).sync()
    with connect(town) as conn:
        town.do("UPDATE khaos.customers SET read_at = read_at - interval '2 days'")
        assert due_customers(conn, town.settings, town.now) == ["C1"]
        town.settings.khaos.order_budget = 0
        assert due_customers(conn, town.settings, town.now) == []
    assert read_allocations(town.tools) == 0
