"""The demo without a UI, at its smallest: all planted trouble found, nothing twice, though vendors behave otherwise.

``.ci/run`` plays the vendors as they are; the full-size series is ``python -m khaos_swap_assets_tests.prove``.
"""

from __future__ import annotations

import pytest

from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets_tests.prove.plays import faults_of, play

MOST_KINDS = 24
OTHERWISE = ("note_reference=none", "cost_basis=unit", "date_style=iso", "sort=random", "multiref=on", "fault_http=200")


@pytest.mark.house(minutes=2)
def test_a_month_under_other_vendors_with_an_outage_finds_all_that_was_planted_and_nothing_is_twice() -> None:
    played = play(returns=60, seed=2, switches=OTHERWISE, outage={"khaos_500": -1})
    assert played.outage["failed_runs"] == 1
    assert faults_of(played, failed_runs=1) == []
    assert set(played.result["planted"]) == set(played.result["exceptions"]) <= set(KINDS)
    assert len(played.result["planted"]) >= MOST_KINDS
    assert played.result["credit_notes_confirmed"] > 20
    assert played.result["stock_moves_confirmed"] > 20
    assert played.result["checks"]["passed"] > 0


@pytest.mark.house(minutes=2)
def test_two_stores_one_of_them_down_at_first_come_to_the_same_end_though_the_credit_comes_first() -> None:
    played = play(returns=24, seed=2, stores=2, credit_first=True)
    assert faults_of(played) == []
    stores = played.result["by_store"]
    assert [one["returns"] for one in stores.values()] == [28, 24]
    assert [one["confirmed_while_the_other_was_down"] > 0 for one in stores.values()] == [True, False]
    assert all(one["credit_notes_confirmed"] > 5 for one in stores.values())
    assert all(one["missed"] + one["false_alarms"] + one["duplicates"] == 0 for one in stores.values())
    assert played.result["planted"]["stock_adjustment_due"] > 5, "nobody is left untold of goods that lie on no shelf"
    assert played.result["stock_adjustments_seen_in_level"] == 3
