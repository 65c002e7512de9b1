"""Logs of our processes: a full one is set aside while its writer goes on, and the oldest goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from khaos_swap_assets.running import logs
from khaos_swap_assets.running.logs import Rotation
from khaos_swap_assets_tests.running import until

FULL = b"x" * 10**6


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs" / "gateway.log"


def sizes(log: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in sorted(log.parent.iterdir())}


def test_a_writer_goes_on_in_the_emptied_file(log: Path, tmp_path: Path) -> None:
    with log.open("ab", buffering=0) as writer:
        for letter in (b"a", b"b", b"c", b"d"):
            writer.write(letter + FULL)
            logs.rotate(tmp_path, Rotation(megabytes=1, files=2))
        writer.write(b"more")
        logs.rotate(tmp_path, Rotation(megabytes=1, files=2))
    assert sizes(log) == {"gateway.log": 4, "gateway.log.1": 10**6 + 1, "gateway.log.2": 10**6 + 1}
    assert log.with_name("gateway.log.1").read_bytes()[:1] == b"d"
    assert log.with_name("gateway.log.2").read_bytes()[:1] == b"c"


def test_without_files_to_keep_a_full_log_is_emptied(log: Path, tmp_path: Path) -> None:
    log.write_bytes(FULL)
    logs.rotate(tmp_path, Rotation(megabytes=1, files=0))
    assert sizes(log) == {"gateway.log": 0}


def test_the_databases_own_log_is_looked_after_too(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "log").write_bytes(FULL)
    logs.rotate(tmp_path, Rotation(megabytes=1, files=1))
    assert {file.name: file.stat().st_size for file in (tmp_path / "postgres").iterdir()} == {"log": 0, "log.1": 10**6}


def test_logs_are_looked_after_while_the_house_stands(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOOK_SECONDS", 0.01)
    log.write_bytes(FULL)
    with logs.rotating(tmp_path, Rotation(megabytes=1)):
        assert until(lambda: log.stat().st_size == 0, 10, every=0.01)
    log.write_bytes(FULL)
    assert log.stat().st_size == len(FULL)


def test_a_folders_size_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"123")
    (tmp_path / "a" / "b" / "two").write_bytes(b"45")
    assert logs.size_of(tmp_path) == 5
    assert logs.size_of(tmp_path / "nowhere") == 0
