"""The picture of the latency.

Belongs here: drawing. Stays out: the figures (``adapters.store.latency``).
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from khaos_swap_assets.adapters.store.latency import DayOfLatency
from khaos_swap_assets.stages.completeness.checks import OBJECTIVE

MOST_LEVEL_LABELS = 12


def draw_latency(days: Sequence[DayOfLatency]) -> bytes:
    """A picture (PNG): p50 and p95 seconds by day on a logarithmic scale, and the objective as a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 3.6), dpi=110, layout="constrained")
    panel = figure.subplots()
    places = range(len(days))
    panel.plot(places, [max(1, day.p95_seconds) for day in days], "o-", color="#b5483a", label="p95")
    panel.plot(places, [max(1, day.p50_seconds) for day in days], "o-", color="#2f6f9f", label="p50")
    panel.axhline(OBJECTIVE.total_seconds(), color="#777777", linestyle="--", linewidth=0.9, label="objective")
    panel.set_yscale("log")
    panel.set_xticks(list(places), [f"{day.day:%d %b}" for day in days])
    panel.tick_params(axis="x", labelrotation=90 if len(days) > MOST_LEVEL_LABELS else 0, labelsize="small")
    panel.set_ylabel("seconds")
    panel.set_title("From the last gate to open until on offer")
    panel.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    panel.spines[["top", "right"]].set_visible(False)
    target = BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()
