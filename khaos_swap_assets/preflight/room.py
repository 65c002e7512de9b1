"""Whether the database's server has room for all that an installation opens.

Belongs here: the words. Stays out: the sum (``running.connections``) and asking the server (``adapters.store.sizes``).
"""

from __future__ import annotations

import os

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.preflight.finding import PreflightFinding
from khaos_swap_assets.running.connections import budget, in_words, total
from khaos_swap_assets.running.installation import HOUSE_OF

TOO_FEW = "raise max_connections, or put PgBouncer before Dagster's database and count its pool (deploy/pgbouncer.ini)"


def room_for(settings: Settings, allowed: int) -> PreflightFinding:
    """What the installation, or the house of the merchant, opens at the most, beside what the server allows."""
    house = int(os.environ.get(HOUSE_OF, "0"))
    shares = budget(settings, house)
    whose = f"a house of {house}: " if house else ""
    told = f"{whose}{in_words(shares)}, where the server allows {allowed}"
    if total(shares) > allowed:
        return PreflightFinding("missing", "connections", f"{told}; {TOO_FEW}")
    return PreflightFinding("works", "connections", told)
