"""A peak day in small: kills, a restart, repeats, forgeries; the full one is among the proofs."""

from __future__ import annotations

from collections import Counter

import pytest

from khaos_swap_assets_tests.prove.peak_day import Message, peak_day, plan


def test_the_plan_has_what_a_peak_day_has() -> None:
    messages, returns = plan(2_000, seed=3)
    kinds = Counter(message.kind for message in messages)
    assert kinds == {"genuine": 1_940, "forged": 20, "unparseable": 20, "nameless": 20}
    genuine = [message for message in messages if message.kind == "genuine"]
    assert len(set(genuine)) == 2 * returns == 1_540
    first = {message: place for place, message in reversed(list(enumerate(messages)))}
    turned = sum(
        first[Message("genuine", "returnProcessed", f"R{n}")] < first[Message("genuine", "returnCreated", f"R{n}")]
        for n in range(1, returns + 1)
    )
    assert turned > returns * 0.03


@pytest.mark.house
def test_every_genuine_return_is_posted_once_whatever_falls() -> None:
    figures = peak_day(messages=300, seconds=8, kills=1)
    assert figures["faults"] == []
    assert figures["returns"] == 115
