"""Which refunds of the storefront pay which return: exact evidence alone links, whatever came first.

Belongs here: linking the returns and refunds of a few orders, and what the money then says of each return. Stays out:
the records (``refunds.payments``) and when a disagreement is trouble (``judging.money_conditions``).
Evidence is the storefront's own number of the return; or the order, the amount to the penny and the goods; or the order
and the amount alone, where exactly one return fits; or the sum of several returns of the order, where only these come
to it. Two that fit are ambiguous, and nothing is guessed.
Source: contracts/swap.md §8.2, §9.5, FINANCE_RULES U-1, U-2, U-14, U-16.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from khaos_swap_assets.domain.linking.payouts import paid_outside, split, together
from khaos_swap_assets.domain.records.packs import units
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.refunds.money_shown import Claimant, Links, Money, is_owed
from khaos_swap_assets.domain.refunds.payments import Refund, in_shop_money

BY_RETURN = "storefront_return"
BY_GOODS = "order_amount_and_goods"
BY_AMOUNT = "order_and_amount"
BY_PARTS = "order_and_parts"
BY_SUM = "order_and_sum"


@dataclass(slots=True)
class _Work:
    """What is linked so far; every step takes from ``free``."""

    claimants: list[Claimant]
    free: list[Refund]
    linked: dict[str, list[Refund]] = field(default_factory=dict)
    by: dict[str, str] = field(default_factory=dict)
    surplus: dict[str, list[Refund]] = field(default_factory=dict)
    unclear: dict[str, list[Refund]] = field(default_factory=dict)

    def link(self, claimant: Claimant, refunds: Iterable[Refund], by: str) -> None:
        for refund in refunds:
            self.free.remove(refund)
            self.linked.setdefault(claimant.return_id, []).append(refund)
        self.by.setdefault(claimant.return_id, by)

    def doubt(self, return_id: str, refund: Refund) -> None:
        some = self.unclear.setdefault(return_id, [])
        some += [] if refund in some else [refund]

    def unpaid(self) -> list[Claimant]:
        """Those that no payment is linked to, and that no two refunds compete for."""
        return [one for one in self.claimants if one.return_id not in self.linked and one.return_id not in self.unclear]


def link(claimants: Iterable[Claimant], refunds: Iterable[Refund]) -> Links:
    """Link refunds of orders with all returns that name one of these, in any order; only what is owed can be paid."""
    known = list(claimants)
    owed = sorted((one for one in known if is_owed(one.return_)), key=lambda one: one.return_id)
    money: dict[str, Money] = {}
    loose: list[Refund] = []
    for work in _works(owed, sorted(refunds, key=lambda one: one.refund_id)):
        found = _linked(work)
        named = {refund.refund_id for one in found.values() for refund in one.refunds}
        free = [one for one in work.free if one.moved_pence and one.refund_id not in named]
        loose += free
        money |= {key: replace(one, beside=_beside(work, free)) for key, one in found.items()}
    return Links(paid_outside(known, money), tuple(loose))


def _linked(work: _Work) -> dict[str, Money]:
    """Each kind of evidence in its turn, the strongest first."""
    _by_return(work)
    _by_amount(work, _same_goods, BY_GOODS)
    _by_amount(work, _same_amount, BY_AMOUNT)
    _by_sum(work)
    _by_parts(work)
    _again(work)
    # Refunds that only one unpaid return could be meant by, though their amount or currency is another.
    near = {one.return_id: _alone(work, one) for one in work.unpaid()}
    return {one.return_id: _money(work, one, near.get(one.return_id, [])) for one in work.claimants}


def _beside(work: _Work, free: Sequence[Refund]) -> tuple[Refund, ...]:
    """Money of the order that pays no return, where the order has this return alone."""
    if len(work.claimants) != 1:
        return ()
    owed = work.claimants[0].return_
    return tuple(one for one in free if one.currency == owed.currency and _is_of_order(work.claimants[0], one))


def _works(owed: Sequence[Claimant], refunds: Sequence[Refund]) -> list[_Work]:
    """Returns and refunds apart by the orders and numbers that they share, so that many cost no more than their sum."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while (above := parent.setdefault(key, key)) != key:
            key = above
        return key

    keyed = [(_keys_of(one), one, None) for one in owed] + [(_keys_of_refund(one), None, one) for one in refunds]
    for keys, _, _ in keyed:
        for key in keys[1:]:
            parent[root(key)] = root(keys[0])
    works: dict[str, _Work] = {}
    for keys, claimant, refund in keyed:
        work = works.setdefault(root(keys[0]), _Work([], []))
        work.claimants += [claimant] if claimant else []
        work.free += [refund] if refund else []
    return list(works.values())


