"""Attacks on the posting path from start to end: the world changes at the worst moment, and no document is wrong.

Belongs here: what happens between draft, plan, hand-out and witness, in a whole town. Stays out: the engine's rules one
by one (``test_engine``, ``test_feed``) and random histories (``test_histories``).
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.credit_notes.linking import undo
from khaos_swap_assets.stages.credit_notes.people import Person, resolve_not_posted
from khaos_swap_assets.stages.credit_notes.posting import post
from khaos_swap_assets_tests.domain.payments import a_payment
from khaos_swap_assets_tests.domain.test_settlement import CHARGED, CHOSEN
from khaos_swap_assets_tests.stages.storefront.shop import MoneyTown
from khaos_swap_assets_tests.stages.town import (
    NOON,
    Town,
    a_code,
    a_line,
    a_note,
    a_return,
    an_order,
    connect,
    some_settings,
)

KIM = Person("Kim", "looked it up")
WITHHELD = a_return(1, refund_pence=705, handling_fee_pence=295)


def values(town: Town) -> list[int]:
    """What Khaos credited under our references."""
    return [note.gross_pence for note in town.khaos.notes.values() if note.associated_ref.startswith("RMA")]


def states(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT reference, state FROM recon.postings ORDER BY reference")


def go_on(town: Town, rounds: int = 2) -> None:
    """Further runs, each with a pull."""
    for _ in range(rounds):
        town.sync()
        town.pull()


def planned(town: Town, *some: Any) -> Town:
    town.sells_and_takes_back(*(some or (a_return(1),)))
    town.sync()
    return town


def posted(town: Town, *some: Any) -> Town:
    planned(town, *some).pull()
    town.sync()
    return town


def test_what_leaves_after_the_policy_changed_is_what_was_planned_with_its_version(town: Town) -> None:
    town.khaos.items["PART_PAYMENT"] = a_code("PART_PAYMENT")
    town.policy = CHARGED
    planned(town, WITHHELD)
    document = town.ask("SELECT document FROM recon.postings")
    town.policy = CHOSEN
    town.pull()
    go_on(town)
    assert values(town) == [1000]
    assert town.ask("SELECT document FROM recon.postings") == document
    assert town.ask("SELECT policy_version FROM recon.drafts") == [(CHARGED.version,)]


@pytest.mark.parametrize(
    ("refunded_at", "day", "month"),
    [
        (datetime(2026, 3, 31, 22, 59, tzinfo=UTC), "2026-03-31", "2026-03"),
        (datetime(2026, 3, 31, 23, 0, tzinfo=UTC), "2026-04-01", "2026-04"),
        (datetime(2026, 3, 28, 23, 59, tzinfo=UTC), "2026-03-28", "2026-03"),
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), "2026-10-25", "2026-10"),
        (datetime(2026, 10, 25, 23, 59, tzinfo=UTC), "2026-10-25", "2026-10"),
        (datetime(2026, 10, 31, 23, 59, tzinfo=UTC), "2026-10-31", "2026-10"),
    ],
)
def test_the_tax_point_and_the_month_are_londons(town: Town, refunded_at: datetime, day: str, month: str) -> None:
    town.now = refunded_at + timedelta(minutes=10)
    moments = {"processed_at": refunded_at, "closed_at": refunded_at, "updated_at": refunded_at}
    planned(town, a_return(1, submitted_at=refunded_at - timedelta(days=3), **moments))
    ((document,),) = town.ask("SELECT document::text FROM recon.postings")
    assert json.loads(document)["CreatedDate"].startswith(day)
    assert town.one("SELECT period FROM recon.reconciliation") == month


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        (datetime(2026, 10, 24, 23, 5, tzinfo=UTC), datetime(2026, 10, 25, 23, 55, tzinfo=UTC), 1),
        (datetime(2026, 10, 25, 23, 55, tzinfo=UTC), datetime(2026, 10, 26, 0, 5, tzinfo=UTC), 2),
        (datetime(2026, 3, 31, 22, 55, tzinfo=UTC), datetime(2026, 3, 31, 23, 5, tzinfo=UTC), 2),
        (datetime(2026, 3, 29, 0, 5, tzinfo=UTC), datetime(2026, 3, 29, 22, 55, tzinfo=UTC), 1),
    ],
)
def test_the_cap_of_a_day_is_of_a_london_day(town: Town, first: datetime, second: datetime, count: int) -> None:
    town.with_settings(daily_document_cap=1)
    town.now = first - timedelta(minutes=1)
    moments = dict.fromkeys(("processed_at", "closed_at", "updated_at", "submitted_at"), first - timedelta(hours=1))
    posted(town, a_return(1, **moments), a_return(2, **moments))
    town.now = second - timedelta(minutes=1)
    town.sync()
    town.pull()
    assert len(values(town)) == count


def three_of_one_customer(town: Town) -> None:
    """Staff credited two returns with one note; a third of the same goods comes after that."""
    town.khaos.sell(*(an_order(number, customer_code="C1") for number in (1, 2, 3)))
    town.swap.put(a_return(1), a_return(2))
    town.khaos.notes["CN1"] = a_note("CN1", 2000, lines=(("HAT", 2),), associated_ref="RMA1 RMA2")
    town.sync()
    assert town.one("SELECT count(*) FROM recon.note_links") == 2
    town.edit(a_return(3))


def test_a_note_of_two_returns_neither_holds_nor_covers_a_third(town: Town) -> None:
    three_of_one_customer(town)
    town.sync()
    assert [note.associated_ref for note in town.pull()] == ["RMA3"]
    go_on(town)
    assert states(town) == [("RMA3", "confirmed")]
    assert town.kinds() == {}


def test_a_note_of_two_returns_whose_links_a_person_took_back_holds_all_three_and_is_told(town: Town) -> None:
    three_of_one_customer(town)
    with connect(town) as conn:
        undo(conn, "CN1", KIM, now=town.now)
    go_on(town)
    assert [row for row in states(town) if row[1] != "withdrawn"] == []
    assert town.kinds() == {"credit_note_orphan": "CN1"}


PARTS = (("HAT", 1), ("CAP", 1))


@pytest.mark.parametrize("is_planned", [False, True])
@pytest.mark.parametrize(("sold", "credited"), [("SET", "CAP"), ("CAP", "SET")])
def test_a_pack_that_staff_credited_by_a_part_at_another_value_is_not_credited_again(
    town: Town, sold: str, credited: str, is_planned: bool
) -> None:
    town.sells_and_takes_back(a_return(1, a_line(sold, 1, 3000)))
    town.khaos.items["SET"] = replace(a_code("SET"), pack_components=PARTS)
    if is_planned:
        town.sync()
    town.khaos.notes["CN1"] = a_note("CN1", 2500, lines=((credited, 1),))
    go_on(town)
    assert values(town) == []


@pytest.fixture
def shop(database_url: str) -> MoneyTown:
    connected = StorefrontSettings(url="https://shop.example", access_token=SecretStr("t"), poll_minutes=0)
    return MoneyTown(database_url, some_settings(storefront=connected))


def void(shop: MoneyTown) -> None:
    """The payment failed after all."""
    (refund,) = shop.shop.refunds.values()
    gone = tuple(replace(one, status="FAILURE") for one in refund.transactions)
    shop.shop.refunds[refund.refund_id] = replace(refund, transactions=gone, total_pence=0)


def paid(shop: MoneyTown) -> None:
    shop.sells_and_takes_back(a_return(1, order_id="id1"))
    shop.shop.pay(1, 1000)
    shop.sync()


def test_a_payment_that_fails_before_the_document_left_takes_it_back(shop: MoneyTown) -> None:
    paid(shop)
    void(shop)
    go_on(shop)
    assert (values(shop), states(shop)) == ([], [("RMA1", "withdrawn")])


def test_a_payment_that_fails_after_the_document_left_is_told_and_nothing_leaves_again(shop: MoneyTown) -> None:
    paid(shop)
    shop.pull()
    void(shop)
    go_on(shop, 3)
    shop.shop.refunds["F2"] = replace(
        shop.shop.refunds["F1"], refund_id="F2", total_pence=1000, transactions=(a_payment(1000, number="T2"),)
    )
    go_on(shop, 3)
    assert (values(shop), states(shop)) == ([1000], [("RMA1", "confirmed")])


@pytest.mark.parametrize(
    "between", [{"status": "Cancelled"}, {"status": "Open"}, {"quality_control_status": "Pending"}]
)
def test_a_return_that_ends_or_opens_again_after_its_note_gets_no_second_one(town: Town, between: Any) -> None:
    posted(town)
    town.edit(a_return(1, **between))
    go_on(town)
    town.edit(a_return(1))
    go_on(town)
    assert (values(town), states(town)) == ([1000], [("RMA1", "confirmed")])


def test_a_refund_that_changes_while_khaos_is_searched_leaves_only_as_it_is_then(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.khaos.sell(an_order(1, ("HAT", 2)))
    town.swap.put(a_return(1))
    town.read()
    draft_waiting(town.tools)
    search = town.khaos.export_order_status

    def meanwhile(**asked: Any) -> Any:
        monkeypatch.setattr(town.khaos, "export_order_status", search)
        town.edit(a_return(1, a_line("HAT", 2, 1900)))
        town.read()
        draft_waiting(town.tools)
        return search(**asked)

    monkeypatch.setattr(town.khaos, "export_order_status", meanwhile)
    town.now += timedelta(minutes=1)
    post(town.tools)
    town.pull()
    go_on(town)
    assert values(town) == [1900]


@pytest.mark.parametrize("mode", ["audit", "assist"])
def test_a_mode_that_changes_with_a_document_out_sends_nothing_again(town: Town, mode: str) -> None:
    planned(town).pull()
    note = town.khaos.notes.popitem()
    post_from = None if mode == "audit" else date(2026, 1, 1)
    town.with_settings(mode=mode, post_from=post_from)
    town.token = ""
    go_on(town)
    town.khaos.notes.update([note])
    town.sync()
    town.with_settings()
    town.token = ""
    go_on(town)
    assert (values(town), states(town)) == ([1000], [("RMA1", "confirmed")])


def test_an_order_whose_customer_changes_after_planning_is_credited_to_the_right_one(town: Town) -> None:
    planned(town)
    town.khaos.orders = [replace(one, customer_code="C9") for one in town.khaos.orders]
    town.swap.put(a_return(1, updated_at=town.now, order_name="#LX1 "))
    town.do("UPDATE khaos.wanted_orders SET state = 'waiting'")
    go_on(town, 3)
    assert [(note.customer_code, note.gross_pence) for note in town.khaos.notes.values()] == [("C9", 1000)]


def test_an_order_that_is_renamed_after_planning_is_credited_once(town: Town) -> None:
    planned(town)
    town.khaos.sell(an_order(2, customer_code="C2"))
    town.edit(a_return(1, order_name="#LX2"))
    go_on(town)
    town.edit(a_return(1))
    go_on(town)
    assert values(town) == [1000]
    assert {note.customer_code for note in town.khaos.notes.values()} == {"C2"}


def test_a_further_refund_after_a_refused_document_posts_only_what_is_further(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 1), ("CAP", 1)))
    town.swap.put(a_return(1))
    town.sync()
    town.pull()
    town.khaos.notes.clear()
    town.sync()
    with connect(town) as conn:
        resolve_not_posted(conn, "RMA1", KIM, now=town.now)
    town.edit(a_return(1, a_line("HAT"), a_line("CAP", pence=500), refund_pence=1500))
    go_on(town, 3)
    assert [(note.associated_ref, note.gross_pence) for note in town.khaos.notes.values()] == [("RMA1-2", 500)]
    assert ("RMA1", "refused") in states(town)
    assert town.kinds()["posting_refused"] == "RMA1"


def test_nothing_told_of_a_run_holds_a_name_an_address_or_a_key(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    posted(town, a_return(1), a_return(2))
    town.khaos.notes["CN9"] = a_note("CN9", 900, associated_ref="RMA3")
    go_on(town)
    tables = ("recon.postings", "recon.drafts", "recon.exceptions", "recon.findings", "recon.audit_log")
    told = str([town.ask(f"SELECT to_jsonb(t)::text FROM {table} t") for table in tables]) + caplog.text
    for secret in ("Mill Lane", "Hull", "Surname", town.settings.seal_key.get_secret_value()):
        assert secret not in told
    assert NOON.date().isoformat()[:4] in told
