"""The proofs notice what they are to notice, and the command says what there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.sandbox.switches import ALL_SWITCHES
from khaos_swap_assets_tests.prove import __main__ as command
from khaos_swap_assets_tests.prove import proofs
from khaos_swap_assets_tests.prove.plays import Played, faults_of, heard_by, tell
from khaos_swap_assets_tests.prove.tests_at_size import run_tests

GOOD = {
    "returns": 60,
    "credit_notes_confirmed": 41,
    "missed": [],
    "false_alarms": [],
    "broken_invariants": [],
    "unexplained": [],
    "duplicates": 0,
    "failed_runs": 0,
}


def played(exit_code: int = 0, **changes: Any) -> Played:
    return Played({"seed": 1}, {**GOOD, **changes}, {}, exit_code, 1.0, "last words")


@pytest.mark.long
def test_tests_at_size_tell_how_they_ended() -> None:
    good = run_tests("domain/test_periods.py", KHAOS_SWAP_SIZE=1)
    assert good["holds"]
    assert good["tests"] > 1
    bad = run_tests("domain/no_such_test.py")
    assert (bad["holds"], bad["tests"]) == (False, 0)
    assert bad["faults"]


def test_a_good_play_has_no_fault() -> None:
    assert faults_of(played()) == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (played(missed=["value_gap RMA1: why"]), "missed: value_gap RMA1: why"),
        (played(false_alarms=["value_gap RMA2: why"]), "false alarm: value_gap RMA2: why"),
        (played(broken_invariants=["a refund is nowhere"]), "broken: a refund is nowhere"),
        (played(unexplained=["RMA1: 1 pence"]), "unexplained: RMA1: 1 pence"),
        (played(duplicates=2), "2 duplicates"),
        (played(failed_runs=1), "1 runs failed, 0 were to"),
        (played(exit_code=1), "exit 1"),
        (Played({"seed": 1}, {}, {}, 2, 1.0, "last words"), "no figures, exit 2: last words"),
    ],
)
def test_each_fault_is_said(bad: Played, said: str) -> None:
    assert faults_of(bad) == [f"{{'seed': 1}}: {said}"]


def test_a_failed_run_is_asked_for_in_an_outage() -> None:
    assert faults_of(played(failed_runs=1), failed_runs=1) == []
    assert faults_of(played(), failed_runs=1) == ["{'seed': 1}: 0 runs failed, 1 were to"]


def test_every_value_of_every_switch_that_shows_is_played() -> None:
    chosen = proofs.choices()
    assert len(chosen) == len(set(chosen))
    for name in set(ALL_SWITCHES) - proofs.UNSEEN:
        assert {one for one in chosen if one.startswith(f"{name}=")} == {f"{name}={v}" for v in ALL_SWITCHES[name][1:]}


def test_the_sizes_reach_from_the_smallest_to_the_largest() -> None:
    sizes = [proofs.size_of(seed) for seed in proofs.SEEDS]
    assert (len(sizes), min(sizes), max(sizes)) == (20, 200, 2_000)
    assert sum(sizes) < 14_000


def test_the_same_counts_are_compared_but_not_the_time() -> None:
    assert played(seconds={"total": 1}).counts == played(seconds={"total": 2}).counts == GOOD


def test_the_command_writes_what_it_showed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(proofs.PROOFS, "good", lambda: {"holds": True, "faults": []})
    monkeypatch.setitem(proofs.PROOFS, "bad", lambda: {"holds": False, "faults": ["it does not"]})
    out = tmp_path / "proofs.json"
    assert command.main(["good", "--out", str(out)]) == 0
    assert command.main(["good", "bad", "--out", str(out)]) == 1
    assert json.loads(out.read_text())["proofs"]["bad"]["faults"] == ["it does not"]


def test_a_play_without_figures_reports_its_last_words() -> None:
    fallen = Played({"seed": 1}, {}, {}, 1, 2.0, "it began\nand fell")
    assert fallen.brief == {"seed": 1, "exit_code": 1, "last_words": "it began\nand fell", "seconds": 2.0}


def test_without_the_real_history_its_proof_is_skipped_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proofs, "HISTORY", tmp_path / "away.parquet")
    out = tmp_path / "proofs.json"
    assert command.main(["history_months", "--out", str(out)]) == 0
    assert json.loads(out.read_text())["proofs"]["history_months"]["holds"] is None
    assert f"history_months: skipped, {tmp_path / 'away.parquet'} is not there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (played(), "seed=1: 60 returns, 41 confirmed, 0 duplicates, 0 missed, 0 false alarms, 1.0 s"),
        (
            played(missed=["a", "b"], false_alarms=["c"], duplicates=3),
            "seed=1: 60 returns, 41 confirmed, 3 duplicates, 2 missed, 1 false alarms, 1.0 s",
        ),
        (
            Played({"seed": 1, "storefront": True}, {}, {}, 2, 1.0, "it began\nand fell"),
            "seed=1 storefront=True: no figures, exit 2, 1.0 s: and fell",
        ),
    ],
)
def test_a_play_is_told_in_one_line(one: Played, line: str) -> None:
    assert one.line == line


def test_only_who_listens_hears_of_a_play() -> None:
    heard: list[Played] = []
    with heard_by(heard.append):
        one = tell(played())
    tell(played(duplicates=1))
    assert heard == [one]


def test_a_series_tells_each_play_as_it_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "proofs.json"
    left: list[Any] = []

    def series() -> dict[str, Any]:
        """It holds."""
        for duplicates in (0, 2):
            tell(played(duplicates=duplicates))
            left.append((capsys.readouterr().err, json.loads(out.read_text())["proofs"]["series"]))
        return {"holds": True, "faults": [], "plays": ["all of them"]}

    monkeypatch.setitem(proofs.PROOFS, "series", series)
    assert command.main(["series", "--out", str(out)]) == 0
    assert [said for said, _ in left] == [f"  {played(duplicates=count).line}\n" for count in (0, 2)]
    assert [len(figures["plays"]) for _, figures in left] == [1, 2]
    assert left[1][1]["plays"][1]["duplicates"] == 2
    assert all((one["claim"], one["is_finished"], "holds" in one) == ("It holds.", False, False) for _, one in left)
    ended = json.loads(out.read_text())["proofs"]["series"]
    assert (ended["is_finished"], ended["holds"], ended["plays"]) == (True, True, ["all of them"])


def test_a_series_that_is_stopped_leaves_what_it_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stopped() -> dict[str, Any]:
        tell(played(missed=["value_gap RMA1: why"]))
        raise KeyboardInterrupt

    monkeypatch.setitem(proofs.PROOFS, "good", lambda: {"holds": True, "faults": []})
    monkeypatch.setitem(proofs.PROOFS, "stopped", stopped)
    out = tmp_path / "proofs.json"
    with pytest.raises(KeyboardInterrupt):
        command.main(["good", "stopped", "--out", str(out)])
    left = json.loads(out.read_text())["proofs"]
    assert left["good"]["is_finished"]
    assert not left["stopped"]["is_finished"]
    assert left["stopped"]["plays"][0]["missed"] == ["value_gap RMA1: why"]


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["nothing"]) == 2
    assert "random_histories" in capsys.readouterr().err
