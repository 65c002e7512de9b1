"""What an agent reads out about a refund."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.domain.judging.document_facts import NoteFacts
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.verdict import judge
from khaos_swap_assets.domain.refunds.money_shown import Money
from khaos_swap_assets.domain.reporting.refund_story import ArrivalDays, Story, tell
from khaos_swap_assets_tests.domain.cases import (
    LATE,
    LIMITS,
    REFUNDED,
    SOON,
    a_line,
    a_note,
    a_posting,
    a_return,
    some_facts,
)
from khaos_swap_assets_tests.domain.payments import a_payment, a_refund

ARRIVAL_DAYS = 10


def story(facts: ReturnFacts, now: Any = SOON) -> Story:
    return tell(facts, judge(facts, LIMITS, now), now, ArrivalDays(ARRIVAL_DAYS, {"paypal": 1}))


def paid(**changes: Any) -> Money:
    return Money("paid", (a_refund("F1", a_payment(processed_at=REFUNDED, **changes)),))


@pytest.mark.parametrize(
    ("gateway", "days"), [("shopify_payments", ARRIVAL_DAYS), ("PayPal", 1), ("paypal", 1), ("", ARRIVAL_DAYS)]
)
def test_each_method_has_its_usual_days(gateway: str, days: int) -> None:
    late = REFUNDED + timedelta(days=days)
    told = [story(some_facts(money=paid(gateway=gateway)), at).money[1] for at in (late, late + timedelta(days=1))]
    assert ["usually" in told[0], "should have" in told[1]] == [True, True]


def test_the_days_of_methods_come_from_the_settings() -> None:
    assert ArrivalDays.of(7, " PayPal:1, klarna:14,") == ArrivalDays(7, {"paypal": 1, "klarna": 14})
    assert ArrivalDays.of(7, "") == ArrivalDays(7)


@pytest.mark.parametrize(
    ("days", "owner", "told"),
    [
        (13, "nobody yet", "its Credit Note is on its way; the last day for it is 23 March 2026"),
        (14, "operations", "its Credit Note is on its way, and its last day was 23 March 2026"),
    ],
)
def test_a_planned_credit_note_has_a_last_day_and_an_owner_after_it(days: int, owner: str, told: str) -> None:
    """U-3: 14 days that begin with the day of the refund."""
    facts = some_facts(postings=(a_posting("planned"),))
    (step,) = story(facts, REFUNDED + timedelta(days=days)).next_steps
    assert (step.owner, step.what, "postings list" in step.action) == (owner, told, owner == "operations")


def test_the_goods_say_where_each_unit_is() -> None:
    line = a_line(quantity=3, sellable_quantity=1, damaged_quantity=1)
    told = story(some_facts(lines=(line,))).goods
    assert told[0] == "3 × ABC, £50.00: refund, 1 sellable, 1 damaged, 1 not inspected yet"
    assert told[1] == "the parcel came back on 9 March 2026"


def test_paid_money_says_when_how_and_what_to_quote_to_the_bank() -> None:
    money = paid(gateway="shopify_payments", number="T77")
    facts = some_facts(money=money)
    assert story(facts).money == (
        "£50.00 were refunded on 10 March 2026 by shopify_payments",
        "it is usually there by 20 March 2026; if not, escalate from 21 March 2026; "
        "the bank can look for reference T77",
    )
    assert "should have been there by 20 March 2026: escalate" in story(facts, LATE).money[1]


def test_the_last_usual_day_is_not_late_yet() -> None:
    facts = some_facts()
    assert "usually" in story(facts, REFUNDED + timedelta(days=ARRIVAL_DAYS)).money[1]
    assert "should have" in story(facts, REFUNDED + timedelta(days=ARRIVAL_DAYS + 1)).money[1]


def test_a_gift_card_has_no_bank_to_ask() -> None:
    facts = some_facts(money=paid(gateway="gift_card"))
    assert story(facts).money == ("£50.00 were refunded on 10 March 2026 by gift_card",)


def test_unpaid_money_says_until_when_the_law_gives_time() -> None:
    """U-10: the goods came back on 9 March, so 23 March is the last day."""
    open_ = a_return(status="Open", processed_at=None, closed_at=None)
    told = story(some_facts(open_))
    assert told.money == (
        "£50.00 are to be refunded, and no payment is shown: Swap says Open",
        "it is due by 23 March 2026, 14 days after the goods came back",
    )
    assert told.next_steps[0].owner == "cx"
    assert "Process it in Swap by 23 March 2026" in told.next_steps[0].action


def test_the_credit_names_the_note_and_whether_it_moved_the_ledger() -> None:
    note = a_note(5000, "CN7")
    facts = some_facts(notes=(NoteFacts(note, "R1", "RMA1001"),))
    assert story(facts).credit == (f"Credit Note CN7 of £50.00, {note.issued_words}",)
    loose = replace(note, issued_on=None, stage_id=10)
    facts = replace(facts, notes=(NoteFacts(loose, "R1", "RMA1001"),))
    assert story(facts).credit == ("Credit Note CN7 of £50.00, not issued yet",)
    assert story(some_facts()).credit == ("no Credit Note yet",)


@pytest.mark.parametrize("now", [SOON, LATE])
def test_who_acts_next_is_who_the_catalogue_names(now: Any) -> None:
    unknown = a_line(stock_code=None, problem="sku_unknown", suggestion="ABD")
    step = story(some_facts(lines=(unknown,)), now).next_steps[0]
    assert (step.owner, step.what) == ("data management", "No Stock Code equals the SKU ABC")
    assert step.action


def test_a_settled_return_leaves_nothing_to_do() -> None:
    facts = some_facts(notes=(NoteFacts(a_note(5000, "CN7"), "R1", "RMA1001", 0),))
    steps = story(facts).next_steps
    assert [(step.owner, step.what) for step in steps] == [("nobody", "nothing is left to do")]
