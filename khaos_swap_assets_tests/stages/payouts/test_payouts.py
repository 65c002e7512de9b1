"""Payouts on a real database: in which of them each refund went, what opens and closes, and what a tick costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.store import payouts
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.due import local_reason
from khaos_swap_assets.stages.importing import Brought, import_payouts
from khaos_swap_assets.stages.payouts import assets
from khaos_swap_assets.stages.payouts.comparing import read_payouts
from khaos_swap_assets.stages.waivers import waive
from khaos_swap_assets_tests.adapters.storefront.shop import balance
from khaos_swap_assets_tests.domain.payouts import a_line, a_payout
from khaos_swap_assets_tests.stages.payouts.town import READ, PayingTown, a_town, credited
from khaos_swap_assets_tests.stages.tables import rows_of
from khaos_swap_assets_tests.stages.town import a_return, called, connect, some_settings


def line(number: int, gross: str = "-10.00", fee: str = "0.00", of: int = 1, **changes: Any) -> dict[str, Any]:
    """A line about the payment of order #LX<number>."""
    return balance(number, gross, fee, of, **{"sourceOrderTransactionId": f"TF{number}", **changes})


@pytest.fixture
def town(database_url: str) -> PayingTown:
    return a_town(database_url)


def test_every_refund_is_in_its_payout_and_the_check_is_green(town: PayingTown) -> None:
    credited(town)
    town.shop.pay_out(1, line(1, fee="0.25"), line(2), balance(3, "100.00", "2.00", type="CHARGE"))
    town.sync()
    assert town.rows() == [
        ("1", "1", "matched", -1000, 25, -1000, 0),
        ("1", "2", "matched", -1000, 0, -1000, 0),
    ]
    assert town.kinds() == {}
    verdict = called(assets.payouts_agree_with_credit_notes, town)
    assert verdict.passed, verdict.description
    assert "storefront/payouts 2026-03-1" in verdict.description
    shown = called(assets.reconciliation_payouts, town).metadata
    assert "| 2026-03 | shopify_payments | 1 | £77.75 | ‑£20.00 | £0.00 | £100.00 | ‑£2.25 | £0.00 |" in (
        shown["by_month"].value
    )
    first, *_ = rows_of(shown["side_by_side"])
    names = ("payout", "rma", "gross", "fee", "refund", "refunded on", "Credit Notes", "credited", "credited on")
    assert [first[name] for name in names] == [
        *("shopify_payments 1", "RMA1", "‑£10.00", "£0.25", "£10.00", "2026-03-09"),
        *("CN1", "£10.00", "2026-03-10"),
    ]
    assert "CHARGE" in str(called(assets.storefront_payouts, town).metadata["lines_of_no_refund"])


def test_without_payouts_it_compares_nothing_and_says_so(database_url: str) -> None:
    town = a_town(database_url, payouts=False)
    town.sync()
    verdict = called(assets.payouts_agree_with_credit_notes, town)
    assert verdict.description.startswith("not compared: No payouts are read. Set KHAOS_SWAP_STOREFRONT_PAYOUTS=true")
    assert town.shop.pages == []
    with connect(town) as conn:
        assert local_reason(conn, town.settings, town.now) != "time to read payouts"


def test_each_difference_opens_with_its_pence_and_closes_by_itself(town: PayingTown) -> None:
    credited(town)
    town.shop.pay_out(1, line(1, "-13.95"), line(9, "-35.00"), net="-50.00")
    town.sync()
    said = "SELECT kind, subject, money_at_risk_pence, owner FROM recon.exceptions WHERE closed_at IS NULL ORDER BY 1"
    assert town.ask(said) == [
        ("payout_amount_differs", "shopify_payments 1/1", 395, "finance"),
        ("payout_total_differs", "payout shopify_payments 1", 105, "finance"),
        ("payout_without_refund", "shopify_payments 1/9", 3500, "finance"),
    ]
    assert not called(assets.payouts_agree_with_credit_notes, town).passed
    town.sync(days=9)
    assert ("refund_not_in_payout", "refund TF2", 1000, "finance") in town.ask(said)
    town.shop.pay_out(1, line(1), net="-10.00", status="SCHEDULED")
    town.shop.pay_out(2, line(2, of=2))
    town.sync()
    assert town.ask(said) == []
    assert {row[2] for row in town.rows()} == {"matched"}


