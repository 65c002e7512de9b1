"""Which refund each line of a payout paid, what is left over on either side, and when that is trouble, in pence.

Belongs here: comparing lines with refunds, where every penny belongs, and a difference as an exception of finance.
Stays out: the records (``records``) and what finance enters (``journals``). Of what a line names, the strongest counts:
the payment, the refund, the return, the order. The amount must be the same to the penny; where one refund alone can be
meant and it is not, the amounts differ. Of equal ones the earliest goes first. Source: FINANCE_RULES U-1, U-14 to U-16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import day_words
from khaos_swap_assets.domain.payouts.records import Coverage, PaidLine, PaidRefund, Payout
from khaos_swap_assets.domain.records.stores import SEPARATOR
from khaos_swap_assets.domain.sums import grouped

Place = Literal["matched", "differs", "unknown", "missing"]
"""A refund in its payout; with another amount; a line without a refund; a refund in no payout."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A line, or a refund in no payout, and where it belongs. ``why`` says why no refund is its own."""

    place: Place
    line: PaidLine | None = None
    refund: PaidRefund | None = None
    why: str = ""

    @property
    def gross_pence(self) -> int:
        """What the payout says, negative for money to a customer; 0 where it says nothing."""
        return self.line.line.gross_pence if self.line else 0

    @property
    def matched_pence(self) -> int:
        """The part of it that a refund of ours explains."""
        if self.place == "matched":
            return self.gross_pence
        return -self.refund.pence if self.place == "differs" and self.refund else 0

    @property
    def apart_pence(self) -> int:
        """The named difference: negative where more went out than we know of, positive where less did."""
        return self.refund.pence if not self.line and self.refund else self.gross_pence - self.matched_pence


STRENGTH = ("payment", "refund", "return", "order")


class _Table:
    """What is left on both sides while lines and refunds are put together."""

    def __init__(self, lines: Iterable[PaidLine], refunds: Iterable[PaidRefund]) -> None:
        self.placed: list[Placed] = []
        self.holder: dict[str, PaidLine] = {}
        in_turn = sorted(refunds, key=lambda one: (one.paid_on, one.key))
        self._named = grouped((name, one) for one in in_turn for name in dict.fromkeys(_names_of(one)))
        first = sorted(lines, key=lambda one: (self.strength(one), one.paid_on, one.name))
        self.left = {one.name: one for one in first}

    def strength(self, line: PaidLine) -> int:
        """How strong the name is that leads to its refunds: 0 is the strongest."""
        return next((STRENGTH.index(name[0]) for name in _names_in(line) if name in self._named), len(STRENGTH))

    def named(self, line: PaidLine) -> list[PaidRefund]:
        """The refunds that the strongest of its names leads to."""
        return next((some for name in _names_in(line) if (some := self._named.get(name))), [])

    def candidates(self, line: PaidLine) -> list[PaidRefund]:
        """Those of them that can be it: in its currency, and by no other provider."""
        ways = ("", line.provider)
        return [one for one in self.named(line) if one.currency == line.currency and one.gateway.lower() in ways]

    def free(self, line: PaidLine) -> list[PaidRefund]:
        """Those of them that no line holds."""
        return [one for one in self.candidates(line) if one.key not in self.holder]

    def put(self, place: Place, line: PaidLine, refund: PaidRefund | None, why: str = "") -> None:
        """Settle one line."""
        del self.left[line.name]
        self.placed.append(Placed(place, line, refund, why))
        if refund:
            self.holder.setdefault(refund.key, line)


def _names_in(line: PaidLine) -> list[tuple[str, str]]:
    """What a line names, the strongest first. The storefront's own number of a payment is never another payment."""
    told = line.line
    if told.transaction_id:
        return [("payment", told.transaction_id)]
    order = _plain(told.order_ref)
    names = [("payment", told.refund_id), ("refund", told.refund_id), ("return", told.return_ref), ("order", order)]
    return [name for name in names if name[1]]


def _plain(order: str) -> str:
    """An order's name without its #, which stands behind the store's name where there is one."""
    return order.replace(f"{SEPARATOR}#", SEPARATOR).removeprefix("#")


def _names_of(refund: PaidRefund) -> list[tuple[str, str]]:
    orders = [("order", refund.order_id), ("order", _plain(refund.order_name))]
    returns = [("return", refund.return_id), ("return", refund.rma)]
    names = [("payment", refund.key), ("refund", refund.refund_id), *returns, *orders]
    return [name for name in names if name[1]]


def compare(lines: Iterable[PaidLine], refunds: Iterable[PaidRefund]) -> list[Placed]:
    """Put each line beside its refund, in any order; all that name the same refund, return or order must be there."""
    table = _Table(lines, refunds)
    _equal(table)
    _parts(table)
    for line in list(table.left.values()):
        if len(free := table.free(line)) == 1:
            table.put("differs", line, free[0])
    for line in list(table.left.values()):
        table.put("unknown", line, None, _why(table, line))
    return table.placed


