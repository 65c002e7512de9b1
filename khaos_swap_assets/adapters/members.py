"""Who may sign in: the members file.

Belongs here: reading it, and one clear line for everything that is wrong in it, by row. Stays out: what a role may do
(``desk.members``) and checking a password (``adapters.passwords``). No error shows a hash.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.passwords import wrong_hash
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.domain.desk.members import Role

LONGEST_NAME = 80
LISTS = frozenset({"members", "groups"})


Row = TypeVar("Row", bound=BaseModel)


class MemberRow(BaseModel):
    """A person of the file. Without ``password`` they come by an account of Microsoft or Google, or not at all."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    roles: frozenset[Role] = Field(min_length=1)
    password: str = Field("", repr=False)

    @field_validator("name")
    @classmethod
    def _is_a_word(cls, value: str) -> str:
        if not value.isprintable() or " ".join(value.split()) != value:
            raise ValueError("must be printable, with single spaces between its words and none around them")
        return value

    @field_validator("password")
    @classmethod
    def _is_a_hash(cls, value: str) -> str:
        if value and (reason := wrong_hash(value)):
            raise ValueError(reason)
        return value


class GroupRow(BaseModel):
    """A group of an account's directory, an e-mail address, or ``@`` and a domain, and the roles that it gives."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    group: str = Field(min_length=1, max_length=200)
    roles: frozenset[Role] = Field(min_length=1)


@dataclass(frozen=True)
class Roster:
    """The members by their name in small letters, and the roles of a group."""

    members: Mapping[str, MemberRow] = field(default_factory=dict)
    groups: Mapping[str, frozenset[Role]] = field(default_factory=dict)

    def find(self, name: str) -> MemberRow | None:
        """The member of a name, however its letters are written."""
        return self.members.get(name.casefold())


def roster_of(settings: Settings) -> Roster:
    """The members that the settings name; nobody where they name no file. Raises ``SettingsError``."""
    return load_roster(settings.door.members_file) if settings.door.members_file else Roster()


def read_row(given: Mapping[str, Any]) -> MemberRow:
    """One person as given. Raises ``SettingsError`` with everything that is wrong."""
    try:
        return MemberRow.model_validate(given)
    except ValidationError as error:
        raise SettingsError(_faults(error)) from None


def load_roster(path: Path) -> Roster:
    """The members of a file. Raises ``SettingsError`` naming the file, each wrong row and the reason."""
    found = _read(path)
    rows = {name: found.get(name) or [] for name in sorted(LISTS)}
    faults = [*_strange(found, rows)]
    members, groups = (
        _valid(MemberRow, "members", rows["members"], faults),
        _valid(GroupRow, "groups", rows["groups"], faults),
    )
    faults += _twice([(number, row.name) for number, row in members], "members", "name")
    faults += _twice([(number, row.group) for number, row in groups], "groups", "group")
    if faults:
        raise SettingsError("\n".join(f"members file {path}: {fault}" for fault in faults))
    if not members and not groups:
        raise SettingsError(f"members file {path}: holds nobody; add a row with khaos-swap users hash")
    by_name = {row.name.casefold(): row for _, row in members}
    return Roster(by_name, {row.group.casefold(): row.roles for _, row in groups})


def _read(path: Path) -> dict[str, Any]:
    try:
        text, mode = path.read_text(encoding="utf-8"), path.stat().st_mode
        found = yaml.safe_load(text)
    except OSError as error:
        raise SettingsError(f"members file {path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise SettingsError(f"members file {path}{line}: is no YAML") from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsError(f"members file {path}: others may write it: chmod go-w {path}")
    if not isinstance(found, dict):
        raise SettingsError(f"members file {path}: begin it with a line members: and put a row a person below")
    return found


def _strange(found: dict[str, Any], rows: dict[str, Any]) -> Iterator[str]:
    for name in sorted(str(name) for name in found if name not in LISTS):
        yield f"{name[:LONGEST_NAME]!a}: there is no such list; there are {', '.join(sorted(LISTS))}"
    for name, value in rows.items():
        if not isinstance(value, list):
            yield f"{name}: must be rows that begin with a dash"
            rows[name] = []


def _valid(kind: type[Row], of: str, rows: list[Any], faults: list[str]) -> list[tuple[int, Row]]:
    """The rows that are right, with their number; what is wrong in the others goes to ``faults``."""
    good = []
    for number, row in enumerate(rows, start=1):
        try:
            good.append((number, kind.model_validate(row)))
        except ValidationError as error:
            faults.append(f"{of}, row {number}: {_faults(error)}")
    return good


def _faults(error: ValidationError) -> str:
    found = error.errors(include_input=False, include_url=False)
    return "; ".join(_told(one["loc"], one["msg"]) for one in found)


def _told(place: tuple[int | str, ...], message: str) -> str:
    words = message.removeprefix("Value error, ")
    return f"{place[0]}: {words}" if place else "must hold name and roles, as khaos-swap users hash prints them"


def _twice(rows: list[tuple[int, str]], of: str, what: str) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, text in rows:
        first = seen.setdefault(text.casefold(), number)
        if first != number:
            yield f"{of}, row {number}: {what}: is that of row {first} too"
