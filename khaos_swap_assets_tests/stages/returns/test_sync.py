"""Reading Swap: which windows, what is written, what a knock gets, and what cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import TransientError
from khaos_swap_assets.adapters.store import arrivals, inbox, worklist
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.stages.due import what_is_due
from khaos_swap_assets.stages.reconciliation.judging import reconcile_waiting
from khaos_swap_assets.stages.returns import sync
from khaos_swap_assets.stages.returns.sync import OPEN, SOURCE, WHOLE, WIDE, due_windows, sync_returns
from khaos_swap_assets_tests.stages.town import NOON, Town, a_line, a_return, connect

NIGHT = datetime(2026, 3, 10, 2, 30, tzinfo=UTC)


def reach(town: Town, **moments: datetime) -> None:
    names = {"changed": SOURCE, "open": OPEN, "wide": WIDE, "whole": WHOLE}
    with town.tools.store() as conn:
        for name, moment in moments.items():
            worklist.move(conn, names[name], moment)


def asked(town: Town) -> list[tuple[str, object]]:
    with connect(town) as conn:
        return [(window.by, NOON - window.since) for window in due_windows(conn, town.settings, town.now)]


def knock(town: Town, return_id: str, body: Mapping[str, Any] | None = None) -> None:
    with town.tools.store() as conn:
        arrivals.keep_knocks(conn, [arrivals.Knock("S1", "returnProcessed", return_id, dict(body or {}), town.now)])


def knocks(town: Town) -> list[tuple[Any, ...]]:
    """(return, used, tries, seconds until the next try) of each knock."""
    rows = town.ask("SELECT return_id, consumed_at IS NOT NULL, tries, next_try_at FROM recon.inbox ORDER BY 1")
    return [(*row[:3], row[3] and (row[3] - town.now).total_seconds()) for row in rows]


def test_the_first_look_reaches_back_sixty_days_by_update_and_by_submission_and_through_the_list(town: Town) -> None:
    town.with_settings(period_start=date(2025, 7, 1))
    sixty, first = timedelta(days=60), NOON - datetime(2025, 6, 30, 23, tzinfo=UTC)
    assert asked(town) == [("changed", sixty), ("submitted", sixty), ("none", timedelta()), ("whole", first)]


def test_a_first_read_is_never_shallower_than_the_wide_sweep(town: Town) -> None:
    town.with_settings(period_start=date(2026, 3, 1))
    assert asked(town)[-1] == ("whole", timedelta(days=60))


@pytest.mark.parametrize(("days", "is_due"), [(6, False), (7, True)])
def test_one_night_a_week_goes_through_the_whole_list(town: Town, days: int, is_due: bool) -> None:
    reach(town, changed=NOON, wide=NOON - timedelta(days=1), open=NOON, whole=NOON - timedelta(days=days))
    assert ("whole" in [how for how, _ in asked(town)]) is is_due


def old(number: int, days: int, **changes: Any) -> Return:
    """A return of which nothing happened for so many days."""
    then = NOON - timedelta(days=days)
    dates = dict.fromkeys(("created_at", "submitted_at", "updated_at", "delivered_at"), then)
    return a_return(number, **{**dates, "processed_at": None, "closed_at": None, **changes})


def test_at_installation_open_returns_of_any_age_and_all_since_the_first_month_are_read(town: Town) -> None:
    town.with_settings(period_start=date(2025, 7, 1))
    town.sells_and_takes_back(
        old(1, 900, status="Open"),
        old(2, 300, status="Closed", closed_at=NOON - timedelta(days=200)),
        old(3, 900, status="Closed", closed_at=NOON - timedelta(days=400)),
    )
    town.sync()
    assert town.ask("SELECT rma FROM swap.returns ORDER BY rma") == [("RMA1",), ("RMA2",)]
    assert "refund_unconfirmed_too_long" in town.kinds()


def test_a_whole_list_that_moved_is_read_again_at_night_and_not_at_every_tick(town: Town) -> None:
    sync_returns(town.tools)
    town.do("DELETE FROM recon.watermarks WHERE source = %s", WHOLE)
    town.swap.asked.clear()
    town.now += timedelta(minutes=1)
    sync_returns(town.tools)
    assert "whole" not in [how for how, _ in town.swap.asked]
    town.now += timedelta(days=1)
    sync_returns(town.tools)
    assert "whole" in [how for how, _ in town.swap.asked]


def test_the_next_look_overlaps_the_last_one_by_two_hours(town: Town) -> None:
    reach(town, changed=NOON - timedelta(minutes=5), wide=NOON, open=NOON)
    assert asked(town) == [("changed", timedelta(hours=2, minutes=5))]


@pytest.mark.parametrize("mark", ["changed", "wide"])
def test_a_mark_of_a_clock_that_ran_ahead_is_read_again(town: Town, mark: str) -> None:
    reach(town, **{"changed": NOON, "wide": NOON, "open": NOON, "whole": NOON, mark: NOON + timedelta(days=900)})
    assert [how for how, _ in asked(town)] == ["changed", "submitted", "none"]


def test_a_return_that_changed_while_the_clock_was_put_right_is_not_missed(town: Town) -> None:
    town.now += timedelta(days=900)
    sync_returns(town.tools)
    town.now -= timedelta(days=900)
    town.swap.put(a_return(1))
    sync_returns(town.tools)
    assert town.ask("SELECT rma FROM swap.returns") == [("RMA1",)]


@pytest.mark.parametrize(
    ("minutes", "status", "expected"),
    [
        (14, "Open", []),
        (15, "Open", [("submitted", timedelta(days=4))]),
        (15, "Closed", [("none", timedelta())]),
        (15, "Cancelled", [("none", timedelta())]),
    ],
)
def test_open_returns_are_read_again_every_quarter_of_an_hour(
    town: Town, minutes: int, status: str, expected: list[tuple[str, timedelta]]
) -> None:
    town.swap.put(a_return(1, status=status))
    sync_returns(town.tools)
    reach(town, changed=NOON, wide=NOON, open=NOON - timedelta(minutes=minutes))
    assert asked(town)[1:] == expected


@pytest.mark.parametrize(
    ("now", "wide", "is_wide"),
    [
        (NIGHT, NIGHT - timedelta(days=1), True),
        (NIGHT, NIGHT - timedelta(minutes=10), False),
        (NIGHT - timedelta(hours=1), NIGHT - timedelta(hours=12), False),
        (NIGHT + timedelta(hours=5), NIGHT - timedelta(hours=12), True),
        # 01:30 UTC in July is 02:30 in London: the night has begun.
        (datetime(2026, 7, 10, 1, 30, tzinfo=UTC), datetime(2026, 7, 9, 12, tzinfo=UTC), True),
        (datetime(2026, 7, 10, 0, 30, tzinfo=UTC), datetime(2026, 7, 9, 12, tzinfo=UTC), False),
    ],
)
def test_one_wide_sweep_a_london_night(town: Town, now: datetime, wide: datetime, is_wide: bool) -> None:
    town.now = now
    reach(town, changed=now, open=now, wide=wide, whole=now)
    with connect(town) as conn:
        windows = due_windows(conn, town.settings, now)
    assert [window.source for window in windows] == ([SOURCE, WIDE, OPEN] if is_wide else [SOURCE])


def test_a_look_is_remembered_in_the_transaction_of_its_rows(town: Town) -> None:
    town.swap.put(a_return(1))
    sync_returns(town.tools)
    marks = dict(town.ask("SELECT source, reached_at FROM recon.watermarks"))
    assert marks == {SOURCE: NOON, WIDE: NOON, OPEN: NOON, WHOLE: NOON}


def test_a_look_that_fails_leaves_nothing_behind(town: Town) -> None:
    town.swap.put(a_return(1))
    town.swap.error = TransientError("Swap is away")
    with pytest.raises(TransientError):
        sync_returns(town.tools)
    assert town.ask("SELECT * FROM recon.watermarks") == []
    assert town.one("SELECT count(*) FROM swap.returns") == 0


def test_a_list_that_moved_is_kept_but_does_not_count_as_read(town: Town) -> None:
    town.swap.put(a_return(1))
    sync_returns(town.tools)
    town.now += timedelta(minutes=30)
    town.swap.put(a_return(2, updated_at=town.now))
    town.swap.is_drifted = True
    assert sync_returns(town.tools).is_drifted
    marks = dict(town.ask("SELECT source, reached_at FROM recon.watermarks"))
    assert marks[SOURCE] == NOON
    assert town.one("SELECT count(*) FROM swap.returns") == 2
    town.swap.is_drifted = False
    sync_returns(town.tools)
    assert dict(town.ask("SELECT source, reached_at FROM recon.watermarks"))[SOURCE] == town.now


def test_only_changed_content_is_written_and_put_in_line(town: Town) -> None:
    town.swap.put(a_return(1), a_return(2))
    assert sync_returns(town.tools).changed == ("R1", "R2")
    town.do("DELETE FROM recon.worklist")
    town.now += timedelta(minutes=1)
    town.edit(replace(a_return(2), status="Cancelled"))
    assert sync_returns(town.tools).changed == ("R2",)
    assert town.ask("SELECT stage, return_id FROM recon.worklist") == [("match", "R2")]
    assert town.ask("SELECT return_id, changed_at = read_at FROM swap.returns ORDER BY 1") == [
        ("R1", True),
        ("R2", True),
    ]
    assert town.one("SELECT changed_at FROM swap.returns WHERE return_id = 'R1'") == NOON


def test_lines_that_went_away_are_gone(town: Town) -> None:
    town.swap.put(a_return(1, a_line("HAT"), a_line("CAP")))
    sync_returns(town.tools)
    town.edit(a_return(1, a_line("CAP")))
    sync_returns(town.tools)
    assert town.ask("SELECT sku FROM swap.return_lines") == [("CAP",)]


def test_a_row_that_cannot_be_read_is_an_exception_until_it_can(town: Town) -> None:
    town.swap.faults = [RowFault("RMA7", "hash7", ("total: is no amount", "currency: is no currency code"))]
    assert sync_returns(town.tools).unreadable == 1
    reconcile_waiting(town.tools)
    assert town.ask("SELECT kind, subject, message FROM recon.findings") == [
        ("record_unreadable", "RMA7", "Swap: total: is no amount; currency: is no currency code")
    ]
    town.swap.faults = []
    town.edit(a_return(7))
    sync_returns(town.tools)
    reconcile_waiting(town.tools)
    assert town.ask("SELECT kind FROM recon.findings WHERE kind = 'record_unreadable'") == []


def test_a_nameless_row_is_over_when_a_wide_sweep_does_not_show_it_again(town: Town) -> None:
    town.swap.faults = [RowFault("hash8", "hash8", ("the row is no object",))]
    sync_returns(town.tools)
    town.swap.faults = []
    town.now += timedelta(minutes=20)
    sync_returns(town.tools)
    assert town.one("SELECT resolved_at FROM swap.unreadable") is None
    town.now += timedelta(days=1)
    sync_returns(town.tools)
    assert town.one("SELECT resolved_at FROM swap.unreadable") == town.now


@pytest.mark.parametrize("bodies", [[{}, {}], [{"return": {}, "x": 1}, {"x": 2, "return": None}]])
def test_messages_that_name_no_return_become_one_exception_a_shape(town: Town, bodies: list[dict[str, Any]]) -> None:
    with town.tools.store() as conn:
        for body in bodies:
            inbox.store_unreadable(conn, store_id="S1", body=body, now=town.now)
    assert what_is_due(town.tools) == "message to look at"
    sync_returns(town.tools)
    reconcile_waiting(town.tools)
    ((kind, message),) = town.ask("SELECT kind, message FROM recon.findings")
    assert kind == "record_unreadable"
    assert message.startswith("Swap: a webhook that Swap signed names no return")
    assert town.one("SELECT count(*) FROM recon.inbox WHERE consumed_at IS NULL") == 0


def test_a_knock_is_used_up_with_the_change_that_it_told_of(town: Town) -> None:
    town.swap.put(a_return(1))
    knock(town, "R1")
    assert sync_returns(town.tools).knocks == 1
    assert [row[:2] for row in knocks(town)] == [("R1", True)]


def test_a_knock_outlives_a_reading_that_shows_what_was_known(town: Town) -> None:
    town.swap.put(a_return(1, updated_at=NOON))
    sync_returns(town.tools)
    knock(town, "R1")
    assert sync_returns(town.tools).knocks == 0
    assert knocks(town) == [("R1", False, 1, 10)]
    town.now += timedelta(seconds=10)
    assert what_is_due(town.tools) == "knock"
    town.edit(a_return(1, status="Open"))
    assert sync_returns(town.tools).knocks == 1
    assert town.one("SELECT status FROM swap.returns") == "Open"


def test_a_knock_that_no_change_follows_is_over_with_the_reading_after_its_last_try(town: Town) -> None:
    town.swap.put(a_return(1, updated_at=NOON))
    sync_returns(town.tools)
    knock(town, "R1")
    tries = 0
    while what_is_due(town.tools) == "knock":
        assert sync_returns(town.tools).knocks == 0
        town.now += timedelta(seconds=knocks(town)[0][3] or 0)
        tries += 1
    assert tries == 4
    assert sync_returns(town.tools).knocks == 1


def test_a_postponed_knock_is_used_up_by_a_change_that_comes_before_its_time(town: Town) -> None:
    quiet(town)
    knock(town, "R9")
    sync_returns(town.tools)
    town.swap.put(a_return(9, updated_at=town.now))
    assert sync_returns(town.tools).knocks == 1


def test_a_failed_reading_uses_no_knock_up(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.swap.put(a_return(1))
    knock(town, "R1")
    monkeypatch.setattr(worklist, "move", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sync_returns(town.tools)
    assert knocks(town) == [("R1", False, 0, 0)]
    assert town.one("SELECT count(*) FROM swap.returns") == 0


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(hours=1)])
def test_a_knock_during_the_reading_waits_for_the_next_one_whatever_its_clock_says(
    town: Town, behind: timedelta
) -> None:
    town.swap.put(a_return(1))

    def late() -> None:
        town.now -= behind
        knock(town, "R1")
        town.now += behind

    _renewed(town, late)
    assert sync_returns(town.tools).knocks == 0
    assert [row[:3] for row in knocks(town)] == [("R1", False, 0)]


def test_the_wide_sweep_has_the_last_word_on_knocks(town: Town) -> None:
    town.swap.put(a_return(1))
    sync_returns(town.tools)
    for return_id, body in (("R1", {}), ("R8", {"return": {"rma_number": "RMA8"}}), ("R9", {})):
        knock(town, return_id, body)
    town.swap.hidden = {"R1"}
    for seconds in (0, 10, 60, 300):
        town.now += timedelta(seconds=seconds)
        sync_returns(town.tools)
    assert town.one("SELECT count(*) FROM recon.inbox WHERE consumed_at IS NOT NULL") == 0
    town.now += timedelta(days=1)
    sync_returns(town.tools)
    assert [row[:2] for row in knocks(town)] == [("R1", True), ("R8", True), ("R9", True)]
    reconcile_waiting(town.tools)
    told = "Swap: a webhook told of a return that Swap's list does not show:"
    assert town.ask("SELECT kind, message FROM recon.findings ORDER BY 2") == [
        ("record_unreadable", f"{told} R8"),
        ("record_unreadable", f"{told} R9"),
    ]
    town.edit(a_return(8))
    town.now += timedelta(days=1)
    sync_returns(town.tools)
    assert town.one("SELECT count(*) FROM swap.unreadable WHERE resolved_at IS NULL") == 0


def test_more_unseen_knocks_than_one_run_asks_about_wait_for_the_next(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "MOST_NAMED", 2)
    quiet(town)
    for number in range(5):
        knock(town, f"R{number}", {"return": {"rma_number": f"RMA{number}"}})
    sync_returns(town.tools)
    assert [one for one in town.swap.asked if one[0] == "rma"] == [("rma", "RMA0"), ("rma", "RMA1")]
    assert [row[2] for row in knocks(town)] == [1, 1, 0, 0, 0]


def quiet(town: Town) -> None:
    """Nothing is due but knocks."""
    reach(town, changed=town.now, wide=town.now, open=town.now)
    town.swap.asked.clear()


@pytest.mark.parametrize(
    ("body", "is_known", "question"),
    [
        ({"return": {"rma_number": "RMA1"}}, False, [("rma", "RMA1")]),
        ({}, True, [("rma", "RMA1")]),
        ({}, False, []),
        ({"return": "odd"}, False, []),
        ({"return": {"rma_number": None}}, False, []),
    ],
)
def test_a_return_that_knocked_and_is_in_no_window_is_asked_for_by_its_rma(
    town: Town, body: dict[str, Any], is_known: bool, question: list[tuple[str, str]]
) -> None:
    if is_known:
        town.swap.put(a_return(1))
        sync_returns(town.tools)
    town.swap.put(a_return(1, status="Open"))
    town.swap.hidden = {"R1"}
    quiet(town)
    knock(town, "R1", body)
    sync_returns(town.tools)
    assert [one for one in town.swap.asked if one[0] == "rma"] == question
    assert knocks(town)[0][1] is bool(question)


def test_a_return_in_the_window_is_not_asked_for_again(town: Town) -> None:
    town.swap.put(a_return(1, updated_at=NOON))
    quiet(town)
    knock(town, "R1", {"return": {"rma_number": "RMA1"}})
    sync_returns(town.tools)
    assert [how for how, _ in town.swap.asked] == ["changed"]


def test_a_knock_without_a_return_is_tried_three_times_more_and_then_left_to_the_sweep(town: Town) -> None:
    quiet(town)
    knock(town, "R9", {"return": {"rma_number": "RMA9"}})
    waits = []
    for _ in range(4):
        assert what_is_due(town.tools) == "knock"
        sync_returns(town.tools)
        waits.append(knocks(town)[0][3])
        assert what_is_due(town.tools) != "knock"
        town.now += timedelta(seconds=waits[-1] or 0)
    assert waits == [10, 60, 300, None]
    assert what_is_due(town.tools) == ""
    town.swap.put(a_return(9, updated_at=town.now))
    sync_returns(town.tools)
    assert [row[:2] for row in knocks(town)] == [("R9", True)]


def test_another_knock_of_the_same_return_begins_anew(town: Town) -> None:
    quiet(town)
    knock(town, "R9")
    for _ in range(2):
        sync_returns(town.tools)
        town.now += timedelta(minutes=6)
    knock(town, "R9")
    assert knocks(town) == [("R9", False, 0, 0)]


def _renewed(town: Town, before: Callable[[], object]) -> None:
    """Run ``before`` at the moment between reading Swap and keeping what came."""
    original = town.swap.changed_since

    def changed_since(moment: datetime) -> Any:
        before()
        return original(moment)

    town.swap.changed_since = changed_since  # type: ignore[method-assign]


def test_a_knock_renewed_while_swap_was_read_is_not_postponed(town: Town) -> None:
    quiet(town)
    knock(town, "R9")
    _renewed(town, lambda: knock(town, "R9"))
    sync_returns(town.tools)
    assert knocks(town) == [("R9", False, 0, 0)]
