"""Documents leave only while somebody watches, and people can stop them at once; age is judged without any vendor."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from khaos_swap_assets import automation, definitions
from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.store import audit_log, worklist
from khaos_swap_assets.stages import marks
from khaos_swap_assets.stages.credit_notes import people, stopping
from khaos_swap_assets.stages.due import local_reason, what_is_due
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages import town as towns
from khaos_swap_assets_tests.stages.town import Town, a_return

STAGES = (
    "sync_returns",
    "sync_stock_codes",
    "sync_orders",
    "match_waiting",
    "draft_waiting",
    "sync_levels",
    "post",
    "adjust_stock",
    "reconcile_waiting",
    "settle_exceptions",
)
KIM = people.Person("Kim", "VAT is wrong")


@pytest.fixture
def planned(town: Town) -> Town:
    """RMA1 waits to be handed out."""
    town.with_settings(khaos={"poll_minutes": 5}).sells_and_takes_back(a_return(1))
    town.sync()
    return town


def stopped(town: Town) -> list[str]:
    with lend(town.url) as conn:
        return stopping.feed_problems(conn, settings=town.settings, now=town.now)


@pytest.mark.parametrize("stage", STAGES)
def test_no_document_leaves_when_a_stage_fails_run_after_run(
    planned: Town, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(towns, stage, fails)
    for _ in range(4):
        with pytest.raises(RuntimeError):
            planned.sync(minutes=10)
    assert planned.pull() == []
    assert "no complete run within 30 minutes" in stopped(planned)[0]
    monkeypatch.undo()
    planned.sync()
    assert stopped(planned) == []
    assert len(planned.pull()) == 1


@pytest.mark.parametrize("refused", ["status", "swap"])
def test_no_document_leaves_while_a_mandatory_list_is_refused(planned: Town, refused: str) -> None:
    planned.khaos.refuses = {refused}
    planned.swap.error = PermanentError("403") if refused == "swap" else None
    for _ in range(4):
        planned.sync(minutes=10)
    assert planned.pull() == []
    planned.khaos.refuses, planned.swap.error = set(), None
    planned.sync()
    assert len(planned.pull()) == 1


@pytest.mark.parametrize(("minutes", "leaves"), [(0, 1), (30, 1), (31, 0)])
def test_the_age_of_the_last_complete_run_is_the_limit(planned: Town, minutes: int, leaves: int) -> None:
    planned.now += timedelta(minutes=minutes)
    assert len(planned.pull()) == leaves


def test_a_clock_that_ran_ahead_is_no_watch(planned: Town) -> None:
    planned.do(
        "UPDATE recon.watermarks SET reached_at = reached_at + interval '9 days' WHERE source = %s", marks.JUDGED
    )
    assert planned.pull() == []


@pytest.mark.parametrize("poll", [5, 1440])
@pytest.mark.parametrize("edition", ["desktop", "cloud"])
def test_a_waiting_document_makes_a_sync_due(planned: Town, poll: int, edition: str) -> None:
    with planned.tools.store() as conn:
        worklist.move(conn, marks.OPEN, planned.now + timedelta(minutes=4))
    planned.with_settings(khaos={"poll_minutes": poll, "edition": edition}, open_reread_minutes=1440)
    planned.now += timedelta(minutes=16)
    assert what_is_due(planned.tools, asks_swap=False) in {
        "a document is out or ready",
        "a document waits, and it must be watched",
    }


def test_a_quiet_night_is_no_alarm(town: Town) -> None:
    town.with_settings(open_reread_minutes=1440)
    town.sync()
    town.now += timedelta(hours=9)
    with town.tools.store() as conn:
        assert local_reason(conn, town.settings, town.now) == ""
    assert stopped(town) == []
    watched(town)
    assert town.kinds() == {}
    town.edit(a_return(1))
    town.sync()
    assert stopped(town) == []


def test_a_person_stops_the_feed_at_once_and_lets_it_go_on(planned: Town) -> None:
    with closing(towns.connect(planned)) as conn:
        people.hold_feed(conn, KIM, now=planned.now)
        with pytest.raises(people.ActionError, match="held by Kim since 2026-03-10 12:01 UTC: VAT is wrong"):
            people.hold_feed(conn, people.Person("Sam", "me too"), now=planned.now)
        assert planned.pull() == []
        assert stopped(planned) == [
            "the feed is held by Kim since 2026-03-10 12:01 UTC: VAT is wrong; khaos-swap postings resume"
        ]
        with pytest.raises(people.ActionError, match="nothing to trust"):
            people.trust_feed(conn, KIM, now=planned.now)
        planned.sync()
        assert planned.pull() == []
        people.resume_feed(conn, KIM, now=planned.now)
        with pytest.raises(people.ActionError, match="nobody holds"):
            people.resume_feed(conn, KIM, now=planned.now)
        assert [(one.who, one.what) for one in audit_log.of_document(conn, "feed")] == [
            ("Kim", "held"),
            ("Kim", "resumed"),
        ]
    assert len(planned.pull()) == 1


def test_a_hold_is_shown_although_nothing_waits(town: Town) -> None:
    town.sync()
    with closing(towns.connect(town)) as conn:
        people.hold_feed(conn, KIM, now=town.now)
    assert "held by Kim" in stopped(town)[0]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def watched(town: Town, instance: dg.DagsterInstance | None = None) -> dict[str, bool]:
    """One run of the job ``watch``, for which no vendor is there; the verdicts of its checks."""

    def nobody() -> Any:
        raise AssertionError("a vendor was asked")

    tools = dataclasses.replace(town.tools, open_swap=nobody, open_khaos=nobody, open_storefront=nobody)
    made = definitions.build(toolbox=dg.ResourceDefinition.hardcoded_resource(tools))
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as ours:
        done = made.resolve_job_def("watch").execute_in_process(instance=instance or ours, run_config=quiet)
    return {one.check_name: one.passed for one in done.get_asset_check_evaluations()}


def test_age_turns_red_by_itself_and_tells_people(planned: Town, instance: dg.DagsterInstance) -> None:
    assert watched(planned, instance)["somebody_watches"]
    planned.now += timedelta(minutes=45)
    verdicts = watched(planned, instance)
    assert (verdicts["somebody_watches"], verdicts["sources_are_fresh"]) == (False, True)
    assert planned.kinds() == {"nobody_watches": "complete run"}
    planned.now += timedelta(hours=27)
    verdicts = watched(planned, instance)
    assert {name for name, passed in verdicts.items() if not passed} >= {"sources_are_fresh", "somebody_watches"}
    assert [one.kind for one in planned.alerts] == ["nobody_watches", *["source_not_read"] * 3]
    planned.sync()
    assert watched(planned, instance)["somebody_watches"]
    assert planned.kinds() == {}


def tick(town: Town, at: str) -> Any:
    moment = datetime.fromisoformat(f"2026-03-10T{at}+00:00")
    context = dg.build_schedule_context(scheduled_execution_time=moment)
    return automation.watch_over_the_work(context, town.tools)


def test_the_watch_runs_on_the_hour_and_when_it_has_news(planned: Town) -> None:
    assert isinstance(tick(planned, "13:00"), dg.RunRequest)
    assert isinstance(tick(planned, "12:05"), dg.SkipReason)
    planned.now += timedelta(minutes=45)
    assert isinstance(tick(planned, "12:50"), dg.RunRequest)
    watched(planned)
    assert isinstance(tick(planned, "12:55"), dg.SkipReason)
    planned.sync()
    assert isinstance(tick(planned, "12:55"), dg.RunRequest)


def test_a_refused_list_does_not_have_runs_follow_each_other(planned: Town) -> None:
    planned.with_settings(khaos={"poll_minutes": 0})
    planned.swap.error, planned.khaos.refuses = PermanentError("403"), {"status"}
    planned.sync(minutes=31)
    assert what_is_due(planned.tools, asks_swap=False) == ""
    planned.now += timedelta(minutes=15)
    assert what_is_due(planned.tools, asks_swap=False) != ""


def test_a_freshness_policy_is_on_every_asset_but_those_of_a_month_and_of_no_run() -> None:
    made = definitions.build(toolbox=dg.ResourceDefinition.hardcoded_resource(None))
    of_no_run = {dg.AssetKey(["warehouse", "inspections"]), dg.AssetKey(["people", "decisions"])}
    specs = [one for one in made.resolve_all_asset_specs() if "dagster/asset_check" not in one.tags]
    assert {one.key.to_user_string(): one.freshness_policy is not None for one in specs} == {
        one.key.to_user_string(): one.partitions_def is None and one.key not in of_no_run for one in specs
    }
    assert sum(one.freshness_policy is None for one in specs) == 1 + len(of_no_run)
