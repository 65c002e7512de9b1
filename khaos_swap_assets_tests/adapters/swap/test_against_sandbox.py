"""The Swap client against the sandbox's Swap, under each of its switches and faults."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.swap.client import SwapClient, SweepResult, connect
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.state import SWAP_SWITCHES, State
from khaos_swap_assets.sandbox.swap_server import swap_router
from khaos_swap_assets_tests.adapters.swap.rows import settings
from khaos_swap_assets_tests.bridging import Bridge

SWITCHES = [(name, value) for name, values in SWAP_SWITCHES.items() for value in values]
FAULTS = ["swap_429", "swap_500", "swap_truncated", "swap_page_drift", "swap_duplicate"]


@pytest.fixture
def state() -> State:
    return State(build(5, 60))


def client_of(state: State, **changes: Any) -> SwapClient:
    app = FastAPI()
    app.include_router(swap_router(state))
    store = {"store_id": state.world.store_id, "url": "http://127.0.0.1/returns-api", "api_key": state.api_key}
    chosen = settings(**(store | {"page_size": 25} | changes))
    return connect(chosen, transport=Bridge(app), sleep=lambda seconds: None)


def sweep(state: State, **changes: Any) -> SweepResult:
    return client_of(state, **changes).changed_since(state.world.now - timedelta(days=90))


def money(result: SweepResult) -> dict[str, tuple[int, int]]:
    return {
        one.record.return_id: (one.record.refund_pence, sum(line.cost_pence for line in one.record.lines))
        for one in result.returns
    }


def truth(state: State) -> dict[str, tuple[int, int]]:
    rmas = [rma for rma in state.world.rmas.values() if not rma.broken_fields]
    return {rma.return_id: (rma.refund_pence, sum(line.cost_pence for line in rma.lines)) for rma in rmas}


def test_every_return_is_read_as_it_is_and_the_broken_ones_are_named(state: State) -> None:
    result = sweep(state)
    assert money(result) == truth(state)
    broken = {rma.rma_number for rma in state.world.rmas.values() if rma.broken_fields}
    assert {fault.subject for fault in result.faults} == broken
    assert broken
    assert not result.is_drifted


@pytest.mark.parametrize(("name", "value"), SWITCHES)
def test_no_switch_changes_what_is_read(state: State, name: str, value: str) -> None:
    expected = truth(state)
    state.switches[name] = value
    changes = {"cost_basis": value} if name == "cost_basis" else {}
    assert money(sweep(state, **changes)) == expected


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_loses_nothing(state: State, fault: str) -> None:
    expected = truth(state)
    state.faults.arm(fault)
    assert money(sweep(state)) == expected
    assert fault not in state.faults.armed


def test_the_moments_of_a_return_are_those_of_the_sandbox(state: State) -> None:
    for style in SWAP_SWITCHES["date_style"]:
        state.switches["date_style"] = style
        found = {one.record.rma: one.record for one in sweep(state, date_zone="UTC").returns}
        confirmed = [rma for rma in state.world.rmas.values() if rma.closed_at and rma.rma_number in found]
        assert confirmed
        for rma in confirmed:
            assert rma.closed_at is not None
            assert found[rma.rma_number].closed_at == rma.closed_at.replace(microsecond=0)


def test_one_rma_can_be_asked_for_and_a_wrong_key_is_told(state: State) -> None:
    rma = next(rma for rma in state.world.rmas.values() if not rma.broken_fields)
    assert [one.record.rma for one in client_of(state).by_rma(rma.rma_number).returns] == [rma.rma_number]
    assert "returns in sight" in client_of(state).probe()
    with pytest.raises(PermanentError, match=r"401.*KHAOS_SWAP_SWAP_API_KEY"):
        client_of(state, api_key="wrong-key").probe()
    with pytest.raises(PermanentError, match="KHAOS_SWAP_SWAP_STORE_ID"):
        client_of(state, store_id="st_other").probe()


@pytest.mark.parametrize("encodes", [True, False])
def test_colons_reach_the_sandbox_either_way(state: State, encodes: bool) -> None:
    assert money(sweep(state, encodes_colons=encodes)) == truth(state)
