"""The webhooks that the sandbox's Swap sends: ``returnCreated`` and ``returnProcessed`` (swap.md §5).

Belongs here: the body, its token, and delivery with the vendor's three retries. Stays out: what makes one due
(``clockwork``) and the HTTP client (the caller hands one in).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta

import jwt

from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_wire import Json, Spelling, return_wire
from khaos_swap_assets.sandbox.world import Rma

ATTEMPTS = 4
VALID_FOR = timedelta(seconds=300)

Post = Callable[[Json], bool]
"""Posts one body to the receiver; True when it was accepted."""


def send_webhooks(state: State, post: Post, further: Sequence[State] = ()) -> int:
    """Send what is due, at most four times each, then forget it as Swap does; returns how many were accepted.

    Each is signed by its own store; ``further`` are those beside the first.

    Armed faults: ``swap_webhook_lost``, ``swap_webhook_repeated``, ``swap_webhook_expired``.
    """
    with state.lock:
        due, state.world.webhooks_due = state.world.webhooks_due, []
    stores = {one.store: one for one in (state, *further)}
    told = [(event, state.world.rmas[number]) for event, number in due]
    return sum(_deliver(stores[rma.store], event, rma, post) for event, rma in told)


def _deliver(state: State, event: str, rma: Rma, post: Post) -> bool:
    if state.faults.take("swap_webhook_lost"):
        return False
    accepted = any(post(webhook_body(state, event, rma, attempt)) for attempt in range(ATTEMPTS))
    if state.faults.take("swap_webhook_repeated"):
        post(webhook_body(state, event, rma, ATTEMPTS))
    return accepted


def webhook_body(state: State, event: str, rma: Rma, attempt: int = 0) -> Json:
    """The JSON of one delivery; the nonce differs from one attempt to the next."""
    now = state.world.now - (2 * VALID_FOR if state.faults.take("swap_webhook_expired") else timedelta())
    nonce = hashlib.sha256(f"{event}{rma.return_id}{now.isoformat()}{attempt}".encode()).hexdigest()[:32]
    claims = {
        "iat": int(now.timestamp()),
        "exp": int((now + VALID_FOR).timestamp()),
        "nonce": nonce,
        "event": event,
        "return_id": rma.return_id,
        "order_id": rma.order_id,
        "store_id": state.store_id,
    }
    wire = return_wire(state.world, rma, Spelling())
    wire["exchange_products"] = wire.pop("exchange_items")
    return {"jwt": jwt.encode(claims, state.webhook_secret, algorithm="HS256"), "return": wire}
