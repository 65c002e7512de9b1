"""Goods that the customer keeps: what a mark proves line by line, and what it cannot tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.goods.dispositions import KeptWords, SwapMarks, keeping, words

WORDS = KeptWords.of("Green return, Green-Return", "keep it,GREEN RETURN")
NONE: frozenset[str] = frozenset()
MARK = frozenset({"green return"})


def told(status: str = "pre-transit", **changes: Any) -> SwapMarks:
    """Two rows, A and B, on a return whose labels are listed and none was made."""
    base: dict[str, Any] = {"tags": NONE, "rows": {"A": NONE, "B": NONE}, "tells_labels": True}
    return SwapMarks(status, **{**base, **changes})


BOTH = {"A": "kept", "B": "kept"}
ASK_BOTH = {"A": "unclear", "B": "unclear"}
A_TAGGED = {"A": MARK, "B": NONE}
ALL_TAGGED = {"A": MARK, "B": MARK}
ONLY_A: dict[str, frozenset[str]] = {"A": NONE}
A_LABEL, ALL_LABELS = frozenset("A"), frozenset("AB")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (told(), {}),
        (told("in-transit"), {}),
        (told("green return"), BOTH),
        (told("green-return", tells_labels=False), BOTH),
        (told("green return please"), {}),
        (told(tags=frozenset({"vip", "keep it"})), BOTH),
        (told(tags=frozenset({"keep it not"})), {}),
        (told("", tags=MARK), BOTH),
        (told(tags=MARK, tells_labels=False), ASK_BOTH),
        (told(tags=MARK, tells_labels=False, rows=ONLY_A), {"A": "kept"}),
        (told("delivered", tags=MARK), ASK_BOTH),
        (told("at consolidation centre", tags=MARK), ASK_BOTH),
        (told("green return", has_arrived=True), ASK_BOTH),
        (told("green return", has_blank_label=True), ASK_BOTH),
        (told("delivered", tags=MARK, labelled=A_LABEL, has_arrived=True), {"B": "kept"}),
        (told("green return", labelled=A_LABEL), {"B": "kept"}),
        (told("delivered", tags=MARK, labelled=ALL_LABELS), ASK_BOTH),
        (told("delivered", labelled=A_LABEL), {}),
        (told(rows=A_TAGGED), {"A": "kept"}),
        (told("delivered", rows=A_TAGGED, has_arrived=True), {"A": "kept"}),
        (told("delivered", rows=A_TAGGED, labelled=A_LABEL), {"A": "unclear"}),
        (told(rows=ALL_TAGGED), BOTH),
        (told("delivered", rows=ALL_TAGGED), ASK_BOTH),
        (told("green return", rows=A_TAGGED), {"A": "kept", "B": "unclear"}),
        (told("green return", rows=A_TAGGED, labelled=frozenset("B")), {"A": "kept"}),
        (told("green return", rows={}), {}),
    ],
)
def test_what_a_mark_tells(found: SwapMarks, expected: dict[str, str]) -> None:
    assert keeping(found, WORDS) == expected


def test_words_are_whole_and_of_any_case() -> None:
    assert words(" Green Return ,,keep it") == {"green return", "keep it"}
    assert words("") == frozenset()


tags = st.sets(st.sampled_from(["green return", "vip"])).map(frozenset)
anything = st.builds(
    SwapMarks,
    st.sampled_from(["", "pre-transit", "delivered", "green return", "own label"]),
    tags,
    st.dictionaries(st.sampled_from("ABC"), tags),
    st.sets(st.sampled_from("ABC")).map(frozenset),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(anything)
def test_nothing_is_kept_without_a_mark_and_no_labelled_row_ever(found: SwapMarks) -> None:
    result = keeping(found, WORDS)
    assert result.keys() <= found.rows.keys()
    assert not [row for row, word in result.items() if word == "kept" and row in found.labelled]
    assert keeping(found, KeptWords()) == {}


@given(anything)
def test_the_order_of_rows_changes_nothing(found: SwapMarks) -> None:
    turned = SwapMarks(found.delivery_status, found.tags, dict(reversed(list(found.rows.items()))), found.labelled,
                  found.tells_labels, found.has_blank_label, found.has_arrived)  # fmt: skip
    assert keeping(turned, WORDS) == keeping(found, WORDS)
