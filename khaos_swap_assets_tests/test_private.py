"""What an installation writes is its owner's alone, whatever the umask of the shell was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from khaos_swap_assets.adapters.store import mark
from khaos_swap_assets_tests.running import Call, readable_by_others


@pytest.fixture
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_umask")
def test_files_and_reports_are_the_owners_alone(tmp_path: Path, call: Call) -> None:
    assert call("audit", "--example", "in").returncode == 0
    given = {"returns": "returns.jsonl", "stock-codes": "stock.csv", "sales-orders": "orders.csv"}
    given |= {"credit-notes": "notes.csv"}
    words = [word for name, file in given.items() for word in (f"--{name}", f"in/{file}")]
    os.umask(0)
    assert call("audit", *words, "--out", "out", "--as-of", "2026-03-31").returncode == 0
    assert {file.suffix for file in (tmp_path / "out").iterdir()} >= {".xlsx", ".html", ".csv", ".json"}
    assert readable_by_others(tmp_path / "in") == readable_by_others(tmp_path / "out") == []


@pytest.mark.usefixtures("_open_umask")
@pytest.mark.parametrize("before", [None, 0o777, 0o755])
def test_the_data_folder_is_closed_also_where_it_stood_open(tmp_path: Path, before: int | None) -> None:
    folder = tmp_path / "data"
    if before is not None:
        folder.mkdir()
        folder.chmod(before)
    mark.ensure_folder(folder, "live")
    passing = 0o011 if before and os.geteuid() == 0 else 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 | passing
