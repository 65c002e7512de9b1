"""What is known about the goods of a return when it is judged.

Belongs here: frozen records of its lines and of its stock moves. Stays out: what they mean
(``judging.goods_conditions``). Money is minor units of the return's currency, quantities are units.
"""

from __future__ import annotations

from dataclasses import dataclass

from khaos_swap_assets.domain.goods.dispositions import B_GRADE, DAMAGED, SELLABLE, WRITTEN_OFF
from khaos_swap_assets.domain.money.tax import Rate
from khaos_swap_assets.domain.records.matches import CodedRow
from khaos_swap_assets.domain.records.returns import ReturnLine


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts(CodedRow):
    """One row of a return as it is judged.

    ``kept_posted_quantity`` units were credited as kept, and ``is_posted`` says that an earlier document returned this
    row. ``sold_pence`` is what its units cost on the Sales Order, ``list_pence`` before any discount, and
    ``vat_percent`` their rate there; None where that is not known.
    """

    currency: str = "GBP"
    kept_posted_quantity: int = 0
    is_posted: bool = False
    sold_pence: int | None = None
    vat_percent: Rate | None = None
    list_pence: int | None = None

    @property
    def row(self) -> ReturnLine:
        """The row of Swap that it is, as far as its policy asks."""
        return ReturnLine(
            return_id="",
            product_id=self.product_id,
            line_item_id="",
            original_order_name="",
            sku=self.sku,
            quantity=self.quantity,
            cost_pence=self.cost_pence,
            currency=self.currency,
            outcome=self.outcome,
        )

    @property
    def uninspected_quantity(self) -> int:
        """Units that are to come back and that nobody has looked at."""
        seen = sum(self.dispositions.values()) + self.strange_quantity + self.disputed_quantity
        return max(self.quantity - seen - self.unclear_quantity, 0)

    @property
    def came_back_quantity(self) -> int:
        """Units that were credited as kept and that the warehouse has now."""
        found = [self.dispositions.get(word, 0) for word in (SELLABLE, DAMAGED, B_GRADE, WRITTEN_OFF)]
        return min(self.kept_posted_quantity, sum(found))

    @property
    def unsettled_quantity(self) -> int:
        """Units without a disposition, looked at or not; as long as there are any the return is not drafted."""
        return self.uninspected_quantity + self.strange_quantity + self.disputed_quantity

    def value_of(self, units: int) -> int:
        """What ``units`` of this line are worth, rounded down to whole pence."""
        return self.cost_pence * units // self.quantity if self.quantity else 0


@dataclass(frozen=True, slots=True)
class MoveFacts:
    """One stock move and what the levels said: ``state`` is due, offered, confirmed, cannot_tell or failed."""

    sku: str
    stock_code: str
    disposition: str
    quantity: int
    state: str
    evidence: str = ""
