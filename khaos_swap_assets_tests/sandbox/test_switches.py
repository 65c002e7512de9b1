"""The one door to switches and faults: all of a wish or none of it, and a line for each thing that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.switches import (
    ALL_FAULTS,
    ALL_SWITCHES,
    KHAOS_SWITCHES,
    arm_faults,
    is_on,
    set_switches,
    value,
)
from khaos_swap_assets_tests.sandbox.small import small_world

CHOICES = st.sampled_from([(name, chosen) for name, values in ALL_SWITCHES.items() for chosen in values])


def a_state() -> State:
    return State(small_world())


@pytest.mark.parametrize(("name", "values"), KHAOS_SWITCHES.items())
def test_a_switch_that_nobody_set_has_its_first_value(name: str, values: tuple[str, ...]) -> None:
    assert value(a_state(), name) == values[0]


@pytest.mark.parametrize(("name", "expected"), [("multiref", False), ("extra_tags", True), ("process_return", True)])
def test_on_and_off_are_told_by_their_default(name: str, expected: bool) -> None:
    state = a_state()
    assert is_on(state, name) is expected
    assert set_switches(state, {name: "off" if expected else "on"}) == []
    assert is_on(state, name) is not expected


@given(st.lists(CHOICES, max_size=6).map(dict))
def test_a_wish_of_known_values_is_fulfilled_whole(wanted: dict[str, str]) -> None:
    state = a_state()
    assert set_switches(state, wanted) == []
    assert {name: state.switches[name] for name in wanted} == wanted


@given(st.lists(CHOICES, max_size=4).map(dict), st.sampled_from(sorted(ALL_SWITCHES)))
def test_one_bad_value_keeps_every_switch_as_it_was(wanted: dict[str, str], name: str) -> None:
    state = a_state()
    before = dict(state.switches)
    problems = set_switches(state, {**wanted, name: "sideways"})
    assert problems == [f"{name}: must be one of {', '.join(ALL_SWITCHES[name])}, not sideways"]
    assert state.switches == before


def test_an_unknown_switch_is_answered_with_all_there_are() -> None:
    (problem,) = set_switches(a_state(), {"colour": "red"})
    assert problem.startswith("colour: no such switch; there are ")
    assert all(name in problem for name in ALL_SWITCHES)


def test_every_wrong_part_of_a_wish_is_named() -> None:
    problems = set_switches(a_state(), {"cdata": "yes", "colour": "red", "multiref": "on"})
    assert [line.partition(":")[0] for line in problems] == ["cdata", "colour"]


@pytest.mark.parametrize("name", ALL_FAULTS)
def test_every_fault_can_be_armed_so_often_and_no_more(name: str) -> None:
    state = a_state()
    assert arm_faults(state, {name: 2}) == []
    assert [state.faults.take(name) for _ in range(3)] == [True, True, False]


def test_a_fault_for_ever_lasts_until_it_is_disarmed() -> None:
    state = a_state()
    arm_faults(state, {"khaos_500": -1})
    assert all(state.faults.take("khaos_500") for _ in range(20))
    arm_faults(state, {"khaos_500": 0})
    assert not state.faults.take("khaos_500")


def test_arming_again_counts_from_the_new_number() -> None:
    state = a_state()
    arm_faults(state, {"khaos_429": 5})
    arm_faults(state, {"khaos_429": 1})
    assert [state.faults.take("khaos_429") for _ in range(2)] == [True, False]


def test_one_unknown_fault_arms_nothing() -> None:
    state = a_state()
    (problem,) = arm_faults(state, {"khaos_500": 1, "earthquake": 1})
    assert problem.startswith("earthquake: no such fault; there are ")
    assert not state.faults.take("khaos_500")
