"""Where goods go by their condition: the merchant's mapping, what it may never say, and the units that follow of it."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from khaos_swap_assets.domain.goods.conditions import DEFAULTS, FATE_WORDS, ConditionMap, Fate, faults_of, plain
from khaos_swap_assets.domain.goods.dispositions import SELLABLE, disposition_of, settle
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy, GoodsDecision, told
from khaos_swap_assets_tests.domain.records import line
from khaos_swap_assets_tests.domain.test_stock import seen

WORDS = st.sampled_from([*DEFAULTS, "b grade", "SELLABLE", "Soiled", "Outlet 2", "wrong item", "?", ""])
FATES = st.sampled_from(sorted(FATE_WORDS))
OUTLET = ConditionMap.of(
    {"B-Grade": "b_grade", "Soiled": "non_saleable", "No Value": "written_off", "New": "available"}
)


def goods(**given_: Any) -> GoodsDecision:
    return GoodsDecision(
        choice="by_condition", reason="agreed", approver="Kim", effective_on=date(2026, 3, 1), **given_
    )


@pytest.mark.parametrize(
    ("condition", "disposition"),
    [
        ("b grade", "b_grade"),
        ("BGRADE", "b_grade"),
        ("soiled", "damaged"),
        ("No-Value", "written_off"),
        ("new", "sellable"),
        ("Sellable", "sellable"),
        ("Damaged", "damaged"),
        ("Missing", "missing"),
        ("Pending", ""),
        ("Wrong-Item", ""),
        ("Not Expected", ""),
        ("Qty Mismatch", ""),
        ("Torn", ""),
        ("???", ""),
        ("", ""),
    ],
)
def test_a_word_has_the_fate_that_the_merchant_gave_it_or_its_default(condition: str, disposition: str) -> None:
    assert disposition_of(condition, OUTLET) == disposition


@pytest.mark.parametrize(
    ("conditions", "fault"),
    [
        ({"Damaged": "available"}, "'Damaged' never goes to the saleable stock"),
        ({"no value": "available"}, "never goes to the saleable stock"),
        ({"B-grade": "available"}, "never goes to the saleable stock"),
        ({"Wrong-Item": "available"}, "never goes to the saleable stock"),
        ({"Missing": "non_saleable"}, "units are nowhere"),
        ({"Missing": "b_grade"}, "units are nowhere"),
        ({"Soiled": "wait"}, "Pending alone may wait"),
        ({"Pending": "damaged"}, "Input should be"),
        ({"Pending": "non_saleable"}, "Pending alone may wait"),
        ({"B-grade": "person", "b grade": "b_grade"}, "are one condition"),
        ({"-": "person"}, "is no word"),
        ({"Soiled": "shelf"}, "Input should be"),
        ({"Outlet": "b_grade"}, "b_grade needs b_grade_codes or b_grade_suffix"),
    ],
)
def test_what_no_mapping_may_say(conditions: dict[str, str], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        goods(conditions=conditions)


@pytest.mark.parametrize(
    ("codes", "fault"),
    [
        ({"b_grade_codes": {"HAT": "HAT"}}, "cannot be its own B-grade"),
        ({"b_grade_codes": {"HAT": ""}}, "a B-grade code is empty"),
        ({"b_grade_codes": {"HAT": "HAT#B"}}, "cannot be"),
        ({"b_grade_suffix": " B"}, "cannot be"),
        ({"b_grade_suffix": "B" * 51}, "cannot be"),
    ],
)
def test_a_b_grade_code_could_be_one_of_khaos(codes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        goods(**codes)


def test_a_named_code_comes_before_the_suffix_and_nothing_is_guessed() -> None:
    both = goods(b_grade_codes={"HAT": "OUTLET-1"}, b_grade_suffix="-B")
    assert [both.b_grade_code_of(code) for code in ("HAT", "hat", "CAP")] == ["OUTLET-1", "hat-B", "CAP-B"]
    assert goods(b_grade_codes={"HAT": "OUTLET-1"}).b_grade_code_of("CAP") == ""


@given(st.dictionaries(WORDS, FATES, max_size=6), WORDS)
def test_no_mapping_that_is_taken_makes_saleable_what_swap_calls_something_else(
    conditions: dict[str, str], condition: str
) -> None:
    given_ = cast("dict[str, Fate]", conditions)
    if list(faults_of(given_)):
        return
    known = {plain(word) for word in DEFAULTS} - {"sellable"}
    found = ConditionMap.of(given_)
    assert plain(condition) not in known or disposition_of(condition, found) != SELLABLE
    own = {plain(word) for word in (*DEFAULTS, *conditions)}
    assert plain(condition) in own or found.fate_of(condition) == "person"


def test_units_are_settled_by_the_mapping_and_add_up() -> None:
    found = [seen("b grade"), seen("No-Value"), seen("Torn"), seen("Sellable", 2)]
    settled = settle([line("P1", quantity=6)], found, "", conditions=OUTLET)
    assert settled.dispositions["P1"] == {"b_grade": 1, "written_off": 1, "sellable": 2}
    assert (settled.leftovers, [one.condition for one in settled.strange]) == ({"P1": 2}, ["Torn"])


def test_the_mapping_is_told_in_words_and_is_part_of_the_version() -> None:
    policy = CreditNotePolicy(returned_goods=goods(conditions={"b grade": "b_grade"}, b_grade_suffix="-B"))
    assert policy.version != CreditNotePolicy().version
    assert policy.on(date(2026, 2, 28)) == CreditNotePolicy()
    (words,) = [one.words for one in told(policy) if one.name == "returned_goods"]
    assert "b grade: its B-grade Stock Code" in words
    assert words.endswith("any other: a person; any other code gets '-B' behind it.")
    assert "B-grade: a person" not in words
