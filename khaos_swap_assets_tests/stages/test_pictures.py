"""Pictures of what there is, none of nothing, and none drawn twice of the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import setbacks
from khaos_swap_assets.stages.presenting import credit_by_day, gap_by_cause, gap_by_month, shown
from khaos_swap_assets.stages.reconciliation.month_end import close_month
from khaos_swap_assets_tests.stages.town import NOON, Town, a_note, a_return, connect

TIMES: list[Sequence[int]] = []


def draw(data: Sequence[int]) -> bytes:
    """A picture of its own at each call."""
    TIMES.append(data)
    return f"picture {len(TIMES)} of {sum(data)}".encode()


def drawn(conn: psycopg.Connection[Any], name: str, data: Sequence[int]) -> str:
    return str(shown(conn, name, draw, data, "Sums", NOON).value)


def refuse(data: Sequence[int]) -> bytes:
    """A picture that cannot be drawn."""
    TIMES.append(data)
    raise ZeroDivisionError("a value nobody foresaw")


def test_a_picture_that_cannot_be_drawn_is_told_and_ends_nothing(town: Town) -> None:
    with connect(town) as conn:
        TIMES.clear()
        for minutes in (0, 1, 20):
            found = shown(conn, "sums", refuse, [1], "Sums", NOON + timedelta(minutes=minutes))
            assert found.value == "Sums: the picture could not be drawn, see the exception fault_in_return sums"
        assert len(TIMES) == 2
        assert [(one.subject, one.reason) for one in setbacks.standing(conn)] == [
            ("sums", "ZeroDivisionError: a value nobody foresaw")
        ]
        conn.commit()
        town.sync()
        assert town.kinds() == {"fault_in_return": "sums"}
        assert "base64" in str(shown(conn, "sums", draw, [1], "Sums", NOON + timedelta(days=1)).value)
        assert setbacks.standing(conn) == []


def test_a_picture_is_drawn_again_only_of_other_data(town: Town) -> None:
    with connect(town) as conn:
        first = drawn(conn, "sums", [1, 2])
        assert drawn(conn, "sums", [1, 2]) == first
        other = drawn(conn, "sums", [2, 2])
        assert other != first
        assert drawn(conn, "sums", [2, 2]) == other
        assert drawn(conn, "more sums", [2, 2]) != other
        assert conn.execute("SELECT count(*) FROM recon.pictures").fetchone() == (2,)


def test_a_picture_is_drawn_again_by_other_code(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "drawing.py"
    monkeypatch.setattr("khaos_swap_assets.stages.presenting.inspect.getfile", lambda _: code)
    found = []
    with connect(town) as conn:
        for text in ("blue", "blue", "red"):
            code.write_text(text)
            found.append(drawn(conn, "sums", [1, 2]))
    assert found[0] == found[1] != found[2]


def test_gaps_of_twelve_months_are_a_picture_where_there_are_any(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", 900, associated_ref="RMA1")
    town.sync()
    close_month(town.tools, "2026-03")
    with connect(town) as conn:
        shown = gap_by_month(conn, "2026-03", NOON)
        assert shown is not None
        assert "Gap by cause and month, 2026-03 to 2026-03" in str(shown.value)
        assert gap_by_month(conn, "2027-02", NOON) is not None
        assert gap_by_month(conn, "2027-03", NOON) is None
        assert gap_by_month(conn, "2026-02", NOON) is None


def test_there_is_no_picture_of_nothing(town: Town) -> None:
    with connect(town) as conn:
        assert credit_by_day(conn, NOON) is None
        assert gap_by_cause(conn, close_month(town.tools, "2026-03"), NOON) is None


def test_pictures_are_drawn_of_what_there_is(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", 900, associated_ref="RMA1")
    town.sync()
    months = close_month(town.tools, "2026-03")
    with connect(town) as conn:
        by_day, by_cause = credit_by_day(conn, NOON), gap_by_cause(conn, months, NOON)
    for chart in (by_day, by_cause):
        assert chart is not None
        assert "data:image/png;base64,iVBOR" in str(chart.value)
    assert by_day is not None
    assert f"{NOON.date()}" in str(by_day.value)
