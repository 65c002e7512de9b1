"""Plain words for what an audit finds, for people who never saw the field names.

Belongs here: names of statuses, steps and legs. Stays out: everything that decides.
"""

from __future__ import annotations

STATUS_WORDS = {
    "duplicate": "Credited twice",
    "ambiguous": "Fits in more than one way",
    "value_gap": "Amounts differ",
    "paid_twice": "Refunded twice",
    "credit_note_missing": "Refunded, no Credit Note",
    "credit_note_orphan": "Credit Note without a return",
    "refund_without_return": "Refunded, no return",
    "in_flight": "Not due yet",
    "within_tolerance": "Within tolerance",
    "matched": "Matched",
    "nothing_due": "Nothing due",
}
LEG_WORDS = {
    "goods": "Goods",
    "quantity": "Quantity",
    "tax": "Tax",
    "delivery": "Delivery",
    "discount": "Discount",
    "fee": "Return fee",
    "tender": "Gift card or store credit",
    "exchange": "Exchange",
    "fx": "Exchange rate",
    "rounding": "Rounding",
    "unexplained": "Not explained",
}
STEP_WORDS = {
    **LEG_WORDS,
    "in_flight": "Credit Note not due yet",
    "credit_note_missing": "Refunded, no Credit Note",
    "credit_note_orphan": "Credit Note without a return",
    "ambiguous": "Fits in more than one way",
    "refund_without_return": "Refunded, no return",
}
