"""The verdict on a whole house's memory, and what an hour adds on disk."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from unittest.mock import MagicMock, call

import pytest

from khaos_swap_assets.running import supervisor
from khaos_swap_assets.running.processes import Child, Listen
from khaos_swap_assets_tests.prove import house_soak
from khaos_swap_assets_tests.prove.house_soak import LOOKS, Stretch, judged


def stretch(seen: list[float], minutes: float = 15) -> dict[str, Any]:
    return Stretch(minutes * 60, {"logs": 500_000, "database": 1_000_000}, {"gateway": seen}).figures()


def test_bytes_are_told_by_the_hour() -> None:
    told = stretch([90.0] * (LOOKS + 1))
    assert told["mb_an_hour"] == {"logs": 2.0, "database": 4.0}
    assert told["mb_an_hour_in_all"] == 6.0


@pytest.mark.parametrize(
    ("warm_up", "growth", "faults"),
    [
        (0.0, 0.0, []),
        (60.0, 0.0, []),
        (0.0, 0.2, []),
        (0.0, 0.5, ["busy: gateway grows by 1.0 MB a minute"]),
    ],
)
def test_a_process_that_goes_on_growing_is_found(warm_up: float, growth: float, faults: list[str]) -> None:
    seen = [90.0 + min(look, 10) * warm_up / 10 + look * growth for look in range(LOOKS + 1)]
    assert judged({"busy": stretch(seen)})["faults"] == faults
    assert judged({"busy": stretch(seen)})["holds"] is not bool(faults)


def test_what_a_new_house_grows_by_until_it_is_warm_is_told_and_not_judged() -> None:
    growing = stretch([float(look) for look in range(LOOKS + 1)])
    assert judged({house_soak.WARM_UP: growing, "idle": stretch([90.0] * (LOOKS + 1))})["faults"] == []
    assert judged({house_soak.WARM_UP: growing})[house_soak.WARM_UP]["mb_a_minute"]["gateway"] > 1


def test_a_short_stretch_says_nothing_of_memory() -> None:
    assert judged({"busy": stretch([float(look) for look in range(LOOKS + 1)], minutes=1)})["holds"]


def test_a_house_ends_as_many_runs_as_a_code_server_keeps_some_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str]] = []
    monkeypatch.setattr(house_soak, "ask_dagster", lambda url, _, *, of, job: asked.append((url, of, job)))
    sender, webserver = MagicMock(), Child("webserver", [], {}, listens=Listen("127.0.0.1", 3000, ""))
    waited: list[tuple[int, int]] = []
    sender.until = lambda question, _: waited.append((len(asked), question.args[2]))
    house_soak._end_runs(sender, webserver)
    assert set(asked) == {("http://127.0.0.1:3000", "khaos_swap", "housekeeping")}
    assert waited == [(ended, ended) for ended in range(10, house_soak.KEPT_RUNS + 1, 10)]


@pytest.mark.parametrize(("minutes", "is_judged"), [(3.0, False), (house_soak.LEAST_MINUTES, True)])
def test_a_house_whose_memory_is_not_judged_ends_no_runs_for_it(
    monkeypatch: pytest.MonkeyPatch, minutes: float, is_judged: bool
) -> None:
    sender, ended = MagicMock(ready=[]), MagicMock()
    children = [Child("code-server", [], {}), Child("webserver", [], {})]
    monkeypatch.setattr(house_soak, "house", lambda _: nullcontext((MagicMock(), children, sender)))
    monkeypatch.setattr(house_soak, "_end_runs", ended)
    monkeypatch.setattr(house_soak, "_stretch", lambda *_: Stretch(60, {}, {}))
    monkeypatch.setattr(supervisor, "run", lambda *_, work, **__: work())
    assert list(house_soak.measure(minutes)) == [house_soak.WARM_UP, "idle", "busy"]
    assert ended.call_args_list == ([call(sender, children[1])] if is_judged else [])


@pytest.mark.parametrize(("hours", "minutes"), [("", 15.0), ("2", 120.0), ("0.05", 3.0)])
def test_hours_make_it_longer_or_shorter(monkeypatch: pytest.MonkeyPatch, hours: str, minutes: float) -> None:
    monkeypatch.setenv("HOURS", hours)
    monkeypatch.setattr(house_soak, "measure", lambda asked: {"idle": Stretch(asked * 60, {}, {})})
    assert house_soak.house_soak()["idle"]["minutes"] == minutes
