"""The picture of the shadow score.

Belongs here: drawing. Stays out: the figures (``adapters.store.shadow``).
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store.shadow import SCORES, WeekScore
from khaos_swap_assets.stages.shadow.assets import WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"agreed": "#2f6f9f", "differ": "#b5473c", "they_only": "#c98f3a", "we_only": "#8a8f98"}


def draw_weeks(found: Sequence[WeekScore]) -> bytes:
    """A picture (PNG): returns by week, one bar a week split by score, one panel a currency."""
    from matplotlib.figure import Figure

    currencies = sorted({one.currency for one in found})
    weeks = sorted({one.week for one in found})
    figure = Figure(figsize=(7.5, 3.6 * len(currencies)), dpi=110, layout="constrained")
    panels = figure.subplots(len(currencies), 1, squeeze=False)[:, 0]
    for panel, currency in zip(panels, currencies, strict=True):
        _bars(panel, weeks, [one for one in found if one.currency == currency])
        panel.set_title(f"Credit Notes by staff beside what we would have posted, {currency}")
    target = BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()


def _bars(panel: Axes, weeks: Sequence[str], found: Sequence[WeekScore]) -> None:
    below = [0] * len(weeks)
    for score in SCORES:
        counts = [sum(one.returns for one in found if (one.week, one.score) == (week, score)) for week in weeks]
        panel.bar(range(len(weeks)), counts, bottom=below, color=COLOURS[score], label=WORDS[score])
        below = [under + count for under, count in zip(below, counts, strict=True)]
    panel.set_xticks(range(len(weeks)), [week.partition("-")[2] for week in weeks])
    panel.set_ylabel("returns")
    panel.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    panel.spines[["top", "right"]].set_visible(False)
