"""The proof of a large store notices what it is to notice, and runs."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets_tests.prove import large_store as proof

FINE: dict[str, Any] = {
    **{part: {"seconds": 1.0, "peak_mb": 200} for part in ("again", *proof.MOST_SECONDS)},
    "open": 10,
    "largest_metadata": 1_000,
}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        ({"sync": {"seconds": 900.0, "peak_mb": 1}}, "sync takes 900.0 s, "),
        ({"json": {"seconds": 1.0, "peak_mb": 9_000}}, "json takes 9000 MB, "),
        ({"again": {"seconds": 900.0, "peak_mb": 9_000}}, "again takes 9000 MB, "),
        ({"open": 9}, "9 exceptions are open, 10 were opened"),
        ({"largest_metadata": 10**6}, "an asset shows 1000000 bytes of metadata"),
    ],
)
def test_what_is_out_of_bounds_is_a_fault(changes: dict[str, Any], fault: str | None) -> None:
    told = proof.judged(FINE | changes, 10)
    assert told["holds"] == (fault is None)
    assert [line for line in told["faults"] if not line.startswith(str(fault))] == []


@pytest.mark.house
def test_it_runs_over_a_small_store() -> None:
    told = proof.large_store(returns=200, changed=10)
    assert (told["faults"], told["open"], told["returns_of_the_month"]) == ([], 200, 200)
