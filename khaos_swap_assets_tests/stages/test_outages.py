"""The database is locked by somebody, or only reads: a run says so in one line, and the next one goes on."""

from __future__ import annotations

import pytest

from khaos_swap_assets.adapters.store import database, postings
from khaos_swap_assets_tests.outages import TERMINAL, kept, read_only
from khaos_swap_assets_tests.stages.town import a_return
from khaos_swap_assets_tests.stages.waiting_town import WaitingTown

LOCK = "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE"
LOCKS = (
    LOCK.format("swap.returns"),
    LOCK.format("khaos.sales_orders"),
    LOCK.format("recon.worklist"),
    LOCK.format("recon.drafts"),
    f"SELECT pg_advisory_xact_lock({postings.LOCK})",
    LOCK.format("recon.reconciliation"),
    LOCK.format("recon.exceptions"),
    "SELECT * FROM swap.returns FOR UPDATE",
)


@pytest.fixture
def waiting(database_url: str, monkeypatch: pytest.MonkeyPatch) -> WaitingTown:
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    return WaitingTown.at(database_url)


def test_a_run_names_who_keeps_a_lock_wherever_it_meets_it_and_the_next_goes_on(waiting: WaitingTown) -> None:
    for lock in LOCKS:
        waiting.edit(a_return(1), a_return(2))
        with kept(waiting.url, lock) as pid:
            told = waiting.fails()
        assert f": session {pid} ({TERMINAL} of user postgres, since 20" in told
        assert told.endswith(" UTC) keeps a lock that we need; end it, or wait for its end, then run again")
    waiting.goes_on()


def test_a_lock_is_told_too_where_nobody_can_be_asked_whose_it_is(waiting: WaitingTown) -> None:
    waiting.with_settings()
    with kept(waiting.url, LOCKS[0]):
        assert waiting.fails().startswith("the embedded database: another session keeps a lock that we need")


def test_a_run_on_a_standby_says_where_to_write_and_the_next_goes_on(waiting: WaitingTown) -> None:
    for runs in range(2):
        with read_only(waiting.url):
            assert waiting.fails().endswith("the database is read-only; use the primary server")
        waiting.edit(a_return(1), a_return(2))
        if not runs:
            waiting.sync()
    waiting.goes_on()
