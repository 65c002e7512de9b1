"""When each kind of exception fires, does not fire, and closes again: a table a kind."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from khaos_swap_assets.domain.exceptions.catalogue import KINDS, kinds_about
from khaos_swap_assets.domain.goods.cancellations import OPEN_KIND, SENT_KIND
from khaos_swap_assets.domain.judging.conditions import RULES
from khaos_swap_assets.domain.judging.document_facts import OverCredit
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.goods_conditions import GOODS_RULES, RESTOCKED
from khaos_swap_assets.domain.judging.value_conditions import VALUE_RULES
from khaos_swap_assets.domain.linking.refund_links import link
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.refunds.money_shown import Claimant
from khaos_swap_assets.domain.refunds.payments import RefundLine
from khaos_swap_assets_tests.domain.cases import (
    DELIVERED,
    LATE,
    REFUNDED,
    SOON,
    a_line,
    a_move,
    a_posting,
    a_return,
    an_adjustment,
    attributed,
    kinds,
    some_facts,
    verdict,
)
from khaos_swap_assets_tests.domain.payments import a_refund

A_TICK = timedelta(microseconds=1)
OPEN = a_return(status="Open", processed_at=None, closed_at=None)
CANCELLED = a_return(status="Cancelled", processed_at=None)
AFTER_INSPECTION_LIMIT = DELIVERED + timedelta(days=2)
LAST_REFUND_DAY = datetime.combine(DELIVERED.date() + timedelta(days=15), time.min, UTC)
AFTER_NOTE_LIMIT = REFUNDED + timedelta(days=2)
AFTER_DOUBT_LIMIT = SOON + timedelta(hours=24)
UNINSPECTED = (a_line(sellable_quantity=1),)
EXCHANGE = a_line(product_id="P2", sku="EXC", outcome="Exchange", cost_pence=2500)
SECOND = a_line(product_id="P2", sku="NEW", cost_pence=1000, quantity=1, sellable_quantity=1)
FIRST_POSTED = a_line(is_posted=True)
CONFIRMED = a_posting("confirmed", witnessed_pence=5000)
COVERED: dict[str, Any] = {"notes": (attributed(),)}
OLD: dict[str, Any] = {"post_from": date(2026, 3, 11)}


def says(quality_control_status: str, **changes: Any) -> Return:
    return a_return(quality_control_status=quality_control_status, **changes)


def restocked(how: str) -> dict[str, Any]:
    """Money that moved, and what the storefront says that it did with the unit."""
    paid = a_refund("F1", lines=(RefundLine("L1", "ABC", 1, 5000, 833, how),))
    return {"money": link([Claimant(a_return())], [paid]).money[a_return().return_id]}


def lines_with(problem: str, **changes: Any) -> dict[str, Any]:
    return {"lines": (a_line(problem=problem, stock_code=None, **changes),)}


def order(kind: str, **changes: Any) -> dict[str, Any]:
    return {"order_problems": (kind,), **changes}


LINE_KINDS = [
    row
    for kind in ("sku_unknown", "sku_ambiguous", "sku_discontinued", "pack_unclear")
    for row in (
        (kind, True, some_facts(**lines_with(kind))),
        (kind, True, some_facts(OPEN, **lines_with(kind))),
        (kind, False, some_facts()),
        (kind, False, some_facts(CANCELLED, **lines_with(kind))),
        (kind, False, some_facts(a_return(status="Expired"), **lines_with(kind))),
        (kind, False, some_facts(lines=(a_line(), a_line(outcome="Exchange", problem=kind)))),
        (kind, False, some_facts(**lines_with(kind), **OLD)),
        (kind, False, some_facts(**lines_with(kind), **COVERED)),
        (kind, True, some_facts(**lines_with(kind), post_from=date(2026, 3, 10))),
    )
]

ORDER_KINDS = [
    row
    for kind in ("order_not_found", "order_ambiguous", "customer_unknown")
    for row in (
        (kind, True, some_facts(**order(kind))),
        (kind, True, some_facts(OPEN, **order(kind))),
        (kind, False, some_facts(**order(kind, is_order_awaited=True))),
        (kind, False, some_facts(CANCELLED, **order(kind))),
        (kind, False, some_facts(**order(kind), **OLD)),
        (kind, False, some_facts(**order(kind), **COVERED)),
        (kind, False, some_facts()),
    )
]

KEPT = (a_line(sellable_quantity=0, kept_quantity=2),)
UNCLEAR = (a_line(sellable_quantity=0, unclear_quantity=2),)
ARRIVAL_LIMIT = REFUNDED + timedelta(days=21)

TABLE: list[tuple[str, bool, ReturnFacts] | tuple[str, bool, ReturnFacts, datetime]] = [
    *LINE_KINDS,
    *ORDER_KINDS,
    ("order_not_found", True, some_facts(**lines_with("order_not_found"))),
    ("credited_to_another_customer", True, some_facts(notes=(attributed(customer_code="C2"),), customer_code="C1")),
    ("credited_to_another_customer", False, some_facts(notes=(attributed(customer_code="C2"),))),
    ("credited_without_sale", True, some_facts(**order("order_not_found"), **COVERED)),
    ("credited_without_sale", False, some_facts(**order("order_not_found"))),
    ("credited_without_sale", False, some_facts(**order("order_not_found"), **COVERED, unknown=frozenset({"orders"}))),
    ("return_status_unknown", True, some_facts(a_return(status="Refunded"))),
    ("return_status_unknown", True, some_facts(a_return(status=""))),
    ("return_status_unknown", False, some_facts(OPEN)),
    ("exchange_overpaid", True, some_facts(lines=(a_line(outcome="Exchange"),), exchange_pence=3000)),
    ("exchange_overpaid", False, some_facts(lines=(a_line(outcome="Exchange"),))),
    ("exchange_overpaid", False, some_facts(exchange_pence=3000)),
    ("credited_beyond_sale", True, some_facts(**COVERED, over_credit=OverCredit(("ABC",)))),
    ("credited_beyond_sale", False, some_facts(**COVERED, over_credit=OverCredit(("ABC",)), over_returned=("ABC",))),
    ("credit_note_ambiguous", True, some_facts(doubtful_notes=("CN9",))),
    ("credit_note_missing", False, some_facts(doubtful_notes=("CN9",)), LATE),
    ("credit_note_ambiguous", False, some_facts(doubtful_notes=("CN9",), **COVERED)),
    ("order_not_invoiced", True, some_facts(**order("order_not_invoiced"))),
    ("order_not_invoiced", True, some_facts(**order("order_not_invoiced"), **COVERED)),
    ("order_not_invoiced", False, some_facts(OPEN, **order("order_not_invoiced"))),
    ("order_not_invoiced", False, some_facts(**order("order_not_invoiced"), **OLD)),
    ("order_not_invoiced", False, some_facts()),
    ("over_return", True, some_facts(over_returned=("ABC",))),
    ("over_return", True, some_facts(over_returned=("ABC",), **COVERED)),
    ("over_return", True, some_facts(OPEN, over_returned=("ABC",))),
    ("over_return", False, some_facts(CANCELLED, over_returned=("ABC",))),
    ("over_return", False, some_facts(over_returned=("ABC",), **OLD)),
    ("over_return", False, some_facts()),
    ("currency_mismatch", True, some_facts(order_currency="EUR")),
    ("currency_mismatch", True, some_facts(lines=(a_line(), a_line(product_id="P2", currency="USD")))),
    ("currency_mismatch", False, some_facts(order_currency=None)),
    ("currency_mismatch", False, some_facts()),
    ("outcome_needs_policy", True, some_facts(lines=(a_line(), EXCHANGE))),
    ("outcome_needs_policy", True, some_facts(lines=(a_line(), EXCHANGE), **COVERED)),
    ("outcome_needs_policy", True, some_facts(a_return(store_credit_pence=1))),
    ("outcome_needs_policy", False, some_facts(OPEN, lines=(a_line(), EXCHANGE))),
    ("outcome_needs_policy", False, some_facts(lines=(a_line(), EXCHANGE), **OLD)),
    ("outcome_needs_policy", False, some_facts()),
    (
        "outcome_needs_policy",
        True,
        some_facts(a_return(refund_pence=5500), lines=(FIRST_POSTED,), postings=(CONFIRMED,)),
    ),
    (
        "outcome_needs_policy",
        True,
        some_facts(a_return(refund_pence=5999), lines=(FIRST_POSTED, SECOND), postings=(CONFIRMED,)),
    ),
    (
        "outcome_needs_policy",
        False,
        some_facts(a_return(refund_pence=6000), lines=(FIRST_POSTED, SECOND), postings=(CONFIRMED,)),
    ),
    ("outcome_needs_policy", False, some_facts(lines=(FIRST_POSTED,), postings=(CONFIRMED,))),
    ("refund_not_explained", True, some_facts(a_return(refund_pence=4999))),
    ("refund_not_explained", True, some_facts(a_return(refund_pence=5001))),
    ("refund_not_explained", True, some_facts(lines=())),
    ("refund_not_explained", True, some_facts(a_return(refund_pence=4700, handling_fee_pence=299))),
    ("refund_not_explained", False, some_facts(a_return(refund_pence=4701, handling_fee_pence=299))),
    ("refund_not_explained", False, some_facts(a_return(handling_fee_pence=299))),
    ("refund_not_explained", False, some_facts(a_return(refund_pence=4000), notes=(attributed(4000),))),
    ("refund_not_explained", False, some_facts(a_return(refund_pence=4000), **OLD)),
    ("refund_not_explained", False, some_facts(a_return(refund_pence=5500), postings=(CONFIRMED,))),
    ("refund_not_explained", False, some_facts(lines=(EXCHANGE,))),
    ("refund_not_explained", False, some_facts(a_return(status="Open", refund_pence=1))),
    ("refund_not_explained", False, some_facts(a_return(refund_pence=0), lines=(EXCHANGE,))),
    ("refund_unconfirmed_too_long", False, some_facts(OPEN), LAST_REFUND_DAY - A_TICK),
    ("refund_unconfirmed_too_long", True, some_facts(OPEN), LAST_REFUND_DAY),
    ("refund_unconfirmed_too_long", False, some_facts(), LATE),
    ("refund_unconfirmed_too_long", False, some_facts(CANCELLED), LATE),
    ("refund_unconfirmed_too_long", False, some_facts(a_return(status="Open", delivered_at=None)), LATE),
    ("refund_unconfirmed_too_long", False, some_facts(a_return(processed_at=None, closed_at=None)), LATE),
    (
        "refund_unconfirmed_too_long",
        False,
        some_facts(a_return(processed_at=None, closed_at=None, refund_pence=0)),
        LATE,
    ),
    ("credit_note_missing", False, some_facts(), AFTER_NOTE_LIMIT),
    ("credit_note_missing", True, some_facts(), AFTER_NOTE_LIMIT + A_TICK),
    ("credit_note_missing", True, some_facts(mode="audit"), LATE),
    ("credit_note_missing", True, some_facts(**OLD), LATE),
    ("credit_note_missing", True, some_facts(lines=UNINSPECTED, **OLD), LATE),
    ("credit_note_missing", True, some_facts(lines=UNINSPECTED, mode="audit"), LATE),
    ("credit_note_missing", False, some_facts(lines=UNINSPECTED), AFTER_NOTE_LIMIT + A_TICK),
    ("credit_note_missing", False, some_facts(lines=UNINSPECTED), LATE),
    ("credit_note_missing", False, some_facts(a_return(delivered_at=None), lines=UNINSPECTED), LATE),
    ("credit_note_missing", True, some_facts(lines=UNINSPECTED, legs_policy="credit_first"), AFTER_NOTE_LIMIT + A_TICK),
    ("credit_note_missing", False, some_facts(is_order_awaited=True), LATE),
    ("credit_note_missing", False, some_facts(covering_note_code="CN9"), LATE),
    ("credit_note_missing", False, some_facts(**lines_with("sku_unknown")), LATE),
    ("credit_note_missing", False, some_facts(**order("order_not_found")), LATE),
    ("credit_note_missing", False, some_facts(a_return(refund_pence=4999)), LATE),
    ("credit_note_missing", False, some_facts(lines=(EXCHANGE,)), LATE),
    ("credit_note_missing", True, some_facts(lines=(a_line(), EXCHANGE)), LATE),
    ("credit_note_missing", False, some_facts(lines=(a_line(), EXCHANGE), holds=("outcome_needs_policy",)), LATE),
    ("credit_note_missing", True, some_facts(lines=(a_line(sellable_quantity=0, missing_quantity=2),)), LATE),
    ("credit_note_missing", False, some_facts(postings=(a_posting("planned", handed_out_at=None),)), LATE),
    ("credit_note_missing", False, some_facts(postings=(a_posting(),)), SOON),
    ("credit_note_missing", True, some_facts(postings=(a_posting("refused"),)), LATE),
    ("credit_note_missing", True, some_facts(postings=(a_posting("withdrawn"),)), LATE),
    ("credit_note_missing", True, some_facts(postings=(CONFIRMED,)), LATE),
    ("credit_note_missing", False, some_facts(**COVERED), LATE),
    ("credit_note_missing", False, some_facts(OPEN), LATE),
    ("credit_note_missing", False, some_facts(a_return(refund_pence=0), lines=()), LATE),
    ("credit_note_duplicate", True, some_facts(notes=(attributed(), attributed(1, "CN2")))),
    ("credit_note_duplicate", False, some_facts(notes=(attributed(4000), attributed(1000, "CN2")))),
    ("credit_note_duplicate", False, some_facts(notes=(attributed(4000), attributed(999, "CN2")))),
    ("credit_note_duplicate", False, some_facts(notes=(attributed(5001),))),
    ("value_gap", True, some_facts(notes=(attributed(5001),))),
    ("value_gap", True, some_facts(notes=(attributed(4999),))),
    ("value_gap", True, some_facts(notes=(attributed(4000), attributed(999, "CN2")))),
    ("value_gap", True, some_facts(CANCELLED, notes=(attributed(),))),
    ("value_gap", False, some_facts(OPEN, notes=(attributed(),))),
    ("value_gap", False, some_facts(**COVERED)),
    ("value_gap", False, some_facts(notes=(attributed(), attributed(1, "CN2")))),
    (
        "value_gap",
        False,
        some_facts(a_return(refund_pence=6000), lines=(FIRST_POSTED, SECOND), postings=(CONFIRMED,), **COVERED),
    ),
    (
        "value_gap",
        False,
        some_facts(a_return(refund_pence=5500), lines=(FIRST_POSTED,), postings=(CONFIRMED,), **COVERED),
    ),
    (
        "value_gap",
        True,
        some_facts(a_return(refund_pence=5500), postings=(CONFIRMED,), notes=(attributed(4900),)),
    ),
    (
        "value_gap",
        False,
        some_facts(a_return(refund_pence=6000), postings=(a_posting(value_pence=1000),), **COVERED),
    ),
    ("posting_refused", True, some_facts(postings=(a_posting("refused", refusal="partially processed"),))),
    ("posting_refused", False, some_facts(postings=(a_posting("refused"),))),
    ("posting_refused", False, some_facts(postings=(a_posting("refused", refusal="no"),), **COVERED)),
    ("posting_in_doubt", False, some_facts(postings=(a_posting(),)), AFTER_DOUBT_LIMIT),
    ("posting_in_doubt", True, some_facts(postings=(a_posting(),)), AFTER_DOUBT_LIMIT + A_TICK),
    ("posting_in_doubt", True, some_facts(postings=(a_posting(has_rival_notes=True),))),
    ("posting_in_doubt", False, some_facts(postings=(a_posting(witnessed_pence=5000),)), LATE),
    ("posting_in_doubt", False, some_facts(postings=(CONFIRMED,)), LATE),
    ("inspection_overdue", False, some_facts(lines=UNINSPECTED), AFTER_INSPECTION_LIMIT),
    ("inspection_overdue", True, some_facts(lines=UNINSPECTED), AFTER_INSPECTION_LIMIT + A_TICK),
    ("inspection_overdue", True, some_facts(OPEN, lines=UNINSPECTED), LATE),
    (
        "inspection_overdue",
        False,
        some_facts(a_return(status="Open", processed_at=None, closed_at=None, delivered_at=None), lines=UNINSPECTED),
        LATE,
    ),
    (
        "inspection_overdue",
        False,
        some_facts(a_return(status="Cancelled", processed_at=None, closed_at=None), lines=UNINSPECTED),
        LATE,
    ),
    ("inspection_overdue", False, some_facts(a_return(delivered_at=None), lines=UNINSPECTED), ARRIVAL_LIMIT),
    ("inspection_overdue", True, some_facts(a_return(delivered_at=None), lines=UNINSPECTED), ARRIVAL_LIMIT + A_TICK),
    ("inspection_overdue", False, some_facts(a_return(delivered_at=None), lines=KEPT), LATE),
    ("inspection_overdue", False, some_facts(lines=UNCLEAR), LATE),
    ("kept_unclear", True, some_facts(lines=UNCLEAR)),
    ("kept_unclear", False, some_facts(OPEN, lines=UNCLEAR)),
    ("kept_unclear", False, some_facts(lines=UNCLEAR, **COVERED)),
    ("kept_unclear", False, some_facts(lines=UNCLEAR, **OLD)),
    ("kept_unclear", False, some_facts(lines=KEPT)),
    ("kept_without_reason", True, some_facts(lines=KEPT, holds=("kept_without_reason",))),
    ("kept_without_reason", False, some_facts(lines=KEPT, holds=("kept_without_reason",), mode="audit")),
    ("kept_without_reason", False, some_facts(lines=KEPT, holds=("kept_without_reason",), **COVERED)),
    ("kept_without_reason", False, some_facts(lines=KEPT)),
    (
        "inspection_disputed",
        True,
        some_facts(says("Approved"), lines=(a_line(sellable_quantity=1, damaged_quantity=1),)),
    ),
    ("inspection_disputed", True, some_facts(says("missing"))),
    ("inspection_disputed", True, some_facts(says("Not-Approved"))),
    ("inspection_disputed", True, some_facts(says("Not Approved", status="Open", processed_at=None))),
    ("inspection_disputed", True, some_facts(says("Partly approved"), lines=UNINSPECTED)),
    ("inspection_disputed", True, some_facts(says("Not Approved"), lines=UNINSPECTED)),
    (
        "inspection_disputed",
        False,
        some_facts(says("Partly approved", status="Open", processed_at=None), lines=UNINSPECTED),
    ),
    ("inspection_disputed", False, some_facts(says("Partly approved"))),
    ("inspection_disputed", False, some_facts(says("Approved"))),
    ("inspection_disputed", False, some_facts(says("Missing"), lines=UNINSPECTED)),
    ("inspection_disputed", False, some_facts(says("Missing"), lines=KEPT)),
    ("inspection_disputed", False, some_facts(says("Missing", status="Cancelled", processed_at=None))),
    ("inspection_disputed", False, some_facts(says("Missing"), unknown=frozenset({"inspections"}))),
    ("inspection_disputed", False, some_facts(says("Missing"), **OLD)),
    (RESTOCKED, True, some_facts(**restocked("RETURN"))),
    (RESTOCKED, False, some_facts(**restocked("NO_RESTOCK"))),
    ("stock_not_returned", True, some_facts(lines=(a_line(kept_posted_quantity=1),))),
    ("stock_not_returned", False, some_facts(lines=(a_line(sellable_quantity=0, kept_posted_quantity=2),))),
    ("stock_not_returned", False, some_facts(lines=KEPT)),
    ("inspection_overdue", False, some_facts(), LATE),
    ("inspection_overdue", False, some_facts(lines=(a_line(sellable_quantity=0, strange_quantity=2),)), LATE),
    ("inspection_overdue", False, some_facts(lines=(a_line(), a_line(outcome="Exchange", sellable_quantity=0))), LATE),
    ("inspection_overdue", False, some_facts(lines=UNINSPECTED, **OLD), LATE),
    ("stock_not_returned", True, some_facts(lines=(a_line(sellable_quantity=1, missing_quantity=1),))),
    ("stock_not_returned", False, some_facts(OPEN, lines=(a_line(sellable_quantity=1, missing_quantity=1),))),
    ("stock_not_returned", True, some_facts(lines=(a_line(sellable_quantity=1, strange_quantity=1),))),
    ("stock_not_returned", False, some_facts(CANCELLED, lines=(a_line(strange_quantity=1),))),
    ("stock_not_returned", True, some_facts(strays=("Not Expected",))),
    ("stock_not_returned", True, some_facts(moves=(a_move("sellable", "failed"),))),
    ("stock_not_returned", False, some_facts(moves=(a_move("sellable", "cannot_tell"),))),
    ("stock_not_returned", False, some_facts(moves=(a_move("damaged", "failed"),))),
    ("stock_not_returned", False, some_facts()),
    ("stock_adjustment_due", True, some_facts(adjustments=(an_adjustment(1),))),
    ("stock_adjustment_due", True, some_facts(adjustments=(an_adjustment(-2, "damaged"),))),
    ("stock_adjustment_due", False, some_facts(adjustments=(an_adjustment(1), an_adjustment(-1)))),
    ("stock_adjustment_due", False, some_facts()),
    ("damaged_in_saleable", True, some_facts(moves=(a_move("damaged", "failed"),))),
    ("damaged_in_saleable", False, some_facts(moves=(a_move("damaged", "confirmed"),))),
    ("damaged_in_saleable", False, some_facts(moves=(a_move("sellable", "failed"),))),
]


@pytest.mark.parametrize("row", TABLE, ids=[f"{at}-{row[0]}" for at, row in enumerate(TABLE)])
def test_table(row: tuple[Any, ...]) -> None:
    kind, is_open, facts, *now = row
    assert (kind in kinds(facts, *now)) == is_open


def test_every_return_kind_has_a_rule_and_a_row_of_each_sort() -> None:
    others = {
        "credit_note_orphan",
        "credit_note_not_issued",
        "credit_note_unallocated",
        "record_unreadable",
        "differences_systematic",
        "code_will_fail",
        "quality_not_told",
        OPEN_KIND,
        SENT_KIND,
    }
    others |= {*kinds_about("money"), *kinds_about("payout"), *kinds_about("work"), *kinds_about("vat")} - {*RULES}
    of_no_rule = {"credit_note_missing", "credit_note_ambiguous"}
    assert {*RULES, *VALUE_RULES, *GOODS_RULES} == set(KINDS) - others - of_no_rule
    for kind in set(KINDS) - others:
        assert {row[1] for row in TABLE if row[0] == kind} == {True, False}


def test_the_clean_return_has_no_problem() -> None:
    assert verdict(some_facts(**COVERED), SOON).problems == ()
    assert verdict(some_facts(), SOON).problems == ()


def test_line_kinds_name_rma_and_sku_once_with_the_money_of_all_their_lines() -> None:
    twice = (a_line(problem="sku_unknown", suggestion="AB-C"), a_line(product_id="P2", problem="sku_unknown"))
    (problem,) = verdict(some_facts(a_return(refund_pence=10000), lines=twice)).problems
    assert (problem.subject, problem.sku, problem.suggestion) == ("RMA1001/ABC", "ABC", "AB-C")
    assert (problem.money_at_risk_pence, problem.currency, problem.return_id) == (10000, "GBP", "R1")


@pytest.mark.parametrize(
    ("sku", "told"),
    [
        ("LX#1", "No Stock Code equals the SKU LX#1, and none ever can: it holds a #; correct it in the shop"),
        (" LX1", "No Stock Code equals the SKU  LX1, and none ever can: it begins or ends with a space; correct"),
        ("L" * 51, f"{'L' * 51}, and none ever can: it is longer than 50 characters; correct it in the shop"),
        ("L" * 50, f"No Stock Code equals the SKU {'L' * 50}"),
    ],
)
def test_a_sku_that_can_never_be_a_stock_code_is_mended_in_the_shop(sku: str, told: str) -> None:
    """khaos.md §17."""
    (found,) = verdict(some_facts(**lines_with("sku_unknown", sku=sku))).problems
    assert told in found.message
    assert ("ever" in found.message) == ("ever" in told)


def test_an_empty_sku_is_named_so() -> None:
    (problem,) = verdict(some_facts(lines=(a_line(sku="", problem="sku_unknown"),))).problems
    assert problem.subject == "RMA1001/"
    assert "(empty)" in problem.message


def test_problems_are_collected_none_stops_another() -> None:
    facts = some_facts(
        a_return(refund_pence=4000, store_credit_pence=500),
        lines=(a_line(problem="sku_unknown"),),
        order_problems=("order_ambiguous", "customer_unknown"),
        over_returned=("ABC",),
        order_currency="EUR",
    )
    assert kinds(facts) == {
        "sku_unknown",
        "order_ambiguous",
        "customer_unknown",
        "over_return",
        "currency_mismatch",
        "outcome_needs_policy",
        "refund_not_explained",
    }


@pytest.mark.parametrize(
    ("facts", "kind", "pence", "words"),
    [
        (some_facts(a_return(refund_pence=4900)), "refund_not_explained", 100, "£49.00"),
        (some_facts(notes=(attributed(5100),)), "value_gap", 100, "£51.00"),
        (some_facts(notes=(attributed(5100),)), "value_gap", 100, "goods £1.00 (note: price of ABC; refund: cost"),
        (some_facts(notes=(attributed(), attributed(5000, "CN2"))), "credit_note_duplicate", 5000, "CN1, CN2"),
        (
            some_facts(says("Missing")),
            "inspection_disputed",
            5000,
            "says 'Missing', and the warehouse found 2 sellable",
        ),
        (some_facts(lines=(a_line(missing_quantity=1, sellable_quantity=1),)), "stock_not_returned", 2500, "1 x ABC"),
        (some_facts(order_currency="EUR"), "currency_mismatch", 5000, "GBP"),
        (some_facts(moves=(a_move("sellable", "failed"),)), "stock_not_returned", 0, "12 before, 12 after"),
    ],
)
def test_a_message_says_what_and_how_much(facts: ReturnFacts, kind: str, pence: int, words: str) -> None:
    (problem,) = (problem for problem in verdict(facts).problems if problem.kind == kind)
    assert problem.money_at_risk_pence == pence
    assert words in problem.message


def test_a_return_without_currency_can_still_be_judged() -> None:
    facts = some_facts(a_return(currency="", refund_pence=1), order_currency=None)
    assert "refund_not_explained" in kinds(facts)
