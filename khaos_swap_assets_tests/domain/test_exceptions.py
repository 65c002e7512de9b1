"""The catalogue is whole, and the handbook page is made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from khaos_swap_assets.domain.exceptions.catalogue import KINDS, Problem
from khaos_swap_assets_tests.generated_docs import handbook

OWNERS = {
    "data management": {"code_will_fail", "sku_unknown", "sku_ambiguous", "sku_discontinued"},
    "cx": {
        "order_not_found",
        "order_ambiguous",
        "refund_unconfirmed_too_long",
        "return_status_unknown",
        "refund_not_paid",
        "closed_without_refund",
        "kept_unclear",
        "cancelled_order_sent",
    },
    "operations": {
        "order_not_invoiced",
        "inspection_overdue",
        "inspection_disputed",
        "quality_not_told",
        "stock_not_returned",
        "stock_adjustment_due",
        "damaged_in_saleable",
        "storefront_restocked",
        "cancelled_order_open",
    },
    "engineer": {
        "record_unreadable",
        "record_refused",
        "source_refused",
        "fault_in_return",
        "nobody_watches",
        "source_not_read",
    },
    "finance": {
        "pack_unclear",
        "customer_unknown",
        "over_return",
        "outcome_needs_policy",
        "refund_not_explained",
        "exchange_overpaid",
        "credited_beyond_sale",
        "credit_note_missing",
        "credit_note_duplicate",
        "credit_note_ambiguous",
        "credited_without_sale",
        "credited_to_another_customer",
        "vat_differs",
        "credit_note_incomplete",
        "credit_note_orphan",
        "credit_note_not_issued",
        "credit_note_unallocated",
        "value_gap",
        "differences_systematic",
        "currency_mismatch",
        "posting_refused",
        "posting_in_doubt",
        "refund_without_return",
        "credited_without_refund",
        "kept_without_reason",
        "refund_amount_differs",
        "refund_currency_differs",
        "refund_ambiguous",
        "refund_paid_twice",
        "paid_outside_storefront",
        "payment_kind_unknown",
        "payout_without_refund",
        "payout_amount_differs",
        "refund_not_in_payout",
        "payout_total_differs",
        "credited_in_another_month",
    },
}


def test_every_kind_has_its_owner_and_no_other_kind_exists() -> None:
    found: dict[str, set[str]] = {}
    for name, kind in KINDS.items():
        assert kind.kind == name
        found.setdefault(kind.owner, set()).add(name)
    assert found == OWNERS


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_text_is_a_sentence_for_a_person(kind: object) -> None:
    for field in ("meaning", "action", "closes_when"):
        text = getattr(kind, field)
        assert text[0].isupper()
        assert text.endswith(".")
        assert text == text.strip()


def test_an_unallocated_note_says_do_not_refund_again() -> None:
    assert "Do not refund again" in KINDS["credit_note_unallocated"].action


def test_a_problem_takes_owner_and_action_from_the_catalogue() -> None:
    problem = Problem("sku_unknown", "RMA1/ABC", "no Stock Code ABC")
    assert (problem.owner, KINDS[problem.kind].severity) == ("data management", "error")
    assert problem.action == KINDS["sku_unknown"].action


def test_a_kind_outside_the_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="'sku_strange' is no kind"):
        Problem("sku_strange", "RMA1", "what is this")


def test_the_handbook_holds_every_kind_once() -> None:
    page = handbook()
    for kind in KINDS.values():
        assert page.count(f"\n## {kind.kind}\n") == 1
        assert kind.meaning in page
        assert kind.action in page
        assert kind.closes_when in page


def test_the_page_in_docs_is_the_handbook() -> None:
    page = Path(__file__).parents[2] / "docs" / "exceptions.md"
    assert page.read_text(encoding="utf-8") == handbook()
