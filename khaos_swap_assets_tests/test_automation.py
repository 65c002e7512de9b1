"""What starts a run: only when something is due, never twice at once, and the right months."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.test_utils import create_run_for_test
from dagster._utils.schedules import schedule_execution_time_iterator

from khaos_swap_assets import automation
from khaos_swap_assets.adapters.errors import TransientError
from khaos_swap_assets.adapters.settings import PERIOD_START
from khaos_swap_assets.adapters.store import arrivals, queues, worklist
from khaos_swap_assets.stages.due import what_is_due
from khaos_swap_assets.stages.orders.sync import SOURCE as DOCUMENTS
from khaos_swap_assets.stages.reconciliation.assets import months_from
from khaos_swap_assets.stages.returns.sync import OPEN, SOURCE, WIDE
from khaos_swap_assets_tests.stages.town import NOON, Town, a_note, a_return, connect

Status = dg.DagsterRunStatus
LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def town(database_url: str) -> Town:
    """A town in which nothing is due."""
    town = Town(database_url)
    quiet(town)
    return town


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def quiet(town: Town) -> None:
    with town.tools.store() as conn:
        for source in (SOURCE, WIDE, OPEN, DOCUMENTS):
            worklist.move(conn, source, town.now)


def look(
    town: Town,
    instance: dg.DagsterInstance,
    sensor: Callable[..., Any] = automation.new_returns,
    cursor: str | None = None,
) -> Any:
    """One evaluation of a sensor, with its cursor."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    return sensor(context, town.tools), context.cursor


def test_nothing_due_asks_for_nothing_and_says_so(town: Town, instance: dg.DagsterInstance) -> None:
    found, cursor = look(town, instance)
    assert found == dg.SkipReason("nothing is due")
    assert cursor == f"{NOON.isoformat()} nothing due"


def test_something_due_asks_for_one_run_with_its_reason(town: Town, instance: dg.DagsterInstance) -> None:
    town.edit(a_return(1))
    found, _ = look(town, instance)
    assert [request.tags for request in found.run_requests] == [{"due": "1 return changed"}]
    assert found.cursor == f"{NOON.isoformat()} 1 return changed"


@pytest.mark.parametrize("status", [one for one in automation.ACTIVE if one is not Status.QUEUED])
@pytest.mark.parametrize(
    ("sensor", "job"),
    [
        (automation.new_returns, "sync"),
        (automation.touched_months, "month_end"),
        (automation.sync_ended, "standing_checks"),
    ],
)
def test_no_run_is_asked_for_while_one_of_its_job_is_under_way(
    town: Town, instance: dg.DagsterInstance, status: Status, sensor: dg.SensorDefinition, job: str
) -> None:
    town.edit(a_return(1))
    create_run_for_test(instance, job_name=job, status=status)
    found, _ = look(town, instance, sensor)
    assert isinstance(found, dg.SkipReason)
    assert "queued or running" in str(found.skip_message)


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.FAILURE, Status.CANCELED])
def test_an_ended_sync_stands_in_nobodys_way(town: Town, instance: dg.DagsterInstance, status: Status) -> None:
    town.edit(a_return(1))
    create_run_for_test(instance, job_name="sync", status=status)
    found, _ = look(town, instance)
    assert len(found.run_requests) == 1


def test_a_vendor_that_is_away_is_a_skip_and_not_a_crash(town: Town, instance: dg.DagsterInstance) -> None:
    town.swap.error = TransientError("no answer in time")
    found, _ = look(town, instance)
    assert found == dg.SkipReason("Swap could not be asked: no answer in time")


def test_swap_is_asked_every_half_minute_and_a_knock_is_heard_at_once(town: Town, instance: dg.DagsterInstance) -> None:
    _, cursor = look(town, instance)
    began = town.now
    for seconds, times in ((5, 1), (29, 1), (30, 2), (35, 2)):
        town.now = began + timedelta(seconds=seconds)
        _, cursor = look(town, instance, cursor=cursor)
        assert len(town.swap.asked) == times
    knocked(town)
    found, _ = look(town, instance, cursor=cursor)
    assert [request.tags for request in found.run_requests] == [{"due": "knock"}]
    assert len(town.swap.asked) == 2


