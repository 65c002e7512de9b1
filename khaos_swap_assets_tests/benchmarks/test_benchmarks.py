"""The benchmarks feed in what they say, notice a wrong result, and print one JSON line each."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.measuring import peak_mb, timed
from benchmarks.reconcile_memory import KEY, differences, frames, in_two_notes
from khaos_swap_assets.domain.judging.line_reconciliation import reconcile_lines

LINES = 40_000


def test_the_frames_are_as_long_as_asked_with_unique_keys_and_trouble() -> None:
    returns, credits_ = frames(LINES)
    assert len(returns) == len(credits_) == LINES
    assert not returns.duplicated(KEY).any()
    assert not credits_.duplicated(KEY).any()
    shares = reconcile_lines(returns, credits_).lines["status"].value_counts(normalize=True)
    assert 0.9 < shares["matched"] < 0.97
    assert shares.min() > 0.005


def test_two_notes_add_lines_and_only_some_of_them_double_a_key() -> None:
    _, credits_ = frames(LINES)
    twice = in_two_notes(credits_)
    assert LINES < len(twice) < LINES * 1.02
    assert twice.duplicated(KEY).any()


def test_the_sample_agrees_with_the_oracle_and_notices_one_wrong_penny() -> None:
    returns, credits_ = frames(LINES)
    ours = reconcile_lines(returns, credits_)
    assert differences(returns, credits_, ours) == 0
    ours.lines["gap_value_pence"] += 1
    assert differences(returns, credits_, ours) == 1000


def test_a_peak_is_at_least_what_was_held() -> None:
    assert peak_mb(lambda: bytearray(200 * 10**6)) >= 200


def test_the_time_is_that_of_the_middle_repeat() -> None:
    seconds, result = timed(lambda: "done", repeats=3)
    assert (seconds, result) == (0.0, "done")


@pytest.mark.parametrize("name", run.BENCHMARKS)
def test_every_listed_benchmark_exists_and_is_described(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").measure)
    assert f"`{name}`" in (Path(run.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["nothing"]) == 2
    assert "reconcile_memory" in capsys.readouterr().err


@pytest.mark.parametrize(("is_met", "code"), [(True, 0), (False, 1)])
def test_a_missed_aim_is_the_exit_code(
    is_met: bool, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.import_time.measure", lambda: {"seconds": 1.0, "is_met": is_met})
    assert run.main(["import_time"]) == code
    line = json.loads(capsys.readouterr().out)
    assert (line["benchmark"], line["seconds"]) == ("import_time", 1.0)
