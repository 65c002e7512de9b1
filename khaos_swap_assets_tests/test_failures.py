"""Failed runs are told: the first at once, a flood as one message, what could not be told again, and silence itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from khaos_swap_assets import failures
from khaos_swap_assets.adapters import alerts
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.running.health import FailuresSeen
from khaos_swap_assets_tests.stages.town import Town


@pytest.fixture
def town(database_url: str) -> Town:
    return Town(database_url)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


class Post:
    """Takes messages, or refuses them."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.is_open = True

    def send(self, _: Settings, title: str, body: str) -> bool:
        if self.is_open:
            self.sent.append((title, body))
        return self.is_open


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    post = Post()
    monkeypatch.setattr(alerts, "send", post.send)
    monkeypatch.setattr(alerts, "addresses", lambda _: ["an address"])
    return post


class Sensor:
    """The sensor with its cursor, as the daemon keeps it."""

    def __init__(self, town: Town, instance: dg.DagsterInstance) -> None:
        self.town, self.instance = town, instance
        self.cursor: str | None = None

    def look(self) -> str:
        context = dg.build_sensor_context(self.instance, self.cursor)
        said = failures.failed_runs(context, self.town.tools)
        self.cursor = context.cursor
        assert isinstance(said, dg.SkipReason)
        return said.skip_message or ""

    def fail(self, job: str, times: int, reason: str = "Swap did not answer") -> None:
        for _ in range(times):
            self.instance.report_run_failed(create_run_for_test(self.instance, job_name=job), reason)


@pytest.fixture
def sensor(town: Town, instance: dg.DagsterInstance) -> Sensor:
    sensor = Sensor(town, instance)
    sensor.fail("sync", 1)
    assert sensor.look() == "what fails from now on is told"
    return sensor


def test_one_failure_is_told_at_once_with_its_reason(sensor: Sensor, post: Post) -> None:
    assert sensor.look() == "no run failed"
    sensor.fail("sync", 1)
    assert sensor.look() == "1 failed runs were told"
    assert sensor.look() == "no run failed"
    assert post.sent == [("Khaos Swap: sync failed", "Swap did not answer")]


def test_a_flood_is_one_message_with_its_count(sensor: Sensor, town: Town, post: Post) -> None:
    sensor.fail("sync", 1)
    sensor.look()
    sensor.fail("sync", 40)
    sensor.fail("month_end", 2, "the disk is full")
    for _ in range(9):
        town.now += timedelta(minutes=1)
        assert sensor.look() == "42 failed runs wait for the next message"
    town.now += timedelta(minutes=1)
    assert sensor.look() == "42 failed runs were told"
    assert len(post.sent) == 2
    title, body = post.sent[1]
    assert title == "Khaos Swap: 42 runs failed"
    assert body.endswith("month_end 2 times, sync 40 times.\nThe last one: the disk is full")


def test_what_could_not_be_told_is_told_with_the_next_message(sensor: Sensor, town: Town, post: Post) -> None:
    post.is_open = False
    sensor.fail("sync", 1)
    assert sensor.look() == "1 failed runs could not be told yet"
    post.is_open = True
    sensor.fail("sync", 1)
    town.now += timedelta(minutes=10)
    assert sensor.look() == "2 failed runs were told"
    assert post.sent[0][0] == "Khaos Swap: 2 runs failed"


def test_where_nobody_is_to_be_told_nothing_waits(sensor: Sensor, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "addresses", lambda _: [])
    post.is_open = False
    sensor.fail("sync", 1)
    assert sensor.look() == "1 failed runs were told"
    assert sensor.look() == "no run failed"


def test_a_cursor_of_another_kind_begins_anew(sensor: Sensor) -> None:
    sensor.cursor = '{"__class__": "RunStatusSensorCursor"}'
    assert sensor.look() == "what fails from now on is told"


def test_a_sensor_that_does_not_look_is_told_by_the_house(sensor: Sensor, town: Town, database_url: str) -> None:
    told: list[str] = []
    seen = FailuresSeen(database_url, lambda title, body: told.append(f"{title}: {body}"), lambda: town.now)
    town.now += timedelta(minutes=9)
    seen.look()
    town.now += timedelta(minutes=2)
    sensor.look()
    seen.look()
    assert told == []
    town.now += timedelta(minutes=10)
    seen.look()
    assert told == [
        "nobody is told of failed runs: the sensor failed_runs did not look for 10 minutes: see it in the UI under "
        "/automation"
    ]