def _keys_of(one: Claimant) -> list[str]:
    names = (("name", name) for name in sorted(one.order_names))
    return _keys(f"return {one.return_id}", *names, ("id", one.return_.order_id), ("ref", one.return_ref))


def _keys_of_refund(one: Refund) -> list[str]:
    parts = (("name", one.order_name), ("id", one.order_id), ("ref", one.return_ref))
    return _keys(f"refund {one.refund_id}", *parts)


def _keys(own: str, *parts: tuple[str, str]) -> list[str]:
    return [own, *(f"{kind} {value}" for kind, value in parts if value)]


def _is_of_order(claimant: Claimant, refund: Refund) -> bool:
    if claimant.return_ref and refund.return_ref and claimant.return_ref != refund.return_ref:
        return False
    is_named = refund.order_name in claimant.order_names
    return is_named or (refund.order_id != "" and refund.order_id == claimant.return_.order_id)


def _same_amount(claimant: Claimant, refund: Refund) -> bool:
    owed, moved = claimant.return_, (refund.moved_pence, refund.cash_pence)
    return _is_of_order(claimant, refund) and refund.currency == owed.currency and owed.refund_pence in moved


def _same_goods(claimant: Claimant, refund: Refund) -> bool:
    goods = units((line.line_item_id, line.quantity) for line in refund.lines)
    return bool(goods) and goods == claimant.goods and _same_amount(claimant, refund)


def _by_return(work: _Work) -> None:
    """The storefront's own number of the return, where one return alone carries it."""
    numbers = Counter(one.return_ref for one in work.claimants)
    for claimant in work.claimants:
        own = [one for one in work.free if one.return_ref == claimant.return_ref != ""]
        if own and numbers[claimant.return_ref] == 1:
            work.link(claimant, own, BY_RETURN)


def _by_amount(work: _Work, fits: Callable[[Claimant, Refund], bool], by: str) -> None:
    """Where one return and one refund fit each other alone; of equal refunds for one return the first pays it."""
    for claimants, refunds in _groups(work.unpaid(), work.free, fits):
        if len(claimants) == 1:
            first, *others = sorted(refunds, key=_paid_first)
            work.link(claimants[0], [first], by)
            for other in others:
                work.free.remove(other)
            work.surplus[claimants[0].return_id] = others
        elif by == BY_AMOUNT:
            for claimant in claimants:
                work.unclear[claimant.return_id] = list(refunds)
            work.free = [one for one in work.free if one not in refunds]


def _groups(
    claimants: Sequence[Claimant], refunds: Sequence[Refund], fits: Callable[[Claimant, Refund], bool]
) -> list[tuple[list[Claimant], list[Refund]]]:
    """Returns and refunds that hang together by fitting each other; whatever fits nothing is left out."""
    groups: list[tuple[list[Claimant], list[Refund]]] = []
    for claimant in claimants:
        own = [one for one in refunds if fits(claimant, one)]
        touched = [group for group in groups if any(one in group[1] for one in own)]
        groups = [group for group in groups if group not in touched]
        if own:
            merged = [*(one for group in touched for one in group[0]), claimant]
            fitting = [*(one for group in touched for one in group[1]), *own]
            groups.append((merged, list({one.refund_id: one for one in fitting}.values())))
    return groups


