"""Whether a document is priced as its sale was: what Khaos would make of it if it ignored our prices.

Belongs here: the comparison of a draft with the lines of its order. Stays out: what follows from it for the feed
(``stages.credit_notes.feed``). Whether Khaos honours ``UnitPrice`` is not documented: only a note witnessed at a value
that the sale could not have given shows it. Amounts are pence. Source: contracts/khaos.md §8.7.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from khaos_swap_assets.domain.documents.credit_notes import Draft
from khaos_swap_assets.domain.records.orders import SalesOrder

Prices = Literal["sale", "own", "unsure"]


def prices_of(draft: Draft, order: SalesOrder | None) -> Prices:
    """``sale``: every line is worth what its units were sold for, whichever of them come back.

    ``own``: no units and no rounding of the sale give the value of the document. ``unsure``: they may, as where one
    Stock Code was sold at two prices, a unit at a part of a penny, or a code is not in the order.
    """
    if order is None or order.currency != draft.currency:
        return "unsure"
    sold: defaultdict[str, list[Fraction]] = defaultdict(list)
    for line in order.lines:
        if line.quantity > 0:
            sold[line.stock_code].append(Fraction(line.gross_pence, line.quantity))
    if any(line.stock_code not in sold for line in draft.lines):
        return "unsure"
    lowest = [floor(line.quantity * min(sold[line.stock_code])) for line in draft.lines]
    highest = [ceil(line.quantity * max(sold[line.stock_code])) for line in draft.lines]
    if lowest == highest == [line.gross_pence for line in draft.lines]:
        return "sale"
    return "unsure" if sum(lowest) <= draft.value_pence <= sum(highest) else "own"
