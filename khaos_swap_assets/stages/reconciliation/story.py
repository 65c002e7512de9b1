"""The story of the returns that a person asks for, as they stand in the store now.

Belongs here: finding and judging them. Stays out: the words (``reporting.refund_story``). Nothing is written.
"""

from __future__ import annotations

from datetime import datetime

import psycopg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import returns
from khaos_swap_assets.domain.judging.verdict import judge
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.reporting.refund_story import ArrivalDays, Story, tell
from khaos_swap_assets.stages.reconciliation.facts import gather, limits_of
from khaos_swap_assets.stages.reconciliation.governing import with_tolerance


def arrival_of(settings: Settings) -> ArrivalDays:
    """In how many days a refund usually reaches the customer, by its method."""
    return ArrivalDays.of(settings.refund_arrival_days, settings.refund_arrival_by_method)


def stories(
    conn: psycopg.Connection, settings: Settings, policy: CreditNotePolicy, name: str, now: datetime
) -> list[Story]:
    """The stories of the returns with this RMA or of this order (with or without ``#``), by RMA."""
    ids = returns.found_by(conn, name)
    facts = with_tolerance(conn, [facts for facts, _ in gather(conn, settings, policy, ids)])
    limits = limits_of(settings)
    told = [tell(one, judge(one, limits, now), now, arrival_of(settings)) for one in facts]
    return sorted(told, key=lambda one: one.rma)
