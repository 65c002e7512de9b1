"""The benchmarks feed in what they say, notice a wrong result, and print one JSON line each."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.measuring import peak_mb


def test_a_peak_is_at_least_what_was_held() -> None:
    assert peak_mb(lambda: bytearray(200 * 10**6)) >= 200


@pytest.mark.parametrize("name", run.BENCHMARKS)
def test_every_listed_benchmark_exists_and_is_described(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").measure)
    assert f"`{name}`" in (Path(run.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["nothing"]) == 2
    assert "rejudge" in capsys.readouterr().err


@pytest.mark.parametrize(("is_met", "code"), [(True, 0), (False, 1)])
def test_a_missed_aim_is_the_exit_code(
    is_met: bool, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.import_time.measure", lambda: {"seconds": 1.0, "is_met": is_met})
    assert run.main(["import_time"]) == code
    line = json.loads(capsys.readouterr().out)
    assert (line["benchmark"], line["seconds"]) == ("import_time", 1.0)
