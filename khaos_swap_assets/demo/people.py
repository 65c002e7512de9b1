"""Who signs in to the demo: one person a role, by one click and without a password.

Belongs here: names and their file. Stays out: signing in (``door.signing_in``), which asks the mark of the database: a
live installation lets nobody in without a password or an account.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from khaos_swap_assets.domain.desk.members import Role

FILE = "members.yaml"
PEOPLE: Mapping[str, Role] = {
    "Vera": "viewer",
    "Carl": "cx",
    "Olga": "operations",
    "Dan": "data_management",
    "Fiona": "finance",
    "Frank": "finance_approver",
    "Ed": "engineer",
}
"""The first letter of a name is that of the role."""


def write_members(folder: Path) -> Path:
    """Write the members file of a demo's folder anew; gives its path."""
    rows = "".join(f"  - {{name: {name}, roles: [{role}]}}\n" for name, role in PEOPLE.items())
    path = folder / FILE
    path.write_text(f"# The people of the demo; they sign in by one click.\nmembers:\n{rows}")
    path.chmod(0o600)
    return path


def in_words() -> str:
    """Names and roles in one line, for whoever starts the demo."""
    return ", ".join(f"{name} ({role.replace('_', ' ')})" for name, role in PEOPLE.items())
