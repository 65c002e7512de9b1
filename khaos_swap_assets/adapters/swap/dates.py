"""Swap's dates, which are text of several styles.

Belongs here: reading one date. Stays out: which field holds which moment (``wire``). Source: contracts/swap.md §9.1.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from khaos_swap_assets.domain.money.periods import require_trade

NOTHING = frozenset({"", "n/a", "na", "-", "null", "none"})
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?\s?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE)
BRITISH = re.compile(
    r"(?P<day>\d{1,2}) (?P<month>[A-Za-z]{3,9})\.? (?P<year>\d{4})"
    r"(,? (?P<hour>\d{1,2}):(?P<minute>\d\d)(:(?P<second>\d\d))?)?",
    re.ASCII,
)
SHAPE_LENGTH = 40


def parse(text: str | None, zone: tzinfo) -> datetime | None:
    """Read a date as UTC; None for what Swap writes when there is none (null, empty, ``N/A``).

    Understands ISO 8601 with or without zone and British text such as ``23 Sept 2025, 14:52:21``; where the text has
    no zone, ``zone`` is meant. Raises ``ValueError`` with the shape of the text, never the text itself; a year
    outside 1990 to 2100 is ``periods.OutsideError``.
    """
    trimmed = " ".join((text or "").split())
    if trimmed.lower() in NOTHING:
        return None
    try:
        moment = _read(trimmed)
        found = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"no date that we can read, shaped like {shape_of(trimmed)!r}") from None
    require_trade(found.year)
    return found


def shape_of(text: str) -> str:
    """The text with every digit as 9 and every letter as A, so that nothing of it is told."""
    letters = re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", text))
    return letters[:SHAPE_LENGTH]


def _read(text: str) -> datetime:
    if ISO.fullmatch(text):
        return datetime.fromisoformat(_microseconds(text.upper().replace(" ", "T", 1).replace(" ", "")))
    found = BRITISH.fullmatch(text)
    if not found:
        raise ValueError("neither ISO nor British")
    year, day, hour, minute, second = (int(found[name] or 0) for name in ("year", "day", "hour", "minute", "second"))
    return datetime.fromisoformat(f"{year}-{_month(found['month']):02}-{day:02}T{hour:02}:{minute:02}:{second:02}")


def _month(name: str) -> int:
    """1 to 12, by three letters or more of its name; ``Sept`` is what Swap writes in autumn."""
    for number, month in enumerate(MONTHS, start=1):
        if month.startswith(name.lower()):
            return number
    raise ValueError("no month")


def _microseconds(text: str) -> str:
    """Cut a fraction of a second to the six digits that Python keeps."""
    return re.sub(r"(\.\d{6})\d+", r"\1", text)
