from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from khaos_swap_assets.adapters.http import public_authorities
from khaos_swap_assets.running.processes import free_port
from khaos_swap_assets.sandbox import __main__ as program
from khaos_swap_assets.sandbox import switches
from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.channel import FIRST_CONTACT
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_cancelling import cancel_order
from khaos_swap_assets.sandbox.khaos_truth import planted
from khaos_swap_assets.sandbox.persistence import Keeper
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import World
from khaos_swap_assets_tests.running import until
from khaos_swap_assets_tests.sandbox.small import NOW, RMA, Gateway, client_of, document, small_world

QUIET = {
    "steps": 0,
    "webhooks": 0,
    "refunds": 0,
    "inspections": 0,
    "pulled": 0,
    "imported": 0,
    "issued": 0,
    "allocated": 0,
    "sold": 0,
    "adjusted": 0,
}


class Door:
    """A sandbox with its admin door and a gateway of one page."""

    def __init__(self, path: Path | None = None) -> None:
        self.world: World = small_world()
        self.gateway = Gateway()
        self.gateway.pages[FIRST_CONTACT] = ([document()], "ks1.1")
        self.state = State(self.world)
        self.keeper = Keeper(path)
        self.keeper.save_all(self.world)
        self.http = client_of(
            create_app(
                self.state, gateway_url="http://gateway", keep=self.keeper.save, transport=self.gateway.transport()
            )
        )

    def post(self, path: str, body: object = None) -> httpx.Response:
        return self.http.post(f"/admin/{path}", json=body)

    def get(self, path: str) -> Any:
        answer: dict[str, Any] = self.http.get(f"/admin/{path}").json()
        return answer


def test_rounds_go_on_until_quiet() -> None:
    door = Door()
    first = door.post("tick").json()
    assert first == {"did": {**QUIET, "inspections": 1, "pulled": 1, "imported": 1, "sold": 2}, "problems": []}
    assert door.post("tick").json() == {"did": QUIET, "problems": []}
    door.post("advance", {"hours": 24})
    assert door.post("tick").json()["did"] == {**QUIET, "allocated": 1, "sold": 2}


def test_a_step_that_is_due_sends_its_webhook() -> None:
    door = Door()
    rma = door.world.rmas[RMA]
    rma.steps = [(NOW + timedelta(hours=1), {"refund_pence": 100})]
    assert door.post("tick").json()["did"]["steps"] == 0
    door.post("advance", {"hours": 1})
    did = door.post("tick").json()["did"]
    assert (did["steps"], did["webhooks"], rma.refund_pence) == (1, 1, 100)
    assert any(path == "/webhooks/swap" and "jwt" in body for path, body in door.gateway.posts)


def test_the_shop_cancels_an_order_at_a_word_and_knocks_for_it_and_its_money() -> None:
    door = Door()
    door.world.rmas.clear()
    order = next(iter(door.world.orders.values()))
    assert door.post("cancel-order", {"order_name": order.order_name, "fate": "lost"}).status_code == 400
    assert door.post("cancel-order", {"order_name": order.order_name, "fate": "picked"}).json() == {"problems": []}
    assert [path for path, _ in door.gateway.posts] == ["/webhooks/storefront"] * 2
    assert door.gateway.posts[0][1]["id"] == int(order.order_id)
    assert (order.shop_cancelled_at, order.is_cancelled) == (door.world.now, False)
    assert door.post("cancel-order", {"order_name": order.order_name, "fate": "picked"}).status_code == 400


def test_a_staged_order_is_trouble_until_khaos_cancels_it() -> None:
    door = Door()
    door.world.rmas.clear()
    (order,) = door.world.orders.values()
    door.post("switches", {"cancel_order": "on"})
    door.post("cancel-order", {"order_name": order.order_name, "fate": "staged"})
    truth = [(one.kind, one.order) for one in planted(door.world)]
    assert truth == [("cancelled_order_open", order.order_name)]
    assert cancel_order(Books(door.state), order.so_code, order.associated_ref) == "Order SO48213 has been cancelled."
    assert planted(door.world) == []


def test_a_gateway_that_is_down_stops_no_round() -> None:
    door = Door()
    door.gateway.is_down = True
    answer = door.post("tick").json()
    assert answer["did"] == {**QUIET, "sold": 2}
    assert len(answer["problems"]) == 2
    door.gateway.is_down = False
    assert door.post("tick").json()["did"]["imported"] == 1


def test_the_clock_only_goes_forward() -> None:
    door = Door()
    assert door.get("clock") == {"now": "2026-07-03T09:00:00+00:00"}
    assert door.post("advance", {"hours": 1.5}).json() == {"now": "2026-07-03T10:30:00+00:00"}
    assert door.post("advance", {"to": "2026-07-03T12:00:00+01:00"}).json() == {"now": "2026-07-03T11:00:00+00:00"}
    assert door.post("advance", {"to": "2026-07-03T10:00:00Z"}).status_code == 400
    assert door.post("advance", {"hours": -1}).status_code == 422


def test_the_ledger_shows_what_only_khaos_screens_show() -> None:
    door = Door()
    door.gateway.pages[FIRST_CONTACT] = ([document(), document(reference="B", urn="NOBODY")], "ks1.1")
    door.post("tick")
    ledger = door.get("ledger")
    assert (ledger["duplicates"], ledger["returns"]) == (0, 1)
    imports = ledger["imports"]
    notes = ledger["notes"]
    assert [(one["associated_ref"], one["state"]) for one in imports] == [("RMA1", "OK"), ("B", "Failed")]
    assert [(one["associated_ref"], one["gross_pence"], one["made_by"]) for one in notes] == [("RMA1", 8499, "channel")]


