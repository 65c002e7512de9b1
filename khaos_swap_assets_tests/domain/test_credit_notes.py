"""Credit notes: every gate before a draft, and the laws that every draft keeps."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from khaos_swap_assets.domain.documents.credit_notes import CreditNote, Draft, Hold, draft
from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement_case import Posted
from khaos_swap_assets.domain.records.matches import MatchedLine
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.domain.records.returns import HoldReason, Return, ReturnLine
from khaos_swap_assets_tests.domain.records import line, matched, order, returned

ORDER = order(("P1", 9), ("P2", 9))


def drafted(return_: Return, matches: list[MatchedLine] | None = None, **changes: Any) -> Draft:
    outcome = attempt(return_, matches, **changes)
    assert isinstance(outcome, Draft), outcome
    return outcome


def attempt(return_: Return, matches: list[MatchedLine] | None = None, **changes: Any) -> Draft | Hold:
    told = {"order": ORDER} | changes
    lines = [matched(row) for row in return_.lines] if matches is None else matches
    return draft(return_, lines, **told)


def kinds(outcome: Draft | Hold) -> list[str]:
    return [reason.kind for reason in outcome.reasons] if isinstance(outcome, Hold) else []


def prices(note: Draft) -> list[tuple[str, int, int, str]]:
    return [(row.stock_code, row.quantity, row.unit_gross_pence, row.disposition) for row in note.lines]


def test_a_clean_refund_is_drafted_whole() -> None:
    note = drafted(returned(line("P1", 4000), line("P2", 3000, 2)))
    assert note == Draft(
        store_id="S1", return_id="R1", ordinal=1, rma="RMA1001", so_code="SO1", order_ref="KCCLX1",
        customer_code="PATEL0007", currency="GBP", value_pence=7000,
        lines=(DraftLine("P1", "P1", 1, 4000, "sellable"), DraftLine("P2", "P2", 2, 1500, "sellable")),
        policy_version=CreditNotePolicy().version,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cost", "quantity", "dispositions", "expected"),
    [
        (3499, 3, {"sellable": 3}, [("P1", 2, 1166, "sellable"), ("P1", 1, 1167, "sellable")]),
        (4685, 2, {"sellable": 2}, [("P1", 1, 2343, "sellable"), ("P1", 1, 2342, "sellable")]),
        (3000, 3, {"sellable": 1, "damaged": 1, "missing": 1},
         [("P1", 1, 1000, "sellable"), ("P1", 1, 1000, "damaged"), ("P1", 1, 1000, "missing")]),
        (3499, 3, {"missing": 1, "sellable": 2},
         [("P1", 1, 1166, "sellable"), ("P1", 1, 1167, "sellable"), ("P1", 1, 1166, "missing")]),
        (1, 2, {"damaged": 2}, [("P1", 1, 1, "damaged"), ("P1", 1, 0, "damaged")]),
    ],
)  # fmt: skip
def test_a_line_is_split_until_its_pence_divide(
    cost: int, quantity: int, dispositions: dict[str, int], expected: list[tuple[str, int, int, str]]
) -> None:
    row = line("P1", cost, quantity)
    assert prices(drafted(returned(row), [matched(row, dispositions=dispositions)])) == expected


def test_a_line_worth_nothing_still_brings_its_goods_back() -> None:
    note = drafted(returned(line("P1", 4000), line("P2", 0)))
    assert prices(note) == [("P1", 1, 4000, "sellable"), ("P2", 1, 0, "sellable")]


def test_a_withheld_fee_reduces_the_goods_by_largest_remainder() -> None:
    note = drafted(returned(line("P1", 4000), line("P2", 2000), handling_fee_pence=295, refund_pence=5705))
    assert prices(note) == [("P1", 1, 3803, "sellable"), ("P2", 1, 1902, "sellable")]
    assert note.value_pence == 5705


def test_a_fee_that_was_not_withheld_changes_nothing() -> None:
    assert drafted(returned(line("P1", 4000), handling_fee_pence=295)).value_pence == 4000


def test_only_refund_lines_are_drafted() -> None:
    note = drafted(returned(line("P1", 4000), line("P2", 3000, outcome="Exchange")))
    assert [row.product_id for row in note.lines] == ["P1"]


def test_crediting_first_moves_no_stock() -> None:
    row = line("P1", 3499, 3)
    bare = matched(row, dispositions={})
    assert prices(drafted(returned(row), [bare], policy="credit_first")) == [("P1", 2, 1166, ""), ("P1", 1, 1167, "")]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"status": "Open"}, "waiting_refund"),
        ({"processed_at": None, "closed_at": None}, "waiting_refund"),
        ({"refund_pence": 3999}, "refund_not_explained"),
        ({"refund_pence": 4001}, "refund_not_explained"),
        ({"refund_pence": 3705, "handling_fee_pence": 294}, "refund_not_explained"),
        ({"refund_pence": 4295, "handling_fee_pence": -295}, "refund_not_explained"),
        ({"refund_pence": 4000, "lines": ()}, "refund_not_explained"),
        ({"lines": (line("P1", 4000, outcome="Exchange"),)}, "outcome_needs_policy"),
        ({"lines": (line("P1", 5000), line("P2", -1000))}, "refund_not_explained"),
        ({"lines": (line("P1", 4000, 0),)}, "refund_not_explained"),
        ({"lines": (line("P1", 4000, currency="EUR"),)}, "currency_mismatch"),
        ({"refund_pence": 0}, "covered"),
    ],
)
def test_a_refund_that_does_not_stand_is_held(changes: dict[str, Any], kind: str) -> None:
    assert kind in kinds(attempt(returned(line("P1", 4000), **changes)))


@pytest.mark.parametrize(
    ("sales_order", "kind"),
    [
        (None, "waiting_match"),
        (replace(ORDER, invoiced_on=None), "order_not_invoiced"),
        (replace(ORDER, customer_code=""), "customer_unknown"),
        (replace(ORDER, customer_code="Amazo-0317"), "customer_unknown"),
        (replace(ORDER, currency="EUR"), "currency_mismatch"),
    ],
)
def test_an_order_that_does_not_stand_holds(sales_order: SalesOrder | None, kind: str) -> None:
    held = attempt(returned(line("P1")), order=sales_order, generic_customers=["Amazo-*"])
    assert kinds(held) == [kind]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"stock_code": None, "problem": "sku_ambiguous"}, "sku_ambiguous"),
        ({"problem": "sku_discontinued"}, "sku_discontinued"),
        ({"stock_code": None, "problem": "sku_unknown"}, "sku_unknown"),
        ({"stock_code": None}, "code_not_known"),
        ({"dispositions": {}}, "waiting_inspection"),
        ({"dispositions": {"sellable": 2}}, "waiting_inspection"),
        ({"dispositions": {"sellable": 4, "damaged": -1}}, "waiting_inspection"),
        ({"dispositions": {"sellable": 2, "strange": 1}}, "waiting_inspection"),
        ({"quantity": 2}, "waiting_match"),
        ({"cost_pence": 1}, "waiting_match"),
        ({"product_id": "P7"}, "waiting_match"),
    ],
)
def test_a_line_that_does_not_stand_holds(changes: dict[str, Any], kind: str) -> None:
    row = line("P1", 4000, 3)
    assert kinds(attempt(returned(row), [matched(row, **changes)])) == [kind]


def test_a_line_of_another_outcome_holds_nothing() -> None:
    refund, swap = line("P1", 4000), line("P2", outcome="Exchange")
    assert drafted(returned(refund, swap), [matched(refund)]).value_pence == 4000


def test_every_reason_is_told_at_once() -> None:
    row = line("P1", 4000)
    found = [HoldReason("over_return", "two sold, three returned")]
    held = attempt(
        returned(row, refund_pence=3999),
        [matched(row, stock_code=None, problem="sku_unknown")],
        order=replace(ORDER, invoiced_on=None),
        found=found,
    )
    assert kinds(held) == ["over_return", "order_not_invoiced", "refund_not_explained", "sku_unknown"]


def test_what_the_match_found_is_not_told_twice() -> None:
    bare = replace(ORDER, invoiced_on=None)
    found = [
        HoldReason("order_not_invoiced", "SO1 has no invoice"),
        HoldReason("order_not_invoiced", "SO1 has no invoice"),
    ]
    assert attempt(returned(line()), order=bare, found=found) == Hold(tuple(found[:1]))
    lost = [HoldReason("order_not_found", "no order KCCLX1")]
    assert attempt(returned(line()), order=None, found=lost) == Hold(tuple(lost))


def test_a_held_refund_is_told_in_words_of_money() -> None:
    held = attempt(returned(line("P1", 4000), refund_pence=3999, handling_fee_pence=295))
    assert isinstance(held, Hold)
    assert held.reasons[0].text == "£39.99 refunded, its lines add up to £40.00, fee £2.95"
    assert not held.is_covered


FIRST = Posted(("P1",), 4000)


def test_a_second_refund_takes_only_the_new_lines() -> None:
    note = drafted(returned(line("P1", 4000), line("P2", 2500)), ordinal=2, already=[FIRST])
    assert (note.ordinal, note.value_pence) == (2, 2500)
    assert prices(note) == [("P2", 1, 2500, "sellable")]


def test_a_second_refund_follows_a_first_less_its_fee() -> None:
    both = returned(line("P1", 4000), line("P2", 2500), handling_fee_pence=295, refund_pence=6205)
    assert drafted(both, ordinal=2, already=[Posted(("P1",), 3705)]).value_pence == 2500


def test_a_fee_explains_no_later_refund() -> None:
    both = returned(line("P1", 4000), line("P2", 2500), handling_fee_pence=295, refund_pence=6205)
    assert kinds(attempt(both, ordinal=2, already=[FIRST])) == ["outcome_needs_policy"]


@pytest.mark.parametrize(
    ("refund", "lines", "kind"),
    [
        (4000, (line("P1", 4000),), "covered"),
        (4000, (line("P1", 4000), line("P2", 2500)), "covered"),
        (5000, (line("P1", 4000),), "outcome_needs_policy"),
        (5000, (line("P1", 5000),), "outcome_needs_policy"),
        (6499, (line("P1", 4000), line("P2", 2500)), "outcome_needs_policy"),
        (3000, (line("P1", 4000),), "value_gap"),
    ],
)
def test_a_later_refund_is_covered_explained_or_a_task(refund: int, lines: tuple[ReturnLine, ...], kind: str) -> None:
    held = attempt(returned(*lines, refund_pence=refund), ordinal=2, already=[FIRST])
    assert kinds(held) == [kind]
    assert isinstance(held, Hold)
    assert held.is_covered is (kind == "covered")


def test_a_third_refund_counts_both_before_it() -> None:
    three = returned(line("P1", 4000), line("P2", 2500), line("P3", 100))
    note = drafted(three, ordinal=3, already=[FIRST, Posted(("P2",), 2500)])
    assert (note.value_pence, [row.product_id for row in note.lines]) == (100, ["P3"])


@pytest.mark.parametrize(
    ("costs", "fee", "refund", "is_so"),
    [
        ([4000, 2000], 0, 6000, True),
        ([4000, 2000], 295, 5705, True),
        ([4000, 2000], 295, 6000, True),
        ([4000, 2000], 295, 5704, False),
        ([], 0, 1, False),
        ([-1, 2], 0, 1, False),
    ],
)
def test_lines_explain_a_refund(costs: list[int], fee: int, refund: int, is_so: bool) -> None:
    lines = [line(f"P{number}", cost) for number, cost in enumerate(costs, 1)]
    outcome = attempt(returned(*lines, handling_fee_pence=fee, refund_pence=refund))
    assert (kinds(outcome) == []) is is_so
    assert is_so or kinds(outcome) == ["refund_not_explained"]


@pytest.mark.parametrize(
    ("stage_id", "issued_on", "is_issued"),
    [(10, None, False), (69, None, False), (70, None, True), (None, None, False), (None, date(2026, 2, 1), True)],
)
def test_only_an_issued_note_moved_the_ledger(stage_id: int | None, issued_on: date | None, is_issued: bool) -> None:
    note = CreditNote("CN1", "RMA1", "U1", "GBP", None, issued_on, stage_id, 100, 83)
    assert note.is_issued is is_issued


@st.composite
def refunds(draw: st.DrawFn) -> tuple[Return, list[MatchedLine]]:
    """A confirmed refund of some lines, perhaps less a fee, every unit with a disposition."""
    lines, matches = [], []
    for number in range(draw(st.integers(1, 6))):
        counts = draw(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)).filter(any))
        row = line(f"P{number}", draw(st.integers(0, 20_000)), sum(counts))
        lines.append(row)
        matches.append(matched(row, dispositions=dict(zip(("sellable", "damaged", "missing"), counts, strict=True))))
    total = sum(row.cost_pence for row in lines)
    assume(total > 0)
    fee = draw(st.integers(0, total - 1))
    refund = draw(st.sampled_from([total, total - fee]))
    return returned(*lines, handling_fee_pence=fee, refund_pence=refund), matches


@given(refunds())
def test_a_draft_is_worth_the_refund_to_the_penny(case: tuple[Return, list[MatchedLine]]) -> None:
    note = drafted(*case)
    assert sum(row.gross_pence for row in note.lines) == note.value_pence == case[0].refund_pence


@given(refunds())
def test_no_line_is_negative_or_above_what_was_refunded_for_it(case: tuple[Return, list[MatchedLine]]) -> None:
    note = drafted(*case)
    assert all(row.unit_gross_pence >= 0 and row.quantity >= 1 for row in note.lines)
    for row in case[0].lines:
        assert sum(piece.gross_pence for piece in note.lines if piece.product_id == row.product_id) <= row.cost_pence


@given(refunds())
def test_units_and_dispositions_of_each_product_are_kept(case: tuple[Return, list[MatchedLine]]) -> None:
    note = drafted(*case)
    for match in case[1]:
        pieces = [piece for piece in note.lines if piece.product_id == match.product_id]
        for word in ("sellable", "damaged", "missing"):
            assert sum(piece.quantity for piece in pieces if piece.disposition == word) == match.dispositions.get(
                word, 0
            )


@given(refunds())
def test_units_of_a_product_differ_by_a_penny_at_most(case: tuple[Return, list[MatchedLine]]) -> None:
    note = drafted(*case)
    for row in case[0].lines:
        units = [piece.unit_gross_pence for piece in note.lines if piece.product_id == row.product_id]
        assert max(units) - min(units) <= 1


@given(refunds(), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(case: tuple[Return, list[MatchedLine]], random: Any) -> None:
    return_, matches = case
    shuffled = replace(return_, lines=tuple(random.sample(return_.lines, len(return_.lines))))
    assert drafted(shuffled, random.sample(matches, len(matches))) == drafted(return_, matches)


@given(refunds(), st.integers(0, 6))
def test_refunds_one_after_the_other_add_up(case: tuple[Return, list[MatchedLine]], cut: int) -> None:
    return_, matches = case
    cut = 1 + cut % max(len(return_.lines) - 1, 1)
    early, late = return_.lines[:cut], return_.lines[cut:]
    first_value, rest = sum(row.cost_pence for row in early), sum(row.cost_pence for row in late)
    assume(first_value > 0 and rest > 0)
    first = drafted(returned(*early), matches)
    posted = Posted(tuple(row.product_id for row in early), first.value_pence)
    second = drafted(returned(*return_.lines), matches, ordinal=2, already=[posted])
    assert first.value_pence + second.value_pence == first_value + rest
    assert not {row.product_id for row in first.lines} & {row.product_id for row in second.lines}


@given(refunds(), st.integers(-500, 500).filter(bool))
def test_a_refund_off_by_any_penny_is_held(case: tuple[Return, list[MatchedLine]], off: int) -> None:
    total = sum(row.cost_pence for row in case[0].lines)
    changed = replace(case[0], handling_fee_pence=0, refund_pence=max(total + off, 1))
    assume(changed.refund_pence != total)
    assert kinds(attempt(changed, case[1])) == ["refund_not_explained"]
