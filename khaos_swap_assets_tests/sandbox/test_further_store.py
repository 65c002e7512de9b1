"""A second store of Swap beside the first: its own door, key, faults and webhooks, over one Khaos."""

from __future__ import annotations

from dataclasses import replace

import jwt
import pytest

from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.generator import FURTHER_STORES, add_store, build
from khaos_swap_assets.sandbox.khaos_truth import duplicates
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_server import PATH
from khaos_swap_assets.sandbox.swap_webhooks import send_webhooks
from khaos_swap_assets.sandbox.swap_wire import Json
from khaos_swap_assets.sandbox.world import Note, NoteLine, World
from khaos_swap_assets_tests.sandbox.small import Gateway, client_of

OUTLET = "outlet"
RETURNS = 60


@pytest.fixture
def world() -> World:
    made = build(4, RETURNS)
    add_store(made, OUTLET, RETURNS)
    return made


@pytest.fixture
def state(world: World) -> State:
    return State(world)


@pytest.fixture
def outlet(state: State) -> State:
    return state.of_store(OUTLET, "key-of-outlet", "whsk_" + "2" * 32)


def test_the_first_store_is_what_it_is_alone(world: World) -> None:
    alone = build(4, RETURNS)
    assert {key: one for key, one in world.rmas.items() if not one.store} == alone.rmas
    assert {key: one for key, one in world.orders.items() if not one.store} == alone.orders
    assert alone.plants == world.plants[: len(alone.plants)]


def test_the_stores_sell_the_same_goods_and_number_their_returns_alike(world: World) -> None:
    of = {store: [one for one in world.rmas.values() if one.store == store] for store in ("", OUTLET)}
    assert [len(some) for some in of.values()] == [RETURNS, RETURNS]
    assert {one.return_id for one in of[""]} == {one.return_id for one in of[OUTLET]}
    goods = {store: {line.sku for one in some for line in one.lines} for store, some in of.items()}
    assert goods[""] & goods[OUTLET]
    heads = {one.store: one.associated_ref[:3] for one in world.orders.values()}
    assert heads == {"": "KCC", OUTLET: "OUT"}
    assert any(plant.rma in {one.rma_number for one in of[OUTLET]} for plant in world.plants)


def test_each_store_has_a_door_a_key_and_faults_of_its_own(state: State, outlet: State) -> None:
    http = client_of(create_app(state, gateway_url="http://gateway", further=[outlet], transport=Gateway().transport()))
    doors = {
        "": (PATH, state.world.store_id, state.api_key),
        OUTLET: (f"/{OUTLET}{PATH}", FURTHER_STORES[OUTLET], outlet.api_key),
    }

    def asked(at: str, store: str, key: str) -> tuple[int, set[str]]:
        params = {"swap_store_id": doors[store][1], "items_per_page": "100"}
        answer = http.get(doors[at][0], params=params, headers={"x-api-key": doors[key][2]})
        rows = answer.json().get("returns", [])
        return answer.status_code, {state.world.rmas[row["rma_number"]].store for row in rows} | {
            row["store_id"] for row in rows
        }

    assert asked("", "", "") == (200, {"", state.world.store_id})
    assert asked(OUTLET, OUTLET, OUTLET) == (200, {OUTLET, FURTHER_STORES[OUTLET]})
    assert [asked(*which)[0] for which in (("", "", OUTLET), (OUTLET, OUTLET, ""), ("", OUTLET, ""))] == [401, 401, 404]
    assert http.post(f"/admin/faults?store={OUTLET}", json={"swap_500": -1}).json() == {"swap_500": -1}
    assert [asked("", "", "")[0], asked(OUTLET, OUTLET, OUTLET)[0]] == [200, 500]
    assert http.post("/admin/faults?store=attic", json={"swap_500": 1}).status_code == 400


def test_a_webhook_is_signed_by_the_store_of_its_return(state: State, outlet: State) -> None:
    numbers = {one.store: one.rma_number for one in state.world.rmas.values()}
    state.world.webhooks_due = [("returnProcessed", number) for number in numbers.values()]
    bodies: list[Json] = []

    def post(body: Json) -> bool:
        bodies.append(body)
        return True

    assert send_webhooks(state, post, [outlet]) == 2
    secrets = {state.world.store_id: state.webhook_secret, FURTHER_STORES[OUTLET]: outlet.webhook_secret}
    for body, (store_id, secret) in zip(bodies, secrets.items(), strict=True):
        claims = jwt.decode(
            str(body["jwt"]), secret, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False}
        )
        assert claims["store_id"] == store_id


def test_the_truth_names_a_return_with_its_store_and_the_ledger_counts_by_store(state: State, outlet: State) -> None:
    world = state.world
    http = client_of(create_app(state, gateway_url="http://gateway", further=[outlet], transport=Gateway().transport()))
    told = {one["rma"] for one in http.get("/admin/truth").json()["planted"] if one["rma"]}
    assert {name.partition(":")[2] or name for name in told} <= world.rmas.keys()
    assert {bool(name.partition(":")[2]) for name in told} == {True, False}
    assert all(world.rmas[name.partition(":")[2]].store == OUTLET for name in told if ":" in name)
    order = next(one for one in world.orders.values() if one.store)
    line = order.lines[0]
    twice = NoteLine(line.stock_code, line.quantity + 50, 100, 80, so_code=order.so_code)
    world.notes["CN1"] = Note("CN1", order.urn, "", "GBP", world.now, [twice], made_by="channel")
    counted = http.get("/admin/ledger").json()
    assert counted["duplicates_by_store"][OUTLET] == counted["duplicates"] == duplicates(world) > 0
    assert counted["duplicates_by_store"][""] == 0


def test_the_warehouse_says_whose_parcel_it_opened(state: State, outlet: State) -> None:
    gateway = Gateway()
    http = client_of(create_app(state, gateway_url="http://gateway", further=[outlet], transport=gateway.transport()))
    state.world.rmas = {
        key: replace(one, inspect_at=state.world.now, steps=[]) for key, one in state.world.rmas.items() if one.store
    }
    http.post("/admin/tick")
    told = {str(body["rma"]) for path, body in gateway.posts if path == "/inspections"}
    assert told
    assert all(name.startswith(f"{OUTLET}:") for name in told)
