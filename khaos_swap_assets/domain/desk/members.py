"""Who signs in, what each role may do, and how much each may waive alone.

Belongs here: roles, acts, and which role may do what, for pages, API and Dagster's own UI. Stays out: passwords,
sessions and pages (``door``), and what an act does (``stages``). Money is minor units. Source: DESIGN, the desk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "cx", "operations", "data_management", "finance", "finance_approver", "engineer"]
Act = Literal[
    "see", "work_queue", "inspect", "waive", "waive_above_limit", "decide_match", "release_draft", "steer_feed", "run"
]
_FINANCE = frozenset[Act]({"see", "work_queue", "waive", "decide_match", "release_draft", "run"})
OF_ROLE: dict[Role, frozenset[Act]] = {
    "viewer": frozenset({"see"}),
    "cx": frozenset({"see", "work_queue"}),
    "operations": frozenset({"see", "work_queue", "inspect", "run"}),
    "data_management": frozenset({"see", "work_queue", "run"}),
    "finance": _FINANCE,
    "finance_approver": frozenset({*_FINANCE, "waive_above_limit"}),
    "engineer": frozenset({"see", "work_queue", "steer_feed", "run"}),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A person who signed in; ``name`` is what the record of decisions keeps."""

    name: str
    roles: frozenset[Role]

    def may(self, act: Act) -> bool:
        """Whether one of the member's roles allows it."""
        return any(act in OF_ROLE[role] for role in self.roles)


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
