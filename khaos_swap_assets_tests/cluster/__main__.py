"""``make cluster``: start a cluster on this machine, say what is where, and stay until Ctrl-C.

Belongs here: the command line. Stays out: the cluster (``house``).
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from threading import Event

from khaos_swap_assets_tests.cluster import house
from khaos_swap_assets_tests.cluster.house import Size


def size_here() -> Size:
    """The size by variables of the environment: MERCHANTS, RETURNS, EVERY, MINUTES."""
    usual = Size()
    named = ("merchants", "returns", "every", "minutes")
    return Size(**{name: int(os.environ.get(name.upper()) or getattr(usual, name)) for name in named})


def main() -> int:
    """Start, tell, stay."""
    if reason := house.missing():
        print(f"no cluster here: {reason}", file=sys.stderr)
        return 2
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    away = tempfile.TemporaryDirectory(prefix="khaos-swap-cluster-", dir="/tmp", ignore_cleanup_errors=True)
    with away as folder:
        Path(folder).chmod(0o711)
        with house.running(Path(folder), size_here(), lambda line: print(line, flush=True)) as cluster:
            print(cluster.what_is_where(), flush=True)
            house.wait(cluster, 600, lambda line: print(line, flush=True))
            ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
