"""What a return came to by Swap's own fields, and the Credit Note that the policy makes of it.

Belongs here: which lines a note is due for, at which value, and which field accounts for every penny between them and
the refund. Stays out: the decisions (``policy.decisions``), what the fields are (``policy.settlement_case``) and the
gates that have nothing to do with money (``documents.credit_notes``). Money is whole pence of the return's currency.
Source: FINANCE_RULES U-2, U-9, U-12 to U-15, contracts/swap.md §2.3, §2.4, §7.1, §8.

A field explains a difference only where it accounts for it to the penny, the fewest fields win, and where two answers
fit there is none. A field counts only once finance has decided what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from khaos_swap_assets.domain.money.amounts import format_money, spread
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement_case import STORE_CREDITS, Posted, Sale, SettlementCase, cost_of
from khaos_swap_assets.domain.records.returns import HoldReason, Return, ReturnLine

NOT_EXPLAINED = "refund_not_explained"
UNDECIDED = "outcome_needs_policy"
ON_A_CODE = ("delivery", "tax_on_top", "duties")
"""Amounts that stand on a Stock Code of their own, which their decision names."""


@dataclass(frozen=True, slots=True)
class CreditPart:
    """A part of the note beside its goods: what it is for, its pence, and the Stock Code of its line."""

    outcome: str
    pence: int
    stock_code: str


@dataclass(frozen=True, slots=True)
class Credit:
    """Lines of one outcome, and what a note credits for them together."""

    lines: tuple[ReturnLine, ...]
    value_pence: int

    @property
    def shares(self) -> Iterator[tuple[ReturnLine, int]]:
        """Each line with what the note credits for it: its cost less its share of what was withheld."""
        costs = [line.cost_pence for line in self.lines]
        withheld = spread(sum(costs) - self.value_pence, costs)
        yield from ((line, line.cost_pence - share) for line, share in zip(self.lines, withheld, strict=True))


@dataclass(frozen=True, slots=True)
class Settlement:
    """The note that is due: its goods, its parts on a Stock Code of their own, or what stands against it.

    ``money_pence`` is the part of the refund that it answers for. ``undecided`` are outcomes that no decision covers,
    ``open_credit_pence`` is store credit that none covers. ``invoice_pence`` is a fee that finance invoices. ``is_due``
    says that there is something to credit, or something wrong with it.
    """

    credits: tuple[Credit, ...] = ()
    parts: tuple[CreditPart, ...] = ()
    money_pence: int = 0
    undecided: tuple[str, ...] = ()
    open_credit_pence: int = 0
    faults: tuple[HoldReason, ...] = ()
    is_due: bool = False
    invoice_pence: int = 0

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


def settle(
    return_: Return, policy: CreditNotePolicy, *, already: Sequence[Posted] = (), sale: Sale | None = None
) -> Settlement:
    """Settle what no document of ``already`` answers for, to the penny: the refund left and what a decision credits."""
    case = SettlementCase(return_, policy, already, sale or Sale())
    if not case.is_due:
        return _settled(case, is_due=False)
    if already and case.due_pence > 0 and not case.rows:
        return _part_payment(case)
    used = case.explanation()
    is_of_credit = case.is_fee_of_credit(used) if used is not None else None
    if used is None or is_of_credit is None or min((row.cost_pence for row in case.rows), default=-1) < 0:
        return _settled(case, faults=(_fault(case),))
    pence = {one.name: abs(one.pence) for one in used}
    fee = return_.handling_fee_pence if is_of_credit else pence.get("fee", 0)
    values = _values(case, fee, is_of_credit=is_of_credit)
    if values is None:
        return _settled(case, faults=(_fault(case),))
    parts = [CreditPart(name, pence[name], getattr(policy, name).stock_code) for name in ON_A_CODE if name in pence]
    settled = _settled(case, values, parts, is_card_used="gift_card" in pence)
    return replace(settled, invoice_pence=fee if policy.label_fee.choice == "charge_service" else 0)


def _settled(
    case: SettlementCase,
    values: Sequence[int] = (0, 0, 0),
    parts: Sequence[CreditPart] = (),
    *,
    faults: tuple[HoldReason, ...] = (),
    is_due: bool = True,
    is_card_used: bool = False,
) -> Settlement:
    return Settlement(
        credits=tuple(Credit(rows, pence) for rows, pence in zip(case.groups, values, strict=True) if rows),
        parts=tuple(parts),
        money_pence=case.due_pence,
        undecided=case.undecided,
        open_credit_pence=_open_credit(case, is_card_used=is_card_used),
        faults=faults,
        is_due=is_due,
    )


def _values(case: SettlementCase, fee: int, *, is_of_credit: bool) -> list[int] | None:
    """What each group of rows is credited at, the fee taken off the one that bore it; None where it exceeds that."""
    values = [cost_of(rows) for rows in case.groups]
    bearer = 1 if is_of_credit else 0 if case.refunded else 2
    if fee > values[bearer]:
        return None
    values[bearer] -= fee if case.policy.label_fee.choice == "reduce_refund" else 0
    return values


def _part_payment(case: SettlementCase) -> Settlement:
    """A later payment that no row explains: a line of its own, never above what is left of the order (U-2, U-26)."""
    rule = case.policy.part_payment
    if rule.choice == "credit_when_paid" and rule.stock_code and case.due_pence <= case.sale.room_pence:
        return _settled(case, parts=[CreditPart("part_payment", case.due_pence, rule.stock_code)])
    return _settled(case, faults=(_fault(case),))


def _open_credit(case: SettlementCase, *, is_card_used: bool) -> int:
    """Store credit of the return that no decided row and no gift card stands for."""
    own = {line.product_id for line in case.return_.lines if line.outcome in STORE_CREDITS}
    beyond = sum(one.value_pence - one.refund_pence for one in case.already)
    credit = case.return_.store_credit_pence
    is_told = is_card_used or case.to_credit or own & case.done or (case.already and 0 < credit <= beyond)
    return 0 if is_told else max(credit, 0)


def _fault(case: SettlementCase) -> HoldReason:
    """Why the refund stands for no note: the amounts that do not agree, in words of money."""
    return_ = case.return_
    amounts = (abs(case.due_pence), cost_of(case.rows), return_.handling_fee_pence, return_.exchange_pence)
    due, together, fee, exchange = (format_money(pence, return_.currency) for pence in amounts)
    if not case.already and not case.rows and case.undecided:
        return HoldReason(UNDECIDED, f"no line is a Refund: {', '.join(case.undecided)}")
    if not case.already:
        given = f", {exchange} in exchange" if case.swapped else ""
        hint = _delivery_hint(case)
        said = f"{due} refunded, its lines add up to {together}, fee {fee}{given}{hint}"
        return HoldReason(NOT_EXPLAINED, said, hint)
    if case.due_pence < 0:
        return HoldReason("value_gap", f"{due} more is posted than was refunded")
    return HoldReason(UNDECIDED, f"{due} more was refunded, new lines explain {together} of it")


def _delivery_hint(case: SettlementCase) -> str:
    """What to decide where the order's delivery alone stands between rows and refund."""
    if not case.is_off_by_delivery:
        return ""
    delivery = format_money(case.sale.delivery_pence, case.return_.currency)
    rule = case.policy.delivery
    lacks = "" if rule.stock_code else " and has no stock_code"
    return (
        f"; off by exactly the order's delivery of {delivery}: the policy's decision `delivery` is {rule.choice}{lacks}"
    )
