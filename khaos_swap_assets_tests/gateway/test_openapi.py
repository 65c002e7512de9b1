"""What the OpenAPI page promises holds for whatever is sent: a sample here, ten thousand cases among the proofs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from khaos_swap_assets_tests.gateway.conftest import CHANNEL, TOKEN, Rows
from khaos_swap_assets_tests.gateway.running import Running

CONFIG = f"""
[auth.openapi.HTTPBasic]
username = "{CHANNEL[0]}"
password = "{CHANNEL[1]}"
[auth.openapi.HTTPBearer]
bearer = "{TOKEN}"
"""


def fuzz(url: str, folder: Path, *, examples: int, seed: int = 1) -> dict[str, Any]:
    """Send generated cases, all checks on: how many, how many failures, and what schemathesis says of them."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    program = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"]
    phases = ["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color"]
    with Running(url) as running:
        place = f"http://127.0.0.1:{running.port}/openapi.json"
        command = [*program, place, "--max-examples", str(examples), "--seed", str(seed), *phases]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    cases = re.search(r"(\d+) generated", done.stdout)
    failed = done.stdout.partition("= FAILURES =")[2] or (done.stdout + done.stderr if done.returncode else "")
    return {"cases": int(cases[1]) if cases else 0, "exit_code": done.returncode, "failures": failed[:4_000]}


def test_no_generated_case_breaks_what_the_page_promises(database_url: str, tmp_path: Path, rows: Rows) -> None:
    found = fuzz(database_url, tmp_path, examples=8)
    assert found["exit_code"] == 0, found["failures"]
    assert found["cases"] > 100
    assert rows("SELECT count(*) FROM recon.refused_messages")[0][0] > 10
