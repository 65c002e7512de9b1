"""A clock that is set forward or back between runs, by an hour or a day: the same end as with a clock that runs right.

Belongs here: whole days of a town over such a jump. Stays out: one mark alone (``adapters.store.test_worklist``,
``returns.test_sync``), a webhook's token (``gateway.test_webhooks``), London's days (``credit_notes.test_attacks``).
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.due import what_is_due
from khaos_swap_assets_tests.stages.town import Town, a_return, connect

JUMPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)]
MARKS = "SELECT source FROM recon.watermarks WHERE reached_at > %s"


def stopped(town: Town) -> str:
    with connect(town) as conn:
        return watching.stopped(conn, town.settings, town.now)


def round_of(town: Town) -> None:
    town.sync()
    town.pull()


@pytest.mark.long
@pytest.mark.parametrize(("jump", "is_put_right"), [(jump, jump > timedelta()) for jump in JUMPS], ids=str)
def test_over_a_jump_every_return_is_credited_once_and_nothing_is_missed(
    town: Town, jump: timedelta, is_put_right: bool
) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2), a_return(3), a_return(4))
    town.swap.hidden |= {"R3", "R4"}
    round_of(town)
    town.now += jump
    town.swap.hidden -= {"R3"}
    town.edit(a_return(3))
    round_of(town)
    round_of(town)
    if is_put_right:
        town.now -= jump
    town.swap.hidden -= {"R4"}
    town.edit(a_return(4))
    assert what_is_due(town.tools)
    for _ in range(4):
        round_of(town)
    assert sorted(note.associated_ref for note in town.khaos.notes.values()) == ["RMA1", "RMA2", "RMA3", "RMA4"]
    assert town.ask("SELECT DISTINCT state, times_handed_out FROM recon.postings") == [("confirmed", 1)]
    assert town.ask("SELECT DISTINCT status FROM recon.reconciliation") == [("matched",)]
    assert town.kinds() == {}
    assert (town.ask(MARKS, town.now), stopped(town)) == ([], "")


@pytest.mark.parametrize("jump", JUMPS[2:], ids=str)
def test_after_a_jump_nothing_leaves_before_a_run_looked(town: Town, jump: timedelta) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.now += jump
    assert "no complete run within" in stopped(town)
    assert town.pull() == []
    town.sync()
    assert len(town.pull()) == 1


def test_a_day_set_forward_and_back_has_no_second_cap(town: Town) -> None:
    town.with_settings(daily_document_cap=1)
    town.sells_and_takes_back(a_return(1), a_return(2), a_return(3))
    round_of(town)
    round_of(town)
    town.now += timedelta(days=1)
    round_of(town)
    round_of(town)
    town.now -= timedelta(days=1)
    round_of(town)
    round_of(town)
    assert len(town.khaos.notes) == 2
