"""The order of queues, whose they are, and the limits of waivers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.desk.members import OF_ROLE, Member, Role, WaiverLimits, may_grant
from khaos_swap_assets.domain.desk.queues import (
    CLOCKED,
    DOUBLING,
    OWNERS,
    act_by,
    in_address,
    queues_of,
    team_of,
    urgent_at,
)
from khaos_swap_assets.domain.exceptions.catalogue import KINDS

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
kinds, pence = st.sampled_from(sorted(KINDS)), st.integers(-10, 10**12)
moments = st.integers(0, 10**8).map(lambda seconds: NOON - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("kind", "amount", "days"),
    [("value_gap", 1, 7), ("value_gap", 0, 7), ("value_gap", -5, 7), ("value_gap", 2, 0), ("value_gap", 4, -7),
     ("credit_note_missing", 1, 3), ("inspection_overdue", 1, 3), ("record_refused", 1, 28)],
)  # fmt: skip
def test_a_place_is_the_deadline_less_a_week_for_each_doubling(kind: str, amount: int, days: int) -> None:
    assert urgent_at(kind, amount, NOON) == NOON + timedelta(days=days)


@given(kinds, pence, moments)
def test_twice_the_money_counts_like_another_week_of_waiting(kind: str, amount: int, at: datetime) -> None:
    amount = max(amount, 1)
    apart = urgent_at(kind, amount, at) - urgent_at(kind, 2 * amount, at)
    assert abs(apart - DOUBLING) < timedelta(milliseconds=1)


@given(kinds, pence, st.lists(moments, min_size=2, max_size=9))
def test_of_the_same_kind_and_money_the_oldest_comes_first(kind: str, amount: int, at: list[datetime]) -> None:
    places = [urgent_at(kind, amount, one) for one in sorted(at)]
    assert all(before <= after for before, after in pairwise(places))


@given(kinds, moments, st.lists(pence, min_size=2, max_size=9))
def test_of_the_same_kind_and_age_the_most_money_comes_first(kind: str, at: datetime, amounts: list[int]) -> None:
    places = [urgent_at(kind, one, at) for one in sorted(amounts, reverse=True)]
    assert all(before <= after for before, after in pairwise(places))


def test_every_kind_has_a_deadline_and_those_of_a_clock_the_nearest() -> None:
    assert set(KINDS) >= CLOCKED
    days = {kind: (act_by(kind, NOON) - NOON).days for kind in KINDS}
    assert {days[kind] for kind in CLOCKED} == {3}
    assert set(days.values()) == {3, 7, 28}


@pytest.mark.parametrize("role", OF_ROLE)
def test_a_role_has_one_queue_and_a_viewer_none(role: Role) -> None:
    queues = queues_of(Member("Vi", frozenset({role})))
    assert queues == () if role == "viewer" else (role.removesuffix("_approver").replace("_", " "),)


def test_somebody_with_two_roles_has_both_queues_in_order() -> None:
    member = Member("Vi", frozenset({"engineer", "finance_approver", "finance"}))
    assert queues_of(member) == ("finance", "engineer")
    assert in_address(OWNERS[0]) == "data-management"
    assert [team_of(owner) for owner in ("cx", "data management")] == ["CX", "Data management"]


LIMITS = WaiverLimits({"finance": 100, "finance_approver": 500})


@pytest.mark.parametrize(
    ("roles", "amount", "needs"),
    [({"finance"}, 100, False), ({"finance"}, 101, True), ({"finance", "finance_approver"}, 500, False),
     ({"finance_approver"}, 501, True), ({"cx"}, 1, True), (set(), 0, False)],
)  # fmt: skip
def test_the_largest_limit_of_the_roles_counts(roles: set[Role], amount: int, needs: bool) -> None:
    assert LIMITS.needs_second(Member("Vi", frozenset(roles)), amount) == needs


@pytest.mark.parametrize(
    ("name", "role", "may"),
    [("Bob", "finance_approver", True), ("Ann", "finance_approver", False), ("ANN", "finance_approver", False),
     ("Bob", "finance", False), ("Bob", "engineer", False)],
)  # fmt: skip
def test_another_person_who_may_grants(name: str, role: Role, may: bool) -> None:
    assert may_grant(Member(name, frozenset({role})), "Ann") == may
