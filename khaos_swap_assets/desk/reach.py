"""What the pages of the desk reach: the store, the settings, finance's policy and the clock.

Belongs here: the record of these, and one read for "as of". Stays out: opening any of them (whoever serves the pages).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import worklist
from khaos_swap_assets.domain.desk.members import WaiverLimits
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.stages import marks

Conn = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class DeskReach:
    """How the pages reach the world; ``store`` lends a connection for one transaction."""

    store: Callable[[], AbstractContextManager[Conn]]
    settings: Settings
    policy: CreditNotePolicy
    waiver_limits: WaiverLimits
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class AsOf:
    """When figures were read, and up to when everything was judged (None: no run has come to its end yet)."""

    read_at: datetime
    judged_at: datetime | None


def as_of(conn: Conn, now: datetime) -> AsOf:
    """The moments that every figure of a page names."""
    return AsOf(now, worklist.reached(conn, marks.JUDGED))
