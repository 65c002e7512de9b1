"""What Swap and the order say about one return, sorted by what its lines came to.

Belongs here: the fields that may stand between rows and refund, and which of them account for it. Stays out: the note
that follows (``policy.settlement``). Money is whole pence of the return's currency. Source: FINANCE_RULES U-9, U-13 to
U-15, contracts/swap.md §2.3, §2.4, §7.1, §8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.returns import REFUND, Return, ReturnLine

STORE_CREDITS = frozenset({"Store Credit", "Shop Later Credit"})
EXCHANGES = frozenset({"Exchange", "Shop Now Credit", "Additional Payment"})


@dataclass(frozen=True, slots=True)
class Posted:
    """An earlier document of the same return: the product rows it took, its value, and the refund it answers for."""

    product_ids: tuple[str, ...]
    value_pence: int
    money_pence: int | None = None

    @property
    def refund_pence(self) -> int:
        """Pence of the refund that it answers for; all of its value unless told otherwise."""
        return self.value_pence if self.money_pence is None else self.money_pence


@dataclass(frozen=True, slots=True)
class Sale:
    """The order beside its lines: delivery as paid, whether all comes back, and the room left to credit on it."""

    delivery_pence: int = 0
    is_all_back: bool = False
    room_pence: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """An amount of Swap or of the order that may stand between the lines and the refund; negative lowers the refund."""

    name: str
    pence: int


@dataclass(frozen=True)
class SettlementCase:
    """One return under the policy, its rows by what they came to; those ``done`` are in earlier documents alone."""

    return_: Return
    policy: CreditNotePolicy
    already: Sequence[Posted]
    sale: Sale
    done: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "done", frozenset(key for one in self.already for key in one.product_ids))

    def lines(self, *outcomes: str) -> tuple[ReturnLine, ...]:
        """Rows of these outcomes in no earlier document, by product id."""
        fresh = [line for line in self.return_.lines if line.outcome in outcomes and line.product_id not in self.done]
        return tuple(sorted(fresh, key=lambda line: line.product_id))

    @cached_property
    def due_pence(self) -> int:
        """The refund that no document answers for yet."""
        return self.return_.refund_pence - sum(one.refund_pence for one in self.already)

    @cached_property
    def refunded(self) -> tuple[ReturnLine, ...]:
        """Rows whose money went back, as far as any is still to be credited."""
        return self.lines(REFUND) if self.due_pence or not self.already else ()

    @cached_property
    def to_credit(self) -> tuple[ReturnLine, ...]:
        """Rows given back as store credit, where a note is due for them at once."""
        is_credited = self.policy.store_credit.choice != "hold_until_spent"
        return self.lines(*STORE_CREDITS) if is_credited else ()

    @cached_property
    def exchanged(self) -> tuple[ReturnLine, ...]:
        """Rows exchanged for other goods, where finance decided what follows."""
        is_credited = self.policy.exchange.choice == "credit_returned_goods"
        is_paid_for = not self.return_.additional_payment_pence or self.policy.extra_payment.choice != "task"
        is_first = not any(line.outcome in EXCHANGES and line.product_id in self.done for line in self.return_.lines)
        return self.lines(*EXCHANGES) if is_credited and is_paid_for and is_first else ()

    @cached_property
    def paid_back_pence(self) -> int | None:
        """Money that the exchange gives back; None where its fields contradict each other (U-15)."""
        returned, given = cost_of(self.exchanged), self.return_.exchange_pence
        extra = max(self.return_.additional_payment_pence, 0)
        if not self.exchanged:
            return 0
        if extra:
            return 0 if given in (0, returned + extra) else None
        return None if given > returned else returned - given if given else 0

    @cached_property
    def swapped(self) -> tuple[ReturnLine, ...]:
        """Exchanged rows that a note is due for: none for goods of one value, which alone move (U-15)."""
        is_even = self.paid_back_pence == 0 and self.return_.additional_payment_pence <= 0
        return () if is_even else self.exchanged

    @property
    def groups(self) -> tuple[tuple[ReturnLine, ...], ...]:
        """Rows that were refunded, given back as credit and exchanged, each as far as a note is due for them."""
        return self.refunded, self.to_credit, self.swapped

    @property
    def rows(self) -> tuple[ReturnLine, ...]:
        """All of them."""
        return tuple(row for rows in self.groups for row in rows)

    @cached_property
    def card_pence(self) -> int:
        """Store credit beyond the rows given back as such: what a gift card had paid of the refunded rows (U-14)."""
        is_decided = self.policy.gift_card.choice == "credit_in_full"
        own = sum(line.cost_pence for line in self.return_.lines if line.outcome in STORE_CREDITS)
        card = self.return_.store_credit_pence - own
        return max(card, 0) if is_decided and not self.already and self.refunded else 0

    @cached_property
    def is_due(self) -> bool:
        """True when there is something to credit, or something wrong with it."""
        return bool(self.due_pence or self.to_credit or self.swapped or self.card_pence)

    @cached_property
    def undecided(self) -> tuple[str, ...]:
        """Outcomes of rows in no document that no decision covers, sorted, each once."""
        decided = {*self.to_credit, *self.exchanged}
        rest = {line for line in self.return_.lines if line.product_id not in self.done} - decided
        return tuple(sorted({line.outcome for line in rest} - {REFUND}))

    def fields(self) -> Iterator[Field]:
        """What may stand between the first document's rows and the refund, as far as it is decided."""
        if self.already:
            return
        yield Field("fee", -max(self.return_.handling_fee_pence, 0))
        yield Field("gift_card", -self.card_pence)
        on_top = {"tax_on_top": self.return_.taxes_on_top_pence, "duties": self.return_.duties_on_top_pence}
        for name, pence in on_top.items():
            decision = getattr(self.policy, name)
            if decision.choice == "own_line" and decision.stock_code:
                yield Field(name, max(pence, 0))
        yield from (Field("delivery", pence) for pence in sorted(self._deliveries()))

    def _deliveries(self) -> set[int]:
        """Amounts of delivery that may be refunded: what was paid, or the standard kind (U-9)."""
        rule, paid = self.policy.delivery, self.sale.delivery_pence
        is_allowed = rule.choice == "as_refunded" or (rule.choice != "never" and self.sale.is_all_back)
        if not (is_allowed and rule.stock_code):
            return set()
        return {paid, paid if rule.standard_pence is None else min(paid, rule.standard_pence)}

    def explanation(self) -> tuple[Field, ...] | None:
        """The fewest fields that lead from the rows to the refund; None where none do, or more than one answer."""
        if self.paid_back_pence is None or not (self.refunded or self.swapped or not self.due_pence):
            return None
        target = self.due_pence - cost_of(self.refunded) - self.paid_back_pence
        able = [one for one in self.fields() if one.pence]
        for size in range(len(able) + 1):
            found = [some for some in combinations(able, size) if sum(one.pence for one in some) == target]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    @property
    def is_off_by_delivery(self) -> bool:
        """True where the refund exceeds its rows, less the fee or not, by exactly the delivery of the order."""
        beyond = self.due_pence - cost_of(self.refunded)
        is_exact = beyond in {self.sale.delivery_pence, self.sale.delivery_pence - self.return_.handling_fee_pence}
        return bool(self.sale.delivery_pence and self.refunded) and not self.already and is_exact

    def is_fee_of_credit(self, used: Sequence[Field]) -> bool | None:
        """Whether the fee was withheld from the store credit; None where the credit given is not that of its rows.

        A bonus is more credit than the rows cost; it is a marketing cost and never on the note (U-13).
        """
        if not self.to_credit or any(one.name == "gift_card" for one in used):
            return False
        given = sum(one.cost_pence for one in self.return_.lines if one.outcome in STORE_CREDITS)
        short = given - self.return_.store_credit_pence
        if short <= 0:
            return False
        is_fee_free = not self.already and not any(one.name == "fee" for one in used)
        return True if is_fee_free and short == self.return_.handling_fee_pence else None


def cost_of(lines: Sequence[ReturnLine]) -> int:
    """What these rows cost together."""
    return sum(line.cost_pence for line in lines)
