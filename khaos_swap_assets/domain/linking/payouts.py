"""One refund that pays several returns of an order at once.

Belongs here: which returns add up to a refund, and the part of it that each of them has. Stays out: what else links a
refund, and what competes (``linking.refund_links``). The search is bounded, as in ``groups``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from khaos_swap_assets.domain.refunds.money_shown import Claimant
from khaos_swap_assets.domain.refunds.payments import Refund, Transaction

MOST_CANDIDATES = 12
MOST_MEMBERS = 4
Together = tuple[Claimant, ...]


def together(refund: Refund, unpaid: Sequence[Claimant]) -> list[Together]:
    """Two to four of these returns that come to the refund; those with its very goods alone, where there are any."""
    able = [one for one in unpaid if one.return_.currency == refund.currency]
    if not refund.moved_pence or len(able) > MOST_CANDIDATES:
        return []
    groups = [some for size in range(2, MOST_MEMBERS + 1) for some in combinations(able, size)]
    fitting = [some for some in groups if sum(one.return_.refund_pence for one in some) == refund.moved_pence]
    goods = Counter[str]()
    for line in refund.lines:
        goods[line.line_item_id] += line.quantity
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
