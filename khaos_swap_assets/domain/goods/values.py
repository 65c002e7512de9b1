"""What returned goods are worth to the books, and where every sold unit is.

Belongs here: value by disposition and the count that must always hold. Stays out: stock levels
(``goods.dispositions``). Money is whole pence of cost. Source: FINANCE_RULES U-27.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal

Outcome = Literal["sellable", "b_grade", "scrap", "lost"]


@dataclass(frozen=True, slots=True)
class StockEffect:
    """One unit come back: which stock grows, at which value, and what is written down or claimed."""

    available: int = 0
    non_sellable: int = 0
    stock_pence: int = 0
    write_down_pence: int = 0
    claim_pence: int = 0


def stock_effect(outcome: Outcome, cost_pence: int, expected_net_pence: int = 0) -> StockEffect:
    """A unit that cost ``cost_pence`` comes back; ``expected_net_pence`` is what a B-grade unit will still bring.

    Never valued above its cost. A refunded unit that never came is a claim, not stock.
    """
    worth = max(min(expected_net_pence, cost_pence), 0)
    effects = {
        "sellable": StockEffect(available=1, stock_pence=cost_pence),
        "b_grade": StockEffect(non_sellable=1, stock_pence=worth, write_down_pence=cost_pence - worth),
        "scrap": StockEffect(write_down_pence=cost_pence),
        "lost": StockEffect(claim_pence=cost_pence),
    }
    return effects[outcome]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the units of a sale are; each unit is in exactly one place."""

    kept: int = 0
    in_transit: int = 0
    received: int = 0
    sellable: int = 0
    non_sellable: int = 0
    scrapped: int = 0
    lost: int = 0

    def unaccounted(self, sold: int) -> int:
        """Units sold that are nowhere; negative when more are told than were sold."""
        told: tuple[int, ...] = astuple(self)
        return sold - sum(told)
