"""What a return came to by Swap's own fields, and the Credit Note that the policy makes of it.

Belongs here: which lines a note is due for, at which value, and which field accounts for every penny between them and
the refund. Stays out: the decisions (``domain.policy``) and the gates that have nothing to do with money
(``domain.credit_notes``). Money is whole pence of the return's currency. Source: FINANCE_RULES U-2, U-9, U-12 to U-15,
contracts/swap.md §2.3, §2.4, §7.1, §8.

A field explains a difference only where it accounts for it to the penny, the fewest fields win, and where two answers
fit there is none. A field counts only once finance has decided what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from khaos_swap_assets.domain.money import format_money
from khaos_swap_assets.domain.policy import CreditNotePolicy, Outcomes, Part, translate
from khaos_swap_assets.domain.returns import REFUND, HoldReason, Return, ReturnLine

STORE_CREDITS = frozenset({"Store Credit", "Shop Later Credit"})
EXCHANGES = frozenset({"Exchange", "Shop Now Credit", "Additional Payment"})
NOT_EXPLAINED = "refund_not_explained"
UNDECIDED = "outcome_needs_policy"


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
    """What the order says beside its lines: its delivery as paid, whether all of it comes back, and what is left.

    ``room_pence`` is what was paid for the order less all that is credited on it.
    """

    delivery_pence: int = 0
    is_all_back: bool = False
    room_pence: int = 0


@dataclass(frozen=True, slots=True)
class Credit:
    """Lines of one outcome, and what a note credits for them together."""

    lines: tuple[ReturnLine, ...]
    value_pence: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """The note that is due: its goods, its parts on a Stock Code of their own, or what stands against it.

    ``money_pence`` is the part of the refund that it answers for. ``undecided`` are outcomes that no decision covers,
    ``open_credit_pence`` is store credit that none covers. ``is_due`` says that there is something to credit, or
    something wrong with it.
    """

    credits: tuple[Credit, ...] = ()
    parts: tuple[Part, ...] = ()
    money_pence: int = 0
    undecided: tuple[str, ...] = ()
    open_credit_pence: int = 0
    faults: tuple[HoldReason, ...] = ()
    is_due: bool = False

    @property
    def lines(self) -> tuple[ReturnLine, ...]:
        """The returned rows that the note is for."""
        return tuple(line for credit in self.credits for line in credit.lines)

    @property
    def value_pence(self) -> int:
        """Value of the note."""
        return sum(credit.value_pence for credit in self.credits) + sum(part.pence for part in self.parts)

    @property
    def beyond_pence(self) -> int:
        """What the note is worth beyond the refund (negative: less), for a reason that a field gives."""
        return self.value_pence - self.money_pence if self.is_due and not self.faults else 0


@dataclass(frozen=True, slots=True)
class _Field:
    """An amount of Swap or of the order that may stand between the lines and the refund; negative lowers the refund."""

    name: str
    pence: int


@dataclass(frozen=True)
class _Case:
    """One return under the policy, sorted by what its lines came to."""

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
        returned, given = _cost(self.exchanged), self.return_.exchange_pence
        extra = max(self.return_.additional_payment_pence, 0)
        if not self.exchanged:
            return 0
        if extra:
            return 0 if given in (0, returned + extra) else None
        return None if given > returned else returned - given if given else 0

    @property
    def is_even(self) -> bool:
        """True for goods of one value: no note, the goods alone move (U-15)."""
        return self.paid_back_pence == 0 and self.return_.additional_payment_pence <= 0

    @cached_property
    def swapped(self) -> tuple[ReturnLine, ...]:
        """Exchanged rows that a note is due for."""
        return () if self.is_even else self.exchanged

    @cached_property
    def card_pence(self) -> int:
        """Store credit beyond the rows given back as such: what a gift card had paid of the refunded rows (U-14)."""
        is_decided = self.policy.gift_card.choice == "credit_in_full"
        own = sum(line.cost_pence for line in self.return_.lines if line.outcome in STORE_CREDITS)
        card = self.return_.store_credit_pence - own
        return max(card, 0) if is_decided and not self.already and self.refunded else 0

    @cached_property
    def is_due(self) -> bool:
        return bool(self.due_pence or self.to_credit or self.swapped or self.card_pence)

    @cached_property
    def undecided(self) -> tuple[str, ...]:
        """Outcomes of rows in no document that no decision covers, sorted, each once."""
        decided = {*self.to_credit, *self.exchanged}
        rest = {line for line in self.return_.lines if line.product_id not in self.done} - decided
        return tuple(sorted({line.outcome for line in rest} - {REFUND}))

    def fields(self) -> Iterator[_Field]:
        """What may stand between the first document's rows and the refund, as far as it is decided."""
        if self.already:
            return
        yield _Field("fee", -max(self.return_.handling_fee_pence, 0))
        yield _Field("gift_card", -self.card_pence)
        for name, pence in (
            ("tax_on_top", self.return_.taxes_on_top_pence),
            ("duties", self.return_.duties_on_top_pence),
        ):
            decision = getattr(self.policy, name)
            if decision.choice == "own_line" and decision.stock_code:
                yield _Field(name, max(pence, 0))
        yield from (_Field("delivery", pence) for pence in sorted(self._deliveries()))

    def _deliveries(self) -> set[int]:
        """Amounts of delivery that may be refunded: what was paid, or the standard kind (U-9)."""
        rule, paid = self.policy.delivery, self.sale.delivery_pence
        is_allowed = rule.choice == "as_refunded" or (rule.choice != "never" and self.sale.is_all_back)
        if not (is_allowed and rule.stock_code):
            return set()
        return {paid, paid if rule.standard_pence is None else min(paid, rule.standard_pence)}

    def explanation(self) -> tuple[_Field, ...] | None:
        """The fewest fields that lead from the rows to the refund; None where none do, or more than one answer."""
        if self.paid_back_pence is None or not (self.refunded or self.swapped or not self.due_pence):
            return None
        target = self.due_pence - _cost(self.refunded) - self.paid_back_pence
        able = [one for one in self.fields() if one.pence]
        for size in range(len(able) + 1):
            found = [some for some in combinations(able, size) if sum(one.pence for one in some) == target]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def is_fee_of_credit(self, used: Sequence[_Field]) -> bool | None:
        """Whether the fee was withheld from the store credit; None where the credit given is not that of its rows.

        A bonus is more credit than the rows cost; it is a marketing cost and never on the note (U-13).
        """
        if not self.to_credit or any(one.name == "gift_card" for one in used):
            return False
        done = sum(one.cost_pence for one in self.return_.lines if one.outcome in STORE_CREDITS) - _cost(self.to_credit)
        short = _cost(self.to_credit) - (self.return_.store_credit_pence - done)
        if short <= 0:
            return False
        is_fee_free = not self.already and not any(one.name == "fee" for one in used)
        return True if is_fee_free and short == self.return_.handling_fee_pence else None


