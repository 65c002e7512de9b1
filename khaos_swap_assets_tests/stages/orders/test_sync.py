"""Khaos's documents: which orders are read, what the status feed brings, and whom it concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault
from khaos_swap_assets.adapters.store import inbox
from khaos_swap_assets.stages.orders.sync import sync_orders
from khaos_swap_assets.stages.returns.matching import match_waiting
from khaos_swap_assets.stages.returns.sync import sync_returns
from khaos_swap_assets_tests.stages.town import NOON, Town, a_line, a_note, a_return, an_order, refunded_ago

WANTED = "SELECT order_ref, state, attempts, error FROM khaos.wanted_orders ORDER BY 1"


def known(town: Town, *returns: Any) -> Town:
    """These returns and their orders, read from Swap and waiting for Khaos."""
    town.sells_and_takes_back(*returns)
    sync_returns(town.tools)
    return town


def asked_orders(town: Town) -> list[str]:
    return [ref for what, refs in town.khaos.asked if what == "orders" for ref in refs]


def in_line(town: Town, stage: str) -> list[str]:
    return [row[0] for row in town.ask("SELECT return_id FROM recon.worklist WHERE stage = %s ORDER BY 1", stage)]


def test_every_order_that_a_return_names_is_read_once(town: Town) -> None:
    known(town, a_return(1), a_return(2, a_line("CAP", original_order_name="#LX9")), a_return(3, order_name=""))
    town.khaos.sell(an_order(9, ("CAP", 1)))
    synced = sync_orders(town.tools)
    assert (synced.read, synced.not_found) == (3, 0)
    assert sorted(asked_orders(town)) == ["KCCLX1", "KCCLX2", "KCCLX9"]
    match_waiting(town.tools)
    sync_orders(town.tools)
    assert sorted(asked_orders(town)) == ["KCCLX1", "KCCLX2", "KCCLX9"]


def test_the_party_is_kept_sealed_and_only_where_a_document_may_need_it(town: Town) -> None:
    known(town, a_return(1))
    sync_orders(town.tools)
    sealed = bytes(town.one("SELECT party_sealed FROM khaos.sales_orders"))
    assert b"Ash" not in sealed
    assert town.tools.open_sealer().unseal(sealed)["InvoiceContact"] == {"Surname": "Ash"}


def test_an_audit_keeps_no_party_and_needs_no_key(town: Town) -> None:
    from pydantic import SecretStr

    known(town.with_settings(mode="audit", post_from=None, seal_key=SecretStr("")), a_return(1))
    sync_orders(town.tools)
    assert town.ask("SELECT so_code, party_sealed FROM khaos.sales_orders") == [("SO1", None)]


def test_the_budget_of_a_run_leaves_the_rest_in_sight(town: Town) -> None:
    known(town.with_settings(khaos={"order_budget": 2}), *(a_return(number) for number in range(1, 6)))
    for left in (3, 1, 0):
        sync_orders(town.tools)
        assert town.ask("SELECT count(*) FROM khaos.wanted_orders WHERE state = 'waiting'") == [(left,)]
    assert len(asked_orders(town)) == 5


@pytest.mark.parametrize("error", [TransientError("no answer in time"), PermanentError("broken")])
def test_one_order_that_fails_does_not_lose_the_others(town: Town, error: Exception) -> None:
    known(town, a_return(1), a_return(2))
    town.khaos.broken_refs["KCCLX1"] = error
    sync_orders(town.tools)
    assert town.ask(WANTED) == [("KCCLX1", "waiting", 1, str(error)), ("KCCLX2", "read", 1, "")]
    town.khaos.broken_refs.clear()
    sync_orders(town.tools)
    assert town.ask(WANTED)[0] == ("KCCLX1", "waiting", 1, str(error))
    town.now += timedelta(minutes=15)
    sync_orders(town.tools)
    assert town.ask(WANTED)[0] == ("KCCLX1", "read", 2, "")


@pytest.mark.parametrize(("minutes", "is_asked"), [(59, False), (61, True)])
def test_an_order_that_khaos_does_not_know_is_asked_for_again_after_an_hour(
    town: Town, minutes: int, is_asked: bool
) -> None:
    town.swap.put(a_return(1))
    sync_returns(town.tools)
    assert sync_orders(town.tools).not_found == 1
    town.now += timedelta(minutes=minutes)
    sync_orders(town.tools)
    assert (len(asked_orders(town)) == 2) is is_asked


def test_the_window_reaches_back_over_the_last_one(town: Town) -> None:
    town.with_settings(period_start=date(2026, 3, 1))
    sync_orders(town.tools)
    town.now += timedelta(minutes=5)
    sync_orders(town.tools)
    windows = [what["since"] for how, what in town.khaos.asked if how == "status"]
    assert windows == [NOON - timedelta(days=60), NOON - timedelta(hours=1)]


def test_the_first_read_goes_to_the_first_month_part_by_part_and_loses_no_part(town: Town) -> None:
    town.with_settings(period_start=date(2025, 9, 1))
    town.khaos.notes["CN1"] = a_note("CN1")
    asked: list[tuple[datetime, datetime]] = []

    def fail_once(what: str, window: Any) -> None:
        if what == "status":
            asked.append((window["since"], window["until"]))
        if len(asked) == 3:
            raise TransientError("Khaos is away")

    town.khaos._note = fail_once  # type: ignore[assignment, method-assign]
    with pytest.raises(TransientError):
        sync_orders(town.tools)
    assert town.one("SELECT count(*) FROM khaos.credit_notes") == 1
    sync_orders(town.tools)
    assert asked[0][0] == datetime(2025, 8, 31, 23, tzinfo=UTC)
    assert asked[3][0] == asked[1][1] - timedelta(hours=1)
    assert all(until - since <= timedelta(days=63) for since, until in asked)
    assert all(until > since for (_, until), (since, _) in pairwise(asked))
    assert asked[-1][1] == NOON + timedelta(days=1)


def test_a_changed_status_puts_the_returns_of_the_order_in_line(town: Town) -> None:
    known(town, a_return(1), a_return(2))
    town.khaos.orders[0] = replace(town.khaos.orders[0], invoiced_on=None)
    sync_orders(town.tools)
    match_waiting(town.tools)
    town.khaos.orders[0] = replace(town.khaos.orders[0], invoiced_on=date(2026, 3, 1))
    assert sync_orders(town.tools).statuses_changed == 1
    assert in_line(town, "match") == ["R1"]
    assert sync_orders(town.tools).statuses_changed == 0


def test_a_note_of_a_customer_puts_their_returns_in_line_once(town: Town) -> None:
    known(town, a_return(1), a_return(2))
    sync_orders(town.tools)
    match_waiting(town.tools)
    town.do("DELETE FROM recon.worklist")
    town.khaos.notes["CN1"] = a_note("CN1", customer_code="C1")
    assert sync_orders(town.tools).notes_changed == 1
    assert in_line(town, "draft") == ["R1"]
    town.do("DELETE FROM recon.worklist")
    assert sync_orders(town.tools).notes_changed == 0
    assert in_line(town, "draft") == []


def test_a_cancelled_note_credits_nothing_any_more(town: Town) -> None:
    known(town, a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    town.sync()
    assert town.ask("SELECT return_id, is_cancelled FROM khaos.credit_notes") == [("R1", False)]
    town.khaos.cancelled = {"CN1": town.khaos.notes.pop("CN1")}
    town.sync()
    assert town.ask("SELECT return_id, is_cancelled FROM khaos.credit_notes") == [(None, True)]
    assert town.ask("SELECT state FROM recon.drafts") == [("ready",)]


def test_a_cancelled_note_that_was_never_known_is_no_trouble(town: Town) -> None:
    town.khaos.cancelled["CN7"] = a_note("CN7")
    town.sync()
    assert town.ask("SELECT * FROM khaos.credit_notes") == []


def test_a_row_of_the_feed_that_cannot_be_read_stands_until_it_can(town: Town) -> None:
    town.khaos.faults = [KhaosRowFault("CN1", "ITEMS_TOTAL is missing")]
    assert sync_orders(town.tools).unreadable == 1
    unresolved = "SELECT subject FROM khaos.unreadable WHERE resolved_at IS NULL"
    assert town.ask(unresolved) == [("CN1",)]
    town.khaos.faults, town.khaos.notes["CN1"] = [], a_note("CN1")
    sync_orders(town.tools)
    assert town.ask(unresolved) == []


def test_a_push_of_an_order_is_a_knock_to_read_the_feed(town: Town) -> None:
    with town.tools.store() as conn:
        inbox.store_push(conn, event="OrderStatusUpload", body={"Statuses": []}, now=town.now)
        inbox.store_push(conn, event="StockUpload", body={"Items": []}, now=town.now)
    sync_orders(town.tools)
    assert town.ask("SELECT event FROM recon.inbox WHERE consumed_at IS NULL") == [("StockUpload",)]


def test_an_order_push_that_cannot_be_read_is_an_exception_until_one_can(town: Town) -> None:
    bodies: tuple[dict[str, Any], ...] = ({"unreadable": "<OrderStatuses/>"}, {"Statuses": []})
    for body, expected in zip(bodies, ({"record_unreadable": "OrderStatusUpload"}, {}), strict=True):
        with town.tools.store() as conn:
            inbox.store_push(conn, event="OrderStatusUpload", body=body, now=town.now)
        town.sync()
        assert town.kinds() == expected


@pytest.mark.parametrize("since", [date(2026, 3, 1), date(2025, 9, 1)])
def test_what_lacks_its_note_is_judged_after_the_first_reading_however_long_that_reads_back(
    town: Town, since: date
) -> None:
    town.with_settings(mode="audit", post_from=None, period_start=since)
    town.sells_and_takes_back(a_return(1, **refunded_ago(5)))
    town.khaos.refuses = {"status"}
    town.sync()
    assert "credit_note_missing" not in town.kinds()
    town.khaos.refuses = set()
    town.sync(hours=2)
    assert town.kinds() == {"credit_note_missing": "RMA1"}
