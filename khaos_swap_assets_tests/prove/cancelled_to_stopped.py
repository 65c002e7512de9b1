"""From an order cancelled in the shop to an order stopped in Khaos, or to the task of whoever has to stop it.

Belongs here: the cancellations, one at a time into the idle demo with its storefront, timed by the clock of whoever
cancels. Stays out: the demo's processes and the figures (``knock_to_posted``). By turns an order may still be
cancelled: Khaos Swap has Khaos do it and reads it back; or it is being picked, which opens the task. Nobody picks for
ever: after its task was opened operations stop it, so that the house comes to rest.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from khaos_swap_assets.demo import environment
from khaos_swap_assets.demo.environment import OURS
from khaos_swap_assets.running import supervisor
from khaos_swap_assets.sandbox import generator, scenarios
from khaos_swap_assets.sandbox.maker import Maker
from khaos_swap_assets.sandbox.world import Order, World
from khaos_swap_assets_tests.prove import knock_to_posted
from khaos_swap_assets_tests.prove.knock_to_posted import SENSOR_SECONDS, Sender, ask, opened, percentile

P95 = 15.0
FATES = ("staged", "picked")
SEEN = {
    "staged": "SELECT count(*) > 0 FROM recon.cancel_calls c JOIN recon.cancellations k USING (order_id) "
    "WHERE c.state = 'verified' AND k.progress = 'cancelled' AND c.so_code = %s",
    "picked": "SELECT count(*) > 0 FROM recon.exceptions WHERE kind = 'cancelled_order_open' AND closed_at IS NULL "
    "AND message LIKE '%%Sales Order ' || %s || ' is still open%%'",
}
"""What ends the wait for an order of each fate."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """One cancellation, and the seconds until its order was verified as cancelled or its task was open."""

    fate: str
    seconds: float


def figures_of(done: Sequence[Cancelled]) -> dict[str, Any]:
    """Percentiles of all, and the median of each fate."""
    ordered = sorted(one.seconds for one in done)
    by_fate = {fate: sorted(one.seconds for one in done if one.fate == fate) for fate in FATES}
    return {
        "events": len(done),
        "p50_seconds": percentile(ordered, 0.5),
        "p95_seconds": percentile(ordered, 0.95),
        "longest_seconds": round(ordered[-1], 1),
        "median_of_each_fate": {fate: percentile(some, 0.5) for fate, some in by_fate.items() if some},
    }


def cancelled_to_stopped(events: int = 24, seed: int = 1) -> dict[str, Any]:
    """Orders cancelled in the shop of an idle demo: read back as cancelled or a task within 15 s for 95 in 100."""
    figures: dict[str, Any] = {}
    world, orders = sold_world(events, environment.wall_now())
    with opened(world, storefront=True, KHAOS_CANCELS_ORDERS="true") as (place, children, state):
        state.switches["cancel_order"] = "on"
        sender = Sender(place, state, [])

        def work() -> int:
            sender.come_to_rest("the first cancellation")
            knock_to_posted.switch_off(knock_to_posted.MONTH_ENDS, children[-1])
            done = _cancel_all(sender, orders, random.Random(seed))
            figures.update(figures_of(done), faults=_faults(sender, orders))
            return 0

        supervisor.run(children, folder=place.folder, stop_last=place.postgres.stop, work=work, say=lambda _: None)
    if figures["p95_seconds"] > P95:
        figures["faults"].append(f"p95_seconds {figures['p95_seconds']}, {P95} are allowed")
    return {"holds": not figures["faults"], **figures}


def sold_world(count: int, now: datetime) -> tuple[World, list[Order]]:
    """A world of orders of which nothing comes back."""
    world = generator.build(1, 0, now)
    maker = Maker(world, random.Random(1), generator.ended_month(now))
    for _ in range(count):
        scenarios.approved_in_swap(maker)
    world.rmas.clear()
    world.webhooks_due.clear()
    return world, list(world.orders.values())[-count:]


def _cancel_all(sender: Sender, orders: Sequence[Order], rng: random.Random) -> list[Cancelled]:
    done = []
    for number, order in enumerate(orders):
        sender.come_to_rest(order.order_name)
        time.sleep(rng.uniform(0, SENSOR_SECONDS))
        done.append(_cancel(sender, order, FATES[number % len(FATES)]))
    return done


def _cancel(sender: Sender, order: Order, fate: str) -> Cancelled:
    with sender.state.lock:
        sender.state.world.now = datetime.now(UTC).replace(microsecond=0)
    began = time.time()
    asked = {"order_name": order.order_name, "fate": fate}
    answer = httpx.post(f"{sender.place.sandbox_url}/admin/cancel-order", json=asked, timeout=10, trust_env=False)
    assert answer.json() == {"problems": []}, answer.text
    with sender.open(OURS) as conn:
        sender.until(lambda: ask(conn, SEEN[fate], order.so_code), f"{order.order_name}, {fate}: not seen", every=0.02)
    seconds = time.time() - began
    with sender.state.lock:
        order.is_cancelled, order.invoice_code = True, ""
    return Cancelled(fate, seconds)


def _faults(sender: Sender, orders: Sequence[Order]) -> list[str]:
    """Of every other order Khaos was asked once to cancel it, and of no other."""
    with sender.open(OURS) as conn:
        found = conn.execute("SELECT so_code, state, tries FROM recon.cancel_calls ORDER BY 1").fetchall()
    wanted = sorted((one.so_code, "verified", 1) for one in orders[:: len(FATES)])
    return [] if found == wanted else [f"calls {found}, wanted {wanted}"]
