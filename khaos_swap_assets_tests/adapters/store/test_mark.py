"""Tests of the marks that keep demo and live apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.store import mark


@pytest.fixture
def unmarked(database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    database.execute("DELETE FROM recon.installation")
    return database


@pytest.mark.parametrize("wanted", ["demo", "test", "live"])
def test_a_mark_is_written_once_and_then_demanded(unmarked: psycopg.Connection[Any], wanted: mark.Mark) -> None:
    mark.ensure(unmarked, wanted)
    mark.ensure(unmarked, wanted)
    mark.require(unmarked, wanted)


@pytest.mark.parametrize(("found", "wanted"), [("live", "demo"), ("demo", "live"), ("test", "live"), ("test", "demo")])
@pytest.mark.parametrize("action", [mark.ensure, mark.require])
def test_another_mark_is_refused(
    unmarked: psycopg.Connection[Any], found: mark.Mark, wanted: mark.Mark, action: Callable[..., None]
) -> None:
    mark.ensure(unmarked, found)
    with pytest.raises(SettingsError, match=f"belongs to a {found} installation, this is {wanted}: refused"):
        action(unmarked, wanted)
    mark.require(unmarked, found)


def test_no_mark_is_no_permission(unmarked: psycopg.Connection[Any]) -> None:
    with pytest.raises(SettingsError, match="carries no mark, this is demo: refused"):
        mark.require(unmarked, "demo")


def test_a_database_becomes_a_merchants_once_and_is_no_others(unmarked: psycopg.Connection[Any]) -> None:
    mark.ensure(unmarked, "test")
    mark.claim(unmarked, "")
    mark.claim(unmarked, "felwood")
    mark.claim(unmarked, "felwood")
    for other, told in (("oakham", "is oakham"), ("", "is empty")):
        with pytest.raises(SettingsError, match=f"belongs to the merchant felwood, and KHAOS_SWAP_MERCHANT {told}"):
            mark.claim(unmarked, other)


def test_a_new_folder_becomes_the_demos(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "demo"
    mark.ensure_folder(folder, "demo")
    (folder / "anything").touch()
    mark.ensure_folder(folder, "demo")
    with pytest.raises(SettingsError, match="belongs to the demo, this is live: refused"):
        mark.require_folder(folder, "live")


def test_a_folder_with_other_things_is_not_the_demos(tmp_path: Path) -> None:
    (tmp_path / "ledger.xlsx").touch()
    with pytest.raises(SettingsError, match=r"is not the demo's, .*; choose another with --folder, or remove it"):
        mark.ensure_folder(tmp_path, "demo")
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.xlsx"]


def test_a_live_folder_carries_no_mark(tmp_path: Path) -> None:
    mark.ensure_folder(tmp_path / "live", "live")
    assert list((tmp_path / "live").iterdir()) == []


def test_where_there_can_be_no_folder_the_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.xlsx").touch()
    with pytest.raises(SettingsError, match=r"cannot be made: Not a directory; choose another KHAOS_SWAP_DATA_DIR"):
        mark.ensure_folder(tmp_path / "ledger.xlsx" / "data", "live")
