"""What a return and its lines are in Khaos, as they were matched.

Belongs here: the records. Stays out: how a match is found (``records.orders``, ``records.stock_codes``) and where it is
kept (``adapters.store.matches``). Money is whole pence, quantities are units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class MatchedLine:
    """One returned line with what it is in Khaos; ``problem`` is a kind of the catalogue or empty.

    Of ``unclear_quantity`` units nobody can tell whether they come back; the values are of the whole line.
    """

    return_id: str
    product_id: str
    sku: str
    quantity: int
    cost_pence: int
    outcome: str
    stock_code: str | None
    order_line_no: int | None
    sold_quantity: int | None
    sold_gross_pence: int | None
    problem: str = ""
    suggestion: str = ""
    suggestion_rule: str = ""
    suggestion_score: int | None = None
    sellable_quantity: int = 0
    damaged_quantity: int = 0
    missing_quantity: int = 0
    strange_quantity: int = 0
    kept_quantity: int = 0
    unclear_quantity: int = 0

    @property
    def dispositions(self) -> dict[str, int]:
        """Units by where they went; units without a disposition are in none."""
        counts = {
            "sellable": self.sellable_quantity,
            "damaged": self.damaged_quantity,
            "missing": self.missing_quantity,
            "kept": self.kept_quantity,
        }
        return {name: count for name, count in counts.items() if count}

    @property
    def goods(self) -> tuple[str, int]:
        """Its Stock Code, or its SKU for want of one, and its units."""
        return self.stock_code or self.sku, self.quantity


@dataclass(frozen=True, slots=True)
class MatchedReturn:
    """One return with its order, if one was found, and what is wrong with that choice."""

    return_id: str
    so_code: str | None
    customer_code: str | None
    order_currency: str | None
    invoiced_on: date | None
    order_ref: str
    order_problems: tuple[str, ...]
    over_returned: tuple[str, ...]
    strange_conditions: tuple[str, ...]
    matched_at: datetime
    customer_is_generic: bool = False
    over_pence: int = 0
