"""The end is the same with events, without any and after a day in the dark: a few returns here, many in the proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import worklist
from khaos_swap_assets.stages.returns import sync
from khaos_swap_assets_tests.conftest import empty
from khaos_swap_assets_tests.prove import end_states
from khaos_swap_assets_tests.prove.end_states import changes_of, compare, free_settings
from khaos_swap_assets_tests.stages.town import Town

pytestmark = pytest.mark.house

STEP = timedelta(hours=6)
OpenTown = Callable[[], Town]


@pytest.fixture
def open_town(database_url: str, database: psycopg.Connection[Any]) -> OpenTown:
    """A town over the emptied database: each takes the place of the one before."""

    def opened() -> Town:
        database.rollback()
        empty(database)
        database.commit()
        return Town(database_url, free_settings())

    return opened


def test_the_days_hold_every_kind_of_change() -> None:
    changes = changes_of(400, seed=1)
    assert [change.at for change in changes] == sorted(change.at for change in changes)
    ends = [change for change in changes if change.event == "returnProcessed"]
    assert len(ends) == len(changes) / 2 == 400
    silent = sum(change.record.updated_at == change.record.created_at for change in ends)
    assert 400 * 0.15 < silent < 400 * 0.25
    assert Counter(change.record.status for change in ends)["Cancelled"] > 5
    assert sum(change.record.lines[0].sku == "NOWHERE" for change in ends) > 5


@pytest.mark.long
def test_the_end_is_the_same_without_events_and_after_a_dark_day(open_town: OpenTown) -> None:
    figures = compare(open_town, returns=8, step=STEP, seed=43)
    assert figures["faults"] == []
    assert figures["ledger"] > 5
    assert figures["exceptions"] == 1
    assert figures["waiting knocks"] == 0


@pytest.mark.long
def test_without_the_wide_sweep_another_end_is_noticed(open_town: OpenTown, monkeypatch: pytest.MonkeyPatch) -> None:
    def narrow(conn: psycopg.Connection[Any], _: Any, now: datetime) -> list[sync.SweepWindow]:
        reached = worklist.reached(conn, sync.SOURCE) or now
        return [sync.SweepWindow(sync.SOURCE, "changed", reached - timedelta(hours=2))]

    monkeypatch.setattr(sync, "due_windows", narrow)
    monkeypatch.setattr(end_states, "MODES", ("events", "dark day"))
    figures = compare(open_town, returns=8, step=STEP)
    assert "dark day: another ledger than with events" in figures["faults"]
    assert "the night's sweep was not wide" in figures["faults"]
