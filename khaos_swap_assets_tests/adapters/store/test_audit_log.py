"""The log of one document: whole, in order, and found without reading the log of all others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import audit_log
from khaos_swap_assets.adapters.store.audit_log import Entry

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LONG = f"exception value_gap {'x' * 9_000}"


def test_the_log_of_a_document_is_its_own_and_in_order(database: psycopg.Connection[Any]) -> None:
    steps = [Entry(NOON + timedelta(minutes=n), "posting engine", what, "posting R1") for n, what in enumerate("abc")]
    audit_log.append(database, [steps[0], Entry(NOON, "Kim", "waived", LONG), *steps[1:]])
    assert [one.what for one in audit_log.of_document(database, "posting R1")] == ["a", "b", "c"]
    assert [one.who for one in audit_log.of_document(database, LONG)] == ["Kim"]


def test_it_is_found_by_an_index(database: psycopg.Connection[Any]) -> None:
    database.execute("SET LOCAL enable_seqscan = off")
    plan = database.execute("EXPLAIN SELECT 1 FROM recon.audit_log WHERE document = 'posting R1'").fetchall()
    assert any("audit_log_document" in line for (line,) in plan)
