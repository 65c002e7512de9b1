"""The demo without a UI, at its smallest: all planted trouble found, nothing twice, also when vendors behave otherwise.

The full-size series is ``python -m khaos_swap_assets_tests.prove``.
"""

from __future__ import annotations

import pytest

from khaos_swap_assets.domain.exceptions import KINDS
from khaos_swap_assets_tests.prove.plays import faults_of, play

MOST_KINDS = 24
OTHERWISE = ("note_reference=none", "cost_basis=unit", "date_style=iso", "sort=random", "multiref=on", "fault_http=200")


@pytest.mark.long
def test_a_small_month_finds_all_that_was_planted_and_nothing_else() -> None:
    played = play(returns=60, seed=1)
    assert faults_of(played) == []
    assert set(played.result["planted"]) == set(played.result["exceptions"]) <= set(KINDS)
    assert len(played.result["planted"]) >= MOST_KINDS
    assert played.result["credit_notes_confirmed"] > 20
    assert played.result["stock_moves_confirmed"] > 20
    assert played.result["checks"]["passed"] > 0


@pytest.mark.long
def test_with_vendors_that_choose_otherwise_an_outage_is_caught_up_and_nothing_is_twice() -> None:
    played = play(returns=60, seed=2, switches=OTHERWISE, outage={"khaos_500": -1})
    assert played.outage["failed_runs"] == 1
    assert faults_of(played, failed_runs=1) == []
