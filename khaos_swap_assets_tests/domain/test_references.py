"""References: at most 15 safe characters, the RMA where it fits, never one that is taken."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.documents.postings import LONGEST_REFERENCE, reference_for

SHORT_CODE = re.compile(r"K[A-Z2-7]{14}")


@pytest.mark.parametrize(
    ("rma", "ordinal", "reference"),
    [
        ("RMA1001", 1, "RMA1001"),
        ("RMA1001", 2, "RMA1001-2"),
        ("RMA1001", 12, "RMA1001-12"),
        (" RMA1001 ", 1, "RMA1001"),
        ("LX-10482_A/1.2", 1, "LX-10482_A/1.2"),
        ("R23456789012345", 1, "R23456789012345"),
    ],
)
def test_an_rma_that_fits_is_its_own_reference(rma: str, ordinal: int, reference: str) -> None:
    assert reference_for(rma, ordinal, set()) == reference


@pytest.mark.parametrize(
    ("rma", "ordinal"),
    [
        ("RMA-20251110-0031", 1),
        ("R23456789012345", 2),
        ("RMA,1001", 1),
        ('RMA"1', 1),
        ("RMA 1001", 1),
        ("RMA#1001", 1),
        ("RÜCK1", 1),
    ],
)
def test_an_rma_that_does_not_fit_gets_a_short_code(rma: str, ordinal: int) -> None:
    reference = reference_for(rma, ordinal, set())
    assert SHORT_CODE.fullmatch(reference)
    assert reference == reference_for(rma, ordinal, set())


def test_a_taken_reference_is_never_given_again() -> None:
    later = reference_for("RMA1001", 2, set())
    assert later == "RMA1001-2"
    other = reference_for("RMA1001-2", 1, {later})
    assert SHORT_CODE.fullmatch(other)
    assert reference_for("RMA1001-2", 1, {later, other}) not in {later, other}


def test_refunds_of_one_long_rma_differ() -> None:
    references = {reference_for("RMA-20251110-0031", ordinal, set()) for ordinal in range(1, 30)}
    assert len(references) == 29


@pytest.mark.parametrize(("rma", "ordinal"), [("", 1), ("  ", 1), ("RMA1", 0), ("RMA1", -1)])
def test_nothing_is_made_of_nothing(rma: str, ordinal: int) -> None:
    with pytest.raises(ValueError, match="no reference"):
        reference_for(rma, ordinal, set())


@given(st.lists(st.tuples(st.text(min_size=1).filter(str.strip), st.integers(1, 20)), unique=True, max_size=30))
def test_references_are_short_safe_and_unique(keys: list[tuple[str, int]]) -> None:
    taken: set[str] = set()
    for rma, ordinal in keys:
        reference = reference_for(rma, ordinal, taken)
        assert reference not in taken
        assert 1 <= len(reference) <= LONGEST_REFERENCE
        assert not set(reference) & set(" ,\"'\n")
        taken.add(reference)
