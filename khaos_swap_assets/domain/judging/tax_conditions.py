"""When VAT is wrong although the money is right: the table ``TAX_RULES``.

Belongs here: the conditions of one return about VAT. Stays out: how VAT is split and rounded (``money.tax``), what both
sides say (``judging.waterfall_facts``), in which month it falls (``judging.month_conditions``). Source: FINANCE_RULES
U-5, U-6.
"""

from __future__ import annotations

from collections.abc import Iterator

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.conditions import Case, Rule
from khaos_swap_assets.domain.judging.waterfall_sides import vat_gap_of


def _vat_differs(case: Case) -> Iterator[Problem]:
    facts = case.facts
    gap = vat_gap_of(facts) if facts.notes and not facts.apart_pence else None
    if gap:
        codes = ", ".join(sorted(one.note.credit_note_code for one in facts.notes))
        which = "more" if gap > 0 else "less"
        message = f"{codes}: VAT is {case.money(abs(gap))} {which} than at the rate of the sale"
        yield case.problem("vat_differs", message, abs(gap))


TAX_RULES: dict[str, Rule] = {"vat_differs": _vat_differs}
