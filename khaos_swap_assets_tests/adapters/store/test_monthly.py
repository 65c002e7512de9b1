"""Returns by month in the store: what the tables refuse, and in which months a return is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import monthly
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.reporting.month_parts import MonthPart

NO_LEGS = (0,) * len(LEGS)
MARCH = MonthPart("2026-03", 5000, 5000, 5000, NO_LEGS, 0, 833, 0, "matched")
APRIL = MonthPart("2026-04", 7000, 0, 0, (-7000, *NO_LEGS[1:]), 0, 1167, -1167, "value_gap")
UNPAID = replace(APRIL, period="", refund_pence=100, legs=(-100, *NO_LEGS[1:]))


@pytest.fixture
def conn(database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A store with one return of £120.00, of which £50.00 are credited."""
    database.execute(
        "INSERT INTO recon.reconciliation (return_id, store_id, rma, currency, refund_pence, credited_pence, "
        "issued_pence, gap_pence, gap_goods_pence, status, period, reconciled_at) "
        "VALUES ('R1', 'S', 'RMA1', 'GBP', 12000, 5000, 5000, -7000, -7000, 'value_gap', '2026-03', now())"
    )
    return database


def shown(conn: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT rma, period, refund_pence, credited_pence, gap_pence, gap_goods_pence, status FROM recon.monthly "
        "ORDER BY period"
    ).fetchall()


def test_a_return_is_in_its_own_month_until_it_has_parts_and_then_in_theirs(conn: psycopg.Connection[Any]) -> None:
    assert shown(conn) == [("RMA1", "2026-03", 12000, 5000, -7000, -7000, "value_gap")]
    monthly.replace(conn, ["R1"], [("R1", MARCH), ("R1", APRIL), ("R1", UNPAID)])
    assert [(row[1], row[2]) for row in shown(conn)] == [("", 100), ("2026-03", 5000), ("2026-04", 7000)]
    assert monthly.periods_of(conn, ["R1"]) == {"2026-03", "2026-04"}
    monthly.replace(conn, ["R1"], [])
    assert monthly.periods_of(conn, ["R1"]) == {"2026-03"}


def test_trouble_belongs_to_the_newest_month_that_is_not_all_credited(conn: psycopg.Connection[Any]) -> None:
    query = f"SELECT {monthly.MONTH_OF_TROUBLE} FROM recon.reconciliation r".encode()
    assert conn.execute(query).fetchall() == [("2026-03",)]
    monthly.replace(conn, ["R1"], [("R1", MARCH), ("R1", APRIL), ("R1", UNPAID)])
    assert conn.execute(query).fetchall() == [("2026-04",)]


@pytest.mark.parametrize(
    "broken",
    [
        replace(MARCH, timing_pence=1),
        replace(MARCH, legs=(1, *NO_LEGS[1:])),
        replace(MARCH, issued_pence=5001),
        replace(MARCH, period="2026-13"),
        replace(MARCH, period="2026-3"),
        replace(UNPAID, credited_pence=100, legs=NO_LEGS),
        replace(MARCH, refund_pence=-1000, credited_pence=-1000, issued_pence=-1000),
    ],
)
def test_the_table_refuses_what_does_not_add_up(conn: psycopg.Connection[Any], broken: MonthPart) -> None:
    monthly.replace(conn, ["R1"], [("R1", MARCH)])
    with pytest.raises(psycopg.errors.CheckViolation):
        monthly.replace(conn, ["R1"], [("R1", broken)])
