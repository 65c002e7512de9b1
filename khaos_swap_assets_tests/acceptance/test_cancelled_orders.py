"""Orders that the shop cancelled are stopped in Khaos, or a person is told at once (khaos.md §4.1, §7.7, §11.5).

Belongs here: each stage, refusal and answer of CancelOrder, parts of an order, what left too late. Stays out: kills.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from khaos_swap_assets.cli.cancellations import cancellations_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.domain.refunds.payments import RefundLine
from khaos_swap_assets_tests.acceptance.conftest import settings
from khaos_swap_assets_tests.acceptance.khaos_wire import Sold
from khaos_swap_assets_tests.acceptance.office import Office, Row
from khaos_swap_assets_tests.acceptance.swap_wire import closed
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED
from khaos_swap_assets_tests.stages.town import NOON

TODAY, OLD = "10/03/2026", "06/03/2026"
BEFORE = (9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
EDITABLE = {9, 10, 11, 17, 18, 19, 21}
SENT = (70, 71, 72, 73)
STILL_OPEN, WENT = "cancelled_order_open", "cancelled_order_sent"
REFUSALS = (
    "Order mismatch: the Associated Ref belongs to another order",
    "This is not a web-service order",
    "The order was not imported by web services",
    "The invoice is not in an editable stage",
    "The order cannot be cancelled",
    "The order cannot be edited",
    "The order is already shipping",
    "The order has already been shipped",
    "The invoice has already been issued",
    "The payment has already been processed",
    "The payment cannot be deleted: it is too old",
)


@pytest.fixture
def shop(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A merchant whose Khaos has the add-on, and who lets it be used."""
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: None)
    opened = Office(database_url, settings(storefront=CONNECTED, khaos={"cancels_orders": True}))
    opened.books.cancels = stops
    yield opened
    opened.closes()


def stops(order: Sold) -> str:
    """Khaos cancels it and says so."""
    order.is_cancelled, order.stage = True, 1
    return "Order cancelled"


def sells(shop: Office, number: int, stage: int = 10, day: str = TODAY, *, is_cancelled: bool = True) -> Sold:
    """Order #LX<number>, a HAT of £12.50, at this stage; the shop cancelled it an hour ago."""
    shop.books.sell(number, ("HAT", 1, "12.50"), day=day)
    order = shop.books.documents[f"SO{number}"]
    order.stage, order.is_issued = stage, stage >= 70
    if is_cancelled:
        shop.shop.cancel(number)
    return order


def calls(shop: Office) -> list[str]:
    return [params["OrderCode"] for operation, params in shop.books.asked if operation == "CancelOrder"]


def tasks(shop: Office, kind: str) -> dict[str, str]:
    """Owner by order."""
    return {row["subject"]: row["owner"] for row in shop.exceptions("--kind", kind)}


def race(shop: Office) -> dict[str, Row]:
    """``khaos-swap cancellations list --json``, by order."""
    reach = Reach(lambda: lend(shop.url), lambda: shop.settings, _no_khaos, lambda: shop.now)
    done = CliRunner().invoke(cancellations_app(reach), ["list", "--json"])
    assert done.exit_code == 0, done.output
    return {row["order"]: row for row in json.loads(done.stdout)}


def _no_khaos() -> Any:
    raise AssertionError("nothing here asks Khaos by hand")


def test_at_every_stage_it_is_cancelled_or_a_task_in_the_first_run(shop: Office) -> None:
    for stage in (*BEFORE, *SENT):
        sells(shop, stage, stage)
    shop.runs()
    assert calls(shop) == sorted(f"SO{stage}" for stage in EDITABLE)
    assert tasks(shop, STILL_OPEN) == {f"#LX{stage}": "operations" for stage in BEFORE if stage not in EDITABLE}
    assert tasks(shop, WENT) == {f"#LX{stage}": "cx" for stage in SENT}
    assert not shop.verdict("no_cancelled_order_is_being_picked").passed
    outcome = {name: (row["outcome"], row["cost_pence"]) for name, row in race(shop).items()}
    assert {outcome[f"#LX{stage}"][0] for stage in EDITABLE} == {"cancelled in Khaos by Khaos Swap"}
    assert {outcome[f"#LX{stage}"][1] for stage in BEFORE} == {0}
    assert {outcome[f"#LX{stage}"][1] for stage in SENT} == {1250}
    shop.runs()
    assert len(calls(shop)) == len(EDITABLE)
    assert "AmendOrder" not in {operation for operation, _ in shop.books.asked}


def test_once_all_are_stopped_or_sent_the_check_is_green(shop: Office) -> None:
    picked = sells(shop, 1, 12)
    sells(shop, 2)
    shop.runs()
    assert not shop.verdict("no_cancelled_order_is_being_picked").passed
    stops(picked)
    shop.runs()
    assert (tasks(shop, STILL_OPEN), calls(shop)) == ({}, ["SO2"])
    assert shop.verdict("no_cancelled_order_is_being_picked").passed
    assert race(shop)["#LX1"]["outcome"] == "cancelled in Khaos"


@pytest.mark.parametrize("as_fault", [True, False])
def test_each_documented_refusal_is_asked_once_and_told_in_the_words_of_khaos(shop: Office, *, as_fault: bool) -> None:
    words = {f"SO{number}": why for number, why in enumerate(REFUSALS, 1)}
    for number in range(1, len(REFUSALS) + 1):
        sells(shop, number)
    if as_fault:
        shop.books.refuses = lambda operation, params: words[params["OrderCode"]] if operation == "CancelOrder" else ""
    else:
        shop.books.cancels = lambda order: words[order.code]
    for _ in range(3):
        shop.runs()
    assert sorted(calls(shop)) == sorted(words)
    told = {row["subject"]: row["message"] for row in shop.exceptions("--kind", STILL_OPEN)}
    assert {name for name in told if words[name.replace("#LX", "SO")] in told[name]} == {
        f"#LX{number}" for number in range(1, len(REFUSALS) + 1)
    }


