"""The waterfall from refunded to credited, as an SVG picture inside the page.

Belongs here: geometry and how money is printed. Stays out: figures (``summary``) and the words
around the picture (``page``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from khaos_swap_assets.audit.summary import Totals
from khaos_swap_assets.audit.words import STEP_WORDS
from khaos_swap_assets.domain.money.amounts import format_money

WIDTH, LEFT, RIGHT, ROW = 860, 230, 130, 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the picture: pixels, and what it says. ``tone`` names its colour."""

    label: str
    value: str
    x: int
    width: int
    y: int
    tone: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    """All rows of the picture and its size; ``zero_x`` is where credited equals refunded."""

    bars: tuple[Bar, ...]
    height: int
    zero_x: int
    width: int = WIDTH
    left: int = LEFT


def waterfall(totals: Totals) -> Waterfall:
    """Each step from where the one before it ended; the last row is the whole gap. Steps of nothing are left out."""
    steps = {name: pence for name, pence in totals.steps.items() if pence}
    ends = _running(steps)
    low, high = min(0, *ends, 0), max(0, *ends, 0)
    scale = _Scale(low, max(high - low, 1))
    bars, start = [], 0
    for row, (name, pence) in enumerate(steps.items()):
        bars.append(_bar(scale, STEP_WORDS[name], start, pence, row, totals.currency))
        start += pence
    whole = _bar(scale, "Gap: credited less refunded", 0, totals.gap_pence, len(bars), totals.currency, tone="whole")
    return Waterfall((*bars, whole), (len(bars) + 1) * ROW + 10, scale.x(0))


def printed(pence: int, currency: str) -> str:
    """Money for a page, with the minus sign of print."""
    return format_money(pence, currency).replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True, slots=True)
class _Scale:
    low: int
    size: int

    def x(self, pence: int) -> int:
        """The pixel of an amount."""
        return LEFT + (pence - self.low) * (WIDTH - LEFT - RIGHT) // self.size


def _running(steps: Mapping[str, int]) -> list[int]:
    ends, total = [0], 0
    for pence in steps.values():
        total += pence
        ends.append(total)
    return ends


def _bar(scale: _Scale, label: str, start: int, pence: int, row: int, currency: str, *, tone: str = "") -> Bar:
    first, last = sorted((scale.x(start), scale.x(start + pence)))
    sign = "+" if pence > 0 else ""
    own = "more" if pence > 0 else "less"
    return Bar(label, f"{sign}{printed(pence, currency)}", first, max(last - first, 2), row * ROW + 6, tone or own)
