"""How the sandbox's returns change as its clock goes on.

Belongs here: applying the steps that are due, and noting which webhooks they make due. Stays out: moving the clock and
sending anything.
"""

from __future__ import annotations

from datetime import datetime

from khaos_swap_assets.sandbox.world import Rma, RmaLine, World


def apply_due(world: World) -> int:
    """Apply every step whose time has come by ``world.now``; returns how many were applied."""
    return sum(_apply_to(world, rma) for rma in world.rmas.values() if rma.steps)


def _apply_to(world: World, rma: Rma) -> int:
    due = sorted((step for step in rma.steps if step[0] <= world.now), key=lambda step: step[0])
    rma.steps = [step for step in rma.steps if step[0] > world.now]
    for at, changes in due:
        _note_webhook(world, rma, changes)
        for name, value in changes.items():
            _change(rma, name, value)
        rma.updated_at = max(rma.updated_at, at)
    return len(due)


def _change(rma: Rma, name: str, value: object) -> None:
    if name == "add_line":
        assert isinstance(value, dict)
        rma.lines.append(RmaLine(**value))
    elif name.endswith("_at") and isinstance(value, str):
        setattr(rma, name, datetime.fromisoformat(value))
    else:
        setattr(rma, name, value)


def _note_webhook(world: World, rma: Rma, changes: dict[str, object]) -> None:
    if changes.get("is_submitted") and not rma.is_submitted:
        world.webhooks_due.append(("returnCreated", rma.rma_number))
    if "refund_pence" in changes or (changes.get("status") == "Closed" and rma.status != "Closed"):
        world.webhooks_due.append(("returnProcessed", rma.rma_number))
