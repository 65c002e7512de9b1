"""What each role may do, as a table; whoever has several roles may do what any of them may."""

from __future__ import annotations

import typing

import pytest

from khaos_swap_assets.domain.desk.members import OF_ROLE, Act, Member, Role

ALLOWED = {
    "see": "viewer cx operations data_management finance finance_approver engineer",
    "work_queue": "cx operations data_management finance finance_approver engineer",
    "inspect": "operations",
    "waive": "finance finance_approver",
    "waive_above_limit": "finance_approver",
    "decide_match": "finance finance_approver",
    "release_draft": "finance finance_approver",
    "steer_feed": "engineer",
    "run": "operations data_management finance finance_approver engineer",
}


@pytest.mark.parametrize("role", typing.get_args(Role))
@pytest.mark.parametrize("act", typing.get_args(Act))
def test_what_a_role_may(role: Role, act: Act) -> None:
    assert Member("Kim", frozenset({role})).may(act) == (role in ALLOWED[act].split())


def test_every_role_is_in_the_table() -> None:
    assert set(OF_ROLE) == set(typing.get_args(Role))
    assert set(ALLOWED) == set(typing.get_args(Act))


def test_several_roles_add_up_and_none_is_nothing() -> None:
    assert Member("Kim", frozenset({"cx", "engineer"})).may("steer_feed")
    assert not Member("Kim", frozenset()).may("see")
