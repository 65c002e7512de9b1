"""Khaos asked to cancel orders, over its real wire: every stage, every refusal, every fault, and a kill at each step.

The client is the product's own, the sandbox stands in for Khaos, the ledger is a real database.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, cast

import httpx
import pytest
from typer.testing import CliRunner

from khaos_swap_assets.adapters.khaos.client import connect
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import cancel_calls, cancellations
from khaos_swap_assets.cli.cancellations import cancellations_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.domain.goods.cancellations import STAGES, CancelledOrder
from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.khaos_cancelling import BARS, EDITABLE
from khaos_swap_assets.sandbox.khaos_interface import OPTIONAL, Operation
from khaos_swap_assets.sandbox.khaos_server import BASE
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import Order, WorldLine
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.stages.orders.cancellations import FollowedCancellations, follow_cancellations
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.bridging import Bridge
from khaos_swap_assets_tests.json_form import faults_of
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.sandbox.small import HAT, NOW, URN, small_world
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED
from khaos_swap_assets_tests.stages.town import some_settings

KHAOS = {"url": f"http://sandbox{BASE}", "retries": 0, "cancels_orders": True}
CALLS = "SELECT order_id, state, tries FROM recon.cancel_calls ORDER BY 1"
TASKS = "SELECT subject, message FROM recon.findings WHERE kind = 'cancelled_order_open' ORDER BY 1"


class Killed(BaseException):
    """The process ends here."""


Bad = Callable[[Bridge, httpx.Request], httpx.Response]


class Line(httpx.BaseTransport):
    """The wire to Khaos: notes what is asked for, and lets the next calls of CancelOrder go badly."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.asked: list[str] = []
        self.bad: list[Bad] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        operation = request.headers.get("SOAPAction", "").rpartition("#")[2].strip('"')
        self.asked.append(operation or "WSDL")
        send = self.bad.pop(0) if self.bad and operation == "CancelOrder" else Bridge.handle_request
        return send(self.bridge, request)

    def is_lawful(self) -> bool:
        """No two calls of CancelOrder without a reading of the order between them."""
        told = [one for one in self.asked if one != "WSDL"]
        return all({one, after} != {"CancelOrder"} for one, after in pairwise(told))


def lost(bridge: Bridge, request: httpx.Request) -> httpx.Response:
    bridge.handle_request(request)
    return httpx.Response(502, text="Bad gateway")


def hung(bridge: Bridge, request: httpx.Request) -> httpx.Response:
    bridge.handle_request(request)
    raise httpx.ReadTimeout("no answer in time", request=request)


def failed(_: Bridge, __: httpx.Request) -> httpx.Response:
    return httpx.Response(500, text="Internal server error")


def strange(_: Bridge, __: httpx.Request) -> httpx.Response:
    fault = "<faultcode>Client</faultcode><faultstring>Access violation at 004F8A3C</faultstring>"
    envelope = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
    return httpx.Response(500, text=f"{envelope}{fault}</e:Fault></e:Body></e:Envelope>")


