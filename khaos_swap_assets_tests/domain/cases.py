"""Small builders for the tests of the verdict: a clean, refunded, inspected return of one line, to be bent at will."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.goods.adjustments import Adjustment
from khaos_swap_assets.domain.judging.document_facts import LineFacts, MoveFacts, NoteFacts, PostingFacts
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts
from khaos_swap_assets.domain.judging.verdict import Verdict, judge
from khaos_swap_assets.domain.records.returns import Return

LIMITS = Limits()
DELIVERED = datetime(2026, 3, 9, 10, tzinfo=UTC)
REFUNDED = datetime(2026, 3, 10, 12, tzinfo=UTC)
SOON = REFUNDED + timedelta(hours=1)
LATE = REFUNDED + timedelta(days=40)


def a_return(**changes: Any) -> Return:
    """A closed return of £50.00, refunded on 10 March 2026 at noon, delivered the day before."""
    base: dict[str, Any] = {
        "store_id": "S",
        "return_id": "R1",
        "rma": "RMA1001",
        "order_name": "#LX1",
        "order_id": "1",
        "status": "Closed",
        "delivery_status": "Delivered",
        "quality_control_status": "Pending",
        "outcomes": ("Refund",),
        "currency": "GBP",
        "refund_pence": 5000,
        "store_credit_pence": 0,
        "additional_payment_pence": 0,
        "handling_fee_pence": 0,
        "total_pence": 5000,
        "created_at": DELIVERED - timedelta(days=5),
        "updated_at": REFUNDED,
        "submitted_at": DELIVERED - timedelta(days=5),
        "processed_at": REFUNDED,
        "closed_at": REFUNDED,
        "delivered_at": DELIVERED,
    }
    return Return(**{**base, **changes})


def a_line(**changes: Any) -> LineFacts:
    """Two sellable units of ABC for £50.00 together."""
    base: dict[str, Any] = {
        "product_id": "P1",
        "sku": "ABC",
        "quantity": 2,
        "cost_pence": 5000,
        "stock_code": "ABC",
        "sellable_quantity": 2,
    }
    return LineFacts(**{**base, **changes})


def a_note(pence: int = 5000, code: str = "CN1", **changes: Any) -> CreditNote:
    """An issued note of two ABC, made and issued on 11 March 2026."""
    base: dict[str, Any] = {
        "credit_note_code": code,
        "associated_ref": "RMA1001",
        "customer_code": "C1",
        "currency": "GBP",
        "created_on": date(2026, 3, 11),
        "issued_on": date(2026, 3, 11),
        "stage_id": 70,
        "gross_pence": pence,
        "net_pence": (pence * 5 + 3) // 6,
        "lines": (("ABC", 2),),
    }
    return CreditNote(**{**base, **changes})


def attributed(pence: int = 5000, code: str = "CN1", **changes: Any) -> NoteFacts:
    """That note, attributed to the return and allocated."""
    note_changes = {key: changes.pop(key) for key in list(changes) if key in CreditNote.__dataclass_fields__}
    return NoteFacts(a_note(pence, code, **note_changes), "R1", "RMA1001", **{"unallocated_pence": 0, **changes})


def a_posting(state: str = "in_doubt", **changes: Any) -> PostingFacts:
    """Our document for the whole refund, handed out an hour after it."""
    return PostingFacts(
        **{"reference": "RMA1001", "state": state, "value_pence": 5000, "handed_out_at": SOON, **changes}
    )


def a_move(disposition: str, state: str) -> MoveFacts:
    """A move of two ABC."""
    return MoveFacts("ABC", disposition, 2, state, evidence="12 before, 12 after")


def an_adjustment(quantity: int, disposition: str = "sellable") -> Adjustment:
    """So many ABC that people are asked to adjust."""
    return Adjustment(
        adjustment_id=1,
        return_id="R1",
        product_id="P1",
        disposition=disposition,
        rma="RMA1",
        stock_code="ABC",
        site_id=1,
        quantity=quantity,
        state="asked",
        asked_at=SOON,
    )


def some_facts(return_: Return | None = None, **changes: Any) -> ReturnFacts:
    """The clean return in mode post, with an order in pounds; keyword arguments replace facts."""
    base: dict[str, Any] = {"lines": (a_line(),), "order_currency": "GBP", "mode": "post"}
    return ReturnFacts(return_ or a_return(), **{**base, **changes})


def verdict(facts: ReturnFacts, now: datetime = SOON) -> Verdict:
    """Judge with the default limits."""
    return judge(facts, LIMITS, now)


def kinds(facts: ReturnFacts, now: datetime = SOON) -> set[str]:
    """The kinds that are open."""
    return {problem.kind for problem in verdict(facts, now).problems}
