"""What no storefront shows of a refund: the extra payment of an earlier exchange goes back first, by its own card.

Belongs here: of which returns that may be the whole shortfall. Stays out: what the storefront shows
(``linking.refund_links``) and what is told of it (``judging.money_conditions``). Source: contracts/swap.md §9.5, §11.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from khaos_swap_assets.domain.records.returns import ENDED_UNPAID, Return
from khaos_swap_assets.domain.refunds.money_shown import Claimant, Money


def paid_outside(claimants: Iterable[Claimant], money: Mapping[str, Money]) -> dict[str, Money]:
    """The money with what may have been paid outside the storefront: short by at most what was paid extra before."""
    known = {one.return_id: one for one in claimants}
    extras: defaultdict[str, list[Return]] = defaultdict(list)
    for one in known.values():
        if one.return_.additional_payment_pence > 0 and one.return_.status not in ENDED_UNPAID:
            for name in one.order_names:
                extras[name].append(one.return_)
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
