"""Ten minutes of even sending: the memory of each process of the gateway, minute by minute.

Belongs here: the minutes and the verdict on their slope. Stays out: the server, the gateway and the sender
(``benchmarks.gateway_load``). The first minute fills caches, so the slope is that of the minutes after it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import gateway_load
from khaos_swap_assets.adapters.store import embedded

MINUTES = 10
RATE = 300.0
WORKERS = 2
MOST_MB_A_MINUTE = 0.5
"""Of one process: 30 MB an hour, which a daily restart would hide and a leak of a message each would not pass."""


def gateway_soak(minutes: int = MINUTES, seconds: float = 60.0) -> dict[str, Any]:
    """Two workers, 300 webhooks a second for ten minutes: no process grows by more than 0.5 MB a minute."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-soak-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=True)
        try:
            seen, statuses = _minutes(gateway_load.prepare(server), minutes + 1, seconds)
        finally:
            server.stop()
    return judged(seen, statuses)


def judged(seen: Sequence[dict[int, int]], statuses: Sequence[dict[str, int]]) -> dict[str, Any]:
    """The figures of minutes of resident bytes by process, the first of which only warms up, and what is wrong."""
    slopes = {pid: slope([minute.get(pid, 0) / 10**6 for minute in seen[1:]]) for pid in seen[0]}
    faults = [f"a process grows by {mb} MB a minute" for mb in slopes.values() if mb > MOST_MB_A_MINUTE]
    if any(set(minute) != set(seen[0]) for minute in seen):
        faults.append("a process was replaced")
    if wrong := {code: n for minute in statuses for code, n in minute.items() if code != "200"}:
        faults.append(f"answers other than 200: {wrong}")
    return {
        "holds": not faults,
        "faults": faults,
        "accepted": sum(minute.get("200", 0) for minute in statuses),
        "mb_by_process_and_minute": [[round(minute.get(pid, 0) / 10**6, 1) for minute in seen] for pid in seen[0]],
        "mb_a_minute": list(slopes.values()),
    }


def slope(values: Sequence[float]) -> float:
    """By how much evenly spaced values grow from one to the next, by least squares."""
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    spread = sum((at - middle) ** 2 for at in range(len(values)))
    return round(sum((at - middle) * (value - mean) for at, value in enumerate(values)) / spread, 3) if spread else 0.0


def _minutes(url: str, minutes: int, seconds: float) -> tuple[list[dict[int, int]], list[dict[str, int]]]:
    seen, statuses = [], []
    with gateway_load.gateway(url, WORKERS) as (port, process):
        for _ in range(minutes):
            told = gateway_load.send(port, messages=round(seconds * RATE), seconds=seconds + 10, rate=RATE)
            statuses.append(told["statuses"])
            seen.append(gateway_load.memory_by_process(process))
    return seen, statuses
