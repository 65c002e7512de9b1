"""The demo without a UI, at its smallest: all planted trouble found, nothing twice, also when vendors behave otherwise.

The full-size series is ``python -m khaos_swap_assets_tests.prove``.
"""

from __future__ import annotations

import pytest

from khaos_swap_assets.domain.exceptions import KINDS
from khaos_swap_assets_tests.prove.plays import faults_of, play

MOST_KINDS = 24
OTHERWISE = ("note_reference=none", "cost_basis=unit", "date_style=iso", "sort=random", "multiref=on", "fault_http=200")


def test_a_small_month_finds_all_that_was_planted_and_nothing_else() -> None:
    played = play(returns=60, seed=1)
    assert faults_of(played) == []
    assert set(played.result["planted"]) == set(played.result["exceptions"]) <= set(KINDS)
    assert len(played.result["planted"]) >= MOST_KINDS
    assert played.result["credit_notes_confirmed"] > 20
    assert played.result["stock_moves_confirmed"] > 20
    assert played.result["checks"]["passed"] > 0


def test_the_same_holds_when_both_vendors_choose_otherwise() -> None:
    assert faults_of(play(returns=60, seed=2, switches=OTHERWISE)) == []


@pytest.mark.parametrize("outage", [{"khaos_500": -1}])
def test_after_an_outage_the_next_run_completes_and_nothing_is_twice(outage: dict[str, int]) -> None:
    played = play(returns=60, seed=2, outage=outage)
    assert played.outage["failed_runs"] == 1
    assert faults_of(played, failed_runs=1) == []
