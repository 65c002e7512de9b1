"""What Swap's quality control says of a whole return, beside what the warehouse found of its units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.goods.conditions import FoundUnits, disputed, is_timed_out

WORDS = ("", "Pending", "Approved", "Not Approved", "Missing", "Partly approved")
NOTHING = FoundUnits(sellable=0, damaged=0, missing=0, strange=0, open=0)
UNITS = st.builds(FoundUnits, *[st.integers(0, 3)] * 5)


def found(sellable: int = 0, damaged: int = 0, missing: int = 0, strange: int = 0, waiting: int = 0) -> FoundUnits:
    return FoundUnits(sellable, damaged, missing, strange, waiting)


@pytest.mark.parametrize(
    ("word", "units", "said"),
    [
        ("Approved", found(sellable=2), ""),
        ("Approved", found(sellable=1, damaged=1), "found 1 sellable, 1 damaged"),
        ("APPROVED", found(missing=1), "found 1 missing"),
        ("Approved", found(strange=1), "found 1 not what was sold"),
        ("Not Approved", found(sellable=2), "found every unit sellable"),
        ("not-approved", found(sellable=1, waiting=1), "tells no condition of the 1 units"),
        ("Not Approved", found(sellable=1, damaged=1), ""),
        ("Not Approved", found(missing=1), ""),
        ("Missing", found(damaged=1), "found 1 damaged"),
        ("Missing", found(sellable=1, waiting=1), ""),
        ("Missing", found(sellable=1, missing=1), ""),
        ("Missing", found(waiting=2), ""),
        ("Held", found(waiting=2), "tells no condition of the 2 units"),
        ("Held", found(sellable=2), ""),
    ],
)  # fmt: skip
def test_a_contradiction_is_told_with_both_words(word: str, units: FoundUnits, said: str) -> None:
    told = disputed(word, units)
    assert said in told
    assert bool(told) == bool(said)
    assert not told or repr(word) in told


@given(st.sampled_from(WORDS), UNITS)
def test_case_and_hyphens_do_not_count(word: str, units: FoundUnits) -> None:
    other = word.upper().replace(" ", "-")
    assert bool(disputed(word, units)) == bool(disputed(other, units))


@given(st.sampled_from(WORDS))
def test_of_goods_that_do_not_come_back_nothing_is_disputed(word: str) -> None:
    assert disputed(word, NOTHING) == ""


@pytest.mark.parametrize(("word", "is_so"), [("Missing", True), ("missing", True), ("Approved", False), ("", False)])
def test_swaps_own_word_for_nobody_reported(word: str, is_so: bool) -> None:
    assert is_timed_out(word) == is_so
