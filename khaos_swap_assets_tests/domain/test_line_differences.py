"""A document beside its Credit Note: by units at the planned price, the rest of the value in a row of its own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import DELIVERY, REST, Posting, lines_beside
from khaos_swap_assets_tests.domain.cases import a_note
from khaos_swap_assets_tests.stages.town import NOON

GOODS = (("CAP", 1, 500), ("HAT", 2, 1000))
Goods = tuple[tuple[str, int, int], ...]


def a_posting(goods: Goods = GOODS) -> Posting:
    """A document of these (Stock Code, units, pence of one)."""
    lines = [{"stock_code": code, "quantity": units, "unit_gross_pence": pence} for code, units, pence in goods]
    items = [{"SKU": code, "Quantity": float(units)} for code, units, _ in goods]
    return Posting(
        store_id="S1",
        return_id="R1",
        ordinal=1,
        rma="RMA1",
        reference="RMA1",
        state="confirmed",
        customer_code="C1",
        so_code="SO1",
        currency="GBP",
        value_pence=sum(units * pence for _, units, pence in goods),
        document=json.dumps({"ReturnedItems": items}),
        document_hash="",
        party_sealed=None,
        planned_at=NOON,
        drafted=json.dumps({"lines": lines}),
    )


def note_of(pence: int, lines: tuple[tuple[str, int], ...], delivery_pence: int = 0) -> CreditNote:
    return replace(a_note(pence, "CN1"), lines=lines, delivery_gross_pence=delivery_pence)


@pytest.mark.parametrize(
    ("note", "found"),
    [
        (None, [("CAP", 1, 500, None, None), ("HAT", 2, 2000, None, None)]),
        (note_of(2500, (("HAT", 2), ("CAP", 1))), [("CAP", 1, 500, 1, 0), ("HAT", 2, 2000, 2, 0)]),
        (note_of(1500, (("HAT", 1), ("CAP", 1))), [("CAP", 1, 500, 1, 0), ("HAT", 2, 2000, 1, -1000)]),
        (note_of(2000, (("HAT", 2),)), [("CAP", 1, 500, 0, -500), ("HAT", 2, 2000, 2, 0)]),
        (
            note_of(2950, (("HAT", 2), ("CAP", 1)), 450),
            [("CAP", 1, 500, 1, 0), ("HAT", 2, 2000, 2, 0), (DELIVERY, None, None, None, 450)],
        ),
        (
            note_of(2600, (("HAT", 2), ("CAP", 1), ("TIE", 1))),
            [("CAP", 1, 500, 1, 0), ("HAT", 2, 2000, 2, 0), ("TIE", 0, None, 1, None), (REST, None, None, None, 100)],
        ),
        (
            note_of(2400, ()),
            [("CAP", 1, 500, None, None), ("HAT", 2, 2000, None, None), (REST, None, None, None, -100)],
        ),
    ],
)
def test_each_line_stands_beside_what_khaos_shows(note: CreditNote | None, found: list[tuple[object, ...]]) -> None:
    told = lines_beside(a_posting(), note)
    assert [
        (one.line, one.planned_units, one.planned_pence, one.shown_units, one.difference_pence) for one in told
    ] == found


def test_a_draft_that_is_not_known_any_more_leaves_the_units() -> None:
    rows = lines_beside(replace(a_posting(), drafted=None), note_of(2400, (("HAT", 2), ("CAP", 1))))
    assert [(one.line, one.planned_pence, one.difference_pence) for one in rows] == [
        ("CAP", None, None),
        ("HAT", None, None),
        (REST, None, -100),
    ]


LINES = st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), st.integers(1, 9), st.integers(0, 10**6)), max_size=6)


@given(LINES, st.lists(st.tuples(st.sampled_from(["A", "B", "D"]), st.integers(1, 9))), st.integers(0, 10**7))
def test_the_differences_add_up_to_that_of_the_values(
    goods: list[tuple[str, int, int]], shown: list[tuple[str, int]], pence: int
) -> None:
    posting = a_posting(tuple(goods))
    rows = lines_beside(posting, note_of(pence, tuple(shown)))
    assert sum(one.difference_pence or 0 for one in rows) == pence - posting.value_pence
