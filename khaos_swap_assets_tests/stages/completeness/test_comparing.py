"""Whether everything arrived: Swap's own counts beside the mirror, day by day, and what is done about a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest

from khaos_swap_assets.adapters.errors import TransientError
from khaos_swap_assets.adapters.store import arrivals, completeness, queues, worklist
from khaos_swap_assets.adapters.store.completeness import Day, Traffic
from khaos_swap_assets.stages.completeness import assets
from khaos_swap_assets.stages.completeness.comparing import NEAR, WIDE, compare, due_days
from khaos_swap_assets_tests.stages.town import NOON, Town, a_return, called
from khaos_swap_assets_tests.stages.two_stores import TwoStores, twin

TODAY = NOON.date()
Connection = psycopg.Connection[Any]


def submitted(number: int, days_ago: int, **changes: Any) -> Any:
    moment = NOON - timedelta(days=days_ago)
    return replace(a_return(number), **({"submitted_at": moment, "created_at": moment, "updated_at": moment} | changes))


def judged(town: Town) -> dg.AssetCheckResult:
    return called(assets.CHECKS[0], town)  # type: ignore[no-any-return]


def test_a_whole_mirror_agrees_and_says_so(town: Town, database: Connection) -> None:
    town.swap.put(*(submitted(number, number) for number in range(1, 6)))
    town.read()
    found = compare(town.tools)
    assert len(found.days) == town.settings.swap.wide_sweep_days
    assert (
        sum(day.mended for day in found.days),
        sum(day.told for day in found.days),
        sum(day.short for day in found.days),
    ) == (0, 5, 0)
    verdict = judged(town)
    assert verdict.passed
    assert "all 5 returns" in str(verdict.description)


def test_a_return_that_never_arrived_is_named_and_read_at_once(town: Town, database: Connection) -> None:
    town.swap.put(submitted(1, 1), submitted(2, 1), submitted(3, 20))
    town.swap.hidden = {a_return(2).return_id, a_return(3).return_id}
    town.read()
    town.swap.hidden = set()
    found = compare(town.tools)
    assert sum(day.mended for day in found.days) == 2
    assert {day.day: list(day.missing_rmas) for day in found.days if day.mended} == {
        TODAY - timedelta(days=1): ["RMA2"],
        TODAY - timedelta(days=20): ["RMA3"],
    }
    assert database.execute("SELECT count(*) FROM swap.returns").fetchone() == (3,)
    assert database.execute("SELECT count(*) FROM recon.worklist WHERE stage = 'match'").fetchone() == (2,)
    assert judged(town).passed


def test_what_swap_counts_and_does_not_show_is_red(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.swap.put(submitted(1, 1))
    town.read()
    counted = town.swap.count_submitted
    monkeypatch.setattr(
        town.swap, "count_submitted", lambda first, last: (counted(first, last) or 0) + (first <= TODAY <= last)
    )
    compare(town.tools)
    verdict = judged(town)
    assert not verdict.passed
    assert verdict.severity == dg.AssetCheckSeverity.ERROR
    assert verdict.metadata["missing"].value == 1
    assert "1 returns that Swap counts are not in the mirror" in str(verdict.description)


def test_what_swap_no_longer_lists_is_named_and_is_no_gap(town: Town) -> None:
    town.swap.put(submitted(1, 1), submitted(2, 1))
    town.read()
    town.swap.hidden = {a_return(2).return_id}
    [day] = [day for day in compare(town.tools).days if day.vanished_rmas]
    assert (day.told, day.mirrored, list(day.vanished_rmas), day.short) == (1, 2, ["RMA2"], 0)
    assert judged(town).passed


def test_an_open_return_beyond_every_window_is_read_by_its_rma(town: Town, database: Connection) -> None:
    old = submitted(1, 300, status="Open", processed_at=None, closed_at=None, refund_pence=0)
    town.swap.put(replace(old, updated_at=NOON))
    town.read()
    town.swap.put(replace(old, status="Closed", updated_at=NOON - timedelta(days=200)))
    assert compare(town.tools).read_singly == 1
    assert database.execute("SELECT status FROM swap.returns").fetchone() == ("Closed",)


def test_more_of_them_than_a_night_reads_take_turns(town: Town, database: Connection) -> None:
    town.swap.put(*(submitted(number, 300, status="Open", closed_at=None, updated_at=NOON) for number in range(1, 8)))
    town.read()
    nights = [completeness.out_of_reach(database, NOON - timedelta(days=number), 3) for number in (62, 61, 60)]
    assert [len(night) for night in nights] == [3, 3, 3]
    assert {rma for night in nights for rma in night} == {f"RMA{number}" for number in range(1, 8)}
    assert len(completeness.out_of_reach(database, NOON, 7)) == 7


def test_wide_once_a_night_and_near_every_hour(town: Town, database: Connection) -> None:
    def asked(**later: float) -> int:
        return len(due_days(database, town.settings, NOON + timedelta(**later)))

    days = town.settings.swap.wide_sweep_days
    assert asked() == days
    for name in (NEAR, WIDE):
        worklist.move(database, name, NOON)
    assert [asked(minutes=10), asked(minutes=61), asked(hours=21)] == [0, 2, days]
    assert due_days(database, town.settings, NOON + timedelta(hours=2)) == [TODAY - timedelta(days=1), TODAY]


def test_nothing_due_asks_nobody(town: Town, database: Connection) -> None:
    for name in (NEAR, WIDE):
        worklist.move(database, name, town.now)
    database.commit()
    assert compare(town.tools).days == ()
    assert town.swap.asked == []


def test_a_swap_that_tells_no_counts_proves_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.swap, "count_submitted", lambda *_: None)
    assert compare(town.tools).days == ()
    verdict = judged(town)
    assert not verdict.passed
    assert "tells no counts" in str(verdict.description)


def test_days_without_returns_are_asked_about_at_once(town: Town) -> None:
    town.swap.put(submitted(1, 5), submitted(2, 20))
    town.read()
    town.swap.asked.clear()
    compare(town.tools)
    assert [how for how, _ in town.swap.asked] == ["count"] * 5


QUIET = Traffic(0, 0, 0)
DAY = Day(TODAY, 3, 3, (), (), 0, 0, NOON)


@pytest.mark.parametrize(
    ("days", "hours_ago", "traffic", "hears", "words"),
    [
        ([DAY], 1, QUIET, True, []),
        ([DAY], 27, QUIET, True, ["not asked"]),
        ([DAY], None, QUIET, True, ["not asked"]),
        ([], 1, QUIET, True, ["no counts"]),
        ([replace(DAY, told=5)], 1, QUIET, True, ["2 returns"]),
        ([replace(DAY, told=5, unreadable_rows=2)], 1, QUIET, True, []),
        ([DAY], 1, Traffic(0, 9, 5), True, ["nothing arrived: no webhook"]),
        ([DAY], 1, Traffic(1, 9, 5), True, []),
        ([DAY], 1, Traffic(0, 9, 4), True, []),
        ([DAY], 1, Traffic(0, 9, 50), False, []),
        ([replace(DAY, told=5)], 27, Traffic(0, 0, 9), True, ["not asked", "2 returns", "nothing arrived"]),
    ],
)
def test_nothing_happened_and_nothing_arrived_are_told_apart(
    days: list[Day], hours_ago: int | None, traffic: Traffic, hears: bool, words: list[str]
) -> None:
    compared_at = None if hours_ago is None else NOON - timedelta(hours=hours_ago)
    faults = assets.find_faults(days, compared_at, traffic, NOON, hears_webhooks=hears)
    assert len(faults) == len(words)
    assert all(word in fault for word, fault in zip(words, faults, strict=True))


def test_green_says_what_it_means() -> None:
    assert "nothing happened in 3 days" in assets.all_is_well([DAY], QUIET)
    assert "4 changed in 3 days, 2 webhooks" in assets.all_is_well([DAY], Traffic(2, 4, 1))


def test_the_traffic_counts_only_what_came_after_the_first_look(town: Town, database: Connection) -> None:
    town.swap.put(submitted(1, 1))
    town.read()
    compare(town.tools)
    town.swap.put(
        replace(submitted(2, 0), submitted_at=NOON + timedelta(hours=1), updated_at=NOON + timedelta(hours=1))
    )
    town.now += timedelta(hours=2)
    town.read()
    arrivals.keep_knocks(database, [arrivals.Knock("S1", "returnCreated", "x", {}, town.now)])
    assert completeness.traffic(database, NOON - timedelta(days=3)) == Traffic(1, 2, 1)


def test_the_asset_shows_days_documents_refusals_and_queues(town: Town, database: Connection) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2))
    town.sync()
    town.pull()
    arrivals.count_refusals(database, [arrivals.RefusedMessage("bad", "x", 1, "h", None, town.now)])
    database.commit()
    shown: Any = called(assets.reconciliation_completeness, town)
    told = shown.metadata
    assert told["told"] == told["mirrored"] == 2
    lines = {record.data["queue"]: record.data for record in told["queues"].records}
    assert lines["witnesses"]["waiting"] + lines["documents"]["waiting"] == 2
    assert lines["knocks"]["empty_in"] == "empty"
    assert [record.data["times"] for record in told["refused"].records] == [1]
    assert told["documents"].records[0].data["offered"] == 1


def test_what_a_gate_holds_is_told_by_reason(town: Town, database: Connection) -> None:
    town.swap.put(a_return(1), a_return(2))
    town.sync()
    held = queues.held_by_reason(database)
    assert sum(row["held"] for row in held) == 2
    assert all(row["reason"] and row["since"] == town.now for row in held)
    assert next(queue for queue in queues.read(database, town.now) if queue.name == "held").waiting == 2


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")]
)
def test_spans_in_words(seconds: int, text: str) -> None:
    assert assets._span(seconds) == text


def test_days_are_kept_newest_first_and_only_the_newest_comparison(database: Connection) -> None:
    completeness.save(database, [DAY, replace(DAY, day=date(2026, 3, 1))])
    completeness.save(database, [replace(DAY, told=9)])
    assert [(day.day, day.told) for day in completeness.days(database, date(2026, 1, 1))] == [
        (TODAY, 9),
        (date(2026, 3, 1), 3),
    ]


def test_each_store_is_compared_for_itself_and_named(database_url: str) -> None:
    town = TwoStores(database_url)
    town.swap.put(a_return(1, submitted_at=NOON))
    town.outlet.put(twin(1, submitted_at=NOON), twin(2, submitted_at=NOON))
    town.read()
    town.outlet.put(twin(3, submitted_at=NOON))
    compare(town.tools)
    query = "SELECT store, told, mirrored, missing_rmas, vanished_rmas FROM recon.completeness WHERE day = %s"
    told = town.ask(query, TODAY)
    assert sorted(told) == [("", 1, 1, [], []), ("outlet", 3, 3, ["outlet:RMA3"], [])]
    town.outlet.error = TransientError("503 down")
    town.now += timedelta(hours=27)
    compare(town.tools)
    verdict = called(assets.CHECKS[0], town)
    assert not verdict.passed
    assert verdict.description == "outlet: Swap was not asked for its counts within 26 hours: nothing may have arrived"
