"""Proofs of the gateway: load, a peak day, whatever schemathesis thinks of, speed, and where the days end.

Belongs here: the claims at full size. Stays out: how a peak day goes (``peak_day``), how load is made
(``benchmarks.gateway_load``), its memory (``soak``), that of the whole house (``house_soak``), a catalogue
(``catalogue_feed``), how one event is timed (``knock_to_posted``), how days are played (``end_states``).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.store import database, embedded, mark, migrate

CASES = 10_000
EXAMPLES = 1_200


def gateway_peak_day() -> dict[str, Any]:
    """20,000 webhooks in 5 minutes, the gateway killed five times: every genuine return is posted once."""
    from khaos_swap_assets_tests.prove.peak_day import peak_day

    return peak_day()


def gateway_load() -> dict[str, Any]:
    """Webhooks a second at least 0.8 of pgbench's single client; 99 of 100 within 150 ms at half of that."""
    from benchmarks import gateway_load

    figures = gateway_load.measure(20)
    return {"holds": figures["is_met"], "faults": gateway_load.missed(figures), "rates": figures}


def gateway_soak() -> dict[str, Any]:
    """300 webhooks a second for ten minutes: no process of the gateway grows by more than 0.5 MB a minute."""
    from khaos_swap_assets_tests.prove import soak

    return soak.gateway_soak()


def gateway_catalogue() -> dict[str, Any]:
    """100,000 Stock Codes and levels pushed over HTTP: mirrored exactly, within bounds of memory, cheap ever after."""
    from khaos_swap_assets_tests.prove import catalogue_feed

    return catalogue_feed.gateway_catalogue()


def gateway_generated_cases() -> dict[str, Any]:
    """10,000 generated requests, all checks of schemathesis: none breaks what the OpenAPI page promises, no 5xx."""
    from khaos_swap_assets_tests.gateway.test_openapi import fuzz

    with tempfile.TemporaryDirectory(prefix="khaos-swap-cases-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=False)
        try:
            url = server.url("khaos_swap")
            database.ensure(url)
            migrate.upgrade(url)
            with database.connect(url, application="proof") as conn:
                mark.ensure(conn, "test")
            found = fuzz(url, Path(folder), examples=EXAMPLES)
        finally:
            server.stop()
    faults = [found["failures"]] if found["exit_code"] else []
    if found["cases"] < CASES:
        faults.append(f"only {found['cases']} cases")
    return {"holds": not faults, "faults": faults, "cases": found["cases"]}


def cancelled_to_stopped() -> dict[str, Any]:
    """Orders cancelled in the shop of the idle demo: read back as cancelled, or a task, within 15 s for 95 in 100."""
    from khaos_swap_assets_tests.prove import cancelled_to_stopped

    return cancelled_to_stopped.cancelled_to_stopped()


def knock_to_posted() -> dict[str, Any]:
    """50 single events into the idle demo: on offer within 9 s at the median, within 14 s for 95 in 100."""
    from khaos_swap_assets_tests.prove import knock_to_posted

    return knock_to_posted.knock_to_posted()


def house_soak() -> dict[str, Any]:
    """Idle, then busy, 15 minutes each or HOURS: memory stays flat; what an hour adds on disk is told."""
    from khaos_swap_assets_tests.prove import house_soak

    return house_soak.house_soak()


def end_states() -> dict[str, Any]:
    """200 returns with events, without any, and with a day in the dark: the same final state."""
    from khaos_swap_assets_tests.prove import end_states

    return end_states.end_states()


GATEWAY_PROOFS = (
    gateway_peak_day,
    gateway_load,
    gateway_soak,
    gateway_catalogue,
    gateway_generated_cases,
    cancelled_to_stopped,
    knock_to_posted,
    house_soak,
    end_states,
)
