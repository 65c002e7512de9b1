"""The tolerance governor: the laws; its figures are those of U-20 in the finance rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.judging.waterfall import LEGS, Leg, Waterfall
from khaos_swap_assets.domain.money.tolerance import Residual, Tolerances, govern, residual_of, residual_pence

residuals = st.lists(
    st.builds(
        Residual,
        subject=st.uuids().map(str),
        reason=st.sampled_from(["rounding", "fx"]),
        pence=st.integers(-6, 6),
        lines=st.integers(1, 6),
        currency=st.sampled_from(["GBP", "EUR"]),
    ),
    max_size=40,
)
TIGHT = Tolerances(period_cap_pence=20, least_for_direction=5)


@given(residuals, st.randoms(use_true_random=False))
def test_the_order_of_residuals_does_not_matter(some: list[Residual], random: Any) -> None:
    assert govern(random.sample(some, len(some)), TIGHT) == govern(some, TIGHT)


@given(residuals)
def test_each_is_cleared_or_refused_and_the_cap_holds(some: list[Residual]) -> None:
    found = govern(some, TIGHT)
    told = [residual for residual, _ in found.cleared] + [residual for residual, _ in found.refused]
    assert sorted(told) == sorted(residual for residual in some if residual.pence)
    for currency in ("GBP", "EUR"):
        assert sum(abs(residual.pence) for residual, _ in found.cleared if residual.currency == currency) <= 20


@given(residuals)
def test_nothing_of_a_systematic_reason_is_cleared(some: list[Residual]) -> None:
    found = govern(some, TIGHT)
    stopped = {(one.reason, one.currency) for one in found.systematic}
    assert not stopped & {(residual.reason, residual.currency) for residual, _ in found.cleared}


@pytest.mark.parametrize(("signs", "is_systematic"), [([1] * 20, True), ([1] * 19, False), ([1] * 40 + [-1], False)])
def test_direction_needs_enough_of_one_sign(signs: list[int], is_systematic: bool) -> None:
    found = govern([Residual(f"CN{number}", "rounding", sign) for number, sign in enumerate(signs)], Tolerances())
    assert bool(found.systematic) is is_systematic
    assert len(found.cleared) == (0 if is_systematic else len(signs))


def test_each_reason_has_its_account() -> None:
    accounts = {"rounding": "8900", "fx": "8910"}
    found = govern([Residual("CN1", "fx", 1), Residual("CN2", "rounding", -1)], Tolerances(accounts=accounts))
    assert [(residual.subject, account) for residual, account in found.cleared] == [("CN1", "8910"), ("CN2", "8900")]


def test_what_no_field_shows_to_be_rounding_is_accepted_only_where_finance_says_so() -> None:
    typed = Residual("CN1", "rounding", 1, is_evident=False)
    assert [rule for _, rule in govern([typed], Tolerances(needs_evidence=True)).refused] == ["no_evidence"]
    assert govern([typed], Tolerances()).cleared == ((typed, "rounding differences"),)


def test_a_reason_may_allow_less_than_a_document() -> None:
    some = [Residual("CN1", "rounding", 3, lines=5), Residual("CN2", "rounding", -2, lines=5)]
    found = govern(some, Tolerances(reason_pence={"rounding": 2}))
    assert [residual.subject for residual, _ in found.cleared] == ["CN2"]
    assert [rule for _, rule in found.refused] == ["reason"]


def a_waterfall(**pence: int) -> Waterfall:
    legs = tuple(Leg(name, pence[name], ("a field",), "error") for name in LEGS if name in pence)
    return Waterfall(sum(pence.values()), legs)


@pytest.mark.parametrize(
    ("legs", "lines", "expected"),
    [
        ({"rounding": 1}, 1, ("rounding", 1, True)),
        ({"goods": 1}, 1, ("rounding", 1, False)),
        ({"unexplained": -2}, 2, ("rounding", -2, False)),
        ({"goods": 2}, 1, ("goods", 2, True)),
        ({"goods": 6, "rounding": 1}, 9, ("goods", 7, False)),
        ({"unexplained": 100}, 1, ("unexplained", 100, True)),
        ({"tender": 1500, "rounding": 1}, 1, ("rounding", 1, True)),
        ({"delivery": 3, "rounding": 1}, 9, ("delivery", 4, False)),
        ({"exchange": 1500}, 1, ("rounding", 0, True)),
    ],
)
def test_the_residual_of_a_waterfall(legs: dict[str, int], lines: int, expected: tuple[str, int, bool]) -> None:
    found = residual_of("RMA1", a_waterfall(**legs), lines, "GBP", Tolerances())
    assert (found.reason, found.pence, found.is_evident) == expected


def test_what_a_policy_says_is_no_residual() -> None:
    assert (
        residual_pence(Waterfall(395, (Leg("fee", 295, ("f",), "policy"), Leg("delivery", 100, ("d",), "error"))))
        == 100
    )
