"""The penny waterfall: each leg with its evidence, what is never named, and the laws of the sum."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.judging.waterfall import LEGS, Waterfall, explain
from khaos_swap_assets.domain.judging.waterfall_facts import (
    CreditFacts,
    CreditLine,
    RefundedLine,
    RefundFacts,
    vat_gap_pence,
)
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy, DeliveryLine

A, B = RefundedLine("A", 2, 5000, vat_percent=20), RefundedLine("B", 1, 1000, vat_percent=0)
CA, CB = CreditLine("A", 2, 5000), CreditLine("B", 1, 1000)


def a_refund(pence: int = 6000, *lines: RefundedLine, **fields: Any) -> RefundFacts:
    return RefundFacts(pence, lines or (A, B), **fields)


def a_credit(*lines: CreditLine, delivery: int = 0, **changes: Any) -> CreditFacts:
    gross = sum(line.gross_pence or 0 for line in lines) + delivery
    return CreditFacts(**{"gross_pence": gross, "lines": lines, "delivery_pence": delivery, **changes})


def legs(found: Waterfall) -> dict[str, int]:
    return {leg.name: leg.pence for leg in found.legs}


CASES: list[tuple[str, RefundFacts, CreditFacts, dict[str, int]]] = [
    ("equal", a_refund(), a_credit(CA, CB), {}),
    ("equal, the note without lines", a_refund(), CreditFacts(6000), {}),
    ("a line is not credited", a_refund(), a_credit(CA), {"goods": -1000}),
    ("a line was not returned", a_refund(5000, A), a_credit(CA, CB), {"goods": 1000}),
    ("one unit too few", a_refund(), a_credit(CreditLine("A", 1, 2500), CB), {"quantity": -2500}),
    ("one unit too many", a_refund(), a_credit(CreditLine("A", 3, 7500), CB), {"quantity": 2500}),
    ("no note", a_refund(), CreditFacts(0), {"goods": -6000}),
    ("no refund", RefundFacts(0), a_credit(CA, delivery=395), {"goods": 5000, "delivery": 395}),
    ("a return that was cancelled", a_refund(0), a_credit(CA, CB), {"goods": 6000}),
    ("delivery credited, not refunded", a_refund(), a_credit(CA, CB, delivery=395), {"delivery": 395}),
    ("delivery refunded, not credited", a_refund(6395, order_delivery_pence=395), a_credit(CA, CB), {"delivery": -395}),
    ("delivery on both, Swap has no field for it", a_refund(6395), a_credit(CA, CB, delivery=395), {}),
    ("a fee was withheld, credited in full", a_refund(5705, fee_pence=295), a_credit(CA, CB), {"fee": 295}),
    (
        "a fee was withheld and taken off the note",
        a_refund(5705, fee_pence=295),
        a_credit(CreditLine("A", 2, 4754), CreditLine("B", 1, 951)),
        {},
    ),
    (
        "a fee that was not withheld, taken off the note",
        a_refund(6000, fee_pence=295),
        a_credit(CreditLine("A", 2, 4705), CB),
        {"fee": -295},
    ),
    (
        "a fee, with a penny of rounding of the unit price",
        a_refund(5705, fee_pence=295),
        a_credit(CreditLine("A", 2, 4706), CB),
        {"rounding": 1},
    ),
    ("paid in part by gift card", a_refund(4500, gift_card_pence=1500), a_credit(CA, CB), {"tender": 1500}),
    (
        "one line to store credit, credited",
        a_refund(5000, A, replace(B, outcome="Store Credit"), store_credit_pence=1000),
        a_credit(CA, CB),
        {"tender": 1000},
    ),
    (
        "one line to store credit, not credited",
        a_refund(5000, A, replace(B, outcome="Store Credit"), store_credit_pence=1000),
        a_credit(CA),
        {},
    ),
    (
        "taxes refunded on top of the prices",
        a_refund(6200, taxes_on_top_pence=200),
        a_credit(CA, CB),
        {"tax": -200},
    ),
    ("a label's fee withheld", a_refund(5705, postage_pence=295), a_credit(CA, CB), {"fee": 295}),
    ("a label's fee that nobody withheld", a_refund(6000, postage_pence=295), a_credit(CA, CB), {}),
    ("one fee told twice", a_refund(5705, fee_pence=295, postage_pence=295), a_credit(CA, CB), {"fee": 295}),
    (
        "a fee that is never added to that of the label",
        a_refund(5410, fee_pence=295, postage_pence=295),
        a_credit(CA, CB),
        {"unexplained": 590},
    ),
    ("a label's fee on both sides", a_refund(5705, postage_pence=295), a_credit(CreditLine("A", 2, 4705), CB), {}),
    ("duties refunded", a_refund(6300, duties_pence=300), a_credit(CA, CB), {"tax": -300}),
    ("credited at net prices", a_refund(5000, A), a_credit(CreditLine("A", 2, 4167)), {"tax": -833}),
    (
        "credited at list price",
        a_refund(5000, replace(A, list_pence=5600)),
        a_credit(CreditLine("A", 2, 5600)),
        {"discount": 600},
    ),
    (
        "all lines at list price",
        a_refund(6000, replace(A, list_pence=5600), replace(B, list_pence=1100)),
        a_credit(CreditLine("A", 2, 5600), CreditLine("B", 1, 1100)),
        {"discount": 700},
    ),
    (
        "one of two lines at list price",
        a_refund(6000, replace(A, list_pence=5600), replace(B, list_pence=1100)),
        a_credit(CreditLine("A", 2, 5600), CB),
        {"discount": 600},
    ),
    (
        "a line off by just the discount of another, which is noted at what was paid",
        a_refund(6000, replace(A, list_pence=5600), replace(B, list_pence=1100)),
        a_credit(CreditLine("A", 2, 5100), CB),
        {"goods": 100},
    ),
    (
        "a line off by just the discount of both",
        a_refund(6000, replace(A, list_pence=5600), replace(B, list_pence=1100)),
        a_credit(CreditLine("A", 2, 5700), CB),
        {"goods": 700},
    ),
    (
        "list price, fee and delivery at once",
        a_refund(4705, replace(A, list_pence=5600), fee_pence=295),
        a_credit(CreditLine("A", 2, 5600), delivery=395),
        {"delivery": 395, "discount": 600, "fee": 295},
    ),
    (
        "a unit price of whole pence",
        a_refund(3499, RefundedLine("A", 3, 3499)),
        a_credit(CreditLine("A", 3, 3498)),
        {"rounding": -1},
    ),
    ("the cash of another rate", a_refund(6169, fx_loss_pence=169), a_credit(CA, CB), {"fx": -169}),
    ("typed wrong", a_refund(), a_credit(CreditLine("A", 2, 5500), CB), {"goods": 500}),
    ("typed wrong, the note without lines", a_refund(), CreditFacts(6500), {"unexplained": 500}),
    ("a penny on one unit is no rounding", a_refund(1000, B), a_credit(CreditLine("B", 1, 1001)), {"goods": 1}),
    (
        "a share of a price that has no whole penny a unit",
        a_refund(3499, RefundedLine("A", 3, 3499)),
        CreditFacts(2333, lines=(CreditLine("A", 2, 2333),)),
        {"quantity": -1167, "rounding": 1},
    ),
    (
        "a fee that explains only a part is told as such",
        a_refund(5705, fee_pence=295),
        a_credit(CreditLine("A", 2, 6000), CB),
        {"goods": 1000, "fee": 295},
    ),
    (
        "a field that happens to be as large as a slip on the other side names nothing",
        a_refund(6000, gift_card_pence=500),
        a_credit(CreditLine("A", 2, 5500), CB),
        {"goods": 500},
    ),
    ("Swap's own sums do not add up", a_refund(5900), a_credit(CA, CB), {"unexplained": 100}),
    ("fields alone", RefundFacts(5705, fee_pence=295), CreditFacts(6000), {"fee": 295}),
    ("fields alone that do not fit", RefundFacts(5705, fee_pence=195), CreditFacts(6000), {"unexplained": 295}),
]


@pytest.mark.parametrize(
    ("refund", "credit", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_leg_has_its_evidence(refund: RefundFacts, credit: CreditFacts, expected: dict[str, int]) -> None:
    found = explain(refund, credit)
    assert legs(found) == expected
    assert all(leg.evidence and all(leg.evidence) for leg in found.legs)


UNITS = (CreditLine("A", 2, None), CreditLine("B", 1, None))


@pytest.mark.parametrize(
    ("credit", "expected", "evidence"),
    [
        (CreditFacts(6000, lines=UNITS), {}, ""),
        (CreditFacts(6395, lines=UNITS, delivery_pence=395), {"delivery": 395}, "note: delivery"),
        (CreditFacts(5000, lines=UNITS[:1]), {"goods": -1000}, "refund: line B, not on the note"),
        (CreditFacts(3500, lines=(CreditLine("A", 1, None), UNITS[1])), {"quantity": -2500}, "A: 1 on the note, 2"),
        (CreditFacts(6777, lines=(*UNITS, CreditLine("X", 1, None))), {"goods": 777}, "note: line X, not returned"),
        (CreditFacts(6001, lines=UNITS), {"goods": 1}, "note: price of A, B; refund: cost of the same goods"),
        (CreditFacts(6600, lines=(CreditLine("A", 2, 5600), CB)), {"goods": 600}, "note: price of A; refund: cost"),
    ],
)
def test_a_note_of_which_khaos_tells_the_units_alone(
    credit: CreditFacts, expected: dict[str, int], evidence: str
) -> None:
    found = explain(a_refund(), credit)
    assert legs(found) == expected
    assert evidence in "; ".join(text for leg in found.legs for text in leg.evidence)


def test_delivery_as_a_line_of_its_stock_code_is_delivery() -> None:
    decision = DeliveryLine(
        choice="as_refunded", reason="r", approver="a", effective_on=date(2026, 1, 1), stock_code="DELIVERY"
    )
    policy = CreditNotePolicy(delivery=decision)
    credit = a_credit(CA, CB, CreditLine("DELIVERY", 1, 395))
    assert legs(explain(a_refund(), credit, policy)) == {"delivery": 395}
    assert legs(explain(a_refund(), credit)) == {"goods": 395}
    told = CreditFacts(6395, lines=(*UNITS, CreditLine("DELIVERY", 1, None)))
    assert legs(explain(a_refund(), told, policy)) == {"delivery": 395}
    assert legs(explain(a_refund(), told)) == {"goods": 395}


def test_verdicts() -> None:
    found = explain(a_refund(4500, gift_card_pence=1500), a_credit(CreditLine("A", 2, 5500), CB, delivery=395))
    assert {leg.name: leg.verdict for leg in found.legs} == {
        "tender": "fine",
        "delivery": "error",
        "goods": "error",
    }


@pytest.mark.parametrize(
    ("refund", "credit", "gap"),
    [
        (a_refund(), a_credit(CA, CB, net_pence=4167 + 1000), 0),
        (a_refund(), a_credit(CA, CB, net_pence=5000), 167),
        (a_refund(), a_credit(CA, CB, net_pence=6000), -833),
        (a_refund(5000, A), a_credit(CreditLine("A", 2, 5500), net_pence=4583), 84),
        (a_refund(4705, A, fee_pence=295), a_credit(CreditLine("A", 2, 4705), net_pence=3921), 0),
        (a_refund(), a_credit(CA, CB), None),
        (a_refund(6000, A, replace(B, vat_percent=None)), a_credit(CA, CB, net_pence=5000), None),
        (RefundFacts(6000), a_credit(CA, CB, net_pence=5000), None),
    ],
)
def test_the_vat_gap(refund: RefundFacts, credit: CreditFacts, gap: int | None) -> None:
    assert vat_gap_pence(refund, credit) == gap


codes = st.sampled_from(["A", "B", "C"])
some_pence = st.sampled_from([0, 0, 0, 1, 295, 395, 500, 1000])
refunds = st.builds(
    RefundFacts,
    refund_pence=st.integers(0, 9999),
    lines=st.lists(
        st.builds(
            RefundedLine,
            codes,
            st.integers(0, 3),
            st.integers(0, 5000),
            st.sampled_from(["Refund", "Refund", "Exchange"]),
            st.none() | st.integers(0, 6000),
            st.sampled_from([None, 0, 20]),
        ),
        max_size=3,
    ).map(tuple),
    fee_pence=some_pence,
    gift_card_pence=some_pence,
    store_credit_pence=some_pence,
    exchange_pence=some_pence,
    additional_payment_pence=some_pence,
    taxes_on_top_pence=some_pence,
    duties_pence=some_pence,
    postage_pence=some_pence,
    order_delivery_pence=some_pence,
    fx_loss_pence=some_pence,
)
credits_ = st.builds(
    CreditFacts,
    gross_pence=st.integers(0, 9999),
    net_pence=st.none() | st.integers(0, 9999),
    lines=st.lists(st.builds(CreditLine, codes, st.integers(0, 3), st.none() | st.integers(0, 5000)), max_size=3).map(
        tuple
    ),
    delivery_pence=some_pence,
)


@given(refunds, credits_)
def test_legs_add_up_to_the_gap_each_once_in_order_and_with_evidence(refund: RefundFacts, credit: CreditFacts) -> None:
    found = explain(refund, credit)
    names = [leg.name for leg in found.legs]
    assert found.gap_pence == credit.gross_pence - refund.refund_pence == sum(leg.pence for leg in found.legs)
    assert names == [name for name in LEGS if name in names]
    assert all(leg.pence and leg.evidence for leg in found.legs)


@given(refunds, credits_)
def test_a_leg_is_only_named_where_a_field_says_so(refund: RefundFacts, credit: CreditFacts) -> None:
    found, outcomes = explain(refund, credit), {line.outcome for line in refund.lines}
    fields = {
        "fee": refund.fee_pence or refund.postage_pence,
        "tender": refund.gift_card_pence or refund.store_credit_pence or "Store Credit" in outcomes,
        "exchange": refund.exchange_pence or refund.additional_payment_pence or "Exchange" in outcomes,
        "fx": refund.fx_loss_pence,
        "delivery": refund.order_delivery_pence or credit.delivery_pence,
    }
    assert [name for name, value in fields.items() if not value and any(leg.name == name for leg in found.legs)] == []


@given(
    st.lists(
        st.tuples(codes, st.integers(1, 3), st.integers(1, 5000)), min_size=1, max_size=3, unique_by=lambda one: one[0]
    ),
    st.sets(st.sampled_from(["fee", "gift_card", "delivery", "missing", "extra"])),
)
def test_what_was_done_on_purpose_is_found_and_nothing_is_left_unexplained(
    lines: list[tuple[str, int, int]], done: set[str]
) -> None:
    goods = sum(pence for _, _, pence in lines)
    fee, card = ("fee" in done and goods > 10_000) * 295, ("gift_card" in done and goods > 10_000) * 1500
    noted = [CreditLine(*line) for line in (lines[1:] if "missing" in done else lines)]
    noted += [CreditLine("X", 1, 777)] if "extra" in done else []
    refund = RefundFacts(
        goods - fee - card, tuple(RefundedLine(*line) for line in lines), fee_pence=fee, gift_card_pence=card
    )
    found = explain(refund, a_credit(*noted, delivery=395 if "delivery" in done else 0))
    assert found.pence("unexplained") == 0
    if noted:
        goods_leg = ("extra" in done) * 777 - ("missing" in done) * lines[0][2]
        expected = {"goods": goods_leg, "delivery": ("delivery" in done) * 395, "fee": fee, "tender": card}
        assert legs(found) == {name: pence for name, pence in expected.items() if pence}
