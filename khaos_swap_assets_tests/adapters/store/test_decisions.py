"""Tests of the record of decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import decisions, findings
from khaos_swap_assets.adapters.store.decisions import KeptDecision
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.records.decisions import WAIVED, Figures, PersonDecision

Database = psycopg.Connection[Any]
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
GAP = Problem(
    "value_gap", "RMA1", "short by £1.00", return_id="R1", rma="RMA1", money_at_risk_pence=100, currency="GBP"
)


@pytest.fixture
def waived(database: Database) -> Database:
    """A value gap of a pound that Kim waived an hour after it opened."""
    findings.replace_of_returns(database, ["R1"], [GAP], NOW)
    findings.open_and_close(database, NOW)
    row = database.execute(
        "UPDATE recon.exceptions SET closed_at = %s, closed_by = 'Kim' RETURNING exception_id", (LATER,)
    )
    number = (row.fetchone() or (0,))[0]
    made = PersonDecision(WAIVED, "RMA1", "value_gap", "Kim", "goodwill", LATER, Figures(100, currency="GBP"))
    decisions.record(database, [KeptDecision(made, "R1", number)])
    return database


def held(database: Database) -> list[tuple[datetime, bool]]:
    """Since when each exception is open, and whether it is."""
    return database.execute("SELECT opened_at, closed_at IS NULL FROM recon.exceptions ORDER BY 1").fetchall()


def test_a_waiver_stands_while_its_facts_do(waived: Database) -> None:
    findings.replace_of_returns(waived, ["R1"], [replace(GAP, message="said otherwise")], LATER)
    assert decisions.end_outdated(waived, LATER, may_end=True) == []
    assert findings.open_and_close(waived, LATER) == ([], 0)
    assert held(waived) == [(NOW, False)]


@pytest.mark.parametrize("other", [{"money_at_risk_pence": 101}, {"money_at_risk_pence": 99}, {"currency": "EUR"}])
def test_a_waiver_ends_when_its_money_changes_and_the_exception_is_as_old_as_before(
    waived: Database, other: dict[str, Any]
) -> None:
    findings.replace_of_returns(waived, ["R1"], [replace(GAP, **other)], LATER)
    ended = decisions.end_outdated(waived, LATER, may_end=False)
    assert [(one.kind, one.subject, one.exception_id > 0) for one in ended] == [("value_gap", "RMA1", True)]
    assert findings.open_and_close(waived, LATER) == ([], 0)
    assert held(waived) == [(NOW, True)]
    assert decisions.waivers(waived) == []


def test_a_waiver_of_what_is_gone_ends_so_that_the_next_time_is_judged_afresh(waived: Database) -> None:
    findings.replace_of_returns(waived, ["R1"], [], LATER)
    assert decisions.end_outdated(waived, LATER, may_end=False) == []
    assert [one.exception_id for one in decisions.end_outdated(waived, LATER, may_end=True)] == [0]
    findings.replace_of_returns(waived, ["R1"], [GAP], LATER)
    opened, _ = findings.open_and_close(waived, LATER)
    assert [one.subject for one in opened] == ["RMA1"]


def test_a_newer_decision_about_the_same_ends_the_older_and_nothing_is_deleted(waived: Database) -> None:
    decisions.record(waived, [KeptDecision(PersonDecision(WAIVED, "RMA1", "value_gap", "Lee", "agreed", LATER))])
    rows = waived.execute("SELECT decided_by, ended_by FROM recon.decisions ORDER BY decision_id").fetchall()
    assert rows == [("Kim", "Lee"), ("Lee", "")]