def test_swap_is_asked_again_after_an_outage_but_not_at_every_look(town: Town, instance: dg.DagsterInstance) -> None:
    town.swap.error = TransientError("no answer in time")
    _, cursor = look(town, instance)
    assert cursor == f"{NOON.isoformat()} no answer"
    town.now += timedelta(seconds=5)
    assert look(town, instance, cursor=cursor)[0] == dg.SkipReason("nothing is due")
    town.now += timedelta(seconds=25)
    assert "could not be asked" in str(look(town, instance, cursor=cursor)[0].skip_message)


def test_a_clock_that_was_set_back_does_not_keep_swap_from_being_asked(
    town: Town, instance: dg.DagsterInstance
) -> None:
    look(town, instance, cursor=f"{(NOON + timedelta(days=400)).isoformat()} nothing due")
    assert len(town.swap.asked) == 1


def test_a_look_that_finds_a_knock_is_one_query_over_an_index(town: Town) -> None:
    knocked(town)
    town.do(
        "INSERT INTO recon.inbox (source, event, return_id, body, body_hash, consumed_at) "
        "SELECT 'swap', 'returnCreated', 'X' || n, '{}', '', now() FROM generate_series(1, 20000) n"
    )
    town.do("ANALYZE recon.inbox")
    with town.tools.store() as conn:
        rows = conn.execute(
            f"EXPLAIN {queues.LOOK}".encode(), {"now": town.now, "steps": ["matching"], **queues.WORDS}
        ).fetchall()
    assert "Seq Scan on inbox" not in "\n".join(row[0] for row in rows)
    with closing(connect(town)) as real:
        asked = MagicMock(wraps=real)
        asked.__enter__.return_value = asked
        assert what_is_due(replace(town.tools, open_store=lambda: asked)) == "knock"
    assert asked.execute.call_count == 1


def in_doubt(town: Town) -> None:
    town.sells_and_takes_back(a_return(1, updated_at=town.now))
    town.sync()
    town.pull()
    town.khaos.notes.clear()
    town.sync()
    town.now += timedelta(minutes=5)
    quiet(town)
    town.do("UPDATE recon.watermarks SET reached_at = reached_at - interval '6 minutes' WHERE source = %s", DOCUMENTS)


def old_credit(town: Town) -> None:
    issued = town.today() - timedelta(days=8)
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note(associated_ref="RMA1", created_on=issued, issued_on=issued)
    town.read()
    town.do("UPDATE khaos.credit_notes SET return_id = 'R1'")
    town.do("DELETE FROM recon.worklist")
    quiet(town)
    town.do("UPDATE recon.watermarks SET reached_at = reached_at - interval '1 hour' WHERE source = %s", DOCUMENTS)


