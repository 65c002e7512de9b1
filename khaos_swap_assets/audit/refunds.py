"""The refunds file as the storefront's refunds, and what they say of each return.

Belongs here: rows of the file put together as refunds. Stays out: which refund pays which return
(``linking.refund_links``). Money is minor units of the refund's currency.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from khaos_swap_assets.adapters.files.layouts import MOVED, RefundRow
from khaos_swap_assets.audit.order_names import Naming
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.money_conditions import unknown_payment_kinds
from khaos_swap_assets.domain.linking.refund_links import BY_RETURN, link
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.refunds.money_shown import Claimant, Money, is_owed
from khaos_swap_assets.domain.refunds.payment_kinds import PaymentKinds
from khaos_swap_assets.domain.refunds.payments import REFUND, SUCCESS, UNDATED, Refund, Transaction

_NO_DAY = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Paid:
    """What the money says of each return by its id, refunds that moved money for none of them, and strange payments."""

    money: Mapping[str, Money] = field(default_factory=dict)
    strays: tuple[Refund, ...] = ()
    others: tuple[Problem, ...] = ()


def paid(
    rows: Iterable[RefundRow], returns: Sequence[Return], naming: Naming, kinds: PaymentKinds, *, tells_currency: bool
) -> Paid:
    """Link the rows of the file. A return that Swap shows as open or worth nothing has what names it alone."""
    by_name, by_id = _names(returns), {one.return_id: one for one in returns}
    own: defaultdict[str, list[Refund]] = defaultdict(list)
    others: list[Refund] = []
    order_names = {naming.ref_of(one.order_name): one.order_name for one in returns} | {
        one.order_name: one.order_name for one in returns
    }
    alone = _alone(returns)
    refunds = [one.by(kinds) for one in _refunds(rows, by_name, order_names, kinds)]
    for refund in refunds:
        target = by_id.get(refund.return_ref or alone.get(refund.order_name, ""))
        known = refund if tells_currency or target is None else _in(refund, target.currency)
        if target is None or is_owed(target):
            others.append(known)
        else:
            own[target.return_id].append(known)
    links = link([Claimant(one, one.return_id) for one in returns], others)
    named = {key: _named(by_id[key], some) for key, some in own.items()}
    return Paid({**links.money, **named}, links.loose, tuple(_strange(refunds, kinds)))


def _strange(refunds: Iterable[Refund], kinds: PaymentKinds) -> list[Problem]:
    """Payments that moved by a gateway that nobody knows, one of each."""
    seen = {part.gateway: (part.gateway, one.order_name, one.refund_id) for one in refunds for part in one.moved}
    return unknown_payment_kinds([seen[gateway] for gateway in sorted(seen)], kinds)


def _names(returns: Iterable[Return]) -> dict[str, str]:
    """Return id by id and by RMA."""
    found = list(returns)
    return {one.rma: one.return_id for one in found} | {one.return_id: one.return_id for one in found}


def _alone(returns: Iterable[Return]) -> dict[str, str]:
    """The return of each order that has one alone; a returned exchange is of both its orders."""
    of_order: defaultdict[str, list[str]] = defaultdict(list)
    for one in returns:
        for name in Claimant(one).order_names:
            of_order[name].append(one.return_id)
    return {name: ids[0] for name, ids in of_order.items() if name and len(ids) == 1}


def _named(return_: Return, refunds: Sequence[Refund]) -> Money:
    moved = [one for one in refunds if one.moved_pence]
    if not moved:
        return Money("unpaid")
    if any(one.currency != return_.currency for one in moved):
        return Money("currency", tuple(moved), BY_RETURN)
    is_agreed = return_.refund_pence in (sum(one.moved_pence for one in moved), sum(one.cash_pence for one in moved))
    return Money("paid" if is_agreed else "differs", tuple(moved), BY_RETURN)


def _refunds(
    rows: Iterable[RefundRow], by_name: Mapping[str, str], order_names: Mapping[str, str], kinds: PaymentKinds
) -> Iterable[Refund]:
    """One refund a row; a gift card's row that names the order only joins the money of the same moment."""
    found = [
        row._replace(
            return_id=by_name.get(row.return_id, row.return_id),
            order_ref=order_names.get(row.order_ref, row.order_ref),
        )
        for row in rows
    ]
    cash = Counter(_moment(row) for row in found if not kinds.is_tender(row.gateway))
    groups: defaultdict[object, list[RefundRow]] = defaultdict(list)
    for row in found:
        is_joined = not row.return_id and cash[_moment(row)] == 1
        groups[_moment(row) if is_joined else row.line].append(row)
    return map(_refund, groups.values())


def _moment(row: RefundRow) -> tuple[str, str, datetime | None]:
    return row.order_ref, row.return_id, row.refunded_at


def _refund(rows: Sequence[RefundRow]) -> Refund:
    first = rows[0]
    return Refund(
        refund_id=first.refund_id or f"line {first.line}",
        order_id="",
        order_name=first.order_ref,
        return_ref=first.return_id,
        currency=first.currency if len({row.currency for row in rows}) == 1 else "",
        total_pence=sum(row.amount_pence for row in rows),
        delivery_pence=0,
        created_at=first.refunded_at or _NO_DAY,
        transactions=tuple(map(_payment, rows)),
    )


def _payment(row: RefundRow) -> Transaction:
    moved = SUCCESS if row.refunded_at else UNDATED
    amount = (row.amount_pence, row.currency)
    status = moved if row.status in MOVED else row.status
    return Transaction(row.refund_id, REFUND, status, row.gateway, *amount, *amount, row.refunded_at)


def _in(refund: Refund, currency: str) -> Refund:
    """The refund in the currency of its return, where the file tells none."""
    parts = tuple(replace(one, currency=currency, shop_currency=currency) for one in refund.transactions)
    return replace(refund, currency=currency, transactions=parts)
