"""What the commands reach, and what is said of arguments that reach nothing."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from khaos_swap_assets.adapters.errors import SettingsError, StoreError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.cli import reach
from khaos_swap_assets.cli.reach import enter_demo, mark, require_history, wanted_switches
from khaos_swap_assets.running import installation
from khaos_swap_assets.sandbox.switches import ALL_SWITCHES


@pytest.mark.parametrize(("started_by", "expected"), [("demo", "demo"), ("up", "live"), ("", "live"), ("DEMO", "live")])
def test_only_what_the_demo_started_is_the_demo(
    monkeypatch: pytest.MonkeyPatch, started_by: str, expected: str
) -> None:
    monkeypatch.setenv("KHAOS_SWAP_STARTED_BY", started_by)
    assert mark() == expected


def test_without_a_word_it_is_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KHAOS_SWAP_STARTED_BY", raising=False)
    assert mark() == "live"


@pytest.mark.parametrize(
    "given",
    [[], [f"{name}={values[-1]}" for name, values in ALL_SWITCHES.items()], ["cdata=on", "cdata=off"]],
    ids=["none", "every one", "twice"],
)
def test_switches_that_there_are_come_back_as_given(given: list[str]) -> None:
    assert wanted_switches(given) == tuple(given)


@pytest.mark.parametrize("wrong", ["cdata", "cdata=", "cdata=maybe", "=on", "colour=red", "cdata:on"])
def test_a_switch_that_there_is_not_is_named(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"^--switch "):
        wanted_switches(["multiref=on", wrong])


def test_every_wrong_switch_has_a_line_of_its_own() -> None:
    with pytest.raises(SettingsError) as caught:
        wanted_switches(["colour=red", "cdata=maybe", "multiref=on"])
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["--switch colour", "--switch cdata"]


def test_no_history_and_no_month_ask_for_nothing() -> None:
    require_history(None, "")


@pytest.mark.parametrize(("name", "month"), [("", "2011-01"), ("history.csv", "")])
def test_a_history_needs_a_month_and_a_month_a_history(tmp_path: Path, name: str, month: str) -> None:
    with pytest.raises(SettingsError, match="--history and --month belong together"):
        require_history(tmp_path / name if name else None, month)


def test_a_history_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        require_history(tmp_path / "gone.csv", "2011-01")
    with pytest.raises(SettingsError, match="there is no such file"):
        require_history(tmp_path, "2011-01")


@pytest.mark.parametrize(
    "month", ["2011", "2011-1", "2011-13", "2011-00", "11-01", "2011-01-01", "January", " 2011-01"]
)
def test_a_month_is_written_in_one_way(tmp_path: Path, month: str) -> None:
    file = tmp_path / "history.csv"
    file.write_text("")
    with pytest.raises(SettingsError, match="write it as YYYY-MM"):
        require_history(file, month)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x00\x01\x02"], ids=["empty", "other columns", "no text"])
def test_a_file_that_cannot_be_played_is_refused_with_its_option_on_every_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "history.csv"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        require_history(file, "2011-01")
    assert all(line.startswith("--history ") for line in str(caught.value).splitlines())


def test_a_zip_without_a_table_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "history.zip"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("readme.txt", "nothing to play")
    with pytest.raises(SettingsError, match="--history "):
        require_history(file, "2011-01")


def test_a_command_before_the_first_start_says_how_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "settings", lambda: Settings(data_dir=tmp_path))
    monkeypatch.setattr(installation, "open_database", lambda settings: pytest.fail("a database was started"))
    with pytest.raises(StoreError, match="there is no database yet: run khaos-swap up, or set KHAOS_SWAP_DATABASE_URL"):
        reach.REACH.open_store()
    assert list(tmp_path.iterdir()) == []


def test_entering_a_demo_that_does_not_run_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHAOS_SWAP_MODE", "post")
    with pytest.raises(SettingsError):
        enter_demo(tmp_path)
    assert os.environ["KHAOS_SWAP_MODE"] == "post"


def test_entering_the_demo_takes_its_world_and_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from khaos_swap_assets.demo import live

    monkeypatch.setattr(os, "environ", os.environ.copy())
    os.environ |= {"KHAOS_SWAP_KHAOS_PASSWORD": "real", "KHAOS_SWAP_SWAP_URL": "https://real", "DAGSTER_HOME": "/real"}
    found = {"KHAOS_SWAP_STARTED_BY": "demo", "KHAOS_SWAP_SWAP_URL": "http://127.0.0.1:1"}
    monkeypatch.setattr(live, "environment_of", lambda folder: found)
    enter_demo(tmp_path)
    ours = {name: value for name, value in os.environ.items() if name.startswith(("KHAOS_SWAP_", "DAGSTER_HOME"))}
    assert ours == found
    assert mark() == "demo"
