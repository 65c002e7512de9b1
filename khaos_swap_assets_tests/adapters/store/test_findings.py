"""Findings and exceptions in the store: what holds now, and the history of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import findings, khaos_faults
from khaos_swap_assets.domain.exceptions.catalogue import Problem

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
Database = psycopg.Connection[Any]
GAP = Problem(
    "value_gap", "RMA1", "short by £1.00", return_id="R1", rma="RMA1", money_at_risk_pence=100, currency="GBP"
)
ORPHAN = Problem("credit_note_orphan", "CN1", "belongs to no return", credit_note_code="CN1")
UNREADABLE = Problem("record_unreadable", "hash", "Swap: no object")


def found(database: Database) -> set[tuple[str, str]]:
    return set(database.execute("SELECT kind, subject FROM recon.findings").fetchall())


def test_findings_of_a_return_replace_only_its_own(database: Database) -> None:
    findings.replace_of_returns(database, ["R1", "R2"], [GAP, replace(GAP, subject="RMA2", return_id="R2")], NOW)
    findings.replace_of_returns(database, ["R2"], [], LATER)
    assert found(database) == {("value_gap", "RMA1")}


def test_findings_of_a_note_replace_only_its_own(database: Database) -> None:
    findings.replace_of_returns(database, ["R1"], [GAP], NOW)
    findings.replace_of_notes(
        database, ["CN1", "CN2"], [ORPHAN, replace(ORPHAN, subject="CN2", credit_note_code="CN2")], NOW
    )
    findings.replace_of_notes(database, ["CN1"], [], LATER)
    assert found(database) == {("value_gap", "RMA1"), ("credit_note_orphan", "CN2")}


def test_unreadable_rows_are_replaced_as_a_whole(database: Database) -> None:
    findings.replace_of_returns(database, ["R1"], [GAP], NOW)
    findings.replace_unreadable(database, [UNREADABLE, replace(UNREADABLE, subject="other")], NOW)
    findings.replace_unreadable(database, [replace(UNREADABLE, subject="third")], LATER)
    assert found(database) == {("value_gap", "RMA1"), ("record_unreadable", "third")}


def test_one_finding_a_kind_and_subject(database: Database) -> None:
    findings.replace_of_returns(database, ["R1"], [GAP, replace(GAP, message="again")], NOW)
    assert database.execute("SELECT message FROM recon.findings").fetchall() == [("again",)]


def test_an_exception_carries_the_owner_and_severity_of_its_kind(database: Database) -> None:
    findings.replace_of_returns(database, ["R1"], [GAP], NOW)
    assert findings.open_and_close(database, NOW) == ([GAP], 0)
    row = database.execute("SELECT owner, severity, opened_at, closed_at, currency FROM recon.exceptions").fetchone()
    assert row == ("finance", "error", NOW, None, "GBP")


def test_an_exception_closes_when_its_finding_is_gone_and_only_then(database: Database) -> None:
    findings.replace_of_returns(database, ["R1"], [GAP], NOW)
    findings.open_and_close(database, NOW)
    assert findings.open_and_close(database, LATER) == ([], 0)
    findings.replace_of_returns(database, ["R1"], [], LATER)
    assert findings.open_and_close(database, LATER) == ([], 1)
    assert findings.open_and_close(database, LATER) == ([], 0)


def test_an_open_exception_gets_the_newest_text_and_money(database: Database) -> None:
    findings.replace_of_returns(database, ["R1"], [GAP], NOW)
    findings.open_and_close(database, NOW)
    newer = replace(GAP, message="short by £2.00", money_at_risk_pence=200, suggestion="look at CN1")
    findings.replace_of_returns(database, ["R1"], [newer], LATER)
    assert findings.open_and_close(database, LATER) == ([], 0)
    row = database.execute(
        "SELECT message, money_at_risk_pence, suggestion, opened_at FROM recon.exceptions"
    ).fetchall()
    assert row == [("short by £2.00", 200, "look at CN1", NOW)]


def test_a_waived_finding_opens_nothing(database: Database) -> None:
    database.execute(
        "INSERT INTO recon.decisions (decision, subject, object, decided_by, reason, decided_at) "
        "VALUES ('waived', 'RMA1', 'value_gap', 'Kim', 'goodwill', now())"
    )
    findings.replace_of_returns(database, ["R1"], [GAP, replace(GAP, subject="RMA2")], NOW)
    opened, _ = findings.open_and_close(database, NOW)
    assert [one.subject for one in opened] == ["RMA2"]


@dataclass(frozen=True)
class Fault:
    subject: str
    reason: str


def test_unreadable_rows_of_both_vendors_are_listed_until_resolved(database: Database) -> None:
    database.execute(
        "INSERT INTO swap.unreadable (row_hash, subject, reason, raw, first_seen_at, last_seen_at) "
        "VALUES ('h', 'RMA1', 'bad', '{}', %s, %s)",
        (NOW, NOW),
    )
    khaos_faults.save(database, [Fault("HAT", "no id"), Fault("CAP", "no id")], NOW)
    khaos_faults.save(database, [Fault("HAT", "no id")], LATER)
    listed = [("Khaos", "CAP", "no id"), ("Khaos", "HAT", "no id"), ("Swap", "RMA1", "bad")]
    assert findings.unreadable(database) == listed
    khaos_faults.resolve(database, ["HAT", "OTHER"], LATER)
    assert findings.unreadable(database) == [listed[0], listed[2]]
    khaos_faults.save(database, [Fault("HAT", "no id")], LATER)
    assert findings.unreadable(database) == listed


def test_a_fault_of_another_reason_is_another_row(database: Database) -> None:
    khaos_faults.save(database, [Fault("HAT", "no id"), Fault("HAT", "no code")], NOW)
    khaos_faults.save(database, [], NOW)
    assert database.execute("SELECT count(*) FROM khaos.unreadable").fetchone() == (2,)
