"""Pictures of what there is, none of nothing, and none drawn twice of the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from khaos_swap_assets.stages.pictures import credit_by_day, drawn, gap_by_cause, gap_by_month
from khaos_swap_assets.stages.reconciliation.month_end import close_month
from khaos_swap_assets_tests.stages.town import NOON, Town, a_note, a_return, connect

TIMES: list[Sequence[int]] = []


def draw(data: Sequence[int]) -> bytes:
    """A picture of its own at each call."""
    TIMES.append(data)
    return f"picture {len(TIMES)} of {sum(data)}".encode()


def test_a_picture_is_drawn_again_only_of_other_data(town: Town) -> None:
    with connect(town) as conn:
        first = drawn(conn, "sums", draw, [1, 2])
        assert drawn(conn, "sums", draw, [1, 2]) == first
        other = drawn(conn, "sums", draw, [2, 2])
        assert other != first
        assert drawn(conn, "sums", draw, [2, 2]) == other
        assert drawn(conn, "more sums", draw, [2, 2]) != other
        assert conn.execute("SELECT count(*) FROM recon.pictures").fetchone() == (2,)


def test_a_picture_is_drawn_again_by_other_code(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "drawing.py"
    monkeypatch.setattr("khaos_swap_assets.stages.pictures.inspect.getfile", lambda _: code)
    found = []
    with connect(town) as conn:
        for text in ("blue", "blue", "red"):
            code.write_text(text)
            found.append(drawn(conn, "sums", draw, [1, 2]))
    assert found[0] == found[1] != found[2]


def test_gaps_of_twelve_months_are_a_picture_where_there_are_any(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", 900, associated_ref="RMA1")
    town.sync()
    close_month(town.tools, "2026-03")
    with connect(town) as conn:
        shown = gap_by_month(conn, "2026-03")
        assert shown is not None
        assert "Gap by cause and month, 2026-03 to 2026-03" in str(shown.value)
        assert gap_by_month(conn, "2027-02") is not None
        assert gap_by_month(conn, "2027-03") is None
        assert gap_by_month(conn, "2026-02") is None


def test_there_is_no_picture_of_nothing(town: Town) -> None:
    with connect(town) as conn:
        assert credit_by_day(conn) is None
        assert gap_by_cause(conn, close_month(town.tools, "2026-03")) is None


def test_pictures_are_drawn_of_what_there_is(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", 900, associated_ref="RMA1")
    town.sync()
    months = close_month(town.tools, "2026-03")
    with connect(town) as conn:
        by_day, by_cause = credit_by_day(conn), gap_by_cause(conn, months)
    for chart in (by_day, by_cause):
        assert chart is not None
        assert "data:image/png;base64,iVBOR" in str(chart.value)
    assert by_day is not None
    assert f"{NOON.date()}" in str(by_day.value)
