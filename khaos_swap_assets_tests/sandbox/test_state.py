"""Switches and faults as the servers see them."""

from __future__ import annotations

import pytest

from khaos_swap_assets.sandbox.state import SWAP_SWITCHES, UNTIL_DISARMED, ArmedFaults, State
from khaos_swap_assets_tests.sandbox.small import small_world


def test_a_fault_happens_as_often_as_it_was_armed() -> None:
    faults = ArmedFaults()
    faults.arm("swap_500", 2)
    assert [faults.take("swap_500") for _ in range(3)] == [True, True, False]
    assert faults.armed == {}


def test_a_fault_can_last_until_it_is_disarmed() -> None:
    faults = ArmedFaults()
    faults.arm("swap_500", UNTIL_DISARMED)
    assert all(faults.take("swap_500") for _ in range(5))
    faults.arm("swap_500", 0)
    assert not faults.take("swap_500")


def test_an_unarmed_fault_never_happens() -> None:
    assert not ArmedFaults().take("swap_429")


def test_a_switch_that_nobody_set_has_its_default() -> None:
    state = State(small_world(), {"sort": "random"})
    assert state.switch("sort", "updated_asc") == "random"
    assert state.switch("date_style", "engb") == "engb"


@pytest.mark.parametrize("name", SWAP_SWITCHES)
def test_every_switch_has_more_than_one_value(name: str) -> None:
    assert len(set(SWAP_SWITCHES[name])) == len(SWAP_SWITCHES[name]) > 1
