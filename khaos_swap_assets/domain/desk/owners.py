"""Whose queue is whose: the owners of exceptions and the roles that work them.

Belongs here: owners in their order and the queue that a member looks at first. Stays out: which kind is whose
(``exceptions.catalogue``) and what a member may do (``desk.members``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from khaos_swap_assets.domain.desk.members import Member, Role
from khaos_swap_assets.domain.exceptions.catalogue import Owner

OWNERS: tuple[Owner, ...] = get_args(Owner)
_OF_ROLE: Mapping[Role, Owner] = {
    "cx": "cx",
    "operations": "operations",
    "data_management": "data management",
    "finance": "finance",
    "finance_approver": "finance",
    "engineer": "engineer",
}


def queues_of(member: Member) -> tuple[Owner, ...]:
    """The queues that a member works, in the order of ``OWNERS``; none for one who only looks."""
    own = {_OF_ROLE[role] for role in member.roles if role in _OF_ROLE}
    return tuple(owner for owner in OWNERS if owner in own)


def in_address(owner: str) -> str:
    """An owner as a part of an address: ``data-management``."""
    return owner.replace(" ", "-")


def team_of(owner: str) -> str:
    """An owner as a heading names it: ``CX``, ``Data management``."""
    return owner.upper() if owner == "cx" else owner.capitalize()
