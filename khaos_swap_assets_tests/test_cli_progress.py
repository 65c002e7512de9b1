"""A bar of progress: silent where nobody looks, and exact where somebody does."""

from __future__ import annotations

import pytest
from rich import progress as rich_progress

from khaos_swap_assets.cli.progress import progress


def test_without_a_terminal_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as report:
        told = report("reading")
        told(0.5)
        told(1.0)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_each_step_has_a_bar_of_its_own_and_moves_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[rich_progress.Progress] = []
    start = rich_progress.Progress.start

    def noted(self: rich_progress.Progress) -> None:
        made.append(self)
        start(self)

    monkeypatch.setattr(rich_progress.Progress, "start", noted)
    with progress() as report:
        reading, writing = report("reading"), report("writing")
        reading(0.25)
        writing(1.0)
        reading(0.75)
        (bars,) = made
        assert [(one.description, one.completed, one.total) for one in bars.tasks] == [
            ("reading", 0.75, 1.0),
            ("writing", 1.0, 1.0),
        ]


def test_an_error_inside_ends_the_bars_and_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError), progress() as report:
        report("reading")(1 / 0)
