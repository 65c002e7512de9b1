"""How much a member may waive alone, and who may grant what is more.

Belongs here: the rule. Stays out: what a waiver does (``stages.casework``) and who is a member (``desk.members``).
Money is minor units, whatever the currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from khaos_swap_assets.domain.desk.members import Member, Role


@dataclass(frozen=True, slots=True)
class WaiverLimits:
    """The most that each role may waive alone, an exception; a role that is not named waives nothing alone."""

    pence: Mapping[Role, int]

    def of(self, member: Member) -> int:
        """The most of the member's roles."""
        return max((self.pence.get(role, 0) for role in member.roles), default=0)

    def needs_second(self, member: Member, pence: int) -> bool:
        """Whether a second person has to grant a waiver of so much."""
        return pence > self.of(member)


def may_grant(member: Member, asked_by: str) -> bool:
    """Whether a member may grant what another one asked for: nobody is their own second person."""
    return member.may("waive_above_limit") and member.name.casefold() != asked_by.casefold()
