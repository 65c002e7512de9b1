"""Settings that tests ask for again and again: to read them costs as much as fifty queries, a copy next to nothing.

Belongs here: keeping what was read, by what was asked for. Stays out: which settings (each folder's own).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import wraps
from typing import Any

from khaos_swap_assets.adapters.settings import Settings


def read_once(read: Callable[..., Settings]) -> Callable[..., Settings]:
    """What ``read`` gives, as a copy of its own for each caller, which they may change."""
    known: dict[bytes, Settings] = {}

    @wraps(read)
    def copied(**changes: Any) -> Settings:
        asked = pickle.dumps(sorted(changes.items()))
        if asked not in known:
            known[asked] = read(**changes)
        return known[asked].model_copy(deep=True)

    return copied
