"""The members file: who is in it, and every fault by file, row and reason, without a hash in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from khaos_swap_assets.adapters import passwords
from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.members import Roster, load_roster, roster_of
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.settings_door import DoorSettings

HASH = passwords.hashed("correct horse battery")
KIM = f"  - {{name: Kim, roles: [finance], password: '{HASH}'}}\n"
GOOD = (
    f"members:\n{KIM}  - {{name: Ann Lee, roles: [viewer, cx]}}\ngroups:\n  - {{group: '@Shop.example', roles: [cx]}}\n"
)


def a_file(folder: Path, text: str) -> Path:
    path = folder / "members.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_members_are_found_however_their_name_is_written(tmp_path: Path) -> None:
    roster = load_roster(a_file(tmp_path, GOOD))
    assert [(row.name, sorted(row.roles), bool(row.password)) for row in roster.members.values()] == [
        ("Kim", ["finance"], True),
        ("Ann Lee", ["cx", "viewer"], False),
    ]
    assert roster.find("ANN lee") is roster.members["ann lee"]
    assert roster.find("Ann") is None
    assert roster.groups == {"@shop.example": frozenset({"cx"})}


def test_without_a_file_there_is_nobody(tmp_path: Path) -> None:
    assert roster_of(Settings()) == Roster()
    assert roster_of(Settings(door=DoorSettings(members_file=a_file(tmp_path, GOOD)))).find("kim")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begin it with a line members:"),
        ("- a\n", "begin it with a line members:"),
        ("members:\n", "holds nobody"),
        ("members: [\n", "line 2: is no YAML"),
        ("members: 3\n", "members: must be rows"),
        ("people: []\n", "'people': there is no such list; there are groups, members"),
        ("members:\n  - Kim\n", "members, row 1: must hold name and roles"),
        ("members:\n  - {name: Kim}\n", "members, row 1: roles: Field required"),
        ("members:\n  - {name: Kim, roles: []}\n", "row 1: roles: Frozenset should have at least 1 item"),
        (f"members:\n{KIM}  - {{name: Al, roles: [king]}}\n", "row 2: roles: Input should be 'viewer', 'cx'"),
        (f"members:\n{KIM}  - {{name: KIM, roles: [cx]}}\n", "row 2: name: is that of row 1 too"),
        ("members:\n  - {name: ' Kim', roles: [cx]}\n", "row 1: name: must be printable"),
        ('members:\n  - {name: "Kim\\nLee", roles: [cx]}\n', "row 1: name: must be printable"),
        ("members:\n  - {name: Kim, roles: [cx], password: open-sesame}\n", "row 1: password: is no Argon2id hash"),
        ("members:\n  - {name: Kim, roles: [cx], pin: 1}\n", "row 1: pin: Extra inputs are not permitted"),
        (f"members:\n{KIM}groups:\n  - {{group: a, roles: [x]}}\n", "groups, row 1: roles: Input should be"),
        (f"members:\n{KIM.replace('m=65536', 'm=9999999')}", "row 1: password: is a hash too dear to check"),
        (f"members:\n{KIM.replace('m=65536', 'm=1024')}", "row 1: password: is a hash too weak"),
    ],
)
def test_every_fault_names_file_row_and_reason_and_shows_no_secret(tmp_path: Path, text: str, words: str) -> None:
    path = a_file(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_roster(path)
    assert str(caught.value).startswith(f"members file {path}")
    assert words in str(caught.value)
    assert HASH[-20:] not in str(caught.value)
    assert "open-sesame" not in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = "members:\n  - {name: Kim}\n  - {roles: [cx]}\nmore: 1\n"
    with pytest.raises(SettingsError) as caught:
        load_roster(a_file(tmp_path, text))
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = a_file(tmp_path, GOOD)
    path.chmod(mode)
    with pytest.raises(SettingsError, match=f"others may write it: chmod go-w {path}"):
        load_roster(path)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load_roster(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is no YAML"):
        load_roster(tmp_path / "bytes.yaml")


def test_a_password_is_right_or_not(tmp_path: Path) -> None:
    assert passwords.is_right("correct horse battery", HASH)
    assert not passwords.is_right("correct horse batterz", HASH)
    assert not passwords.is_right("correct horse battery", None)
    assert not passwords.is_right("x" * 2_000_000, HASH)
    assert not passwords.is_right("\ud800", HASH)
    assert passwords.hashed("correct horse battery") != HASH


def test_the_hash_of_nobody_costs_what_a_hash_of_ours_costs() -> None:
    assert passwords._OF_NOBODY.split("$")[:4] == HASH.split("$")[:4]
    assert [len(part) for part in passwords._OF_NOBODY.split("$")] == [len(part) for part in HASH.split("$")]


@pytest.mark.parametrize(("password", "is_good"), [("x" * 11, False), ("a" * 30, False), ("twelve chars", True)])
def test_a_short_password_is_refused(password: str, is_good: bool) -> None:
    assert (passwords.wrong_password(password) == "") == is_good


def test_a_name_with_quotes_stays_a_name(tmp_path: Path) -> None:
    name = 'Kim "the: {hammer}" O\'Neil'
    roster = load_roster(a_file(tmp_path, f"members:\n  - {{name: {json.dumps(name)}, roles: [cx]}}\n"))
    assert roster.find(name)
    assert yaml.safe_load(json.dumps(name)) == name