def knocked(town: Town) -> None:
    with town.tools.store() as conn:
        arrivals.keep_knocks(conn, [arrivals.Knock("S1", "returnCreated", "R1", {}, town.now)])


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (knocked, "knock"),
        (lambda town: town.do("INSERT INTO recon.worklist (stage, return_id) VALUES ('draft', 'R1')"), "work in line"),
        (
            lambda town: town.do(
                "INSERT INTO recon.reconciliation (return_id, store_id, rma, currency, refund_pence, credited_pence, "
                "issued_pence, gap_pence, status, period, next_due_at, reconciled_at) "
                "VALUES ('R1', 'S1', 'RMA1', 'GBP', 1, 1, 1, 0, 'matched', '2026-03', %s, %s)",
                town.now,
                town.now,
            ),
            "deadline passed",
        ),
        (
            lambda town: town.do(
                "INSERT INTO khaos.wanted_orders (order_ref, state, asked_at) VALUES ('X', 'waiting', now())"
            ),
            "orders to read",
        ),
        (in_doubt, "a document is out or ready"),
        (old_credit, "credit to follow up"),
        (
            lambda town: town.do("DELETE FROM recon.watermarks WHERE source = 'swap/returns'"),
            "time to read swap/whole_list",
        ),
        (lambda town: setattr(town, "now", town.now + timedelta(minutes=16)), "time to read swap/open_returns"),
        (lambda town: town.edit(a_return(1), a_return(2)), "2 returns changed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_first_reason_is_named(town: Town, happens: Any, reason: str) -> None:
    happens(town)
    assert what_is_due(town.tools) == reason


def test_a_return_that_says_the_same_as_before_is_no_reason(town: Town) -> None:
    town.edit(a_return(1))
    town.sync()
    town.sync()
    town.do("DELETE FROM khaos.wanted_orders")
    quiet(town)
    assert what_is_due(town.tools) == ""


def test_documents_that_are_out_are_looked_for_at_most_every_few_minutes(town: Town) -> None:
    in_doubt(town)
    town.settings.khaos.poll_minutes = 7
    assert what_is_due(town.tools) == ""
    town.settings.khaos.poll_minutes = 6
    assert what_is_due(town.tools) == "a document is out or ready"


def test_every_touched_month_is_asked_for_once_and_unknown_ones_never(town: Town, instance: dg.DagsterInstance) -> None:
    for period in ("2026-03", "2026-02", "1999-01", "2999-01"):
        town.do("INSERT INTO recon.touched_periods VALUES (%s, now())", period)
    found, _ = look(town, instance, automation.touched_months)
    assert [request.partition_key for request in found.run_requests] == ["2026-02", "2026-03"]
    assert found.cursor == "2026-02,2026-03"


def test_syncs_without_a_gap_keep_the_month_waiting_a_minute_at_most(town: Town, instance: dg.DagsterInstance) -> None:
    town.do("INSERT INTO recon.touched_periods VALUES ('2026-03', now())")
    create_run_for_test(instance, job_name="sync", status=Status.STARTED)
    assert look(town, instance, automation.touched_months)[0].run_requests[0].partition_key == "2026-03"
    town.do(
        "INSERT INTO recon.month_end VALUES ('2026-03', 'GBP', 1, 0, 0, 0, 0, '{}', %s)",
        town.tools.now() - timedelta(seconds=30),
    )
    assert "under way" in (look(town, instance, automation.touched_months)[0].skip_message or "")


def test_the_verdicts_of_an_ended_sync_are_asked_for_once(town: Town, instance: dg.DagsterInstance) -> None:
    no_news = dg.SkipReason("no sync has ended since the last verdicts")
    assert look(town, instance, automation.sync_ended)[0] == no_news
    create_run_for_test(instance, job_name="sync", status=Status.STARTED)
    assert look(town, instance, automation.sync_ended)[0] == no_news
    create_run_for_test(instance, job_name="sync", status=Status.FAILURE)
    found, _ = look(town, instance, automation.sync_ended)
    assert len(found.run_requests) == 1
    assert look(town, instance, automation.sync_ended, found.cursor)[0] == no_news


def test_syncs_without_a_gap_keep_verdicts_waiting_a_minute_at_most(town: Town, instance: dg.DagsterInstance) -> None:
    create_run_for_test(instance, job_name="sync", status=Status.SUCCESS)
    cursor = look(town, instance, automation.sync_ended)[0].cursor
    for status in (Status.SUCCESS, Status.STARTED):
        create_run_for_test(instance, job_name="sync", status=status)
    town.now += timedelta(seconds=59)
    assert "under way" in (look(town, instance, automation.sync_ended, cursor)[0].skip_message or "")
    town.now += timedelta(seconds=1)
    assert len(look(town, instance, automation.sync_ended, cursor)[0].run_requests) == 1


def test_no_touched_month_asks_for_nothing(town: Town, instance: dg.DagsterInstance) -> None:
    assert look(town, instance, automation.touched_months)[0] == dg.SkipReason("no month was touched")
    create_run_for_test(instance, job_name="month_end", status=Status.STARTED)
    town.do("INSERT INTO recon.touched_periods VALUES ('2026-03', now())")
    assert look(town, instance, automation.touched_months)[0] == dg.SkipReason("a run is queued or running")


@pytest.mark.parametrize(
    ("tick", "period"),
    [
        (datetime(2026, 4, 1, 6, tzinfo=LONDON), "2026-03"),
        (datetime(2026, 1, 1, 6, tzinfo=LONDON), "2025-12"),
        (datetime(2026, 11, 1, 6, tzinfo=LONDON), "2026-10"),
        (datetime(2028, 3, 1, 6, tzinfo=LONDON), "2028-02"),
    ],
)
def test_on_the_first_the_month_that_ended_is_asked_for(tick: datetime, period: str) -> None:
    request = automation.month_just_ended(dg.build_schedule_context(scheduled_execution_time=tick))
    assert request.partition_key == period


def test_the_month_that_is_asked_for_is_a_partition() -> None:
    found = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 4, 1, 5, tzinfo=UTC))
    asked = automation.month_just_ended(found).partition_key or ""
    assert automation.known_periods([asked], date(2026, 3, 31)) == ["2026-03"]
    assert automation.known_periods([asked], date(2026, 4, 1)) == []


