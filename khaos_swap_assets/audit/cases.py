"""What the files together know about each return: its order, its Stock Codes, its money.

Belongs here: joining a return with catalogue, orders and refunds. Stays out: one return or SKU (``shelf``), Credit
Notes (``pairing``) and what is wrong (``findings``). Money is minor units of the return's currency.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.adapters.files.tables import CURRENCY
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.order_names import Naming, OrderNames
from khaos_swap_assets.audit.refunds import Paid, paid
from khaos_swap_assets.audit.shelf import Shelf
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.linking.records import ReturnRecord, unknown_codes
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.orders import OrderMatch, SalesOrder, UnitClaim
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID, Return, rightful_pence
from khaos_swap_assets.domain.records.sold_packs import named_line, over_sold
from khaos_swap_assets.domain.records.stock_codes import SkuMatch
from khaos_swap_assets.domain.refunds.payments import Refund

COLLECTIVE_ACCOUNT = 500


@dataclass(frozen=True, slots=True)
class AuditedReturn:
    """One return beside its order and its money.

    ``return_`` is as Swap shows it, ``facts`` is what the files show of it without its Credit Notes, ``sold`` are the
    lines of its order. ``customer`` is empty for an account that is no person.
    """

    return_: Return
    facts: ReturnFacts
    order: SalesOrder | None
    order_ref: str
    sold: tuple[OrderRow, ...]
    customer: str

    @property
    def happened_at(self) -> datetime | None:
        """When it was paid, or else when Swap was done with it, or when it was made."""
        one = self.return_
        return self.facts.refunded_at or one.done_at or one.submitted_at or one.created_at

    @property
    def worth_pence(self) -> int:
        """What a Credit Note of it may be expected to say: the refund, or what the refund would be."""
        lines_pence = sum(line.cost_pence for line in self.return_.refund_lines)
        return self.facts.refund_pence + self.facts.tender_pence or self.return_.refund_pence or lines_pence

    @property
    def other_pence(self) -> frozenset[int]:
        """What else a Credit Note of it may say: its goods before fee, gift card or exchange; with the delivery."""
        return rightful_pence(self.return_, self.worth_pence, self.facts.order_delivery_pence)

    def record(self, packs: Packs) -> ReturnRecord:
        """What matching reads of it; a pack counts as its components."""
        return_, opened_at = self.return_, self.return_.created_at or self.return_.submitted_at
        ended_at = self.facts.refunded_at or return_.done_at
        codes = {line.product_id: line.stock_code or line.sku for line in self.facts.lines}
        units = [((codes[line.product_id], line.quantity), line in return_.refund_lines) for line in return_.lines]
        own = [one for one, is_refund in units if one[0] and (is_refund or not return_.refund_lines)]
        others = [one for one, is_refund in units if one[0] and not is_refund and return_.refund_lines]
        return ReturnRecord(
            return_id=return_.return_id,
            rma=return_.rma,
            value_pence=self.worth_pence,
            currency=return_.currency,
            order_ref=self.order_ref,
            customer=self.customer,
            codes=packs.opened(own),
            refunded_on=london_date(ended_at) if ended_at else None,
            opened_on=london_date(opened_at) if opened_at else None,
            other_pence=self.other_pence,
            other_codes=packs.opened(others),
            unknown_codes=unknown_codes(self.facts.lines),
        )


@dataclass(frozen=True, slots=True)
class AuditedReturns:
    """All returns, how order names are written in Khaos, refunds that belong to none of them, and strange payments.

    ``skus`` says what a code is, ``asked`` holds those that were asked for.
    """

    all: tuple[AuditedReturn, ...]
    naming: Naming
    orders: OrderNames
    packs: Packs
    stray_refunds: tuple[Refund, ...]
    skus: Callable[[str], SkuMatch]
    others: tuple[Problem, ...] = ()
    sold: Mapping[str, Sequence[OrderRow]] = field(default_factory=dict)
    asked: Mapping[str, SkuMatch] = field(default_factory=dict)

    def paid_of(self, ref: str) -> int | None:
        """What was paid for an order with its delivery; None for one that is not known."""
        rows = self.sold.get(ref, ())
        return sum(row.sold_pence for row in rows) + documents.delivery_of(rows) if rows else None


def cases(inputs: Inputs, codes: Mapping[str, str] | None = None) -> AuditedReturns:
    """Join the files; ``codes`` are SKUs of which a person said which Stock Code each is."""
    sold, rows = inputs.sold, inputs.proven_returns
    returns, orders = [row.record for row in rows], inputs.order_names
    naming = orders.naming
    shelf = Shelf(inputs, sold, naming, codes or {})
    matches = {one.return_id: shelf.order_of(one) for one in returns}
    packs = Packs(inputs.stock_codes.rows)
    over = _over_returned(returns, matches, shelf, packs)
    money = _money(inputs, returns, naming)
    people = _people(matches)
    found = []
    for row in rows:
        one, match = row.record, matches[row.record.return_id]
        customer = match.order.customer_code if match.order and match.order.customer_code in people else ""
        facts = shelf.facts(row, match, over[one.return_id], money.money.get(one.return_id), customer)
        found.append(
            AuditedReturn(
                return_=one,
                facts=facts,
                order=match.order,
                order_ref=shelf.ref_of(one),
                sold=shelf.sold_of(match.order),
                customer=customer,
            )
        )
    return AuditedReturns(
        all=tuple(found),
        naming=naming,
        orders=orders,
        packs=packs,
        stray_refunds=money.strays,
        skus=shelf.sku,
        others=money.others,
        sold=sold,
        asked=shelf.asked,
    )


def _money(inputs: Inputs, returns: Sequence[Return], naming: Naming) -> Paid:
    """What the refunds file says; nothing where none was given."""
    if inputs.refunds is None:
        return Paid()
    tells_currency = CURRENCY in inputs.refunds.columns
    return paid(inputs.refunds.rows, returns, naming, inputs.payment_kinds, tells_currency=tells_currency)


def _over_returned(
    returns: Iterable[Return], matches: Mapping[str, OrderMatch], shelf: Shelf, packs: Packs
) -> defaultdict[str, dict[str, int]]:
    """Stock Codes of which each return brings back more than is left of its order, with the pence beyond it."""
    claims: defaultdict[str, list[UnitClaim]] = defaultdict(list)
    orders: dict[str, SalesOrder] = {}
    for one in returns:
        order = matches[one.return_id].order
        if order is None or one.status in ENDED_UNPAID:
            continue
        orders[order.associated_ref] = order
        for line in one.refund_lines:
            if code := shelf.sku(line.sku).stock_code:
                pence = line.cost_pence if one.is_ended and line.currency == order.currency else 0
                at = named_line(order, code, line.line_item_id)
                claim = UnitClaim(
                    return_id=one.return_id,
                    rma=one.rma,
                    refunded_at=one.refunded_at,
                    stock_code=code,
                    quantity=line.quantity,
                    pence=pence,
                    line_no=at,
                )
                claims[order.associated_ref].append(claim)
    over: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for ref, found in claims.items():
        for (return_id, code), pence in over_sold(found, orders[ref], packs).items():
            over[return_id][code] = pence
    return over


def _people(matches: Mapping[str, OrderMatch]) -> set[str]:
    """Accounts that stand for one person: those with hundreds of returns are collective ones."""
    counts: defaultdict[str, int] = defaultdict(int)
    for match in matches.values():
        if match.order and match.order.customer_code:
            counts[match.order.customer_code] += 1
    return {customer for customer, count in counts.items() if count <= COLLECTIVE_ACCOUNT}
