"""Swap's quality control told of what the warehouse found, over its real wire: every fault, and a kill at each step.

The client is the product's own, the sandbox stands in for Swap, the ledger is a real database. The law: Swap gets at
most one call a finding, and whatever is not surely there is a person's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.store import inspections, quality_calls
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.adapters.swap.client import connect
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_server import PATH_QUALITY
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.reconciliation.judging import settle_exceptions
from khaos_swap_assets.stages.returns.sync import sync_returns
from khaos_swap_assets.stages.stock import benching
from khaos_swap_assets.stages.stock.telling import ToldSwap, tell_swap
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.bridging import Bridge
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.sandbox.small import JACKET, NOW, RMA, small_world
from khaos_swap_assets_tests.stages.town import KEY, some_settings

CALLS = "SELECT inspection_id, state FROM recon.quality_calls ORDER BY 1"
TASKS = "SELECT subject, message FROM recon.findings WHERE kind = 'quality_not_told' ORDER BY 1"
Bad = Callable[[Bridge, httpx.Request], httpx.Response]


class Killed(BaseException):
    """The process ends here."""


class Line(httpx.BaseTransport):
    """The wire to Swap: keeps each update of quality control, and lets the next ones go badly."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge, self.told, self.bad = bridge, list[dict[str, Any]](), list[Bad]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != PATH_QUALITY:
            return self.bridge.handle_request(request)
        self.told.append(json.loads(request.read()))
        send = self.bad.pop(0) if self.bad else Bridge.handle_request
        return send(self.bridge, request)


def lost(bridge: Bridge, request: httpx.Request) -> httpx.Response:
    bridge.handle_request(request)
    return httpx.Response(502, text="Bad gateway")


def hung(bridge: Bridge, request: httpx.Request) -> httpx.Response:
    bridge.handle_request(request)
    raise httpx.ReadTimeout("no answer in time", request=request)


def cut(bridge: Bridge, request: httpx.Request) -> httpx.Response:
    bridge.handle_request(request)
    return httpx.Response(200, text='{"mess')


def killed_before(_: Bridge, __: httpx.Request) -> httpx.Response:
    raise Killed


def killed_after(bridge: Bridge, request: httpx.Request) -> httpx.Response:
    bridge.handle_request(request)
    raise Killed


def busy(_: Bridge, __: httpx.Request) -> httpx.Response:
    return httpx.Response(429, text="slow down")


def shut(_: Bridge, __: httpx.Request) -> httpx.Response:
    return httpx.Response(401, json={"message": "Unauthorized"})


