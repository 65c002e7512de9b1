"""What the page of figures holds, and that nothing of it is a sender's choice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from khaos_swap_assets.adapters.store.queues import Queue
from khaos_swap_assets.gateway import metrics
from khaos_swap_assets_tests.gateway.conftest import OpenGateway, configure

Labels = tuple[tuple[str, str], ...]
KNOCKS = Queue("knocks", "why", waiting=3, oldest_seconds=40, done_a_day=9, empty_in_seconds=7)
STUCK = Queue("pushes", "why", waiting=1, oldest_seconds=9, done_a_day=0, empty_in_seconds=None)


def figures(text: bytes) -> dict[tuple[str, Labels], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def shown(**parts: Any) -> dict[tuple[str, Labels], float]:
    given: dict[str, Any] = {"queues": [], "refused": {}, "is_database_up": True} | parts
    return figures(metrics.page(**given))


def scope(method: str = "POST", path: str | None = "/webhooks/swap") -> dict[str, Any]:
    return {"method": method} | ({"route": SimpleNamespace(path=path)} if path else {})


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("POST", "/webhooks/swap", (("method", "POST"), ("route", "/webhooks/swap"), ("status", "200"))),
        ("GET", None, (("method", "GET"), ("route", "none"), ("status", "200"))),
        ("BREW", "/x", (("method", "other"), ("route", "/x"), ("status", "200"))),
        ("post", "/x", (("method", "other"), ("route", "/x"), ("status", "200"))),
    ],
)
def test_a_request_counts_under_its_route_and_a_known_method(method: str, path: str | None, told: Labels) -> None:
    before = shown().get(("khaos_swap_requests_total", told), 0)
    metrics.observe(scope(method, path), 200, 0.01)
    assert shown()["khaos_swap_requests_total", told] == before + 1


@pytest.mark.parametrize(
    ("seconds", "bucket", "is_within"), [(0.15, "0.15", 1), (0.151, "0.15", 0), (0.151, "0.25", 1)]
)
def test_the_time_to_answer_falls_into_the_bucket_of_the_objective(seconds: float, bucket: str, is_within: int) -> None:
    at = ("khaos_swap_request_seconds_bucket", (("le", bucket), ("route", "/webhooks/swap")))
    before = shown().get(at, 0)
    metrics.observe(scope(), 200, seconds)
    assert shown()[at] == before + is_within


def test_each_queue_has_its_figures_and_no_promise_while_nothing_leaves() -> None:
    found = shown(queues=[KNOCKS, STUCK])
    assert found["khaos_swap_waiting", (("queue", "knocks"),)] == 3
    assert found["khaos_swap_oldest_waiting_seconds", (("queue", "pushes"),)] == 9
    assert found["khaos_swap_empty_in_seconds", (("queue", "knocks"),)] == 7
    assert ("khaos_swap_empty_in_seconds", (("queue", "pushes"),)) not in found


@pytest.mark.parametrize(("is_up", "told"), [(True, 1.0), (False, 0.0)])
def test_the_page_says_whether_the_database_answers(is_up: bool, told: float) -> None:
    assert shown(is_database_up=is_up)["khaos_swap_database_up", ()] == told


def test_refused_messages_are_told_by_reason() -> None:
    found = shown(refused={"the token has expired": 2, 'a "quoted"\nreason': 1})
    assert found["khaos_swap_refused_messages", (("reason", "the token has expired"),)] == 2
    assert found["khaos_swap_refused_messages", (("reason", 'a "quoted"\nreason'),)] == 1


def test_sizes_are_told_by_what_holds_them(open_gateway: OpenGateway, tmp_path: Path) -> None:
    for name, text in {"logs/gateway.log": "four", "dagster_home/storage/run/compute_logs/a.err": "seven77"}.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    found = figures(open_gateway(settings=configure(data_dir=tmp_path)).get("/metrics").content)
    held = {labels[0][1]: value for (name, labels), value in found.items() if name == "khaos_swap_size_bytes"}
    assert held.pop("database") > 10**6
    assert held == {"logs": 4, "compute_logs": 7}


def test_processes_that_share_a_folder_tell_one_sum(tmp_path: Path) -> None:
    count = (
        "from khaos_swap_assets.gateway import metrics\n"
        "metrics.observe({'method': 'GET'}, 200, 0.01)\n"
        "print(metrics.page([], {}, is_database_up=True).decode())"
    )
    env = os.environ | {metrics.SHARED_FOLDER: str(tmp_path)}
    for expected in (1, 2):
        told = subprocess.run([sys.executable, "-c", count], env=env, capture_output=True, check=True).stdout
        labels = (("method", "GET"), ("route", "none"), ("status", "200"))
        assert figures(told)["khaos_swap_requests_total", labels] == expected
        assert figures(told)["khaos_swap_database_up", ()] == 1


@pytest.mark.parametrize(("feed", "told"), [([], 0), (["held by Kim"], 1), (None, None)])
def test_whether_the_feed_is_stopped_is_a_figure(feed: list[str] | None, told: int | None) -> None:
    assert shown(feed=feed).get(("khaos_swap_feed_stopped", ())) == told