def settle(
    return_: Return, policy: CreditNotePolicy, *, already: Sequence[Posted] = (), sale: Sale | None = None
) -> Settlement:
    """Settle what no document of ``already`` answers for; the order of the lines changes nothing.

    The value of the note is the refund that is left, plus what a decision credits beside it, to the penny.
    """
    case = _Case(return_, policy, already, sale or Sale())
    if not case.is_due:
        return _settled(case, Outcomes(), (), is_due=False)
    rows = (*case.refunded, *case.to_credit, *case.swapped)
    if already and case.due_pence > 0 and not rows:
        return _part_payment(case)
    used = case.explanation()
    is_of_credit = case.is_fee_of_credit(used) if used is not None else None
    if used is None or is_of_credit is None or min((row.cost_pence for row in rows), default=-1) < 0:
        return _settled(case, Outcomes(), (_fault(case),))
    outcomes = _outcomes(case, {one.name: abs(one.pence) for one in used}, is_fee_of_credit=is_of_credit)
    return _settled(case, outcomes, () if outcomes else (_fault(case),))


def _settled(
    case: _Case, outcomes: Outcomes | None, faults: tuple[HoldReason, ...], *, is_due: bool = True
) -> Settlement:
    found = translate(outcomes or Outcomes(), case.policy)
    of_goods = {part.outcome: part.pence for part in found.parts if not part.stock_code}
    groups = ((case.refunded, "goods"), (case.to_credit, "store_credit"), (case.swapped, "exchange"))
    return Settlement(
        credits=tuple(Credit(rows, of_goods.get(name, 0)) for rows, name in groups if rows),
        parts=tuple(part for part in found.parts if part.stock_code),
        money_pence=case.due_pence,
        undecided=case.undecided,
        open_credit_pence=_open_credit(case, is_card_used=bool(outcomes and outcomes.gift_card_pence)),
        faults=faults,
        is_due=is_due,
    )


