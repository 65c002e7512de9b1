"""Contents of documents and notes: the same goods in the same form, whatever their order and however they are split."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.documents.postings import Posting, contents_of_document, contents_of_note
from khaos_swap_assets_tests.domain.cases import a_note

goods = st.lists(st.tuples(st.sampled_from(["ABC", "ABC ", "DEF"]), st.integers(1, 99)), max_size=6)


def document(rows: list[tuple[str, Any]]) -> str:
    return json.dumps({"ReturnedItems": [{"SKU": code, "Quantity": quantity} for code, quantity in rows]})


@settings(max_examples=60)
@given(goods)
def test_a_document_and_the_note_of_it_hold_the_same(rows: list[tuple[str, int]]) -> None:
    contents = contents_of_document(document(rows))
    assert contents == contents_of_document(document(rows[::-1]))
    assert contents == contents_of_note(a_note(lines=tuple(rows)))
    assert contents == contents_of_note(a_note(lines=tuple((code, -units) for code, units in rows)))
    assert sum(units for _, units in contents) == sum(units for _, units in rows)


@pytest.mark.parametrize(
    ("rows", "contents"),
    [
        ([], ()),
        ([("B", 1), ("A", 2)], (("A", 2), ("B", 1))),
        ([("A", 1), ("A", 2)], (("A", 3),)),
        ([("A", 1), ("A ", 1)], (("A", 1), ("A ", 1))),
        ([("A", "2")], (("A", 2),)),
        ([("A", 2.0)], (("A", 2),)),
    ],
)
def test_goods_of_a_document(rows: list[tuple[str, Any]], contents: tuple[tuple[str, int], ...]) -> None:
    assert contents_of_document(document(rows)) == contents


def test_a_note_without_lines_shows_nothing() -> None:
    assert contents_of_note(a_note(lines=())) == ()


def test_a_posting_is_one_by_store_return_and_ordinal() -> None:
    plain: dict[str, Any] = {
        "store_id": "S1",
        "return_id": "R1",
        "ordinal": 2,
        "rma": "RMA1001",
        "reference": "RMA1001-2",
        "state": "planned",
        "customer_code": "C1",
        "so_code": "SO1",
        "currency": "GBP",
        "value_pence": 5000,
        "document": document([("B", 1), ("A", 1), ("B", 1)]),
        "document_hash": "h",
        "party_sealed": None,
        "planned_at": datetime(2026, 3, 10, tzinfo=UTC),
    }
    posting = Posting(**plain)
    assert posting.key == ("S1", "R1", 2)
    assert posting.contents == (("A", 1), ("B", 2))
    assert Posting(**plain | {"reference": "other", "value_pence": 1}).key == posting.key
