"""The timing of single events: percentiles, shares of the legs, and returns that lack nothing but their refund."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from khaos_swap_assets.sandbox import scenarios
from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets_tests.prove.knock_to_posted import Legs, figures_of, ready_world

NOW = datetime(2026, 7, 3, 9, tzinfo=UTC)


def test_the_legs_add_up_and_each_has_its_share() -> None:
    figures = figures_of([Legs(1.0, 2.0, 1.0), Legs(2.0, 2.0, 0.0), Legs(3.0, 2.0, 3.0)])
    assert figures["events"] == 3
    assert (figures["p50_seconds"], figures["p95_seconds"], figures["longest_seconds"]) == (4.0, 8.0, 8.0)
    assert figures["median_of_each_leg"] == {"sensor_wait": 2.0, "run_start": 2.0, "work": 1.0}
    assert figures["share_of_each_leg"] == {"sensor_wait": 0.38, "run_start": 0.38, "work": 0.25}


@pytest.mark.parametrize(("events", "p50", "p95"), [(1, 1.0, 1.0), (2, 1.0, 2.0), (20, 10.0, 19.0), (50, 25.0, 48.0)])
def test_a_percentile_is_a_value_that_was_measured(events: int, p50: float, p95: float) -> None:
    figures = figures_of([Legs(float(number), 0.0, 0.0) for number in range(events, 0, -1)])
    assert (figures["p50_seconds"], figures["p95_seconds"]) == (p50, p95)


def test_a_ready_return_lacks_nothing_but_its_refund() -> None:
    world, ready = ready_world(4, NOW)
    assert len(world.rmas) == 4
    assert world.webhooks_due == []
    for rma, pence in ready:
        assert (rma.status, rma.refund_pence, rma.quality_control_status) == ("Open", 0, "Approved")
        rma.steps = [(NOW, scenarios.closing(NOW.isoformat(), pence))]
        assert apply_due(world) == 1
        assert (rma.status, rma.refund_pence, rma.closed_at) == ("Closed", pence, NOW)
    assert world.webhooks_due == [("returnProcessed", rma.rma_number) for rma, _ in ready]
