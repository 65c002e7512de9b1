"""Files that only their owner may read, whatever the umask of the shell was.

Belongs here: the modes of what an installation writes. Stays out: what is written.
"""

from __future__ import annotations

import os
from pathlib import Path

OTHERS = 0o077
PASSING = 0o011


def keep_private() -> None:
    """Whatever this process and its children write from now on is their owner's alone: 0600, folders 0700."""
    os.umask(OTHERS)


def folder(path: Path) -> Path:
    """Make a folder of the installation its owner's alone, also where it exists. Raises ``OSError``.

    Under root the embedded database runs as a user of its own: that one may pass through, and read nothing.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found, is_root = path.stat(), os.geteuid() == 0
    mode = found.st_mode & 0o777 & ~(OTHERS & ~PASSING if is_root else OTHERS)
    if found.st_uid == os.geteuid() and mode != found.st_mode & 0o777:
        path.chmod(mode)
    return path
