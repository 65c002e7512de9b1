"""``python requirements/install.py PYTHON FILE ...``: install hashed requirements, and say how far it is.

Belongs here: one line every ten packages, and pip's own words where it fails. Stays out: which files a target needs
(``Makefile``). It runs before anything is installed, so it imports nothing but what Python brings.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z,]+\])?==")
SEEN = ("Collecting ", "Processing ", "Ignoring ", "Requirement already satisfied: ")
TOLD_EVERY = 10
LAST_WORDS = 15


def main(python: str, files: Sequence[str]) -> int:
    """Install every file in one go; pip's exit code."""
    total = sum(bool(PACKAGE.match(line)) for file in files for line in Path(file).read_text().splitlines())
    wanted = [word for file in files for word in ("-r", file)]
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", *wanted]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    seen, last = 0, deque[str](maxlen=LAST_WORDS)
    with subprocess.Popen(pip, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:  # noqa: S603
        for line in running.stdout or ():
            last.append(line)
            seen += line.startswith(SEEN)
            if line.startswith("Installing "):
                _say("  unpacking them")
            elif line.startswith(SEEN) and seen % TOLD_EVERY == 0:
                _say(f"  {seen} of about {total} packages")
    if running.returncode:
        _say("".join(last))
    return running.returncode


def _say(line: str) -> None:
    sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