def test_the_ledger_names_a_return_from_its_submission_on_as_swap_lists_it() -> None:
    door = Door()
    rma = door.world.rmas[RMA]
    rma.is_submitted, rma.steps = False, [(NOW + timedelta(days=7), {"is_submitted": True})]
    assert door.get("ledger")["rmas"] == []
    door.post("advance", {"hours": 7 * 24})
    door.post("tick")
    assert door.get("ledger")["rmas"] == [RMA]


def test_truth_and_script_of_a_partial_return() -> None:
    door = Door()
    door.gateway.pages[FIRST_CONTACT] = ([document(rma="RMA-0"), document(reference="B")], "ks1.1")
    door.world.scripts[RMA] = "partial_return"
    door.post("tick")
    (code,) = [one.return_code for one in door.world.documents.values() if one.state == "partial"]
    assert door.get("script") == {
        "actions": [{"action": "process_return", "rma": RMA, "reference": "B", "return_code": code}]
    }
    door.post("advance", {"hours": 48})
    (plant,) = door.get("truth")["planted"]
    assert (plant["kind"], plant["rma"]) == ("posting_in_doubt", RMA)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("switches", {"unit_price": "maybe"}, "must be one of honour, ignore, net"),
        ("switches", {"colour": "red"}, "no such switch"),
        ("faults", {"meteor": 1}, "no such fault"),
    ],
)
def test_unknown_names_are_refused_and_change_nothing(path: str, body: dict[str, object], words: str) -> None:
    door = Door()
    answer = door.post(path, {**body, **({"multiref": "on"} if path == "switches" else {"khaos_500": 1})})
    assert answer.status_code == 400
    assert words in answer.text
    assert (door.state.switches, door.state.faults.armed) == ({}, {})


def test_switches_and_faults_are_set() -> None:
    door = Door()
    assert door.post("switches", {"unit_price": "net"}).json()["unit_price"] == "net"
    assert door.post("faults", {"khaos_500": 2, "channel_specific_ids": 1}).json() == {
        "khaos_500": 2, "channel_specific_ids": 1
    }  # fmt: skip
    assert door.post("faults", {"khaos_500": 0}).json() == {"channel_specific_ids": 1}


@pytest.mark.parametrize(("name", "values"), list(switches.KHAOS_SWITCHES.items()))
def test_every_switch_has_a_default_and_another_value(name: str, values: tuple[str, ...]) -> None:
    door = Door()
    assert switches.value(door.state, name) == values[0]
    for value in values:
        assert door.post("switches", {name: value}).status_code == 200
    assert switches.value(door.state, name) == values[-1]


def test_nothing_answered_is_forgotten(tmp_path: Path) -> None:
    door = Door(tmp_path / "world.sqlite")
    door.post("tick")
    door.post("advance", {"hours": 5})
    door.keeper.close()
    again = Keeper(tmp_path / "world.sqlite").load()
    assert again == door.world


def start(port: int, *options: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "khaos_swap_assets.sandbox",
        "--port",
        str(port),
        "--gateway",
        "http://127.0.0.1:9",
    ]
    return subprocess.Popen([*command, *options], env={**os.environ, "SANDBOX_CREDENTIALS": json.dumps(SECRETS)})


SECRETS = {"swap_api_key": "key-1", "khaos_user": "web", "khaos_password": "pw"}


def test_an_idle_line_is_kept_longer_than_a_caller_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr("uvicorn.run", lambda _, **given: told.update(given))
    program.main(["--port", str(free_port()), "--gateway", "http://127.0.0.1:9", "--returns", "20"])
    expiry = httpx.Limits().keepalive_expiry
    assert expiry is not None
    assert told["timeout_keep_alive"] > 2 * expiry


def ask(port: int, method: str, path: str, **options: Any) -> httpx.Response:
    end = time.monotonic() + 60
    while True:
        try:
            return httpx.request(
                method, f"http://127.0.0.1:{port}{path}", timeout=60, verify=public_authorities(), **options
            )
        except httpx.ConnectError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_the_process_survives_a_kill(tmp_path: Path) -> None:
    port, options = free_port(), ("--returns", "20", "--seed", "3", "--store", str(tmp_path / "world.sqlite"))
    process = start(port, *options)
    try:
        moved = ask(port, "POST", "/admin/advance", json={"hours": 7}).json()["now"]
        assert ask(port, "GET", "/LiveSoap/KhaosSBX.exe/wsdl/IKosWeb").status_code == 401
        listed = "/returns-api/v2/external/returns?swap_store_id=st_7f3k9q"
        assert ask(port, "GET", listed, headers={"x-api-key": "key-1"}).status_code == 200
        assert ask(port, "GET", listed).status_code == 401
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        process = start(port, *options)
        assert ask(port, "GET", "/admin/clock").json()["now"] == moved
        assert ask(port, "GET", "/admin/ledger").json()["returns"] == 20
    finally:
        process.kill()
        process.wait(60)


def test_live_the_clock_runs_by_itself() -> None:
    port = free_port()
    process = start(port, "--returns", "5", "--live")
    try:
        first = datetime.fromisoformat(ask(port, "GET", "/admin/clock").json()["now"])
        later = partial(ask, port, "GET", "/admin/clock")
        assert until(lambda: datetime.fromisoformat(later().json()["now"]) > first, 60)
    finally:
        process.kill()
        process.wait(60)
