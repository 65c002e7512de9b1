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
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.money_conditions import unknown_payment_kinds
from khaos_swap_assets.domain.linking.refund_links import BY_RETURN, link
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.records.stores import OrderNaming
from khaos_swap_assets.domain.refunds.money_shown import Claimant, Money, is_owed
from khaos_swap_assets.domain.refunds.payments import REFUND, SUCCESS, UNDATED, PaymentKinds, Refund, Transaction
from khaos_swap_assets.domain.sums import grouped

Moment = tuple[str, str, datetime | None]
_NO_DAY = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Paid:
    """What the money says of each return by its id, refunds that moved money for none of them, and strange payments."""

    money: Mapping[str, Money] = field(default_factory=dict)
    strays: tuple[Refund, ...] = ()
    others: tuple[Problem, ...] = ()


def paid(
    rows: Iterable[RefundRow],
    returns: Sequence[Return],
    naming: OrderNaming,
    kinds: PaymentKinds,
    *,
    tells_currency: bool,
) -> Paid:
    """Link the rows of the file. A return that Swap shows as open or worth nothing has what names it alone."""
    by_id, alone = {one.return_id: one for one in returns}, _alone(returns)
    own: defaultdict[str, list[Refund]] = defaultdict(list)
    others: list[Refund] = []
    refunds = [one.by(kinds) for one in _refunds(rows, returns, naming, kinds)]
    for refund in refunds:
        target = by_id.get(refund.return_ref or alone.get(refund.order_name, ""))
        known = refund if tells_currency or target is None else _in(refund, target.currency)
        (others if target is None or is_owed(target) else own[target.return_id]).append(known)
    links = link([Claimant(one, one.return_id) for one in returns], others)
    named = {key: _named(by_id[key], some) for key, some in own.items()}
    seen = {part.gateway: (part.gateway, one.order_name, one.refund_id) for one in refunds for part in one.moved}
    strange = unknown_payment_kinds([seen[gateway] for gateway in sorted(seen)], kinds)
    return Paid({**links.money, **named}, links.loose, tuple(strange))


def _alone(returns: Iterable[Return]) -> dict[str, str]:
    """The return of each order that has one alone; a returned exchange is of both its orders."""
    named = [(name, one.return_id) for one in returns for name in Claimant(one).order_names]
    counts = Counter(name for name, _ in named)
    return {name: return_id for name, return_id in named if counts[name] == 1}


def _named(return_: Return, refunds: Iterable[Refund]) -> Money:
    found = Money("paid", tuple(one for one in refunds if one.moved_pence), BY_RETURN)
    if not found.refunds:
        return Money("unpaid")
    if any(one.currency != return_.currency for one in found.refunds):
        return replace(found, state="currency")
    is_agreed = return_.refund_pence in (found.moved_pence, found.cash_pence)
    return found if is_agreed else replace(found, state="differs")


def _refunds(
    rows: Iterable[RefundRow], returns: Sequence[Return], naming: OrderNaming, kinds: PaymentKinds
) -> Iterable[Refund]:
    """One refund a row; a gift card's row that names the order only joins the money of the same moment."""
    ids = {one.rma: one.return_id for one in returns} | {one.return_id: one.return_id for one in returns}
    names = {naming.ref(one.order_name): one.order_name for one in returns}
    names |= {one.order_name: one.order_name for one in returns}
    found = [
        row._replace(return_id=ids.get(row.return_id, row.return_id), order_ref=names.get(row.order_ref, row.order_ref))
        for row in rows
    ]
    cash = Counter(_moment(row) for row in found if not kinds.is_tender(row.gateway))
    return map(_refund, grouped((_joined_by(row, cash), row) for row in found).values())


def _joined_by(row: RefundRow, cash: Counter[Moment]) -> object:
    """Rows of one refund share its moment, where that holds one payment of money; any other row stands alone."""
    return _moment(row) if not row.return_id and cash[_moment(row)] == 1 else row.line


def _moment(row: RefundRow) -> Moment:
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
