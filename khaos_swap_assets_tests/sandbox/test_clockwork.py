"""Steps: applied when due, once, in order, and the webhooks that they make due."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest

from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.world import RmaLine, World
from khaos_swap_assets_tests.sandbox.small import NOW, RMA, small_world

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return small_world()


def test_nothing_is_due_before_its_time(world: World) -> None:
    world.rmas[RMA].steps = [(NOW + HOUR, {"status": "Cancelled"})]
    assert apply_due(world) == 0
    assert world.rmas[RMA].status == "Closed"


def test_due_steps_apply_once_in_order_and_move_the_update(world: World) -> None:
    rma = world.rmas[RMA]
    rma.steps = [(NOW + 2 * HOUR, {"status": "On Hold"}), (NOW + HOUR, {"status": "Open"})]
    world.now += 3 * HOUR
    assert apply_due(world) == 2
    assert (rma.status, rma.updated_at, rma.steps) == ("On Hold", NOW + 2 * HOUR, [])
    assert apply_due(world) == 0


def test_a_moment_is_read_from_its_text(world: World) -> None:
    world.rmas[RMA].steps = [(NOW, {"delivered_at": NOW.isoformat(), "processed_at": None})]
    apply_due(world)
    assert world.rmas[RMA].delivered_at == NOW
    assert world.rmas[RMA].processed_at is None


def test_a_line_is_added(world: World) -> None:
    world.rmas[RMA].steps = [(NOW, {"add_line": asdict(RmaLine("prd_2", "112", "WOOL-HAT", 1, 1000))})]
    apply_due(world)
    assert world.rmas[RMA].lines[1] == RmaLine("prd_2", "112", "WOOL-HAT", 1, 1000)


@pytest.mark.parametrize(
    ("changes", "events"),
    [
        ({"is_submitted": True}, ["returnCreated"]),
        ({"status": "Closed", "refund_pence": 1}, ["returnProcessed"]),
        ({"status": "Closed"}, ["returnProcessed"]),
        ({"refund_pence": 9000}, ["returnProcessed"]),
        ({"delivery_status": "Delivered"}, []),
        ({"quality_control_status": "Approved"}, []),
    ],
)
def test_only_creation_and_processing_send_a_webhook(
    world: World, changes: dict[str, object], events: list[str]
) -> None:
    rma = world.rmas[RMA]
    rma.is_submitted, rma.status, rma.steps = False, "Open", [(NOW, changes)]
    apply_due(world)
    assert world.webhooks_due == [(event, RMA) for event in events]
