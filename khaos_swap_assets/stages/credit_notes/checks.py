"""Checks of the Credit Note: one for every refund, none without, none in doubt, each issued and allocated.

Belongs here: standing checks on the assets of this stage. Stays out: the conditions (``judging.conditions``).
"""

from khaos_swap_assets.stages.checking import exceptions_check

every_confirmed_refund_has_one_credit_note = exceptions_check(
    "every_confirmed_refund_has_one_credit_note",
    "khaos/credit_notes",
    ["credit_note_missing", "credit_note_ambiguous", "credit_note_duplicate"],
    "Every confirmed refund has one Credit Note, or is on its way to one.",
)
no_credit_note_without_a_refund = exceptions_check(
    "no_credit_note_without_a_refund",
    "khaos/credit_notes",
    ["credit_note_orphan"],
    "Every Credit Note in Khaos belongs to a return.",
)
no_posting_is_in_doubt = exceptions_check(
    "no_posting_is_in_doubt",
    "credit_notes/postings",
    ["posting_in_doubt", "posting_refused"],
    "Every document that left was witnessed in Khaos within the limit, and none was refused.",
)
every_credit_note_is_issued_and_allocated = exceptions_check(
    "every_credit_note_is_issued_and_allocated",
    "khaos/credit_notes",
    ["credit_note_not_issued", "credit_note_unallocated"],
    "Every Credit Note was issued and its credit no longer stands open on the customer's account.",
)
every_refund_can_be_drafted = exceptions_check(
    "every_refund_can_be_drafted",
    "credit_notes/drafts",
    ["refund_not_explained", "outcome_needs_policy"],
    "Every confirmed refund is explained by its lines, and its outcome has a policy.",
)

CHECKS = [
    every_confirmed_refund_has_one_credit_note,
    no_credit_note_without_a_refund,
    no_posting_is_in_doubt,
    every_credit_note_is_issued_and_allocated,
    every_refund_can_be_drafted,
]
