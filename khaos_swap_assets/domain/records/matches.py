"""What a return and its lines are in Khaos, as they were matched.

Belongs here: the records. Stays out: how a match is found (``records.orders``, ``records.stock_codes``) and where it is
kept (``adapters.store.matches``). Money is whole pence, quantities are units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from khaos_swap_assets.domain.records.returns import REFUND


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedRow:
    """One returned row with the Stock Code that it is, and where its units are; ``cost_pence`` is of the whole row.

    ``problem`` is a line kind of the catalogue or empty. ``strange_quantity`` units were inspected and found to be
    something else than what was sold, ``kept_quantity`` stay with the customer, and of ``unclear_quantity`` nobody can
    tell whether they come back. ``excess_quantity`` units were inspected beyond those of the row, and of
    ``disputed_quantity`` two sources say different things. ``b_grade_code`` is the Stock Code that B-grade units are
    to become, ``b_grade_problem`` why it cannot be used.
    """

    product_id: str
    sku: str
    quantity: int
    cost_pence: int
    outcome: str = REFUND
    stock_code: str | None = None
    problem: str = ""
    suggestion: str = ""
    suggestion_rule: str = ""
    sellable_quantity: int = 0
    damaged_quantity: int = 0
    missing_quantity: int = 0
    strange_quantity: int = 0
    kept_quantity: int = 0
    unclear_quantity: int = 0
    excess_quantity: int = 0
    b_grade_quantity: int = 0
    written_off_quantity: int = 0
    disputed_quantity: int = 0
    b_grade_code: str = ""
    b_grade_problem: str = ""

    @property
    def goods(self) -> tuple[str, int]:
        """Its Stock Code, or its SKU for want of one, and its units."""
        return self.stock_code or self.sku, self.quantity

    @property
    def dispositions(self) -> dict[str, int]:
        """Units by where they went; units without a disposition are in none."""
        units = (
            ("sellable", self.sellable_quantity),
            ("damaged", self.damaged_quantity),
            ("b_grade", self.b_grade_quantity),
            ("written_off", self.written_off_quantity),
            ("missing", self.missing_quantity),
            ("kept", self.kept_quantity),
        )
        return {name: count for name, count in units if count}

    @property
    def graded_code(self) -> str:
        """The Stock Code that its B-grade units become; empty where there is none to be used."""
        return "" if self.b_grade_problem else self.b_grade_code


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedLine(CodedRow):
    """A row of a return beside the line of the order that sold it; the values are of whole lines."""

    return_id: str
    order_line_no: int | None
    sold_quantity: int | None
    sold_gross_pence: int | None
    suggestion_score: int | None = None


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
