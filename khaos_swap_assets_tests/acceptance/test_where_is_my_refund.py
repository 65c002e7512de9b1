"""Where is my refund? What an agent reads out, by RMA and by order: goods, money, credit, who acts next and by when.

Belongs here: ``khaos-swap returns show`` in each state of a return. Stays out: the same on the desk's pages.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from khaos_swap_assets_tests.acceptance.conftest import settings
from khaos_swap_assets_tests.acceptance.office import Office, office
from khaos_swap_assets_tests.acceptance.swap_wire import closed, product
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED

__all__ = ["office"]
OPEN = {"return_status": "Open", "quality_control_status": "", "rma_processed": "N/A", "date_closed": "N/A"}
TRAVELS = {"delivery_status": "In transit", "delivered_date": "N/A", "quality_control_status": ""}
OWNERS = {"cx", "finance", "operations", "data management", "engineer"}
A_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2} [A-Z][a-z]+ \d{4}")


def shown(office: Office, name: str) -> dict[str, Any]:
    """The only return of this name, as a program gets it."""
    done = office.asks("returns", "show", name, "--json")
    assert done.exit_code == 0, done.output
    (one,) = json.loads(done.stdout)
    assert isinstance(one, dict)
    return one


def said(one: dict[str, Any], *parts: str) -> str:
    return " / ".join(line for part in parts for line in one[part])


def steps(one: dict[str, Any]) -> str:
    return " / ".join(f"{step['owner']}: {step['what']} {step['action']}" for step in one["next_steps"])


@pytest.fixture
def states(office: Office) -> Office:
    """At noon of 10 March: RMA1 travels, RMA2 is inspected and not paid, RMA3 paid, RMA4 paid and credited."""
    office.trades(closed(1, **OPEN | TRAVELS), closed(2, **OPEN | {"quality_control_status": "Approved"}), closed(3))
    office.shop.pay(3, 1000, gateway="shopify_payments", payment="T3")
    office.refunds(closed(4, product(cost=12.5)))
    office.runs()
    return office


def test_waiting_for_goods(states: Office) -> None:
    one = shown(states, "RMA1")
    assert (one["status"], one["refund_pence"], one["credited_pence"]) == ("Open", 0, 0)
    assert "£10.00 are to be refunded, and no payment is shown" in said(one, "money")
    assert "no Credit Note yet" in said(one, "credit")
    assert "came back" not in said(one, "goods")


def test_waiting_for_goods_names_who_acts_next_and_by_when_and_that_they_travel(states: Office) -> None:
    """Issue, 3: who acts next, by when. It is the customer or the carrier who acts, and the goods have not come."""
    one = shown(states, "RMA1")
    assert one["next_steps"][0]["owner"] not in {"Swap", "nobody"}
    assert A_DAY.search(steps(one) + said(one, "money"))
    assert re.search("transit|on (its|their) way|not (come|arrived|back)", said(one, "goods"))


def test_inspected_not_refunded_is_due_14_days_after_the_goods_came_back(states: Office) -> None:
    one = shown(states, "RMA2")
    assert "1 sellable" in said(one, "goods")
    assert "the parcel came back on 6 March 2026" in said(one, "goods")
    assert "it is due by 20 March 2026" in said(one, "money")
    assert "no payment is shown" in said(one, "money")
    assert A_DAY.search(steps(one))


def test_inspected_not_refunded_names_a_person_before_it_is_late(states: Office) -> None:
    """Issue, 3: who acts next. It is CX who processes the return, as this page says itself on the 15th day."""
    assert {step["owner"] for step in shown(states, "RMA2")["next_steps"]} <= OWNERS


def test_inspected_and_not_refunded_in_time_is_cx(states: Office) -> None:
    states.now = datetime(2026, 3, 21, 12, tzinfo=UTC)
    states.runs()
    (step,) = shown(states, "RMA2")["next_steps"]
    assert (step["owner"], "2026-03-20" in step["what"], bool(step["action"])) == ("cx", True, True)


def test_refunded_not_credited_says_when_how_and_what_is_planned(states: Office) -> None:
    one = shown(states, "RMA3")
    assert (one["refund_pence"], one["credited_pence"], one["gap_pence"]) == (1000, 0, -1000)
    assert "£10.00 were refunded on 9 March 2026 by shopify_payments" in said(one, "money")
    assert "a Credit Note of £10.00 is planned" in said(one, "credit")


def test_refunded_not_credited_names_by_when(states: Office) -> None:
    """U-3: paid on 9 March, so the Credit Note's last day is 22 March."""
    assert re.search("22 March 2026|2026-03-22", steps(shown(states, "RMA3")) + said(shown(states, "RMA3"), "credit"))


def test_what_is_not_credited_after_its_14_days_is_not_within_its_limit(states: Office) -> None:
    """U-3: breach on 23 March. The document waits in the feed and Khaos has not come for it."""
    states.now = datetime(2026, 3, 24, 12, tzinfo=UTC)
    states.runs()
    one = shown(states, "RMA3")
    assert {step["owner"] for step in one["next_steps"]} <= OWNERS
    assert "within its limit" not in steps(one)


