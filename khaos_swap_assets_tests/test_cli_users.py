"""``khaos-swap users``: the row that adds a person can be added, and no password is shown or taken as an argument."""

from __future__ import annotations

import getpass
import io
import json
import sys
from pathlib import Path

import pytest

from khaos_swap_assets.adapters import passwords
from khaos_swap_assets.adapters.members import load_roster
from khaos_swap_assets_tests.running import Call

PASSWORD = "correct horse battery"


class Terminal(io.StringIO):
    """A place where somebody sits."""

    def isatty(self) -> bool:
        return True


def types(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    answers = iter(typed)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _: next(answers))


def test_the_row_that_is_printed_signs_the_person_in(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    types(monkeypatch, PASSWORD, PASSWORD)
    done = call("users", "hash", 'Kim "K" Lee', "--role", "finance", "--role", "viewer")
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    assert PASSWORD not in done.stdout
    file = tmp_path / "members.yaml"
    file.write_text(f"members:\n{done.stdout}")
    file.chmod(0o600)
    row = load_roster(file).find('kim "k" lee')
    assert row is not None
    assert passwords.is_right(PASSWORD, row.password)
    listed = call("users", "list", "--json", KHAOS_SWAP_DOOR_MEMBERS_FILE=str(file))
    assert json.loads(listed.stdout) == [{"name": 'Kim "K" Lee', "roles": "finance, viewer", "signs_in_by": "password"}]


def test_a_password_comes_by_a_pipe_too(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\nmore\n"))
    assert call("users", "hash", "Kim", "--role", "cx").stdout.startswith('  - {name: "Kim", roles: [cx], password: ')


@pytest.mark.parametrize(
    ("typed", "role", "words"),
    [
        ((PASSWORD, "another"), "cx", "the two passwords differ"),
        (("short", "short"), "cx", "a password has 12 to 1000 characters"),
        ((PASSWORD, PASSWORD), "king", "roles: Input should be 'viewer'"),
    ],
)
def test_what_is_wrong_is_one_line(
    call: Call, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...], role: str, words: str
) -> None:
    types(monkeypatch, *typed)
    done = call("users", "hash", "Kim", "--role", role)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert PASSWORD not in done.stderr


def test_groups_are_listed_with_the_members(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "members.yaml"
    file.write_text("members:\n  - {name: Ann, roles: [cx]}\ngroups:\n  - {group: g-1, roles: [finance]}\n")
    file.chmod(0o600)
    done = call("users", "list", "--json", KHAOS_SWAP_DOOR_MEMBERS_FILE=str(file))
    assert json.loads(done.stdout) == [
        {"name": "Ann", "roles": "cx", "signs_in_by": "account"},
        {"name": "g-1", "roles": "finance", "signs_in_by": "account of this group"},
    ]


def test_without_a_file_nobody_is_listed(call: Call) -> None:
    assert json.loads(call("users", "list", "--json").stdout) == []
