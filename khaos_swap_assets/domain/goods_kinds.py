"""The kinds of exception about goods: inspected, on the shelf, kept by the customer.

Belongs here: who owns each, what it means, what the owner does and what closes it. Stays out: when one holds
(``domain.goods_conditions``).
"""

from __future__ import annotations

from khaos_swap_assets.domain.kinds import ExceptionKind

GOODS_KINDS = (
    ExceptionKind(
        "inspection_overdue",
        "operations",
        "warning",
        "The goods arrived and were refunded, but the warehouse has not said in what condition they are.",
        "Inspect the goods and report their condition.",
        "Every refunded unit has a condition.",
    ),
    ExceptionKind(
        "stock_not_returned",
        "operations",
        "error",
        "Refunded goods are not back on the shelf: missing, not the goods that were sold, or the level did not rise.",
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
)
