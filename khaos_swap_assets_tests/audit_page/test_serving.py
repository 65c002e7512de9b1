"""The page as a program: it is reached at the address that it tells, and leaves nothing however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from khaos_swap_assets_tests.running import gone_at_the_end

pytestmark = pytest.mark.house

STARTS = "from khaos_swap_assets.cli.commands import app; app(['audit', '--open'])"


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_its_files_are_gone_however_it_ends(tmp_path: Path, ends: signal.Signals) -> None:
    env = {**os.environ, "BROWSER": "true", "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    argv = [sys.executable, "-c", STARTS]
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as page, gone_at_the_end(page):
        assert page.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", page.stdout.readline())
        assert found, "no address is told"
        told = httpx.put(f"{found[0]}files/stock-codes?name=stock.csv", content=b"stock_code\nHAT\n", timeout=60)
        assert told.json()["read"] == 1
        assert len(list(tmp_path.rglob("stock.csv"))) == 1
        page.send_signal(ends)
        assert page.wait(30) == 0
        assert "the files are removed" in page.stdout.read()
    assert list(tmp_path.iterdir()) == []
