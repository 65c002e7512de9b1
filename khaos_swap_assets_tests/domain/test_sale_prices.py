"""Whether Khaos, going by the sale, could give a document the value that we drafted."""

from __future__ import annotations

import pytest

from khaos_swap_assets.domain.documents.credit_notes import Draft
from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.domain.documents.postings import prices_of
from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder

Sold = tuple[str, int, int]
Drafted = tuple[str, int, int]


def priced(sold: list[Sold], drafted: list[Drafted], currency: str = "GBP") -> str:
    lines = tuple(OrderLine(number, *each) for number, each in enumerate(sold, 1))
    order = SalesOrder("SO1", "KCC1", "ASH1", "GBP", None, None, False, 495, lines)
    rows = tuple(DraftLine(f"p{code}{units}", code, units, pence, "sellable") for code, units, pence in drafted)
    value = sum(row.gross_pence for row in rows)
    return prices_of(Draft("store", "R1", 1, "RMA1", "SO1", "KCC1", "ASH1", currency, value, rows), order)


@pytest.mark.parametrize(
    ("sold", "drafted", "expected"),
    [
        ([("HAT", 1, 1000)], [("HAT", 1, 1000)], "sale"),
        ([("HAT", 3, 3000)], [("HAT", 1, 1000)], "sale"),
        ([("HAT", 1, 1000), ("HAT", 2, 2000)], [("HAT", 2, 1000)], "sale"),
        ([("HAT", 1, 1000)], [("HAT", 1, 705)], "own"),
        ([("HAT", 2, 2000)], [("HAT", 1, 1000), ("HAT", 1, 705)], "own"),
        ([("HAT", 1, 1000), ("CAP", 1, 500)], [("HAT", 1, 1001), ("CAP", 1, 499)], "unsure"),
        ([("HAT", 3, 1000)], [("HAT", 1, 333)], "unsure"),
        ([("HAT", 3, 1000)], [("HAT", 1, 334)], "unsure"),
        ([("HAT", 3, 1000)], [("HAT", 1, 335)], "own"),
        ([("HAT", 1, 1000), ("HAT", 1, 800)], [("HAT", 1, 1000)], "unsure"),
        ([("HAT", 1, 1000), ("HAT", 1, 800)], [("HAT", 1, 799)], "own"),
        ([("HAT", 1, 1000)], [("CAP", 1, 1000)], "unsure"),
        ([("HAT", 0, 0)], [("HAT", 1, 1000)], "unsure"),
        ([], [("HAT", 1, 1000)], "unsure"),
    ],
)
def test_what_the_sale_could_give(sold: list[Sold], drafted: list[Drafted], expected: str) -> None:
    assert priced(sold, drafted) == expected


def test_another_currency_or_no_order_tells_nothing() -> None:
    assert priced([("HAT", 1, 1000)], [("HAT", 1, 1000)], currency="EUR") == "unsure"
    lines = (DraftLine("p1", "HAT", 1, 1000, "sellable"),)
    assert prices_of(Draft("store", "R1", 1, "RMA1", "SO1", "KCC1", "ASH1", "GBP", 1000, lines), None) == "unsure"