def away(_: Bridge, request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def killed_before(_: Bridge, __: httpx.Request) -> httpx.Response:
    raise Killed


def killed_after(bridge: Bridge, request: httpx.Request) -> httpx.Response:
    bridge.handle_request(request)
    raise Killed


class House:
    """A Khaos with the add-on, our database, and orders that the shop cancelled."""

    def __init__(self, url: str) -> None:
        self.url, self.now = url, NOW
        self.state = State(small_world(), {"cancel_order": "on"})
        self.line = Line(Bridge(create_app(self.state, gateway_url="http://gateway")))
        self.settings: Settings = some_settings(khaos=KHAOS, storefront=CONNECTED)

    @property
    def tools(self) -> Toolbox:
        nothing = cast(Callable[[], Any], None)
        khaos = connect(self.settings.khaos, transport=self.line, sleep=lambda _: None)
        return Toolbox(
            self.settings, lambda: lend(self.url, forgets=False), nothing, lambda: khaos, nothing, lambda: self.now
        )

    def sell(self, number: int, stage_id: int = 10, hours: int = 3, **changes: Any) -> Order:
        """Order #LX<number> of a hat, placed some hours ago, which the shop has just cancelled."""
        placed = NOW - timedelta(hours=hours)
        order = Order(
            f"SO{number}", f"KCCLX{number}", f"#LX{number}", f"id{number}", URN, "GBP", placed,
            [WorldLine(HAT, 1, 1000, 0, f"9{number}")], stage_id=stage_id, invoice_code=f"INV{number}",
            issued_at=placed if stage_id >= 70 else None, changed_at=placed, **changes,
        )  # fmt: skip
        self.state.world.orders[order.so_code] = order
        self.cancel(number)
        return order

    def cancel(self, number: int, **changes: Any) -> None:
        one = CancelledOrder(f"id{number}", f"#LX{number}", self.now, "CUSTOMER", 1495, "GBP")
        with lend(self.url) as conn:
            cancellations.save(conn, [replace(one, **changes)], self.now)

    def look(self) -> FollowedCancellations:
        """One run, two minutes after the one before; a killed one leaves what it committed."""
        self.now += timedelta(minutes=2)
        self.state.world.now = self.now
        return follow_cancellations(self.tools)

    def ask(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        with lend(self.url) as conn:
            return conn.execute(query.encode(), given).fetchall()

    def tasks(self) -> dict[str, str]:
        return dict(self.ask(TASKS))


@pytest.fixture
def house(database_url: str) -> House:
    return House(database_url)


def test_of_every_stage_those_are_cancelled_that_khaos_lets_be_changed(house: House) -> None:
    orders = {stage_id: house.sell(stage_id, stage_id) for stage_id in (*STAGES, 70, 71, 73, 42)}
    looked = house.look()
    assert {stage_id for stage_id, one in orders.items() if one.is_cancelled} == EDITABLE
    assert house.ask(CALLS) == sorted((f"id{one}", "verified", 1) for one in EDITABLE)
    assert house.line.asked.count("CancelOrder") == len(EDITABLE)
    assert (looked.still_open, looked.sent) == (len(orders) - len(EDITABLE) - 3, 3)
    assert house.tasks()["#LX12"].endswith("picking; Khaos was not asked to cancel it: it stands at picking, "
                                           "where the web service cancels nothing")  # fmt: skip
    assert house.tasks().keys() == {f"#LX{one}" for one in orders if one not in EDITABLE and one < 70}
    house.look()
    assert house.line.asked.count("CancelOrder") == len(EDITABLE)


def test_every_documented_refusal_is_a_task_in_the_words_of_khaos_and_ends_it(house: House) -> None:
    for number, bar in enumerate(BARS, 1):
        house.sell(number, cancel_bar=bar)
    house.sell(8, hours=47)
    house.sell(9, hours=49)
    for _ in range(3):
        house.look()
    states = {order_id: state for order_id, state, _ in house.ask(CALLS)}
    assert states == {**{f"id{number}": "refused" for number in (1, 2, 3, 4, 9)}, "id8": "verified"}
    assert house.line.asked.count("CancelOrder") == 6
    assert {subject: text.partition("Khaos refused to cancel it: ")[2] for subject, text in house.tasks().items()} == {
        **{f"#LX{number}": words.format(f"SO{number}") for number, words in enumerate(BARS.values(), 1)},
        "#LX9": "Order SO9 cannot be cancelled: it was placed more than 48 hours ago.",
    }


@pytest.mark.parametrize(
    ("bad", "calls"),
    [(lost, 1), (hung, 1), (killed_after, 1), (failed, 2), (strange, 2), (away, 2), (killed_before, 2)],
)
def test_after_a_fault_or_a_kill_the_order_is_read_before_anything_else(house: House, bad: Bad, calls: int) -> None:
    order = house.sell(1)
    house.line.bad = [bad]
    try:
        house.look()
    except Killed:
        assert house.ask(CALLS) == [("id1", "asked", 1)]
    for _ in range(2):
        house.look()
    assert order.is_cancelled
    assert house.ask("SELECT state FROM recon.cancel_calls") == [("verified",)]
    assert house.line.asked.count("CancelOrder") == calls
    assert house.line.is_lawful()
    assert house.tasks() == {}


def test_a_kill_while_the_outcome_is_kept_leaves_it_to_be_read_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise Killed

    house.sell(1)
    monkeypatch.setattr(cancel_calls, "settle", killed)
    with pytest.raises(Killed):
        house.look()
    monkeypatch.undo()
    house.look()
    assert house.ask(CALLS) == [("id1", "verified", 1)]
    assert house.line.asked.count("CancelOrder") == 1


def test_what_cannot_be_done_in_three_calls_is_left_to_people(house: House) -> None:
    house.sell(1)
    house.line.bad = [failed] * 9
    for _ in range(6):
        house.look()
    assert house.ask(CALLS) == [("id1", "given_up", 3)]
    assert house.line.asked.count("CancelOrder") == 3
    assert house.line.is_lawful()
    assert "Khaos was asked 3 times to cancel it, and did not: POST " in house.tasks()["#LX1"]


def test_a_call_that_certainly_never_left_is_no_try(house: House) -> None:
    house.sell(1)
    house.line.bad = [away] * 5
    for _ in range(6):
        house.look()
    assert house.ask(CALLS) == [("id1", "verified", 1)]


def test_an_order_that_went_on_after_a_call_without_answer_is_a_task(house: House) -> None:
    order = house.sell(1)
    house.line.bad = [failed, killed_before]
    house.look()
    with pytest.raises(Killed):
        house.look()
    order.stage_id = 13
    house.look()
    assert house.ask(CALLS) == [("id1", "overtaken", 2)]
    assert "packing; Khaos was asked to cancel it, and it went on all the same" in house.tasks()["#LX1"]


@pytest.mark.parametrize(("is_readable", "states"), [(True, ["verified"]), (False, ["asked", "verified"])])
def test_an_order_that_is_gone_is_cancelled_unless_a_row_of_the_answer_cannot_be_read(
    house: House, is_readable: bool, states: list[str]
) -> None:
    def deleted(bridge: Bridge, request: httpx.Request) -> httpx.Response:
        order.associated_ref = "GONE" if is_readable else order.associated_ref
        order.currency = "GBP" if is_readable else "?"
        return failed(bridge, request)

    order, seen = house.sell(1), []
    house.line.bad = [deleted]
    for _ in states:
        house.look()
        seen += [state for _, state, _ in house.ask(CALLS)]
        order.currency, order.is_cancelled = "GBP", True
    assert seen == states
    assert house.ask("SELECT progress, so_codes FROM recon.cancellations") == [("cancelled", ["SO1"])]


def held(house: House) -> None:
    with lend(house.url) as conn:
        people.hold_feed(conn, people.Person("Kim", "stock-taking"), now=NOW)


def without(house: House) -> None:
    house.state.switches["cancel_order"] = "off"


def split(house: House) -> None:
    house.state.world.orders["SO1B"] = replace(house.state.world.orders["SO1"], so_code="SO1B", stage_id=70)


def settings(**changes: Any) -> Callable[[House], None]:
    def change(house: House) -> None:
        khaos = {**KHAOS, **changes.get("khaos", {})}
        house.settings = some_settings(storefront=CONNECTED, **{**changes, "khaos": khaos})

    return change


@pytest.mark.parametrize(
    ("hinder", "why"),
    [
        (settings(khaos={"cancels_orders": False}), ""),
        (settings(mode="assist"), ""),
        (settings(daily_document_cap=0), "the cap of the day is reached"),
        (settings(daily_value_cap_pounds=14), "the cap of the day is reached"),
        (settings(post_from=date(2026, 8, 1)), "it was cancelled before KHAOS_SWAP_POST_FROM, 2026-08-01"),
        (held, "the feed is held by Kim"),
        (without, "CancelOrder is missing from the web service"),
        (split, "2 Sales Orders of it are open or sent, so a person decides which to cancel"),
    ],
)
def test_nothing_is_asked_where_it_may_not_be_and_the_task_says_why(
    house: House, hinder: Callable[[House], None], why: str
) -> None:
    house.sell(1)
    hinder(house)
    house.look()
    assert "CancelOrder" not in house.line.asked
    assert house.ask(CALLS) == []
    told = house.tasks().get("#LX1", "").partition("; Khaos was not asked to cancel it: ")[2]
    assert told.startswith(why)
    assert bool(told) == bool(why)


def test_an_operation_with_a_parameter_that_nobody_knows_is_not_called(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = Operation("string", {"OrderCode": "string", "Mode": "int"})
    monkeypatch.setitem(cast(dict[str, Operation], OPTIONAL), "CancelOrder", odd)
    house.sell(1)
    house.look()
    assert "asks for parameters that are not known: OrderCode, Mode" in house.tasks()["#LX1"]
    assert "CancelOrder" not in house.line.asked


def test_calls_count_for_the_caps_of_the_day(house: House) -> None:
    settings(daily_document_cap=2)(house)
    for number in (1, 2, 3):
        house.sell(number)
    house.look()
    assert len(house.ask(CALLS)) == 2
    house.now += timedelta(days=1)
    for order in house.state.world.orders.values():
        order.ordered_at += timedelta(days=1)
    house.look()
    assert [state for _, state, _ in house.ask(CALLS)] == ["verified"] * 3


@pytest.fixture
def raced(house: House) -> list[dict[str, Any]]:
    """The report of four orders, as the command prints it: stopped by us, by people, sent after packing, and open."""
    house.sell(1)
    by_people, packed = house.sell(2, 12), house.sell(3, 12)
    house.sell(4, 20)
    house.look()
    by_people.is_cancelled, packed.stage_id = True, 13
    house.look()
    packed.stage_id, packed.issued_at = 70, house.now
    house.look()
    reach = Reach(lambda: lend(house.url), lambda: house.settings, cast(Any, None), lambda: house.now)
    command = ["list", "--json"]
    told = CliRunner().invoke(cancellations_app(reach), command)
    assert "sent, no return yet" in CliRunner().invoke(cancellations_app(reach), command[:1]).stdout
    return cast(list[dict[str, Any]], json.loads(told.stdout))


def test_the_race_is_told_order_by_order_with_what_it_cost(raced: list[dict[str, Any]]) -> None:
    rows = {row["order"]: row for row in raced}
    assert list(faults_of(raced)) == []
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "#LX1": "cancelled in Khaos by Khaos Swap",
        "#LX2": "cancelled in Khaos",
        "#LX3": "sent, no return yet",
        "#LX4": "open: processing",
    }
    seen = [NOW + timedelta(minutes=2 * look) for look in (0, 1, 2, 3)]
    steps = [rows["#LX3"][name] for name in ("cancelled", "picked", "packed", "shipped")]
    assert steps == [moment.isoformat() for moment in seen]
    assert rows["#LX3"]["shipped_on"] == NOW.date().isoformat()
    assert (rows["#LX3"]["cost_pence"], rows["#LX3"]["cost_is"]) == (1000, "goods as Khaos sold them, with VAT")
    assert {rows[name]["cost_pence"] for name in ("#LX1", "#LX2", "#LX4")} == {0}
    assert (rows["#LX1"]["stopped"], rows["#LX2"]["stopped"]) == (seen[1].isoformat(), seen[2].isoformat())
