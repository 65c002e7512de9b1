"""The kinds of exception about goods: inspected, on the shelf, kept by the customer.

Belongs here: who owns each, what it means, what the owner does and what closes it. Stays out: when one holds
(``judging.goods_conditions``).
"""

from __future__ import annotations

from khaos_swap_assets.domain.exceptions.kinds import ExceptionKind

GOODS_KINDS = (
    ExceptionKind(
        "inspection_overdue",
        "operations",
        "warning",
        "Refunded goods have arrived and the warehouse has not said in what condition they are, or have not arrived at "
        "all.",
        "Inspect the goods and report their condition, Missing where they are lost; have CX mark them in Swap where "
        "the customer keeps them.",
        "Every refunded unit has a condition, or Swap marks it as kept.",
    ),
    ExceptionKind(
        "stock_not_returned",
        "operations",
        "error",
        "Refunded goods are not back on the shelf: missing, not the goods that were sold, the level did not rise, or "
        "they came back after they were credited as kept by the customer.",
        "Find the goods. Then adjust the stock in Khaos, or take the loss up with the carrier or the customer.",
        "The inspection is corrected, the level shows the units, or a person waives it.",
    ),
    ExceptionKind(
        "damaged_in_saleable",
        "operations",
        "error",
        "Damaged goods came back and the saleable stock rose by them: the next customer may get them.",
        "Move the units to the location of goods that may not be sold.",
        "The saleable stock no longer holds them, or a person waives it.",
    ),
    ExceptionKind(
        "kept_unclear",
        "cx",
        "warning",
        "Swap marks goods of the return as kept by the customer, and does not tell which, or says that they travel.",
        "Find out which goods come back. Tag those lines in Swap that the customer keeps, or correct its shipments.",
        "Swap tells of every refunded line whether it comes back, the warehouse reports the goods, or a Credit Note "
        "covers the refund.",
    ),
    ExceptionKind(
        "kept_without_reason",
        "finance",
        "error",
        "The customer keeps refunded goods, and no ReturnReason is set for that, so no document is made.",
        "Have KHAOS_SWAP_KHAOS_REASON_KEPT set to a reason that moves no stock, or post the Credit Note by hand.",
        "The setting names a reason, or a Credit Note covers the refund.",
    ),
)
