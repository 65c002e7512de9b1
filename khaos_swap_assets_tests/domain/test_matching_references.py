"""A typed reference and the returns that it names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.linking.typed_references import References, is_nearly

RETURNS = {"a": ["RMA2001"], "b": ["RMA2002"], "c": ["20417"], "d": ["SW-7"], "e": ["rma2002"], "f": ["RMA20012"]}

NAMED = [
    ("RMA2001", "a"),
    (" RMA2001 ", "a"),
    ("rma2001", "a"),
    ("#RMA2001", "a"),
    ("RMA 2001", "a"),
    ("Rma-2001.", "a"),
    ("2001", "a"),
    ("20417", "c"),
    ("RMA20417", "c"),
    ("rma 20417", "c"),
    ("sw7", "d"),
    ("RMA2001, 20417", "ac"),
    ("RMA2001 & 20417", "ac"),
    ("RMA 2001 and RMA 20417", "ac"),
    ("RMA2001/20417", "ac"),
    ("Return RMA2001", "a"),
    ("RMA2002", "b"),
    ("rma2002", "e"),
    ("Rma2002", "be"),
    ("RMA2001-2", ""),
    ("REPAIR RMA2001", ""),
    ("RMA2001 2003", ""),
    ("7", ""),
    ("RMA", ""),
    ("", ""),
    ("  ", ""),
    ("#", ""),
]


@pytest.mark.parametrize(("ref", "returns"), NAMED)
def test_what_a_reference_names(ref: str, returns: str) -> None:
    assert References(RETURNS).named(ref) == set(returns)


@given(st.lists(st.from_regex(r"[A-Z]{0,4}[0-9]{1,6}", fullmatch=True), unique=True, min_size=1))
def test_a_name_as_it_is_names_its_return_alone(names: list[str]) -> None:
    references = References({name: [name] for name in names})
    assert [references.named(name) for name in names] == [{name} for name in names]


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert References(RETURNS).named(text) <= RETURNS.keys()


@pytest.mark.parametrize(
    ("ref", "is_near"),
    [
        ("RMA2001", True),
        ("RMA20O1", True),
        ("RMA200", True),
        ("RMA20011", True),
        ("RAM2001", True),
        ("rma-2010", True),
        ("MRA2010", False),
        ("RMA2110", False),
        ("RMA20", False),
        ("", False),
    ],
)
def test_a_name_with_one_slip_is_nearly_it(ref: str, *, is_near: bool) -> None:
    assert is_nearly(ref, "RMA2001") is is_near
    assert is_nearly("RMA2001", ref) is is_near
