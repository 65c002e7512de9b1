"""Swap's dates: the styles that are read, and what an unreadable one may say of itself."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.swap import dates

LONDON = ZoneInfo("Europe/London")


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("23 Sept 2025, 14:52:21", utc(2025, 9, 23, 14, 52, 21)),
        ("23 Sep 2025, 14:52:21", utc(2025, 9, 23, 14, 52, 21)),
        ("3 September 2025, 04:02:01", utc(2025, 9, 3, 4, 2, 1)),
        ("2 mar 2026, 9:14", utc(2026, 3, 2, 9, 14)),
        ("2 Mar. 2026 09:14:05", utc(2026, 3, 2, 9, 14, 5)),
        ("  2  Mar 2026 ", utc(2026, 3, 2)),
        ("31 May 2025, 23:59:59", utc(2025, 5, 31, 23, 59, 59)),
        ("2026-03-01T00:00:00Z", utc(2026, 3, 1)),
        ("2026-03-01T00:00:00.123Z", utc(2026, 3, 1, 0, 0, 0, 123000)),
        ("2026-03-01T00:00:00.123456789Z", utc(2026, 3, 1, 0, 0, 0, 123456)),
        ("2026-03-01T01:30:00+01:30", utc(2026, 3, 1)),
        ("2026-03-01T00:00:00", utc(2026, 3, 1)),
        ("2026-03-01 10:11", utc(2026, 3, 1, 10, 11)),
        ("2026-03-01 10:11:12 +00:00", utc(2026, 3, 1, 10, 11, 12)),
        ("2026-03-01", utc(2026, 3, 1)),
    ],
)
def test_every_known_style_is_read(text: str, moment: datetime) -> None:
    assert dates.parse(text, UTC) == moment


@pytest.mark.parametrize("text", [None, "", "   ", "N/A", "n/a", "-", "null", "None"])
def test_nothing_is_nothing(text: str | None) -> None:
    assert dates.parse(text, UTC) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1 Jul 2025, 00:30:00", utc(2025, 6, 30, 23, 30)),
        ("1 Jan 2026, 00:30:00", utc(2026, 1, 1, 0, 30)),
        ("2025-07-01T00:30:00", utc(2025, 6, 30, 23, 30)),
        ("2025-07-01T00:30:00Z", utc(2025, 7, 1, 0, 30)),
        ("26 Oct 2025, 01:30:00", utc(2025, 10, 26, 0, 30)),
    ],
)
def test_a_date_without_a_zone_is_of_the_zone_that_is_set(text: str, moment: datetime) -> None:
    assert dates.parse(text, LONDON) == moment


@pytest.mark.parametrize(
    "text",
    [
        "Sep",
        "yesterday",
        "31 Feb 2026, 10:00:00",
        "23 Sepp 2025, 14:52:21",
        "23 Ma 2025",
        "2026-13-01T00:00:00Z",
        "2026-03-01T25:00:00Z",
        "03/01/2026",
        "1773070890",
        "20260301",
        "2026-W10-1",
        "0001-01-01T00:00:00+05:00",
        "23 Sept 2025, 14:52:21 Priya Nolan",
        "２３ Sept 2025",
    ],
)
def test_anything_else_is_refused_by_its_shape_alone(text: str) -> None:
    with pytest.raises(ValueError, match="no date") as caught:
        dates.parse(text, UTC)
    told = str(caught.value)
    assert dates.shape_of(text) in told
    assert "Priya" not in told
    assert text not in told


def test_a_shape_tells_no_letter_and_no_digit() -> None:
    assert dates.shape_of("Priya 4 Mill Row, LS1 4AB é") == "AAAAA 9 AAAA AAA, AA9 9AA A"
    assert len(dates.shape_of("x" * 500)) == 40


WHOLE = st.integers(631_152_000, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(WHOLE, st.sampled_from(["iso", "zulu", "british"]))
def test_what_was_written_is_what_is_read(moment: datetime, style: str) -> None:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"]
    naive = moment.replace(tzinfo=None)
    written = {
        "iso": naive.isoformat(),
        "zulu": f"{naive.isoformat()}Z",
        "british": f"{moment.day} {months[moment.month - 1]} {moment.year}, {moment:%H:%M:%S}",
    }[style]
    assert dates.parse(written, UTC) == moment
