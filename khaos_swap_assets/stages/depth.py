"""How deep a vendor is read the first time.

Belongs here: the one answer that every source shares. Stays out: windows of later reads (each stage's ``sync``).
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.domain.money.periods import LONDON


def first_read_from(settings: Settings, now: datetime) -> datetime:
    """The moment (UTC) to which a first read goes back: the first month, and never less than the nightly sweep."""
    first = datetime.combine(settings.period_start, time(), LONDON).astimezone(UTC)
    return min(first, now - timedelta(days=settings.swap.wide_sweep_days))
