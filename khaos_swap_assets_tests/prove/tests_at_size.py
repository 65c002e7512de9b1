"""Tests that are run at full size as a proof: a usual run takes a sample of what they can try.

Belongs here: starting them and reading how they ended. Stays out: which tests, and which size (``proofs``).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run_tests(tests: str, **sizes: int) -> dict[str, Any]:
    """Run a file of tests with environment variables that set its size; the figures of a proof."""
    environment = {**os.environ, **{name: str(size) for name, size in sizes.items()}}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"khaos_swap_assets_tests/{tests}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    last = (done.stdout.strip().splitlines() or [""])[-1]
    passed = re.search(r"(\d+) passed", last)
    faults = [last] if done.returncode else []
    return {"holds": not faults, "faults": faults, "tests": int(passed[1]) if passed else 0}
