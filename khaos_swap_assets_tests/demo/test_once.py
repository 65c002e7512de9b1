"""What a play is asked for, and what it says at its end."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files.adjustments import load_sample
from khaos_swap_assets.demo import once
from khaos_swap_assets.demo.environment import stock_route
from khaos_swap_assets.demo.once import SUMMARISED, Wish, month_before
from khaos_swap_assets.sandbox.__main__ import main as sandbox_main
from khaos_swap_assets.sandbox.generator import DEFAULT_NOW, POST_FROM_DAY


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 1, 1), date(2025, 12, 1)),
        (date(2026, 3, 31), date(2026, 2, 1)),
        (date(2024, 3, 1), date(2024, 2, 1)),
        (date(2026, 12, 31), date(2026, 11, 1)),
    ],
)
def test_the_month_before(day: date, expected: date) -> None:
    assert month_before(day) == expected


@given(st.dates(date(1, 2, 1)))
def test_the_month_before_begins_on_a_first_and_ends_where_this_month_begins(day: date) -> None:
    before = month_before(day)
    assert before.day == 1
    assert (day.year * 12 + day.month) - (before.year * 12 + before.month) == 1


def test_an_invented_month_is_told_by_size_and_seed() -> None:
    assert Wish(returns=7, seed=3).sandbox_arguments == ["--returns", "7", "--seed", "3"]
    assert Wish(storefront=True).sandbox_arguments[-1] == "--storefront"
    assert Wish(goods=True, packs="components").sandbox_arguments[-2:] == ["--goods", "--packs"]
    assert Wish(packs="components").own_settings == {"KHAOS_SWAP_KHAOS_PACKS_RETURNED_AS": "components"}


def test_a_second_store_is_told_by_its_name_and_is_down_at_first() -> None:
    assert Wish(stores=2).sandbox_arguments[-2:] == ["--further-store", "outlet"]
    assert (Wish(stores=2).down, Wish().down) == ("outlet", "")


def test_a_route_of_stock_comes_with_its_sample_and_folder(tmp_path: Path) -> None:
    told = stock_route("file", tmp_path / "out")
    assert told["KHAOS_SWAP_STOCK_ROUTE"] == "file"
    assert load_sample(Path(told["KHAOS_SWAP_STOCK_FILE_SAMPLE"])).rows.keys() == {"sellable", "damaged"}
    assert Path(told["KHAOS_SWAP_STOCK_FILE_FOLDER"]).is_dir()


def test_a_month_of_history_is_told_by_file_and_month_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wish = Wish(returns=7, seed=3, history=Path("sold.csv"), month="2011-05", storefront=True)
    assert wish.sandbox_arguments == ["--history", str(tmp_path.resolve() / "sold.csv"), "--month", "2011-05"]


def test_posting_begins_in_the_month_that_is_played() -> None:
    assert Wish(history=Path("x"), month="2011-05").post_from == date(2011, 5, 1)
    found = Wish().post_from
    assert found.day == POST_FROM_DAY
    assert month_before(DEFAULT_NOW.date()) == found.replace(day=1)


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ((), {}),
        (("multiref=on", "date_style=iso"), {}),
        (("multiref=on", "cost_basis=unit"), {"KHAOS_SWAP_SWAP_COST_BASIS": "unit"}),
        (("cost_basis=unit", "cost_basis=line"), {"KHAOS_SWAP_SWAP_COST_BASIS": "line"}),
    ],
)
def test_we_are_told_only_of_what_no_answer_shows(switches: tuple[str, ...], expected: dict[str, str]) -> None:
    assert Wish(switches=switches).own_settings == expected


def a_result(**changes: Any) -> dict[str, Any]:
    figures: dict[str, Any] = dict.fromkeys(SUMMARISED, 3)
    return {
        **figures,
        "exceptions": {"value_gap": 2, "sku_unknown": 1},
        "missed": [],
        "false_alarms": [],
        "broken_invariants": [],
        "checks": {"passed": 9, "failed": 1},
        "seconds": {"total": 12.5},
        **changes,
    }


def test_the_summary_has_a_line_for_each_figure(capsys: pytest.CaptureFixture[str]) -> None:
    once._summarise(a_result())
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert [line.split("  ")[1].strip() for line in lines[1:8]] == [name.replace("_", " ") for name in SUMMARISED]
    assert any(line.split() == ["exceptions", "3", "planted,", "all", "found"] for line in lines)
    assert lines[-1].split() == ["seconds", "12.5"]


@pytest.mark.parametrize("name", ["missed", "false_alarms", "broken_invariants"])
def test_the_summary_says_whatever_went_wrong(capsys: pytest.CaptureFixture[str], name: str) -> None:
    once._summarise(a_result(**{name: ["value_gap RMA1: why", "another"]}))
    said = capsys.readouterr().err
    assert f"  {name}: value_gap RMA1: why\n  {name}: another\n" in said
    assert ("2 planted ones missed" in said) is (name == "missed")


@pytest.mark.parametrize("name", ["missed", "false_alarms", "broken_invariants"])
def test_whatever_went_wrong_in_an_invented_month_is_an_error(name: str) -> None:
    real, bent = Wish(history=Path("x"), month="2011-05"), Wish(switches=("paging=drifts",))
    assert {once.exit_code(wish, a_result()) for wish in (Wish(), real, bent)} == {0}
    told = a_result(**{name: ["refund_not_credited R1"]})
    assert once.exit_code(Wish(), told) == 1
    assert once.exit_code(real, told) == once.exit_code(bent, told) == int(name == "broken_invariants")


def test_the_arguments_are_ones_that_the_sandbox_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sandbox_main(["--help"])
    known = capsys.readouterr().out
    for wish in (
        Wish(storefront=True, goods=True, packs="header"),
        Wish(stores=2),
        Wish(history=Path("x"), month="2011-05"),
    ):
        assert all(word in known for word in wish.sandbox_arguments if word.startswith("--"))