def test_a_refund_waits_for_its_payout_before_it_is_trouble(town: PayingTown) -> None:
    credited(town)
    town.shop.pay_out(1, line(1))
    town.sync(days=6)
    assert town.kinds() == {}
    town.sync(days=2)
    assert town.kinds() == {"refund_not_in_payout": "refund TF2"}


def test_a_gift_card_is_in_no_payout_and_missing_nowhere(town: PayingTown) -> None:
    """U-14: £10.00, of which £4.00 went back to a gift card."""
    refund = town.shop.refunds["F2"]
    card = replace(refund.transactions[0], amount_pence=600, shop_pence=600)
    gift = replace(card, transaction_id="TF2G", gateway="gift_card", amount_pence=400, shop_pence=400)
    town.shop.refunds["F2"] = replace(refund, transactions=(card, gift))
    credited(town)
    town.shop.pay_out(1, line(1), line(2, "-6.00"))
    town.sync(days=10)
    assert town.kinds() == {}
    assert [row[2:4] for row in town.rows()] == [("matched", -1000), ("matched", -600)]


def test_paid_out_and_not_credited_is_red_beside_the_exception_of_the_return(town: PayingTown) -> None:
    town.sync()
    town.shop.pay_out(1, line(1), line(2))
    town.now += timedelta(days=20)
    town.swap.put(a_return(1, order_id="id1", quality_control_status="Pending"))
    town.sync()
    assert "payout" not in " ".join(town.kinds())
    verdict = called(assets.payouts_agree_with_credit_notes, town)
    assert not verdict.passed
    assert "paid out and credited otherwise, each with an exception of its own: 1, £10.00" in verdict.description
    assert "RMA1" in str(verdict.metadata["credited_otherwise"])


def test_a_failed_payout_never_reached_the_bank(town: PayingTown) -> None:
    credited(town)
    town.shop.pay_out(1, line(1), line(2))
    town.sync()
    town.shop.pay_out(1, line(1), line(2), status="FAILED")
    town.shop.pay_out(2, line(1, of=2), line(2, of=2))
    town.sync()
    assert [(row[0], row[2]) for row in town.rows()] == [("2", "matched"), ("2", "matched")]
    assert town.kinds() == {}


def test_a_tick_asks_for_the_lines_of_what_changed_alone(town: PayingTown) -> None:
    credited(town)
    town.shop.pay_out(1, line(1))
    town.sync()
    town.shop.pay_out(2, line(2, of=2))
    town.shop.pages.clear()
    town.sync()
    assert town.shop.pages == ["", "2"]
    town.shop.pages.clear()
    town.sync()
    assert town.shop.pages == [""]
    town.with_settings(storefront=READ.model_copy(update={"payout_minutes": 60}))
    town.shop.pages.clear()
    town.sync(minutes=30)
    assert town.shop.pages == []


def test_one_payout_that_is_refused_is_kept_and_told_and_the_others_are_read(town: PayingTown) -> None:
    credited(town)
    town.shop.pay_out(1, line(1))
    town.shop.pay_out(2, line(2, of=2))
    town.shop.payout_errors["1"] = PermanentError("no such thing")
    town.sync()
    assert [row[:3] for row in town.rows()] == [("2", "2", "matched")]
    assert town.kinds() == {"record_refused": "Storefront payouts 1"}
    del town.shop.payout_errors["1"]
    town.sync()
    assert (town.kinds(), len(town.rows())) == ({}, 2)


def test_a_list_that_is_refused_ends_no_run_and_one_without_an_answer_fails_it(town: PayingTown) -> None:
    credited(town)
    town.shop.payout_errors[""] = PermanentError("ACCESS_DENIED")
    town.sync()
    assert town.kinds() == {"source_refused": "Storefront payouts"}
    town.shop.pages.clear()
    town.sync()
    assert town.shop.pages == [], "it pauses"
    town.shop.payout_errors[""] = TransientError("away")
    town.now += timedelta(hours=1)
    with pytest.raises(TransientError):
        read_payouts(town.tools)