@pytest.mark.parametrize(
    ("days", "now", "told"),
    [
        (10, 19, "it is usually there by 19 March 2026; if not, escalate from 20 March 2026"),
        (10, 20, "it should have been there by 19 March 2026: escalate to finance if it is not"),
        (5, 14, "it is usually there by 14 March 2026; if not, escalate from 15 March 2026"),
        (5, 15, "it should have been there by 14 March 2026: escalate to finance if it is not"),
    ],
)
def test_after_payment_the_days_the_reference_and_from_when_to_escalate(
    office: Office, days: int, now: int, told: str
) -> None:
    office.settings = settings(storefront=CONNECTED, refund_arrival_days=days)
    office.refunds(closed(4, product(cost=12.5)))
    office.now = datetime(2026, 3, now, 12, tzinfo=UTC)
    office.runs()
    one = shown(office, "RMA4")
    assert "£12.50 were refunded on 9 March 2026 by paypal" in said(one, "money")
    assert told in said(one, "money")
    assert "the bank can look for reference T4" in said(one, "money")
    assert "Credit Note CN4 of £12.50" in said(one, "credit")
    assert [step["owner"] for step in one["next_steps"]] == ["nobody"]


def test_a_refund_in_two_payments_tells_both(office: Office) -> None:
    office.trades(closed(1, product(cost=120.0)))
    for number, pence in ((1, 5000), (2, 7000)):
        paid = datetime(2026, 3, 7 + number, 12, tzinfo=UTC)
        office.shop.pay(1, pence, f"F{number}", gateway="paypal", payment=f"T{number}", at=paid)
    office.runs()
    told = said(shown(office, "RMA1"), "money")
    assert all(part in told for part in ("£50.00", "8 March 2026", "T1", "£70.00", "9 March 2026", "T2")), told


def test_without_a_storefront_it_is_swap_that_says_so(office: Office) -> None:
    office.settings = settings()
    office.trades(closed(1), closed(2, rma_processed="N/A"))
    office.runs()
    one, two = shown(office, "RMA1"), shown(office, "RMA2")
    assert "Swap says that £10.00 were refunded on 9 March 2026" in said(one, "money")
    assert "reference" not in said(one, "money")
    assert "no payment is shown" in said(two, "money")
    assert [step["owner"] for step in two["next_steps"]] == ["cx"]


@pytest.mark.parametrize(
    ("kind", "owner"),
    [("sku", "data management"), ("order", "cx"), ("value", "finance"), ("goods", "operations"), ("money", "cx")],
)
def test_whose_turn_it_is_and_what_they_do(office: Office, kind: str, owner: str) -> None:
    one = closed(1, product("HAT-X") if kind == "sku" else product(), **(TRAVELS if kind == "goods" else {}))
    if kind == "order":
        office.swaps.put(one)
    else:
        office.books.sell(1)
        office.swaps.put(one)
    if kind == "value":
        office.notes("CN1", 1, ("HAT", 1, "8.00"))
    if kind != "money":
        office.shop.pay(1, 1000)
    office.now += timedelta(days=22 if kind == "goods" else 4)
    office.runs()
    found = shown(office, "RMA1")["next_steps"]
    assert (owner in {step["owner"] for step in found}, all(step["action"] for step in found)) == (True, True), found


def test_it_is_found_by_rma_and_by_order_with_or_without_a_hash(states: Office) -> None:
    (told,) = {states.asks("returns", "show", name).stdout for name in ("RMA4", "#RMA4", "LX4", "#LX4")}
    heads = ["RMA4, order #LX4: Closed", "Goods", "Money", "Credit", "Who acts next"]
    assert [line for line in told.splitlines() if line and not line.startswith(" ")] == heads
    one = shown(states, "#LX4")
    sentences = [*one["goods"], *one["money"], *one["credit"], *(step["what"] for step in one["next_steps"])]
    read = " ".join(told.split())
    assert all(" ".join(line.split()) in read for line in sentences)


def test_an_order_shows_each_of_its_returns_apart(office: Office) -> None:
    office.books.sell(1, ("HAT", 1, "10.00"), ("CAP", 1, "12.00"))
    office.swaps.put(closed(1), closed(2, product("CAP", 12.0), shopify_order_name="#LX1"))
    office.shop.pay(1, 1000, "F1", payment="T1")
    office.runs()
    both = json.loads(office.asks("returns", "show", "#LX1", "--json").stdout)
    assert [(one["rma"], one["order_name"], one["refund_pence"]) for one in both] == [
        ("RMA1", "#LX1", 1000), ("RMA2", "#LX1", 0),
    ]  # fmt: skip


def test_json_has_whole_pence_with_their_currency_and_no_fraction(states: Office) -> None:
    for name in ("RMA1", "RMA2", "RMA3", "RMA4"):
        one = shown(states, name)
        pence = {key: value for key, value in one.items() if key.endswith("_pence")}
        assert set(pence) == {"refund_pence", "credited_pence", "gap_pence"}
        assert (one["currency"], {type(value) for value in pence.values()}) == ("GBP", {int})
        assert one["gap_pence"] == one["credited_pence"] - one["refund_pence"]
        assert {tuple(step) for step in one["next_steps"]} == {("owner", "what", "action")}
        assert not any(isinstance(value, float) for value in one.values())


def test_what_nobody_returned_is_said_and_nothing_else_is_shown(states: Office) -> None:
    for name in ("RMA99", "#LX99", "", "' OR 1=1 --", "%", "RMA_"):
        done = states.asks("returns", "show", name)
        assert (done.exit_code, "RMA4" in done.output) == (2, False), name
        assert "no return in Swap has the RMA or the order" in done.output


def test_no_control_character_of_a_return_reaches_the_terminal(office: Office) -> None:
    office.trades(closed(1, product("HAT\x1b[31m")))
    office.shop.pay(1, 1000)
    office.settings = settings(storefront=CONNECTED, period_start=date(2026, 1, 1))
    office.runs()
    assert "\x1b" not in office.asks("returns", "show", "RMA1").output