def _outcomes(case: _Case, used: dict[str, int], *, is_fee_of_credit: bool) -> Outcomes | None:
    """The return in the policy's words, the fee taken off the rows that bore it; None where it exceeds them."""
    fee = case.return_.handling_fee_pence if is_fee_of_credit else used.get("fee", 0)
    bearer = "store_credit" if is_fee_of_credit else "goods" if case.refunded else "exchange"
    is_reduced = case.policy.label_fee.choice == "reduce_refund"
    costs = {"goods": _cost(case.refunded), "store_credit": _cost(case.to_credit), "exchange": _cost(case.swapped)}
    if fee > costs[bearer]:
        return None
    if bearer != "goods" and is_reduced:
        costs[bearer] -= fee
    return Outcomes(
        goods_pence=costs["goods"],
        fee_pence=fee if bearer == "goods" or not is_reduced else 0,
        gift_card_pence=used.get("gift_card", 0),
        store_credit_pence=costs["store_credit"],
        exchange_returned_pence=costs["exchange"],
        tax_on_top_pence=used.get("tax_on_top", 0),
        duties_pence=used.get("duties", 0),
        delivery_refunded_pence=used.get("delivery", 0),
        delivery_due_pence=used.get("delivery", 0),
        is_all_back=case.sale.is_all_back,
    )


def _part_payment(case: _Case) -> Settlement:
    """A later payment that no row explains: a line of its own, never above what is left of the order (U-2, U-26)."""
    rule = case.policy.part_payment
    is_decided = rule.choice == "credit_when_paid" and bool(rule.stock_code)
    if is_decided and case.due_pence <= case.sale.room_pence:
        return _settled(case, Outcomes(part_payment_pence=case.due_pence), ())
    return _settled(case, Outcomes(), (_fault(case),))


def _open_credit(case: _Case, *, is_card_used: bool) -> int:
    """Store credit of the return that no decided row and no gift card stands for."""
    own = {line.product_id for line in case.return_.lines if line.outcome in STORE_CREDITS}
    beyond = sum(one.value_pence - one.refund_pence for one in case.already)
    credit = case.return_.store_credit_pence
    is_told = is_card_used or case.to_credit or own & case.done or (case.already and 0 < credit <= beyond)
    return 0 if is_told else max(credit, 0)


def _fault(case: _Case) -> HoldReason:
    """Why the refund stands for no note: the amounts that do not agree, in words of money."""
    rows = (*case.refunded, *case.to_credit, *case.swapped)
    amounts = (abs(case.due_pence), _cost(rows), case.return_.handling_fee_pence)
    due, together, fee = (_told(pence, case.return_.currency) for pence in amounts)
    if not case.already and not rows and case.undecided:
        return HoldReason(UNDECIDED, f"no line is a Refund: {', '.join(case.undecided)}")
    if not case.already:
        given = f", {_told(case.return_.exchange_pence, case.return_.currency)} in exchange" if case.swapped else ""
        return HoldReason(NOT_EXPLAINED, f"{due} refunded, its lines add up to {together}, fee {fee}{given}")
    if case.due_pence < 0:
        return HoldReason("value_gap", f"{due} more is posted than was refunded")
    return HoldReason(UNDECIDED, f"{due} more was refunded, new lines explain {together} of it")


def _told(pence: int, currency: str) -> str:
    return format_money(pence, currency) if currency else str(pence)


def _cost(lines: Sequence[ReturnLine]) -> int:
    return sum(line.cost_pence for line in lines)