def _by_sum(work: _Work) -> None:
    """A refund for several returns, where no other set comes to one; of equal ones for one set the first pays it."""
    free = [one for one in sorted(work.free, key=_paid_first) if one.moved_pence]
    fits = {one.refund_id: together(one, [some for some in work.unpaid() if _is_of_order(some, one)]) for one in free}
    sets = {frozenset(one.return_id for one in some): some for found in fits.values() for some in found}
    members = Counter(return_id for ids in sets for return_id in ids)
    for refund in free:
        found = fits[refund.refund_id]
        is_alone = len(found) == 1 and all(members[one.return_id] == 1 for one in found[0])
        for claimants in found:
            for one, part in zip(claimants, split(refund, claimants), strict=True):
                _settle(work, one.return_id, part) if is_alone else work.doubt(one.return_id, refund)
        work.free = [one for one in work.free if one is not refund or not found]


def _settle(work: _Work, return_id: str, part: Refund) -> None:
    """The first part pays the return, any other went out beside it."""
    (work.surplus if return_id in work.linked else work.linked).setdefault(return_id, []).append(part)
    work.by.setdefault(return_id, BY_SUM)


def _by_parts(work: _Work) -> None:
    """Several payments that together are to the penny what is left to pay, and that no other return could claim."""
    for claimant in work.claimants:
        if claimant.return_id in work.unclear or work.surplus.get(claimant.return_id):
            continue
        before = work.linked.get(claimant.return_id, [])
        left = claimant.return_.refund_pence - sum(one.moved_pence for one in before)
        own = [one for one in _alone(work, claimant) if one.currency == claimant.return_.currency]
        if left > 0 and own and sum(one.moved_pence for one in own) == left:
            work.link(claimant, own, BY_PARTS)


def _alone(work: _Work, claimant: Claimant) -> list[Refund]:
    """Free refunds with money that are of this return's order, and of no other return's that may be unpaid."""
    rivals = [one for one in work.unpaid() if one.return_id != claimant.return_id]
    return [
        one
        for one in work.free
        if one.moved_pence and _is_of_order(claimant, one) and not any(_is_of_order(rival, one) for rival in rivals)
    ]


def _again(work: _Work) -> None:
    """A further refund of the whole amount of a return that is paid already went out twice."""
    for refund in list(work.free):
        paid = [one for one in work.claimants if one.return_id in work.linked and _same_amount(one, refund)]
        if refund.moved_pence and len(paid) == 1:
            work.free.remove(refund)
            work.surplus.setdefault(paid[0].return_id, []).append(refund)


def _money(work: _Work, claimant: Claimant, near: Sequence[Refund]) -> Money:
    return_id, owed = claimant.return_id, claimant.return_
    stuck = {word for one in work.free if _is_of_order(claimant, one) for word in one.stuck}
    linked = tuple(work.linked.get(return_id, near))
    stuck |= {word for one in linked for word in one.stuck}
    by, surplus = work.by.get(return_id, ""), tuple(work.surplus.get(return_id, ()))
    found = Money("paid", linked, by, surplus, stuck=tuple(sorted(stuck)))
    if return_id in work.unclear:
        return replace(found, state="ambiguous", refunds=tuple(work.unclear[return_id]))
    moved = [one for one in linked if one.moved_pence]
    if not moved:
        return replace(found, state="unpaid", refunds=())
    if any(one.currency != owed.currency for one in moved):
        shown = in_shop_money(linked, owed.currency, owed.refund_pence)
        return replace(found, refunds=shown[0], fx_loss_pence=shown[1]) if shown else replace(found, state="currency")
    is_agreed = owed.refund_pence in (found.moved_pence, found.cash_pence)
    return found if is_agreed else _doubled_or_apart(found, owed)


def _doubled_or_apart(found: Money, owed: Return) -> Money:
    """Refunds that name the return and each hold the whole amount went out twice; anything else differs."""
    first, *others = sorted(found.refunds, key=_paid_first)
    if others and all(one.moved_pence in (0, owed.refund_pence) for one in found.refunds):
        return replace(found, refunds=(first,), surplus=(*found.surplus, *(one for one in others if one.moved_pence)))
    return replace(found, state="differs")


def _paid_first(refund: Refund) -> tuple[bool, datetime, str]:
    return refund.moved_at is None, refund.moved_at or refund.created_at, refund.refund_id