def odd(_: Sold) -> str:
    return "-1"


def nothing(_: Sold) -> str:
    return ""


def quietly(order: Sold) -> str:
    stops(order)
    return "?"


def test_an_answer_proves_nothing_the_order_read_back_does(shop: Office) -> None:
    """``ok`` is said of an order that stands as before; one that is cancelled is done whatever was said."""
    said: dict[str, Callable[[Sold], str]] = {"SO1": odd, "SO2": nothing, "SO3": quietly, "SO4": stops}
    for number in (1, 2, 3, 4):
        sells(shop, number)
    shop.books.cancels = lambda order: said[order.code](order)
    for _ in range(6):
        shop.runs()
    counted = {code: calls(shop).count(code) for code in said}
    assert counted == {"SO1": 3, "SO2": 3, "SO3": 1, "SO4": 1}
    assert tasks(shop, STILL_OPEN) == {"#LX1": "operations", "#LX2": "operations"}


@pytest.mark.parametrize("is_done", [True, False])
def test_after_a_call_without_an_answer_the_order_is_read_before_another(shop: Office, *, is_done: bool) -> None:
    order = sells(shop, 1)

    def cut(operation: str, _: Any) -> str:
        if operation == "CancelOrder" and len(calls(shop)) == 1:
            if is_done:
                stops(order)
            return "<html>Bad gateway</html>"
        return ""

    shop.books.spoils = cut
    for _ in range(3):
        shop.runs()
    operations = [operation for operation, _ in shop.books.asked]
    first = operations.index("CancelOrder")
    assert operations[first + 1] != "CancelOrder"
    assert len(calls(shop)) == (1 if is_done else 2)
    assert (order.is_cancelled, tasks(shop, STILL_OPEN)) == (True, {})


def test_what_khaos_would_not_cancel_is_not_asked_and_the_task_says_why(shop: Office) -> None:
    """Placed days ago; of another customer's sale that went out in part; both are for people."""
    sells(shop, 1, day=OLD)
    sells(shop, 2)
    shop.books.documents["SO2B"] = Sold("SO2B", "KCCLX2", "C2", shop.books.documents["SO2"].lines, TODAY)
    shop.runs()
    assert calls(shop) == []
    told = {row["subject"]: row["message"] for row in shop.exceptions("--kind", STILL_OPEN)}
    assert {name: "was not asked" in message for name, message in told.items()} == {"#LX1": True, "#LX2": True}


@pytest.mark.parametrize("changes", [{"mode": "assist"}, {"khaos": {"cancels_orders": False}}, {"mode": "audit"}])
def test_without_leave_to_write_it_is_a_task_alone(shop: Office, changes: dict[str, Any]) -> None:
    shop.settings = settings(**{"storefront": CONNECTED, "khaos": {"cancels_orders": True}} | changes)
    sells(shop, 1)
    shop.runs()
    assert (calls(shop), tasks(shop, STILL_OPEN)) == ([], {"#LX1": "operations"})


def test_without_the_add_on_it_is_a_task_alone(shop: Office) -> None:
    shop.books.cancels = None
    sells(shop, 1)
    shop.runs()
    assert (calls(shop), tasks(shop, STILL_OPEN)) == ([], {"#LX1": "operations"})


def test_cancelled_too_late_asks_cx_for_a_return_until_there_is_one(shop: Office) -> None:
    order = sells(shop, 1, 14)
    shop.runs()
    assert (tasks(shop, STILL_OPEN), tasks(shop, WENT)) == ({"#LX1": "operations"}, {})
    order.stage, order.is_issued = 70, True
    shop.runs()
    assert (tasks(shop, STILL_OPEN), tasks(shop, WENT)) == ({}, {"#LX1": "cx"})
    (row,) = shop.exceptions("--kind", WENT)
    assert row["money_at_risk_pence"] in (1000, 1250)
    told = race(shop)["#LX1"]
    assert (told["cost_pence"], told["shipped_on"], bool(told["packed"])) == (1250, "2026-03-10", True)
    opened = {"return_status": "Open", "rma_processed": "N/A", "date_closed": "N/A"}
    shop.swaps.put(closed(1, **opened, date_updated="10 Mar 2026, 12:02:00"))
    shop.runs()
    assert (tasks(shop, WENT), calls(shop)) == ({}, [])


def test_a_part_of_an_order_that_is_cancelled_is_a_task_in_the_first_run_and_khaos_is_not_asked(shop: Office) -> None:
    """#LX1 goes on without a HAT that Khaos picks all the same: AmendOrder is never called. #LX2 is cancelled whole."""
    sells(shop, 1, is_cancelled=False)
    sells(shop, 2)
    line = RefundLine("line_HAT", "HAT", 1, 1250, 208, "CANCEL", "77")
    for number in (1, 2):
        shop.shop.pay(number, 1250, payment=f"T{number}", lines=(line,), at=NOON)
    shop.runs()
    assert (calls(shop), tasks(shop, STILL_OPEN)) == (["SO2"], {"#LX1/HAT": "operations"})
    (message,) = (row["message"] for row in shop.exceptions() if row["subject"].startswith("#LX1"))
    assert "1 x HAT" in message
