"""What was paid for each unit of a sale, and what of it a return gives back.

Belongs here: discounts frozen at sale, cumulative partial refunds, caps, and the line value that Khaos computes. Stays
out: the policy (``policy.decisions``) and VAT (``money.tax``). Money is whole pence. Source: FINANCE_RULES U-7, U-8,
U-26, contracts/khaos.md §10.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from khaos_swap_assets.domain.money.amounts import half_up, spread, unit_values
from khaos_swap_assets.domain.money.tax import Amount, Rate


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One line as sold: ``unit_gross_pence`` at list price, ``discount_pence`` of this line alone, its VAT rate."""

    line_ref: str
    stock_code: str
    quantity: int
    unit_gross_pence: int
    vat_percent: Rate = 20
    discount_pence: int = 0

    @property
    def price_pence(self) -> int:
        """Selling price of the line, before any discount of the order."""
        return self.quantity * self.unit_gross_pence - self.discount_pence


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A sold line and what was paid for each of its units; frozen at sale, whatever is returned later."""

    line: SoldLine
    units_pence: tuple[int, ...]

    @property
    def paid_pence(self) -> int:
        """What was paid for the whole line."""
        return sum(self.units_pence)

    @property
    def order_discount_pence(self) -> int:
        """Its share of the order's discount."""
        return self.line.price_pence - self.paid_pence


def freeze(lines: Sequence[SoldLine], order_discount_pence: int = 0) -> tuple[PaidLine, ...]:
    """Spread the order's discount over the lines by selling price, with largest remainder (U-7).

    Undiscounted lines of one Stock Code, price and rate count as one line, so that cutting a line in two changes
    nothing. Raises ``ValueError`` for a line without units, a negative price, and a discount that is negative or above
    the order.
    """
    _refuse_bad(lines, order_discount_pence)
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        groups[_like(line, index)].append(index)
    prices = [sum(lines[index].price_pence for index in group) for group in groups.values()]
    paid: dict[int, PaidLine] = {}
    for group, price, share in zip(groups.values(), prices, spread(order_discount_pence, prices), strict=True):
        units = unit_values(price - share, sum(lines[index].quantity for index in group))
        for index in group:
            size = lines[index].quantity
            paid[index] = PaidLine(lines[index], tuple(units[:size]))
            del units[:size]
    return tuple(paid[index] for index in range(len(lines)))


def _refuse_bad(lines: Sequence[SoldLine], order_discount_pence: int) -> None:
    for line in lines:
        if line.quantity < 1 or line.price_pence < 0 or line.unit_gross_pence < 0:
            raise ValueError(f"line {line.line_ref} has no unit or a negative price")
    if not 0 <= order_discount_pence <= sum(line.price_pence for line in lines):
        raise ValueError(f"a discount of {order_discount_pence} pence is negative or above the order")


def _like(line: SoldLine, index: int) -> tuple[object, ...]:
    if line.discount_pence:
        return (index,)
    return (line.stock_code, line.unit_gross_pence, Fraction(line.vat_percent))


@dataclass(frozen=True, slots=True)
class Credited:
    """Units and pence of a sold line on one Credit Note, ours or anybody's."""

    line_ref: str
    quantity: int
    gross_pence: int


def credit_due(paid: PaidLine, quantity: int, credited: Iterable[Credited] = ()) -> int:
    """Pence to credit for the next units of a line, after what is credited already (U-8, U-26).

    Units are credited in their order, so that all together come to what was paid, whoever returns how many at a time.
    Never above what is left of the line, never below zero. Raises ``ValueError`` for more units than are left.
    """
    before = [one for one in credited if one.line_ref == paid.line.line_ref]
    done = sum(one.quantity for one in before)
    if quantity < 0 or done + quantity > paid.line.quantity:
        left = paid.line.quantity - done
        raise ValueError(f"{quantity} units of line {paid.line.line_ref} cannot be credited: {left} are left")
    left_pence = paid.paid_pence - sum(one.gross_pence for one in before)
    return max(min(sum(paid.units_pence[done : done + quantity]), left_pence), 0)


@dataclass(frozen=True, slots=True)
class Excess:
    """More credited on a line than was sold or paid, over all notes; zero where it is not."""

    line_ref: str
    quantity: int
    pence: int


def excesses(paid: Iterable[PaidLine], credited: Iterable[Credited]) -> tuple[Excess, ...]:
    """Lines on which all notes together, manual ones too, credit more units or pence than the sale holds (U-26).

    Credit for a line that was never sold is excess as a whole.
    """
    units: dict[str, int] = defaultdict(int)
    pence: dict[str, int] = defaultdict(int)
    for one in credited:
        units[one.line_ref] += one.quantity
        pence[one.line_ref] += one.gross_pence
    caps: Mapping[str, tuple[int, int]] = {one.line.line_ref: (one.line.quantity, one.paid_pence) for one in paid}
    found = (
        Excess(ref, max(units[ref] - caps.get(ref, (0, 0))[0], 0), max(pence[ref] - caps.get(ref, (0, 0))[1], 0))
        for ref in sorted(units)
    )
    return tuple(excess for excess in found if excess.quantity or excess.pence)


def khaos_line(
    unit_pence: int,
    quantity: int,
    vat_percent: Rate,
    mode: Literal["gross", "net"],
    discount_percent: Decimal | int = 0,
) -> Amount:
    """What Khaos makes of a line, half-up to the penny (khaos.md §10); ``unit_pence`` is gross or net as ``mode``."""
    whole = unit_pence * quantity
    value = whole - half_up(whole * Fraction(discount_percent) / 100)
    if mode == "gross":
        return Amount.of(value, vat_percent)
    vat = half_up(value * Fraction(vat_percent) / 100)
    return Amount(value + vat, value, vat)
