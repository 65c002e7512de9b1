"""VAT rules through the judge: the rate of the sale (U-5), ties and nothing else (U-6), no refund (U-17)."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.domain.judging.document_facts import LineFacts
from khaos_swap_assets_tests.domain.cases import a_line, a_return, attributed, some_facts, verdict


def lines_of(*rows: tuple[int, int, Any]) -> tuple[LineFacts, ...]:
    return tuple(
        a_line(
            product_id=f"P{at}", sku=f"A{at}", stock_code=f"A{at}", quantity=units, cost_pence=pence, vat_percent=rate
        )
        for at, (units, pence, rate) in enumerate(rows)
    )


@pytest.mark.parametrize(
    ("rows", "net", "gap"),
    [
        ([(1, 3000, 0)], 2500, 500),
        ([(1, 3000, 20)], 3000, -500),
        ([(1, 999, 20)] * 3, 2997 - 501, 0),
        ([(1, 999, 20)] * 3, 2997 - 500, 0),
        ([(1, 999, 20)] * 3, 2997 - 499, 0),
        ([(1, 999, 20)] * 3, 2997 - 502, 4),
        ([(3, 2997, 20)], 2997 - 501, 0),
        ([(1, 245, 20)], 204, 0),
        ([(1, 245, 20)], 203, 1),
        ([(2, 2000, 20)], 1667, 0),
        ([(2, 2000, 20)], 1666, 0),
        ([(2, 2000, 20)], 1665, 2),
        ([(2, 2000, 20)], 1668, -1),
        ([(1, 1000, 20)] * 2, 1666, 0),
        ([(1, 1000, 20)] * 2, 1667, -1),
        ([(2, 1200, 20)], 999, 1),
        ([(3, 14152, 20)], 11793, 0),
        ([(3, 14152, 20)], 11794, 0),
        ([(3, 14152, 20)], 11795, -2),
        ([(3, 14152, 20)], 11792, 1),
        ([(3, 23998, 20)], 19999, 0),
        ([(4, 1600, 20)], 1332, 0),
        ([(4, 1600, 20)], 1334, 0),
        ([(4, 1600, 20)], 1331, 2),
        ([(3, 14152, 20), (1, 3000, 0)], 11794 + 3000, 0),
        ([(3, 14152, 20), (1, 3000, 0)], 11794 + 2500, 499),
        ([(3, 14152, 5)], 13478, 0),
        ([(3, 14152, 5)], 11794, 1684),
        ([(1, 3600, 20), (1, 3000, 0)], 6600 - 600, 0),
        ([(1, 3600, 20), (1, 3000, 0)], 6600 - 500, -100),
    ],
)
def test_vat_is_that_of_the_sale_and_only_a_tie_is_rounding(
    rows: list[tuple[int, int, Any]], net: int, gap: int
) -> None:
    """A penny a line is no excuse: £2.45 has one right VAT, £9.99 has two."""
    pence = sum(value for _, value, _ in rows)
    facts = some_facts(
        a_return(refund_pence=pence), lines=lines_of(*rows), notes=(attributed(pence, net_pence=net, lines=()),)
    )
    found = verdict(facts)
    assert found.vat_gap_pence == gap
    told = {one.kind: one.money_at_risk_pence for one in found.problems}
    assert told.get("vat_differs", 0) == abs(gap)


def test_vat_of_a_gift_card_given_back_beside_the_money_is_part_of_the_note() -> None:
    """U-14: the note of £60.00 is right where £40.00 went back by card and £20.00 to the gift card."""
    record = a_return(refund_pence=4000, store_credit_pence=2000)
    facts = some_facts(record, lines=lines_of((1, 6000, 20)), notes=(attributed(6000, net_pence=5000),))
    assert verdict(facts).vat_gap_pence == 0


def test_a_note_without_a_refund_claims_all_of_its_vat_too_much() -> None:
    """U-17 D: the note is £48.00 and the refund failed, so £8.00 of VAT are over-claimed."""
    facts = some_facts(a_return(status="Cancelled"), notes=(attributed(4800, net_pence=4000),))
    assert verdict(facts).vat_gap_pence == 800
