"""Whose queue is whose, in which order it is worked, and by when each exception asks to be.

Belongs here: owners in their order, the queue that a member looks at first, and the one rule of its order. Stays out:
which kind is whose (``exceptions.catalogue``), what a member may do (``desk.members``) and reading a queue
(``adapters.store.desk_lists``).

An exception counts by money, age and deadline: every doubling of the money at risk counts like another ``DOUBLING`` of
waiting past the day by which it asks for somebody. So £80 that is due today stands level with £10 that was due three
weeks ago. Growth by doubling, unlike a plain product, never lets two exceptions change places as time passes: a page of
a long queue goes on where the last one ended, and an index holds the order. Money counts in its minor units.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import log2
from typing import get_args

from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.domain.exceptions.catalogue import KINDS, Owner, Severity

OWNERS: tuple[Owner, ...] = get_args(Owner)


def queues_of(member: Member) -> tuple[Owner, ...]:
    """The queues that are named as a member's roles, in the order of ``OWNERS``; an approver works that of finance."""
    own = {role.removesuffix("_approver").replace("_", " ") for role in member.roles}
    return tuple(owner for owner in OWNERS if owner in own)


def in_address(owner: str) -> str:
    """An owner as a part of an address: ``data-management``."""
    return owner.replace(" ", "-")


def team_of(owner: str) -> str:
    """An owner as a heading names it: ``CX``, ``Data management``."""
    return owner.upper() if owner == "cx" else owner.capitalize()


DOUBLING = timedelta(days=7)
DAYS_GIVEN: Mapping[Severity, int] = {"error": 7, "warning": 28}
"""What is wrong now asks for somebody within a week; what may be wrong within the month."""
CLOCKED = frozenset(
    {
        *("refund_unconfirmed_too_long", "closed_without_refund", "refund_not_paid"),
        *("credit_note_missing", "credit_note_not_issued", "inspection_overdue"),
    }
)
"""Kinds that open when part of the 14 days of a refund or of its Credit Note has run (FINANCE_RULES U-3, U-10)."""
DAYS_OF_CLOCK = 3


def act_by(kind: str, opened_at: datetime) -> datetime:
    """The moment by which an exception of a kind of the catalogue asks for somebody."""
    days = DAYS_OF_CLOCK if kind in CLOCKED else DAYS_GIVEN[KINDS[kind].severity]
    return opened_at + timedelta(days=days)


def urgent_at(kind: str, pence: int, opened_at: datetime) -> datetime:
    """Its place in the queue: the moment by which it asks for somebody, earlier by the weight of its money."""
    return act_by(kind, opened_at) - DOUBLING * log2(max(pence, 1))
