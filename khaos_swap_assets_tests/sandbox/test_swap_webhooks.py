"""Webhooks out: claims, retries, and the faults of delivery."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest

from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_webhooks import ATTEMPTS, send_webhooks, webhook_body
from khaos_swap_assets.sandbox.swap_wire import Json
from khaos_swap_assets_tests.sandbox.small import NOW, RMA, small_world


class Receiver:
    """Counts what arrives; refuses the first ``refusals`` deliveries."""

    def __init__(self, refusals: int = 0) -> None:
        self.bodies: list[Json] = []
        self.refusals = refusals

    def __call__(self, body: Json) -> bool:
        self.bodies.append(body)
        return len(self.bodies) > self.refusals


@pytest.fixture
def state() -> State:
    made = State(small_world())
    made.world.webhooks_due = [("returnProcessed", RMA)]
    return made


def claims(state: State, body: Json) -> dict[str, object]:
    found: dict[str, object] = jwt.decode(
        str(body["jwt"]),
        state.webhook_secret,
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_iat": False},
    )
    return found


def test_a_due_webhook_is_sent_once_with_a_token_of_five_minutes(state: State) -> None:
    receiver = Receiver()
    assert send_webhooks(state, receiver) == 1
    assert send_webhooks(state, receiver) == 0
    (body,) = receiver.bodies
    rma = state.world.rmas[RMA]
    found = claims(state, body)
    assert found.pop("nonce")
    assert found == {
        "iat": NOW.timestamp(),
        "exp": (NOW + timedelta(minutes=5)).timestamp(),
        "event": "returnProcessed",
        "return_id": rma.return_id,
        "order_id": rma.order_id,
        "store_id": state.world.store_id,
    }


def test_the_body_is_the_return_in_words_of_version_two(state: State) -> None:
    shown = webhook_body(state, "returnCreated", state.world.rmas[RMA])["return"]
    assert isinstance(shown, dict)
    assert shown["rma_number"] == RMA
    assert "exchange_products" in shown
    assert "exchange_items" not in shown


@pytest.mark.parametrize(
    ("refusals", "accepted", "sent"), [(0, 1, 1), (2, 1, 3), (3, 1, 4), (4, 0, 4), (99, 0, ATTEMPTS)]
)
def test_three_retries_then_it_is_forgotten(state: State, refusals: int, accepted: int, sent: int) -> None:
    receiver = Receiver(refusals)
    assert send_webhooks(state, receiver) == accepted
    assert len(receiver.bodies) == sent
    assert state.world.webhooks_due == []


def test_each_attempt_has_its_own_nonce(state: State) -> None:
    receiver = Receiver(3)
    send_webhooks(state, receiver)
    assert len({claims(state, body)["nonce"] for body in receiver.bodies}) == 4


def test_a_lost_webhook_never_arrives(state: State) -> None:
    state.faults.arm("swap_webhook_lost")
    receiver = Receiver()
    assert send_webhooks(state, receiver) == 0
    assert receiver.bodies == []


def test_a_repeated_webhook_arrives_twice(state: State) -> None:
    state.faults.arm("swap_webhook_repeated")
    receiver = Receiver()
    assert send_webhooks(state, receiver) == 1
    assert len(receiver.bodies) == 2


def test_an_expired_token_ended_before_now(state: State) -> None:
    state.faults.arm("swap_webhook_expired")
    receiver = Receiver()
    send_webhooks(state, receiver)
    expires = claims(state, receiver.bodies[0])["exp"]
    assert isinstance(expires, int)
    assert expires < NOW.timestamp()
