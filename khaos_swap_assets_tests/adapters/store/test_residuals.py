"""Small differences in the store: replaced by return, read by month, and accepted only where a tolerance says so."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors

from khaos_swap_assets.adapters.store import residuals
from khaos_swap_assets.adapters.store.residuals import AcceptedTotal
from khaos_swap_assets.domain.money.tolerance import Governed, Residual

Database = psycopg.Connection[Any]
ONE = Residual("R1", "rounding", -2, 3, "GBP", is_evident=True)
TWO = Residual("R2", "goods", 5, 1, "EUR", is_evident=False)
MARCH, APRIL = "2026-03", "2026-04"


def put(database: Database, *found: tuple[Residual, str]) -> None:
    residuals.replace(database, [one.subject for one, _ in found], found)


def cleared(*some: Residual, account: str = "rounding differences") -> Governed:
    return Governed(tuple((one, account) for one in some), (), ())


def test_a_residual_comes_back_by_return_and_by_month(database: Database) -> None:
    put(database, (ONE, MARCH), (TWO, APRIL))
    assert residuals.of_returns(database, ["R1", "R9"]) == {"R1": (ONE, MARCH)}
    assert residuals.of_periods(database, [APRIL]) == {"R2": (TWO, APRIL)}
    assert residuals.of_returns(database, []) == residuals.of_periods(database, []) == {}


def test_replacing_forgets_what_a_return_had_and_touches_no_other(database: Database) -> None:
    put(database, (ONE, MARCH), (TWO, MARCH))
    residuals.replace(database, ["R1"], [])
    assert list(residuals.of_periods(database, [MARCH])) == ["R2"]


def test_until_it_is_decided_nothing_is_accepted(database: Database) -> None:
    put(database, (ONE, MARCH))
    assert residuals.decisions(database, ["R1"]) == {"R1": ("", "undecided")}
    assert residuals.accepted(database, MARCH) == []


def test_a_decision_is_told_once(database: Database) -> None:
    put(database, (ONE, MARCH), (TWO, MARCH))
    governed = Governed(((ONE, "rounding differences"),), ((TWO, "no_evidence"),), ())
    assert sorted(residuals.decide(database, governed)) == ["R1", "R2"]
    assert residuals.decide(database, governed) == []
    assert residuals.decisions(database, ["R1", "R2"]) == {
        "R1": ("rounding differences", ""),
        "R2": ("", "no_evidence"),
    }


def test_only_what_is_decided_otherwise_is_told_again(database: Database) -> None:
    put(database, (ONE, MARCH), (TWO, MARCH))
    residuals.decide(database, cleared(ONE, TWO))
    assert residuals.decide(database, Governed(((ONE, "rounding differences"),), ((TWO, "cap"),), ())) == ["R2"]
    assert residuals.decide(database, Governed((), (), ())) == []


def test_a_new_difference_takes_the_old_decision_away(database: Database) -> None:
    put(database, (ONE, MARCH))
    residuals.decide(database, cleared(ONE))
    put(database, (ONE, MARCH))
    assert residuals.decisions(database, ["R1"]) == {"R1": ("", "undecided")}


def test_a_month_adds_up_by_currency_and_account_with_signs(database: Database) -> None:
    some = [Residual(f"A{n}", "rounding", pence) for n, pence in enumerate((-2, 5, -1))]
    put(database, *((one, MARCH) for one in some), (TWO, MARCH), (Residual("R9", "rounding", 4), APRIL))
    residuals.decide(database, cleared(*some, TWO))
    residuals.decide(database, cleared(Residual("R9", "rounding", 4), account="other"))
    assert residuals.accepted(database, MARCH) == [
        AcceptedTotal("EUR", "rounding differences", 1, 5),
        AcceptedTotal("GBP", "rounding differences", 3, 2),
    ]
    assert residuals.accepted(database, APRIL) == [AcceptedTotal("GBP", "other", 1, 4)]


def test_a_difference_of_nothing_is_none(database: Database) -> None:
    with pytest.raises(errors.CheckViolation):
        put(database, (Residual("R1", "rounding", 0), MARCH))