@pytest.mark.parametrize(
    ("moment", "newest"),
    [
        (datetime(2026, 3, 31, 22, 59, 59, tzinfo=UTC), "2026-03"),
        (datetime(2026, 3, 31, 23, 0, 0, tzinfo=UTC), "2026-04"),
        (datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), "2026-10"),
        (datetime(2026, 11, 1, 0, 0, 0, tzinfo=UTC), "2026-11"),
    ],
)
def test_a_month_is_a_partition_from_its_first_second_in_london(moment: datetime, newest: str) -> None:
    with partition_loading_context(effective_dt=moment):
        assert months_from(PERIOD_START).get_last_partition_key() == newest


@pytest.mark.parametrize("day", [datetime(2026, 3, 28, tzinfo=LONDON), datetime(2026, 10, 24, tzinfo=LONDON)])
@pytest.mark.parametrize("name", ["sweep", "housekeeping_nightly"])
def test_a_night_in_which_clocks_change_has_its_nightly_work_once(name: str, day: datetime) -> None:
    (schedule,) = [one for one in automation.schedules(is_started=True) if one.name == name]
    zone = schedule.execution_timezone
    ticks = schedule_execution_time_iterator(day.timestamp(), schedule.cron_schedule, zone)
    until = datetime(day.year, day.month, day.day + 3, tzinfo=LONDON)
    found = list(takewhile(lambda one: one < until, ticks))
    nights = [one.astimezone(LONDON).day for one in found if one.astimezone(LONDON).hour < 7]
    assert nights == [day.day, day.day + 1, day.day + 2]


def test_a_sweep_asks_for_a_run_unless_one_is_under_way(town: Town, tmp_path: Path) -> None:
    instance = dg.DagsterInstance.local_temp(str(tmp_path))
    context = dg.build_schedule_context(instance=instance)
    assert isinstance(automation.sweep(context, town.tools), dg.RunRequest)
    create_run_for_test(instance, job_name="sync", status=Status.STARTED)
    assert automation.sweep(context, town.tools) == dg.SkipReason("a sync is queued or running")
    instance.dispose()


def test_schedules_are_in_the_merchants_time() -> None:
    for schedule in automation.schedules(is_started=True):
        assert schedule.execution_timezone == "Europe/London", schedule.name


def test_a_reason_that_is_long_fits_a_tag(town: Town, instance: dg.DagsterInstance) -> None:
    town.edit(*(replace(a_return(number), return_id=f"R{number}") for number in range(1, 4)))
    found, _ = look(town, instance)
    assert len(found.run_requests[0].tags["due"]) <= 60
