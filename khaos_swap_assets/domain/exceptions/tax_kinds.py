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
)
