"""What an hour adds on disk, idle and on a busy day: databases, logs and what runs printed.

Belongs here: a short stretch of each, in MB an hour. Stays out: the house (``khaos_swap_assets_tests.prove``), and its
memory over hours (``python -m khaos_swap_assets_tests.prove house_soak``).
"""

from __future__ import annotations

from typing import Any

MINUTES = 3.0
MOST_MB_AN_HOUR = {"idle": 45.0, "busy": 250.0}
"""A sync leaves about 0.5 MB, half of it pictures that Dagster stores twice; idle here is one sync a minute."""


def measure() -> dict[str, Any]:
    """MB an hour by what holds them; a busy day is one refunded return every six seconds."""
    from khaos_swap_assets_tests.prove import house_soak

    told = {name: stretch.figures() for name, stretch in house_soak.measure(MINUTES).items()}
    return {
        "mb_an_hour": {name: figures["mb_an_hour"] for name, figures in told.items()},
        "mb_an_hour_in_all": {name: figures["mb_an_hour_in_all"] for name, figures in told.items()},
        "is_met": all(told[name]["mb_an_hour_in_all"] <= most for name, most in MOST_MB_AN_HOUR.items()),
    }