def _grouped(table: _Table, which: Callable[[PaidLine], list[PaidRefund]]) -> list[list[PaidLine]]:
    """Lines for which the same refunds come into question, those with the fewest first."""
    groups = grouped((tuple(one.key for one in which(line)), line) for line in table.left.values())
    return [lines for keys, lines in sorted(groups.items(), key=lambda one: len(one[0])) if keys]


def _equal(table: _Table) -> None:
    """The same amount to the penny, with a line for each of the refunds that could be meant."""

    def equal(line: PaidLine) -> list[PaidRefund]:
        return [one for one in table.free(line) if one.pence == -line.line.gross_pence]

    for lines in _grouped(table, equal):
        for at, line in enumerate(lines):
            free = equal(line)
            if free and len(lines) - at >= len(free):
                table.put("matched", line, free[0])


def _parts(table: _Table) -> None:
    """Several lines that together are one refund."""
    for lines in _grouped(table, table.free):
        free = table.free(lines[0])
        if len(free) == 1 and free[0].pence == -sum(line.line.gross_pence for line in lines):
            for line in lines:
                table.put("matched", line, free[0])


def _why(table: _Table, line: PaidLine) -> str:
    known = table.candidates(line)
    if table.free(line):
        return f"it could be any of {_listed(one.key for one in known)}"
    if known:
        return f"its refund is in {_listed(table.holder[one.key].name for one in known)} already"
    if named := table.named(line):
        return f"its refund went another way: {_listed(f'{one.gateway} in {one.currency}'.strip() for one in named)}"
    return "no such refund is known"


MOST_LISTED = 5


def _listed(names: Iterable[str]) -> str:
    found = list(dict.fromkeys(names))
    return ", ".join(found[:MOST_LISTED]) + (" …" if len(found) > MOST_LISTED else "")


def missing(refunds: Iterable[PaidRefund], covered: Coverage, days: int) -> list[Placed]:
    """The refunds, none of them held by a line, that a payout should hold by now: only where its gateway pays out."""
    return [
        Placed("missing", refund=one)
        for one in refunds
        if (days_of := covered.get(one.gateway.lower())) and days_of.is_overdue(one, days)
    ]


@dataclass(frozen=True, slots=True)
class Places:
    """Where each penny of a payout belongs. ``fee_pence`` is apart, never netted; ``beside``: lines of no refund."""

    matched_pence: int
    apart_pence: int
    beside_pence: int
    fee_pence: int
    untold_pence: int

    @property
    def total_pence(self) -> int:
        """They add up to what reached the bank."""
        told = self.matched_pence + self.apart_pence + self.beside_pence
        return told - self.fee_pence + self.untold_pence


TOTAL = "payout_total_differs"
KIND_OF: Mapping[Place, str] = {
    "unknown": "payout_without_refund",
    "missing": "refund_not_in_payout",
    "differs": "payout_amount_differs",
}
KINDS = (*KIND_OF.values(), TOTAL)


def problem_of(one: Placed) -> Problem | None:
    """The exception that a difference is; None where the refund is in its payout to the penny."""
    line, refund = one.line, one.refund
    if one.place == "matched":
        return None
    if line:
        subject, currency = line.name, line.currency
        told = f"{_in_payout(line)}; {_apart(one, refund)}" if refund else f"{_in_payout(line)}: {one.why}"
    else:
        assert refund
        subject, currency = f"refund {refund.key}", refund.currency
        paid = f"{format_money(refund.pence, currency)} by {refund.gateway} on {day_words(refund.paid_on)}"
        told = f"The {_refund_words(refund)} was {paid}, and no payout that we know holds it"
    return Problem(KIND_OF[one.place], subject, told, money_at_risk_pence=abs(one.apart_pence), currency=currency)


def _apart(one: Placed, refund: PaidRefund) -> str:
    """What the refund of a line is, and by how much the line differs."""
    assert one.line
    ours, apart = format_money(refund.pence, refund.currency), format_money(abs(one.apart_pence), one.line.currency)
    rate = "; it was paid in another currency, so a rate may be the cause" if refund.is_foreign else ""
    return f"the {_refund_words(refund)} is {ours}: {apart} {'less' if one.apart_pence > 0 else 'more'} went out{rate}"


def _in_payout(line: PaidLine) -> str:
    named = line.line.order_ref or line.line.refund_id or line.line.return_ref
    what = f", {named}" if named else ""
    gross = format_money(line.line.gross_pence, line.currency)
    return f"Payout {line.provider} {line.payout_id} of {day_words(line.paid_on)} holds {gross}{what}"


def _refund_words(refund: PaidRefund) -> str:
    of = refund.rma or (f"order {refund.order_name}" if refund.order_name else "")
    return f"refund {refund.refund_id or refund.key}" + (f" of {of}" if of else "")


def total_problem(payout: Payout, apart_pence: int) -> Problem:
    """The exception of a payout whose total is not the sum of its lines."""
    told = format_money(payout.total_pence or 0, payout.currency)
    lines = format_money((payout.total_pence or 0) - apart_pence, payout.currency)
    return Problem(
        TOTAL,
        f"payout {payout.name}",
        f"Payout {payout.name} of {day_words(payout.paid_on)} came to {told}, and its lines add up to {lines}",
        money_at_risk_pence=abs(apart_pence),
        currency=payout.currency,
    )
