"""The timing of cancellations: the figures, and orders of which nothing comes back."""

from __future__ import annotations

from datetime import UTC, datetime

from khaos_swap_assets.sandbox.storefront_cancelled import unreturned
from khaos_swap_assets_tests.prove.cancelled_to_stopped import Cancelled, figures_of, sold_world


def test_the_figures_are_of_all_and_of_each_fate() -> None:
    figures = figures_of([Cancelled("staged", 4.0), Cancelled("picked", 9.0), Cancelled("staged", 6.0)])
    assert (figures["events"], figures["p50_seconds"], figures["longest_seconds"]) == (3, 6.0, 9.0)
    assert figures["median_of_each_fate"] == {"staged": 4.0, "picked": 9.0}


def test_every_order_can_be_cancelled_by_the_shop() -> None:
    world, orders = sold_world(5, datetime(2026, 7, 3, 9, tzinfo=UTC))
    assert len(orders) == 5
    assert world.rmas == {}
    assert {one.so_code for one in orders} <= {one.so_code for one in unreturned(world)}
