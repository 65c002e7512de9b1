"""The chaos proof: its unit starts again what the handbook's would, and its verdict sees what is lost or never came."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import httpx
import pytest

from khaos_swap_assets.adapters.settings import SwapSettings
from khaos_swap_assets.adapters.swap import client as swap_client
from khaos_swap_assets.sandbox import generator
from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.stages.returns.sync import sync_returns
from khaos_swap_assets_tests.bridging import Bridge
from khaos_swap_assets_tests.prove import chaos
from khaos_swap_assets_tests.prove.chaos import Chaos, Unit
from khaos_swap_assets_tests.stages.town import Town

NOTE = {"code": "CN1", "made_by": "channel"}


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unit:
    monkeypatch.setattr(chaos, "RESTART_SECONDS", -1.0)
    return Unit(tmp_path, port=0)


@pytest.mark.parametrize(("code", "starts"), [(2, 0), (75, 1), (1, 1), (-9, 1), (None, 0)])
def test_the_unit_starts_all_again_but_what_a_wrong_setting_ended(
    unit: Unit, monkeypatch: pytest.MonkeyPatch, code: int | None, starts: int
) -> None:
    begun: list[int | None] = []
    unit.process = MagicMock(poll=lambda: code)
    monkeypatch.setattr(Unit, "start", lambda _: begun.append(code))
    unit.tend()
    assert len(begun) == starts
    assert unit.exits == ([] if code is None else [code])


@pytest.fixture
def series(unit: Unit, database_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A ledger that a test fills, beside an empty database of ours."""
    ledger: dict[str, Any] = {"rmas": [], "notes": [], "duplicates": 0, "undue_moves": 0}
    monkeypatch.setattr(chaos, "PATIENCE", 0.1)
    monkeypatch.setattr(Chaos, "_ledger", lambda _: ledger)
    monkeypatch.setattr(Chaos, "_database", lambda _, suffix="": database_url)
    return ledger


def test_a_month_that_was_read_whole_lacks_nothing_though_a_return_of_it_is_still_to_be_submitted(
    unit: Unit, database_url: str, series: dict[str, Any]
) -> None:
    state = State(generator.build(3, 40))
    assert [one.rma_number for one in state.world.rmas.values() if not one.is_submitted] == ["RMA-2026-01020"]
    app = create_app(state, gateway_url="http://gateway")
    own: dict[str, Any] = {"url": "http://127.0.0.1/returns-api", "api_key": state.api_key, "requests_per_second": 100}
    swap = SwapSettings(**own, store_id=state.store_id)
    town = Town(database_url, now=state.world.now)
    reader = swap_client.connect(swap, transport=Bridge(app))
    sync_returns(replace(town.tools, open_swap=lambda: reader))
    series.update(httpx.Client(transport=Bridge(app), base_url="http://127.0.0.1").get("/admin/ledger").json())
    assert Chaos(unit, random.Random(1))._lost(series) == {}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, []),
        ({"rmas": ["RMA-1", "RMA-2"]}, ["2 returns were not read: RMA-1, RMA-2"]),
        ({"notes": [NOTE, {**NOTE, "made_by": "staff"}]}, ["1 Credit Notes of ours are not witnessed: CN1"]),
        ({"duplicates": 1}, ["the sandbox's ledger holds duplicates"]),
    ],
)
def test_what_is_lost_or_doubled_is_a_fault(
    unit: Unit, series: dict[str, Any], found: dict[str, Any], told: list[str]
) -> None:
    series.update(found)
    verdict = Chaos(unit, random.Random(1))._verdict()
    assert (verdict["holds"], verdict["faults"]) == (not told, told)


def test_what_came_after_the_blows_is_not_waited_for(
    unit: Unit, series: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    coming = iter(range(1000))
    monkeypatch.setattr(Chaos, "_ledger", lambda _: {**series, "rmas": [f"RMA-{n}" for n in range(next(coming))]})
    verdict = Chaos(unit, random.Random(1))._verdict()
    assert (verdict["holds"], verdict["returns"], verdict["lost"]) == (True, 0, 0)


def test_a_target_that_does_not_come_back_ends_the_series(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos, "PATIENCE", 0.1)
    victim = MagicMock()
    monkeypatch.setattr(unit, "child", lambda _: victim)
    monkeypatch.setattr(Chaos, "_stumble", lambda _: None)
    one = Chaos(unit, random.Random(1))
    one._strike("gateway")
    victim.kill.assert_called_once_with()
    assert one.faults == ["gateway was killed and not all was back after 0 s"]
    assert [blow["killed"] for blow in one.blows] == ["gateway"]


def test_a_series_goes_on_until_each_was_struck(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    struck: list[str] = []
    monkeypatch.setattr(Chaos, "_until", lambda *_: True)
    monkeypatch.setattr(Chaos, "_strike", lambda _, name: struck.append(name))
    monkeypatch.setattr(Chaos, "_verdict", lambda _: {})
    Chaos(unit, random.Random(1)).run(0)
    assert sorted(struck) == sorted(chaos.TARGETS)
