"""Who signs in and what each role may do.

Belongs here: roles, acts, and which role may do what, for pages, API and Dagster's own UI. Stays out: passwords,
sessions and pages (``door``), and what an act does (``stages``). Source: DESIGN, the desk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "cx", "operations", "data_management", "finance", "finance_approver", "engineer"]
Act = Literal[
    "see", "work_queue", "inspect", "waive", "waive_above_limit", "decide_match", "release_draft", "steer_feed", "run"
]
OF_ROLE: dict[Role, frozenset[Act]] = {
    "viewer": frozenset({"see"}),
    "cx": frozenset({"see", "work_queue"}),
    "operations": frozenset({"see", "work_queue", "inspect", "run"}),
    "data_management": frozenset({"see", "work_queue", "run"}),
    "finance": frozenset({"see", "work_queue", "waive", "decide_match", "release_draft", "run"}),
    "finance_approver": frozenset(
        {"see", "work_queue", "waive", "waive_above_limit", "decide_match", "release_draft", "run"}
    ),
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