class House:
    """A Swap with one paid return of a jacket, which was inspected nowhere yet, and our database."""

    def __init__(self, url: str, **changes: Any) -> None:
        self.url, self.now = url, NOW
        self.state = State(small_world(), {"qc_repeat": "add", "qc_auto_process": "on"})
        (rma,) = self.state.world.rmas.values()
        rma.processed_at = rma.closed_at = NOW
        self.line = Line(Bridge(create_app(self.state, gateway_url="http://gateway")))
        self.sets(writes_quality=True)

    def sets(self, **changes: Any) -> None:
        world = self.state.world
        reach = {"url": "http://127.0.0.1/returns-api", "api_key": self.state.api_key, "store_id": world.store_id}
        mode = changes.pop("mode", "post")
        self.settings = some_settings(mode=mode, swap={})
        self.settings.swap = self.settings.swap.model_validate({**reach, "writes_quality": True, **changes})

    @property
    def tools(self) -> Toolbox:
        nothing = cast(Callable[[], Any], None)
        swap = connect(self.settings.swap, transport=self.line, sleep=lambda _: None)
        return Toolbox(
            self.settings, lambda: lend(self.url, forgets=False), lambda: swap, nothing, lambda: Sealer(SecretStr(KEY)),
            lambda: self.now,
        )  # fmt: skip

    def find(self, name: str = "I1", condition: str = "Sellable", units: int = 1, **changes: Any) -> None:
        told = Inspection(name, RMA, JACKET, "111", condition, units, self.now, "Kim")
        with lend(self.url) as conn:
            inspections.save(conn, replace(told, **changes), self.now)

    def look(self, minutes: int = 16) -> ToldSwap:
        """One run; a killed one leaves what it committed."""
        self.now += timedelta(minutes=minutes)
        self.state.world.now = self.now
        sync_returns(self.tools)
        return tell_swap(self.tools)

    def ask(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        with lend(self.url) as conn:
            return conn.execute(query.encode(), given).fetchall()

    @property
    def calls(self) -> dict[str, str]:
        return dict(self.ask(CALLS))

    @property
    def tasks(self) -> dict[str, str]:
        return dict(self.ask(TASKS))

    @property
    def noted(self) -> dict[str, int]:
        """What Swap has of the jacket."""
        return dict(self.state.world.rmas[RMA].lines[0].quality)


@pytest.fixture
def house(database_url: str) -> House:
    house = House(database_url)
    house.look(0)
    return house


def test_a_finding_is_told_once_in_swaps_own_words(house: House) -> None:
    house.find(condition="no value")
    assert house.look() == ToldSwap(1, 1)
    assert house.look() == ToldSwap(0, 0)
    (told,) = house.line.told
    assert (told["condition"], told["return_qty"], told["shopify_line_item_id"]) == ("No-Value", 1, "111")
    assert (told["shopify_order_name"], told["sku"]) == ("#LX10482", JACKET)
    assert (house.calls, house.tasks, house.noted) == ({"I1": "accepted"}, {}, {"No-Value": 1})


@pytest.mark.parametrize(
    ("bad", "state", "calls"),
    [
        (lost, "unknown", 1),
        (hung, "unknown", 1),
        (cut, "unknown", 1),
        (killed_after, "unknown", 1),
        (killed_before, "unknown", 1),
        (busy, "accepted", 2),
    ],
)
def test_what_may_have_happened_is_never_sent_again_and_is_a_persons(
    house: House, bad: Bad, state: str, calls: int
) -> None:
    house.find()
    house.line.bad = [bad]
    try:
        house.look()
    except Killed:
        assert house.calls == {"I1": "sent"}
    for _ in range(3):
        house.look()
    assert (house.calls, len(house.line.told)) == ({"I1": state}, calls)
    assert house.noted.get("Sellable", 0) <= 1
    assert list(house.tasks) == ([f"{RMA}/I1"] if state == "unknown" else [])


@pytest.mark.parametrize(("step", "state", "calls"), [("claim", "accepted", 1), ("settle", "unknown", 1)])
def test_a_kill_beside_the_call_sends_it_at_most_once(
    house: House, monkeypatch: pytest.MonkeyPatch, step: str, state: str, calls: int
) -> None:
    def killed(*_: object) -> None:
        raise Killed

    house.find()
    with monkeypatch.context() as patch:
        patch.setattr(quality_calls, step, killed)
        with pytest.raises(Killed):
            house.look()
    for _ in range(3):
        house.look()
    assert (house.calls, len(house.line.told)) == ({"I1": state}, calls)


def test_a_refusal_is_a_task_in_swaps_words_until_a_person_waives_it(house: House) -> None:
    house.find("I1")
    house.line.bad = [lambda *_: httpx.Response(422, json={"message": "the item was archived"})]
    house.look()
    assert "1 x FELL-JKT-MOS-M Sellable, finding I1: not told" in house.tasks[f"{RMA}/I1"]
    assert "the item was archived" in house.tasks[f"{RMA}/I1"]
    settle_exceptions(house.tools)
    ((number,),) = house.ask("SELECT exception_id FROM recon.exceptions WHERE kind = 'quality_not_told'")
    with lend(house.url) as conn:
        waivers.waive(conn, number, Person("kim", "entered by hand"), now=house.now)
    house.look()
    assert (house.tasks, house.calls, len(house.line.told)) == ({}, {"I1": "refused"}, 1)


def test_a_shut_door_lets_the_finding_wait_and_is_told_as_the_source(house: House) -> None:
    house.find("I1")
    house.find("I2", "Damaged")
    house.line.bad = [shut]
    house.look()
    assert (house.calls, len(house.line.told)) == ({"I1": "planned", "I2": "planned"}, 1)
    assert house.ask("SELECT operation FROM recon.setbacks") == [("Swap quality control",)]
    house.look(24 * 60)
    assert set(house.calls.values()) == {"accepted"}


def test_no_call_completes_an_unpaid_refund_unless_swap_is_said_not_to_pay_by_itself(house: House) -> None:
    rma = house.state.world.rmas[RMA]
    rma.status, rma.processed_at, rma.closed_at, rma.updated_at = "Open", None, None, house.now
    house.find()
    house.look()
    assert (house.calls, house.line.told, house.tasks) == ({"I1": "planned"}, [], {})
    assert rma.processed_at is None
    house.state.switches["qc_auto_process"] = "off"
    house.sets(processes_by_itself=False)
    house.look()
    assert (house.calls, rma.processed_at, rma.quality_control_status) == ({"I1": "accepted"}, None, "Approved")


def test_a_correction_replaces_what_was_not_told_and_is_a_task_where_it_was(house: House) -> None:
    house.find("I1")
    with lend(house.url) as conn:
        benching.correct(conn, "I1", "Damaged", 1, Person("kim", "a tear"), now=house.now)
    house.look()
    assert house.calls == {"I1/corrected": "accepted"}
    with lend(house.url) as conn:
        benching.correct(conn, "I1/corrected", "Pending", 1, Person("kim", "look again"), now=house.now)
        again = benching.correct(conn, "I1/corrected/corrected", "Sellable", 1, Person("kim", "clean"), now=house.now)
    house.look()
    assert (house.calls[again], len(house.line.told)) == ("refused", 1)
    assert list(house.tasks) == [f"{RMA}/{again}"]


def test_what_another_return_of_the_order_holds_too_is_a_persons(house: House) -> None:
    world = house.state.world
    world.rmas["RMA-2"] = replace(world.rmas[RMA], rma_number="RMA-2", return_id="ret_2", updated_at=house.now)
    house.find()
    house.look()
    assert (house.calls, house.line.told) == ({"I1": "refused"}, [])
    assert "another return holds the same line" in house.tasks[f"{RMA}/I1"]


@pytest.mark.parametrize("changes", [{"writes_quality": False}, {"mode": "assist"}])
def test_off_nothing_is_told_now_or_later(house: House, changes: dict[str, Any]) -> None:
    house.sets(**changes)
    house.look()
    house.find()
    house.look()
    house.sets()
    house.look()
    assert (house.calls, house.line.told) == ({}, [])


def test_a_hold_of_the_feed_stops_these_calls_too(house: House) -> None:
    with lend(house.url) as conn:
        people.hold_feed(conn, Person("kim", "stocktaking"), now=house.now)
    house.find()
    house.look()
    assert (house.calls, house.line.told) == ({"I1": "planned"}, [])


def test_two_runs_claim_a_finding_once(house: House) -> None:
    house.find()
    with lend(house.url) as conn:
        quality_calls.plan(conn, NOW, house.now)
        (found,) = quality_calls.waiting(conn, house.now, 10)
        assert [quality_calls.claim(conn, found, house.now) for _ in range(2)] == [True, False]
