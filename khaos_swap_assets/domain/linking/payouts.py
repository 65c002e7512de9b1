"""What a refund does not say itself: that it pays several returns of an order, or that a part went another way.

Belongs here: which returns add up to a refund with the part that each of them has, and of which returns the extra
payment of an earlier exchange may be the whole shortfall: that goes back first, by its own card, and no storefront
shows it. Stays out: what else links a refund, and what competes (``linking.refund_links``), and what is told of it
(``judging.money_conditions``). The search is bounded, as in ``groups``. Source: contracts/swap.md §9.5, §11.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations

from khaos_swap_assets.domain.records.packs import units
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID, Return
from khaos_swap_assets.domain.refunds.money_shown import Claimant, Money
from khaos_swap_assets.domain.refunds.payments import Refund, Transaction
from khaos_swap_assets.domain.sums import grouped

MOST_CANDIDATES = 12
MOST_MEMBERS = 4


def together(refund: Refund, unpaid: Sequence[Claimant]) -> list[tuple[Claimant, ...]]:
    """Two to four of these returns that come to the refund; those with its very goods alone, where there are any."""
    able = [one for one in unpaid if one.return_.currency == refund.currency]
    if not refund.moved_pence or len(able) > MOST_CANDIDATES:
        return []
    groups = [some for size in range(2, MOST_MEMBERS + 1) for some in combinations(able, size)]
    fitting = [some for some in groups if sum(one.return_.refund_pence for one in some) == refund.moved_pence]
    goods = units((line.line_item_id, line.quantity) for line in refund.lines)
    exact = [some for some in fitting if goods and sum((one.goods for one in some), Counter[str]()) == goods]
    return exact or fitting


def split(refund: Refund, claimants: Iterable[Claimant]) -> list[Refund]:
    """The refund as each of the returns that it pays has it: its payments one after the other, to the penny."""
    left, parts = list(refund.moved), []
    for one in claimants:
        own, left = _taken(left, one.return_.refund_pence)
        lines = tuple(line for line in refund.lines if line.line_item_id in one.goods)
        total = sum(part.amount_pence for part in own)
        parts.append(replace(refund, transactions=tuple(own), lines=lines, total_pence=total, delivery_pence=0))
    return parts


def _taken(payments: Sequence[Transaction], pence: int) -> tuple[list[Transaction], list[Transaction]]:
    """The first ``pence`` of the payments, and what is left of them."""
    taken: list[Transaction] = []
    for at, one in enumerate(payments):
        part = min(pence, one.amount_pence)
        pence -= part
        in_shop = one.shop_pence * part // one.amount_pence
        taken += [replace(one, amount_pence=part, shop_pence=in_shop)] if part else []
        if part < one.amount_pence:
            rest = replace(one, amount_pence=one.amount_pence - part, shop_pence=one.shop_pence - in_shop)
            return taken, [rest, *payments[at + 1 :]]
    return taken, []


def paid_outside(claimants: Iterable[Claimant], money: Mapping[str, Money]) -> dict[str, Money]:
    """The money with what may have been paid outside the storefront: short by at most what was paid extra before."""
    known = {one.return_id: one for one in claimants}
    extras = grouped(
        (name, one.return_)
        for one in known.values()
        if one.return_.additional_payment_pence > 0 and one.return_.status not in ENDED_UNPAID
        for name in one.order_names
    )
    return {key: _with_outside(known[key], one, extras) for key, one in money.items()}


def _with_outside(claimant: Claimant, money: Money, extras: Mapping[str, list[Return]]) -> Money:
    owed = claimant.return_
    if money.state not in ("differs", "unpaid"):
        return money
    before = {
        one.return_id: one.additional_payment_pence
        for name in claimant.order_names
        for one in extras.get(name, ())
        if one.return_id != owed.return_id and one.currency == owed.currency and _made(one) <= _made(owed)
    }
    short = owed.refund_pence - money.moved_pence
    if not 0 < short <= sum(before.values()):
        return money
    return replace(money, state="outside" if money.state == "differs" else "unpaid", outside_pence=short)


def _made(return_: Return) -> datetime:
    return return_.submitted_at or return_.created_at or datetime.min.replace(tzinfo=UTC)
