"""The ledger of calls that cancel orders: one intent at a time, and no reading counts that began before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import audit_log, cancel_calls
from khaos_swap_assets.domain.goods.cancel_calls import CancelCall

AT = datetime(2026, 7, 3, 9, tzinfo=UTC)
FIRST = CancelCall("id1", "SO1", "R1", 1495, "GBP", "asked", 1, AT)
SECOND = replace(FIRST, tries=2)
Database = psycopg.Connection[Any]


def states(database: Database) -> dict[str, tuple[str, int]]:
    return {key: (one.state, one.tries) for key, one in cancel_calls.of_orders(database, ["id1", "id2"]).items()}


def test_an_order_is_claimed_once_until_its_call_was_read_back(database: Database) -> None:
    assert [cancel_calls.claim(database, one) for one in (FIRST, FIRST, SECOND)] == [True, False, False]
    cancel_calls.settle(database, FIRST, replace(FIRST, state="open", said="no answer"), AT)
    assert [cancel_calls.claim(database, one) for one in (FIRST, SECOND, SECOND)] == [False, True, False]
    assert states(database) == {"id1": ("asked", 2)}


def test_a_reading_that_began_before_the_call_settles_nothing(database: Database) -> None:
    cancel_calls.claim(database, FIRST)
    cancel_calls.settle(database, FIRST, replace(FIRST, state="open"), AT)
    cancel_calls.claim(database, SECOND)
    cancel_calls.settle(database, FIRST, replace(FIRST, state="verified"), AT)
    assert states(database) == {"id1": ("asked", 2)}
    assert not cancel_calls.claim(database, replace(FIRST, tries=3))


def test_each_step_is_in_the_audit_log_and_a_look_without_news_is_not(database: Database) -> None:
    cancel_calls.claim(database, FIRST)
    refused = replace(FIRST, state="refused", said="already shipping")
    cancel_calls.settle(database, FIRST, refused, AT)
    cancel_calls.settle(database, refused, refused, AT)
    told = audit_log.of_document(database, "sales order SO1")
    assert [(one.what, one.reason) for one in told] == [
        ("cancellation asked for", ""),
        ("cancellation refused", "already shipping"),
    ]
