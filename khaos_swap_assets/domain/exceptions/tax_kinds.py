"""The kinds of exception about VAT: at which rate, and in which month.

Belongs here: what each means, what finance does and what closes it. Stays out: when one holds
(``judging.tax_conditions``). Source: FINANCE_RULES U-1, U-5, U-6, U-17.
"""

from __future__ import annotations

from khaos_swap_assets.domain.exceptions.kinds import ExceptionKind

TAX_KINDS = (
    ExceptionKind(
        "vat_differs",
        "finance",
        "error",
        "The Credit Note has the right value and another VAT than the sale: a wrong rate, or net taken for gross.",
        "Correct the VAT of the note in Khaos to the rate of the original sale.",
        "VAT of the sale and of the Credit Note agree, but for a penny where a line ends in half a penny of VAT.",
    ),
    ExceptionKind(
        "credited_in_another_month",
        "finance",
        "warning",
        "Money was paid back in one month and its Credit Note is of another: one month credits too little, the other "
        "too much. The VAT of a refund belongs to the period in which it was paid.",
        "Where the VAT period is the same, the VAT Return is right: waive it once both months are explained. "
        "Where it is another, take the VAT into the period of the payment, then waive it with the adjustment.",
        "Each month credits what was paid in it, or a person waives it.",
    ),
)
