"""Both sides of a waterfall: sums by Stock Code, the lines that are compared, and the VAT between them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.documents.draft_lines import pieces
from khaos_swap_assets.domain.goods.dispositions import DAMAGED, SELLABLE
from khaos_swap_assets.domain.judging.waterfall_facts import (
    CreditFacts,
    CreditLine,
    LineSums,
    RefundedLine,
    RefundFacts,
    compared_lines,
    refund_vat_pence,
    sums_of,
    vat_gap_pence,
)
from khaos_swap_assets.domain.judging.waterfall_fields import (
    Piece,
    accounted,
    paid_apart,
    refund_fields,
    silent_delivery,
)
from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.policy.settlement import Credit, Settlement
from khaos_swap_assets.domain.records.returns import REFUND, ReturnLine
from khaos_swap_assets_tests.domain.records import matched

line_rows = st.tuples(st.sampled_from(["A", "B", "A "]), st.integers(0, 9), st.none() | st.integers(0, 9999))


@given(st.lists(line_rows, max_size=8))
def test_sums_of_lines_lose_nothing_and_know_what_they_do_not_know(rows: list[tuple[str, int, int | None]]) -> None:
    found = sums_of(rows)
    assert found == sums_of(rows[::-1])
    assert list(found) == sorted({code for code, _, _ in rows})
    for code, sums in found.items():
        own = [(quantity, pence) for name, quantity, pence in rows if name == code]
        values = [pence for _, pence in own if pence is not None]
        assert sums == LineSums(sum(units for units, _ in own), sum(values) if len(values) == len(own) else None)


@pytest.mark.parametrize(
    ("outcome", "noted", "compared"),
    [("Refund", "B", True), ("Refund", "A", True), ("Store Credit", "B", False), ("Store Credit", "A", True)],
)
def test_a_line_of_another_outcome_counts_once_a_note_holds_it(outcome: str, noted: str, compared: bool) -> None:
    line = RefundedLine("A", 1, 1200, outcome)
    found = compared_lines(RefundFacts(1200, (line,)), CreditFacts(1200, lines=(CreditLine(noted, 1, None),)))
    assert found == ((line,) if compared else ())


def vat_gap(refund: int, lines: list[tuple[int, Any]], gross: int, net: int | None) -> int | None:
    rows = tuple(RefundedLine(f"A{number}", 1, value, vat_percent=rate) for number, (value, rate) in enumerate(lines))
    return vat_gap_pence(RefundFacts(refund, rows), CreditFacts(gross, net))


@pytest.mark.parametrize(
    ("refund", "lines", "gross", "net", "gap"),
    [
        (1200, [(1200, 20)], 1200, 1000, 0),
        (1200, [(1200, 0)], 1200, 1000, 200),
        (1200, [(1200, 20)], 1200, 1200, -200),
        (1200, [(1200, 20)], 1200, None, None),
        (1200, [(1200, None)], 1200, 1000, None),
        (1200, [(1200, 20), (0, None)], 1200, 1000, 0),
        (1200, [], 1200, 1000, None),
        (1800, [(1200, 20)], 1800, 1500, 0),
        (900, [(1200, 20)], 900, 750, 0),
        (3600, [(1200, 0), (1200, 20)], 3600, 3300, 0),
    ],
)
def test_vat_of_both_sides(
    refund: int, lines: list[tuple[int, Any]], gross: int, net: int | None, gap: int | None
) -> None:
    assert vat_gap(refund, lines, gross, net) == gap


A3 = RefundedLine("A", 3, 21747, vat_percent=20)
A1, B0 = RefundedLine("A", 1, 1000, vat_percent=20), RefundedLine("B", 1, 3000, vat_percent=0)
HAT = RefundedLine("SET", 1, 3330, vat_percent=20)


@pytest.mark.parametrize(
    ("lines", "credit", "gaps"),
    [
        ((A3,), CreditFacts(21452, lines=(CreditLine("A", 3, 21452),)), {17877: 0, 17876: 0, 17875: 2, 17878: -1}),
        ((A1, A1), CreditFacts(2000), {1666: 0, 1667: 0, 1668: -2, 1665: 1}),
        ((A1, B0), CreditFacts(4000), {833 + 3000: 0, 834 + 3000: -1, 833 + 2500: 500}),
        (
            (A1, B0),
            CreditFacts(4400, delivery_pence=400),
            {833 + 3000 + 383: 0, 833 + 3000 + 382: 1, 833 + 3000 + 384: -1, 833 + 3000 + 333: 50},
        ),
        ((A1,), CreditFacts(1395, delivery_pence=395), {833 + 329: 0, 833 + 330: -1, 833 + 328: 1, 833 + 395: -66}),
        ((HAT,), CreditFacts(3330), {2775: 0, 2776: -1}),
        ((HAT,), CreditFacts(3330, opened_units=2), {2775: 0, 2776: 0, 2774: 0, 2777: -2, 3330: -555}),
    ],
)
def test_vat_is_rounded_by_the_rows_of_either_side(
    lines: tuple[RefundedLine, ...], credit: CreditFacts, gaps: dict[int, int]
) -> None:
    """A fee, one Code in two rows, mixed rates, delivery, and a pack that was opened."""
    refund = RefundFacts(credit.gross_pence, lines)
    assert {net: vat_gap_pence(refund, replace(credit, net_pence=net)) for net in gaps} == gaps


sold = st.tuples(st.integers(1, 6), st.integers(1, 10**5), st.sampled_from([0, 5, 20]), st.integers(0, 6))


@given(st.lists(sold, min_size=1, max_size=3), st.integers(0, 500))
def test_vat_of_our_own_document_never_differs(rows: list[tuple[int, int, int, int]], fee: int) -> None:
    """However its units went to two places, and whatever was withheld: rows of whole pence are what Khaos rounds."""
    lines = [
        ReturnLine("R", f"P{at}", "", "", f"P{at}", units, pence, "GBP", REFUND)
        for at, (units, pence, _, _) in enumerate(rows)
    ]
    paid = max(sum(pence for _, pence, _, _ in rows) - fee, 0)
    matches = {
        f"P{at}": matched(
            replace(lines[at], sku=f"SKU-P{at}"),
            dispositions={SELLABLE: min(whole, units), DAMAGED: max(units - whole, 0)},
        )
        for at, (units, _, _, whole) in enumerate(rows)
    }
    rate_of = {f"P{at}": rate for at, (_, _, rate, _) in enumerate(rows)}
    made = list(pieces(Settlement(credits=(Credit(tuple(lines), paid),)), matches, "disposition"))
    assert sum(line.gross_pence for line in made) == paid
    net = sum(Amount.of(line.gross_pence, rate_of[line.stock_code]).net_pence for line in made)
    refunded = tuple(
        RefundedLine(f"P{at}", units, pence, vat_percent=rate) for at, (units, pence, rate, _) in enumerate(rows)
    )
    assert vat_gap_pence(RefundFacts(paid, refunded), CreditFacts(paid, net)) == 0


rates = st.sampled_from([0, 5, 20, Decimal("17.5")])


@given(st.lists(st.tuples(st.integers(1, 10**5), rates), min_size=1, max_size=5), st.integers(0, 10**5))
def test_what_was_refunded_beside_the_goods_is_shared_out_whole(lines: list[tuple[int, Any]], refund: int) -> None:
    rows = tuple(RefundedLine(f"A{number}", 1, value, vat_percent=rate) for number, (value, rate) in enumerate(lines))
    vat = refund_vat_pence(RefundFacts(refund, rows), CreditFacts(refund), refund)
    assert vat is not None
    assert 0 <= vat <= refund
    if len({rate for _, rate in lines}) == 1:
        is_less = sum(value for value, _ in lines) > refund
        assert abs(vat - Amount.of(refund, lines[0][1]).vat_pence) <= (0 if is_less else len(lines))


FIELDS = [
    ({"fee_pence": 295}, ("fee", 295)),
    ({"gift_card_pence": 500}, ("tender", 500)),
    ({"store_credit_pence": 600}, ("tender", 600)),
    ({"exchange_pence": 4500, "additional_payment_pence": 1000}, ("exchange", 3500)),
    ({"taxes_on_top_pence": 100}, ("tax", -100)),
    ({"duties_pence": 50}, ("tax", -50)),
    ({"fx_loss_pence": 7}, ("fx", -7)),
]


@pytest.mark.parametrize(("given_", "leg"), FIELDS)
def test_each_field_speaks_for_one_leg_in_one_direction(given_: dict[str, Any], leg: tuple[str, int]) -> None:
    found = [(piece.name, piece.pence) for piece in refund_fields(RefundFacts(5000, **given_)) if piece.pence]
    assert found == [leg]


def test_a_refund_of_goods_alone_has_no_field() -> None:
    lines = (RefundedLine("A", 1, 5000),)
    assert not [piece for piece in refund_fields(RefundFacts(5000, lines)) if piece.pence]


@pytest.mark.parametrize(
    ("outcome", "header", "told"),
    [
        ("Store Credit", {}, [("tender", 600)]),
        ("Shop Later Credit", {"store_credit_pence": 600}, [("tender", 600)]),
        ("Store Credit", {"store_credit_pence": 700}, [("tender", 700), ("tender", 600)]),
        ("Exchange", {}, [("exchange", 600)]),
        ("Shop Now Credit", {"exchange_pence": 600}, [("exchange", 600)]),
        ("Repair", {}, []),
    ],
)
def test_rows_speak_where_the_header_does_not(
    outcome: str, header: dict[str, int], told: list[tuple[str, int]]
) -> None:
    refund = RefundFacts(5000, (RefundedLine("A", 1, 600, outcome),), **header)
    assert [(piece.name, piece.pence) for piece in refund_fields(refund) if piece.pence] == told


def test_the_delivery_of_the_note_comes_before_that_of_the_order() -> None:
    refund = RefundFacts(5000, order_delivery_pence=495)
    for of_note, told in (([Piece("delivery", 395, "note")], -395), ([], -495)):
        assert [piece.pence for piece in silent_delivery(refund, of_note)] == [told]


def piece(pence: int, name: Any = "fee") -> Piece:
    return Piece(name, pence, f"{name} {pence}")


@pytest.mark.parametrize(
    ("fields", "pence", "slack", "found"),
    [
        ([], 0, 0, []),
        ([], 5, 5, []),
        ([300, -300], 0, 0, []),
        ([100, 200, 300], 300, 0, [300]),
        ([100, 200], 300, 0, [100, 200]),
        ([100, 200], 301, 0, []),
        ([100, 200], 301, 1, [100, 200]),
        ([299, 300], 301, 2, [300]),
        ([300, 299], 301, 2, [300]),
        ([300, 302], 301, 1, [300]),
        ([0, 5], 5, 0, [5]),
        ([-395, 295], -100, 0, [-395, 295]),
    ],
)
def test_the_fewest_fields_that_come_to_it(fields: list[int], pence: int, slack: int, found: list[int]) -> None:
    assert [one.pence for one in accounted([piece(value) for value in fields], pence, slack)] == found


@given(st.lists(st.integers(-999, 999), max_size=8), st.integers(-2000, 2000), st.integers(0, 5))
def test_fields_account_for_an_amount_or_for_nothing(values: list[int], pence: int, slack: int) -> None:
    found = accounted([piece(value) for value in values], pence, slack)
    assert not found or abs(sum(one.pence for one in found) - pence) <= slack
    mirrored = accounted([piece(value).mirrored(is_excused=True) for value in values], -pence, slack)
    assert [one.mirrored(is_excused=True) for one in mirrored] == list(found)


def test_what_swap_says_comes_before_what_the_money_says() -> None:
    fee = piece(295)
    refund = RefundFacts(4705, fee_pence=295, unmoved_pence=295)
    assert paid_apart(refund, [fee], 295) == (fee,)
    assert [one.name for one in paid_apart(refund, [piece(100)], 295)] == ["goods"]
    assert paid_apart(refund, [piece(100)], 294) == ()
