"""The adapter reads what the sandbox's Swap spells, under every switch: the two were written apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from khaos_swap_assets.adapters.settings import SwapSettings
from khaos_swap_assets.adapters.swap.client import SweepResult, connect
from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.state import SWAP_SWITCHES, State
from khaos_swap_assets.sandbox.swap_server import swap_router
from khaos_swap_assets.sandbox.world import Rma
from khaos_swap_assets_tests.bridging import Bridge

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SPELLINGS = [(name, value) for name, values in SWAP_SWITCHES.items() for value in values if name.count("_") < 2]


def sweep(state: State, *, cost_basis: str = "line", page_size: int = 100) -> SweepResult:
    app = FastAPI()
    app.include_router(swap_router(state))
    settings = SwapSettings.model_validate(
        {
            "url": "http://127.0.0.1/returns-api",
            "api_key": SecretStr(state.api_key),
            "store_id": state.world.store_id,
            "cost_basis": cost_basis,
            "page_size": page_size,
            "requests_per_second": 100,
        }
    )
    client = connect(settings, transport=Bridge(app), sleep=lambda _seconds: None)
    return client.changed_since(LONG_AGO)


def ended_state(switches: dict[str, str]) -> State:
    state = State(build(3, 60), switches)
    state.world.now += timedelta(days=16)
    apply_due(state.world)
    return state


def submitted(state: State) -> dict[str, Rma]:
    return {rma.return_id: rma for rma in state.world.rmas.values() if not rma.broken_fields}


@pytest.mark.parametrize(("name", "value"), SPELLINGS)
def test_every_spelling_is_read_to_the_same_truth(name: str, value: str) -> None:
    state = ended_state({name: value})
    result = sweep(state, cost_basis=value if name == "cost_basis" else "line")
    read = {row.record.return_id: row.record for row in result.returns}
    assert read.keys() == submitted(state).keys()
    for return_id, rma in submitted(state).items():
        record = read[return_id]
        assert (record.rma, record.status, record.refund_pence) == (rma.rma_number, rma.status, rma.refund_pence)
        assert (record.created_at, record.delivered_at, record.closed_at) == (
            rma.created_at,
            rma.delivered_at,
            rma.closed_at,
        )
        assert sum(line.cost_pence for line in record.lines) == sum(line.cost_pence for line in rma.lines)
        assert sum(line.quantity for line in record.lines) == sum(line.quantity for line in rma.lines)


def test_rows_at_fault_are_exactly_the_planted_ones() -> None:
    state = ended_state({})
    planted = {plant.rma for plant in state.world.plants if plant.kind == "record_unreadable"}
    assert planted
    assert {fault.subject for fault in sweep(state).faults} == planted


@pytest.mark.parametrize("fault", ["swap_429", "swap_500", "swap_truncated", "swap_page_drift", "swap_duplicate"])
def test_a_bad_moment_loses_no_return(fault: str) -> None:
    state = ended_state({"retry_after": "0"})
    state.faults.arm(fault)
    result = sweep(state, page_size=50)
    assert {row.record.return_id for row in result.returns} == submitted(state).keys()
    assert not result.is_drifted