def test_a_line_that_cannot_be_read_is_a_fault_and_told_until_it_can(town: PayingTown) -> None:
    credited(town)
    town.shop.pay_out(1, line(1), line(2) | {"fee": {"amount": "?", "currencyCode": "GBP"}}, net="-20.00")
    town.sync()
    assert [row[:3] for row in town.rows()] == [("1", "1", "matched")]
    assert town.ask("SELECT subject, reason FROM storefront.unreadable WHERE resolved_at IS NULL") == [
        ("payout 1", "line 2.fee: '?' is no amount of money")
    ]
    assert town.kinds()["payout_total_differs"] == "payout shopify_payments 1"
    town.shop.pay_out(1, line(1), line(2))
    town.sync()
    assert town.ask("SELECT subject FROM storefront.unreadable WHERE resolved_at IS NULL") == []
    assert town.kinds() == {}


def test_a_person_waives_a_difference_and_another_amount_opens_it_again(town: PayingTown) -> None:
    credited(town)
    town.shop.pay_out(1, line(1), line(2), line(9, "-35.00"))
    town.sync()
    with connect(town) as conn:
        number = town.one("SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL")
        waive(conn, number, Person("Kim", "goodwill, agreed by phone"), now=town.now)
    town.sync()
    assert town.kinds() == {}
    town.shop.pay_out(1, line(1), line(2), line(9, "-36.00"))
    town.sync()
    assert town.kinds() == {"payout_without_refund": "shopify_payments 1/9"}


BROUGHT = Brought("payouts.csv", "hash", "Kim")


def test_a_file_is_compared_at_the_next_run_and_twice_changes_nothing(town: PayingTown) -> None:
    town.shop.pay(1, 1000, gateway="stripe")
    credited(town)
    told = [a_payout(a_line(-1000, refund_id="F1"), provider="stripe", payout_id="po_1")]
    for changed in (1, 0):
        with connect(town) as conn, conn.transaction():
            assert import_payouts(conn, told, BROUGHT, town.now).changed == changed
    with connect(town) as conn:
        assert local_reason(conn, town.settings, town.now) == "payout to compare"
    town.sync()
    assert [(row[0], row[2]) for row in town.rows()] == [("po_1", "matched")]
    assert town.ask("SELECT kind, documents, changed, imported_by FROM recon.imports") == [("payouts", 1, 1, "Kim")]
    assert town.one("SELECT document FROM recon.audit_log WHERE what = 'imported'") == "payouts payouts.csv"


def test_a_file_takes_the_place_of_an_earlier_one_and_never_of_the_storefronts_word(town: PayingTown) -> None:
    credited(town)
    town.shop.pay_out(1, line(1))
    town.sync()
    files = [
        a_payout(a_line(-1), provider="shopify_payments", payout_id="1"),
        a_payout(a_line(-998, "B1", order_ref="#LX2"), a_line(-1, "B2", order_ref="#LX2")),
    ]
    with connect(town) as conn, conn.transaction():
        done = import_payouts(conn, files, BROUGHT, town.now)
    assert (done.payouts, done.changed, done.told_by_storefront) == (2, 1, 1)
    town.sync()
    assert [(row[0], row[2], row[3]) for row in town.rows()] == [
        ("1", "matched", -1000), ("P1", "differs", -998), ("P1", "unknown", -1),
    ]  # fmt: skip
    again = [replace(files[1], total_pence=None, lines=(a_line(-1000, "B9", order_ref="#LX2"),))]
    with connect(town) as conn, conn.transaction():
        import_payouts(conn, again, BROUGHT, town.now)
        assert payouts.known_hashes(conn, [("shopify_payments", "P1")])
    town.sync()
    assert [(row[0], row[2], row[3]) for row in town.rows()] == [("1", "matched", -1000), ("P1", "matched", -1000)]


def test_without_a_storefront_a_file_is_laid_beside_swaps_refunds(database_url: str) -> None:
    town = PayingTown(database_url, some_settings())
    town.sells_and_takes_back(a_return(1), a_return(2))
    town.sync()
    told = [
        a_payout(
            a_line(-1000, "B1", order_ref="LX1"), a_line(-1200, "B2", return_ref="RMA2"),
            a_line(-5, "B3", order_ref="9"), provider="stripe",
        )
    ]  # fmt: skip
    with connect(town) as conn, conn.transaction():
        import_payouts(conn, told, BROUGHT, town.now)
    town.sync()
    assert [(row[1], row[2], row[6]) for row in town.rows()] == [
        ("B1", "matched", 0), ("B2", "differs", -200), ("B3", "unknown", -5),
    ]  # fmt: skip
    told_ = called(assets.payouts_agree_with_credit_notes, town).metadata["compared"].value
    assert told_ == "payouts of stripe 2026-03-04 to 2026-03-04, beside refunds as Swap says"
