"""What the money says of one return, and the return as it then is.

Belongs here: the records between a return and the refunds of the storefront, and what follows from them. Stays out: how
they are linked (``linking.refund_links``) and when a disagreement is trouble (``judging.money_conditions``).
Source: contracts/swap.md §8.2, FINANCE_RULES U-1, U-2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from khaos_swap_assets.domain.records.packs import units
from khaos_swap_assets.domain.records.returns import CLOSED, Return
from khaos_swap_assets.domain.refunds.payments import Refund

State = Literal["paid", "unpaid", "differs", "outside", "currency", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Claimant:
    """A return that asks whether it was paid; ``return_ref`` is the storefront's number of it, as Swap names it."""

    return_: Return
    return_ref: str = ""

    @property
    def return_id(self) -> str:
        """Its identity."""
        return self.return_.return_id

    @property
    def order_names(self) -> frozenset[str]:
        """Names of the orders that its money may be on: of a returned exchange the original one too."""
        return frozenset({self.return_.order_name, *(line.original_order_name for line in self.return_.lines)}) - {""}

    @property
    def goods(self) -> Counter[str]:
        """Units by order line."""
        return units((line.line_item_id, line.quantity) for line in self.return_.refund_lines)


@dataclass(frozen=True, slots=True)
class Money:
    """What the storefront says of one return.

    ``refunds`` are those that pay it or, where they do not agree, all that could; ``surplus`` went out beside them for
    the same amount once more, ``beside`` is money of its order that no return asked for, where no other return is of
    that order. ``stuck`` are states of payments that did not go through. ``outside_pence`` is what is missing where an
    earlier exchange of the order had been paid as much extra: that goes back first, outside the storefront, and
    ``is_proved`` says that a person has seen it. ``fx_loss_pence`` is what refunds in another currency cost more than
    at the rate of the sale (negative: less); they are then shown in the shop's own.
    """

    state: State
    refunds: tuple[Refund, ...] = ()
    by: str = ""
    surplus: tuple[Refund, ...] = ()
    stuck: tuple[str, ...] = ()
    beside: tuple[Refund, ...] = ()
    outside_pence: int = 0
    is_proved: bool = False
    fx_loss_pence: int = 0

    @property
    def is_counted(self) -> bool:
        """True where the money that moved is the refund: linked to the return, and of its currency."""
        return self.state in ("paid", "differs", "outside") and bool(self.refunds)

    @property
    def cash_pence(self) -> int:
        """The part of what moved that was money."""
        return sum(one.cash_pence for one in self.refunds)

    @property
    def tender_pence(self) -> int:
        """The part of what moved that went to gift cards or became store credit."""
        return sum(one.tender_pence for one in self.refunds)

    @property
    def surplus_pence(self) -> int:
        """What went out once more."""
        return sum(one.moved_pence for one in self.surplus)

    @property
    def is_doubtful(self) -> bool:
        """True when money moved that does not agree with Swap: that is settled before anything is credited."""
        return self.state not in ("paid", "unpaid") and not self.is_proved

    @property
    def moved_pence(self) -> int:
        """What moved, gift cards included."""
        return sum(one.moved_pence for one in self.refunds)

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When each payment went through, the earliest first."""
        return tuple(sorted(part.processed_at for one in self.refunds for part in one.moved if part.processed_at))


@dataclass(frozen=True, slots=True)
class Links:
    """What the money says of each return by its id, and the refunds that moved money for none of them."""

    money: Mapping[str, Money]
    loose: tuple[Refund, ...]

    @property
    def returns(self) -> dict[str, tuple[str, str]]:
        """Refund id -> return id and the evidence, for those that pay a return."""
        return {
            refund.refund_id: (return_id, money.by)
            for return_id, money in self.money.items()
            if money.state in ("paid", "outside")
            for refund in (*money.refunds, *money.surplus)
        }


def is_awaited(money: Money | None, said: Return | None) -> bool:
    """True while Swap has closed it, with a date and money for the customer, and the storefront has moved none."""
    return bool(money and money.state == "unpaid" and said and is_owed(said) and said.done_at)


def is_owed(return_: Return) -> bool:
    """True for a return that Swap has closed with money for the customer, dated or not."""
    return return_.status == CLOSED and return_.refund_pence > 0


def as_money_says(return_: Return, money: Money | None, *, is_in_sight: bool) -> Return:
    """The return with the dates of the money in place of Swap's: paid on the day it moved, and until then not at all.

    ``processed_at`` becomes the first payment's moment and ``closed_at`` the last one's. Without money a return that
    the storefront must have shown has no date, so its refund counts as not confirmed (U-1).
    """
    if money is None or not is_owed(return_) or money.state == "ambiguous":
        return return_
    if money.moments:
        return replace(return_, processed_at=money.moments[0], closed_at=money.moments[-1])
    return replace(return_, processed_at=None, closed_at=None) if is_in_sight else return_
