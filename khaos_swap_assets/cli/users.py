"""``khaos-swap users …``: who may sign in, and the row that adds somebody.

Belongs here: arguments, asking for the password, the table. Stays out: what a hash is (``adapters.passwords``) and the
file (``adapters.members``). A password is never an argument: those stand in every list of processes.
"""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.cli.showing import AsJson, show_rows

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.members import Roster

Name = Annotated[str, typer.Argument(help="Name of the person, as the record of decisions shall keep it")]
NOBODY = "nobody may sign in by a members file: name one in KHAOS_SWAP_DOOR_MEMBERS_FILE, with rows of users hash"
Roles = Annotated[list[str], typer.Option("--role", help="A role of the person; several by repeating it")]


def users_app(reach: Reach) -> typer.Typer:
    """The commands about the people who sign in."""
    app = typer.Typer(help="Who may sign in to the desk and Dagster's pages.", no_args_is_help=True)

    @app.command("hash")
    def hash_(name: Name, role: Roles) -> None:
        """Ask for a password and print the row to add to the members file."""
        typer.echo(_row(name, role, _asked()))

    @app.command("list")
    def list_(as_json: AsJson = False) -> None:
        """List the members of the members file, their roles, and how each signs in."""
        from khaos_swap_assets.adapters.members import roster_of

        show_rows(_rows(roster_of(reach.settings())), as_json=as_json, none=NOBODY)

    return app


def _asked() -> str:
    """A new password of the terminal, typed twice; of a pipe, its first line. Raises ``SettingsError``."""
    from khaos_swap_assets.adapters.passwords import wrong_password

    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise SettingsError("the two passwords differ; begin again")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if reason := wrong_password(password):
        raise SettingsError(reason)
    return password


def _row(name: str, roles: list[str], password: str) -> str:
    import json

    from khaos_swap_assets.adapters.members import read_row
    from khaos_swap_assets.adapters.passwords import hashed

    row = read_row({"name": name, "roles": roles, "password": hashed(password)})
    shown = ", ".join(sorted(row.roles))
    return f"  - {{name: {json.dumps(row.name, ensure_ascii=False)}, roles: [{shown}], password: '{row.password}'}}"


def _rows(roster: Roster) -> list[dict[str, str]]:
    members = [
        {
            "name": row.name,
            "roles": ", ".join(sorted(row.roles)),
            "signs_in_by": "password" if row.password else "account",
        }
        for row in roster.members.values()
    ]
    groups = [
        {"name": group, "roles": ", ".join(sorted(roles)), "signs_in_by": "account of this group"}
        for group, roles in roster.groups.items()
    ]
    return members + groups
