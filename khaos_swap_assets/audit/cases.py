"""What the files together know about each return: its order, its Stock Codes, its money.

Belongs here: joining a return with catalogue, orders and refunds. Stays out: Credit Notes (``engine``) and what is
wrong (``findings``). Money is minor units of the return's currency.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.documents import Money
from khaos_swap_assets.adapters.files.layouts import OrderRow, RefundRow
from khaos_swap_assets.adapters.files.tables import CURRENCY
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.order_names import Naming, OrderNames, naming_of
from khaos_swap_assets.audit.sales import sale_of
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.goods_facts import LineFacts
from khaos_swap_assets.domain.linking.passes import ReturnRecord
from khaos_swap_assets.domain.linking.records import unknown_codes
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.orders import Claim, OrderMatch, SalesOrder, choose_order, order_refs
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import Return, rightful_pence
from khaos_swap_assets.domain.records.sold_packs import named_line, over_sold
from khaos_swap_assets.domain.records.stock_codes import Catalogue, SkuMatch, match_sku

SUGGESTIONS = 500
COLLECTIVE_ACCOUNT = 500
ENDED_WITHOUT_REFUND = frozenset({"Cancelled", "Expired"})


@dataclass(frozen=True, slots=True)
class Case:
    """One return beside its order and its money.

    ``return_`` is as Swap shows it, ``facts`` as the audit takes it: with the money of the refunds file where there is
    one. ``customer`` is empty for an account that is no person; ``raw`` is Swap's JSON.
    """

    return_: Return
    facts: ReturnFacts
    order: SalesOrder | None
    order_ref: str
    sold: tuple[OrderRow, ...]
    customer: str
    money: Money | None
    raw: Mapping[str, Any]

    @property
    def paid(self) -> Money | None:
        """The money that moved, where it can be held against the return: in its currency."""
        return self.money if self.money and self.money.currency == self.return_.currency else None

    @property
    def refund_pence(self) -> int:
        """The money that moved, or Swap's confirmed refund where nobody saw the money or it was of another currency."""
        return self.paid.cash_pence if self.paid else self.facts.refund_pence

    @property
    def tender_pence(self) -> int:
        """What was given back as gift card or store credit, as far as the refunds file shows it."""
        return self.paid.tender_pence if self.paid else 0

    @property
    def unmoved_pence(self) -> int:
        """What Swap says was refunded and did not move (negative: what moved beyond it); Swap may count gift cards."""
        if self.paid is None or not self.return_.is_refund_confirmed:
            return 0
        apart = [
            self.return_.refund_pence - pence for pence in (self.paid.cash_pence, self.refund_pence + self.tender_pence)
        ]
        return 0 if 0 in apart else apart[0]

    @property
    def refunded_at(self) -> datetime | None:
        """When the refund happened, if it did."""
        if self.money is not None:
            return self.money.refunded_at or self.return_.refunded_at
        return self.return_.refunded_at if self.facts.refund_pence else None

    @property
    def worth_pence(self) -> int:
        """What a Credit Note of it may be expected to say: the refund, or what the refund would be."""
        lines_pence = sum(line.cost_pence for line in self.return_.refund_lines)
        return self.refund_pence + self.tender_pence or self.return_.refund_pence or lines_pence

    @property
    def other_pence(self) -> frozenset[int]:
        """What else a Credit Note of it may say: its goods before fee, gift card or exchange; with the delivery."""
        return rightful_pence(self.return_, self.worth_pence, self.order.delivery_gross_pence if self.order else 0)

    def record(self, packs: Packs) -> ReturnRecord:
        """What matching reads of it; a pack counts as its components."""
        return_, opened_at = self.return_, self.return_.created_at or self.return_.submitted_at
        ended_at = self.refunded_at or return_.done_at
        codes = {line.product_id: line.stock_code or line.sku for line in self.facts.lines}
        units = [((codes[line.product_id], line.quantity), line in return_.refund_lines) for line in return_.lines]
        own = [one for one, is_refund in units if one[0] and (is_refund or not return_.refund_lines)]
        others = [one for one, is_refund in units if one[0] and not is_refund and return_.refund_lines]
        return ReturnRecord(
            return_.return_id,
            return_.rma,
            self.worth_pence,
            return_.currency,
            self.order_ref,
            self.customer,
            packs.opened(own),
            london_date(ended_at) if ended_at else None,
            london_date(opened_at) if opened_at else None,
            other_pence=self.other_pence,
            other_codes=packs.opened(others),
            unknown_codes=unknown_codes(self.facts.lines),
        )


@dataclass(frozen=True, slots=True)
class Cases:
    """All returns, how order names are written in Khaos, and refunds that belong to none of them."""

    all: tuple[Case, ...]
    naming: Naming
    orders: OrderNames
    packs: Packs
    stray_refunds: tuple[RefundRow, ...]


def cases(inputs: Inputs) -> Cases:
    """Join the files."""
    sold = documents.by_order(inputs.sales_orders.rows)
    rows = list(inputs.proven_returns)
    returns = [row.record for row in rows]
    named = [line.original_order_name for one in returns for line in one.lines]
    naming = naming_of([*(one.order_name for one in returns), *named], sold.keys())
    shelf = _Shelf(inputs, sold, naming)
    matches = {one.return_id: shelf.order_of(one) for one in returns}
    packs = Packs(inputs.stock_codes.rows)
    over = _over_returned(returns, matches, shelf, packs)
    money, strays = _money(inputs, returns, naming)
    tells_currency = inputs.refunds is not None and CURRENCY in inputs.refunds.columns
    people = _people(matches)
    found = []
    for row in rows:
        one, match = row.record, matches[row.record.return_id]
        paid = _paid(one, money, tells_currency=tells_currency)
        customer = match.order.customer_code if match.order and match.order.customer_code in people else ""
        found.append(
            Case(
                one,
                shelf.facts(one, match, over[one.return_id], paid),
                match.order,
                shelf.ref_of(one),
                tuple(sold.get(match.order.associated_ref, ())) if match.order else (),
                customer,
                paid,
                row.raw,
            )
        )
    return Cases(tuple(found), naming, OrderNames(inputs.sales_orders.rows, naming), packs, tuple(strays))


class _Shelf:
    """The catalogue and the orders, asked one by one; each answer is worked out once."""

    def __init__(self, inputs: Inputs, sold: Mapping[str, list[OrderRow]], naming: Naming) -> None:
        self._catalogue = Catalogue.of(documents.stock_codes(inputs.stock_codes.rows))
        self._packs = Packs(inputs.stock_codes.rows)
        self._skus: dict[str, SkuMatch] = {}
        self._suggested = 0
        self._sold, self._naming = sold, naming
        self._orders: dict[str, list[SalesOrder]] = {}
        self._tells_invoice = "invoiced_on" in inputs.sales_orders.columns
        tells = {"customer_unknown": "customer_ref", "currency_mismatch": CURRENCY}
        self._untold = {kind for kind, column in tells.items() if column not in inputs.sales_orders.columns}

    def refs_of(self, return_: Return) -> tuple[str, ...]:
        """The orders that a return names, as Khaos writes them."""
        return order_refs(return_, ref_format=self._naming.ref_format, strips_hash=self._naming.strips_hash)

    def ref_of(self, return_: Return) -> str:
        """The one order that a return names, else empty."""
        refs = self.refs_of(return_)
        return refs[0] if len(refs) == 1 else ""

    def sku(self, sku: str) -> SkuMatch:
        """What a SKU is; the search for the nearest spelling is made for the first few hundred strangers only."""
        if sku not in self._skus:
            is_known = self._catalogue.exact(sku) is not None
            self._suggested += not is_known
            wanted = is_known or self._suggested <= SUGGESTIONS
            self._skus[sku] = match_sku(sku, self._catalogue) if wanted else SkuMatch(sku, None, "sku_unknown")
        return self._skus[sku]

    def order_of(self, return_: Return) -> OrderMatch:
        """The order of a return, or why there is none."""
        refs = self.refs_of(return_)
        codes = {code for line in return_.refund_lines if (code := self.sku(line.sku).stock_code)}
        candidates = [order for ref in refs for order in self._orders_of(ref)]
        match = choose_order(return_, refs, candidates, stock_codes=codes, is_answered=True, packs=self._packs)
        return replace(match, problems=tuple(kind for kind in match.problems if kind not in self._untold))

    def _orders_of(self, ref: str) -> list[SalesOrder]:
        if ref not in self._orders:
            rows = self._sold.get(ref, ())
            self._orders[ref] = documents.sales_orders(rows, tells_invoice=self._tells_invoice) if rows else []
        return self._orders[ref]

    def facts(self, return_: Return, match: OrderMatch, over: Mapping[str, int], paid: Money | None) -> ReturnFacts:
        """What the rules of single conditions read: all units count as inspected, since no file tells of that."""
        lines = tuple(
            LineFacts(
                line.product_id,
                line.sku,
                line.quantity,
                line.cost_pence,
                line.outcome,
                line.currency,
                found.stock_code,
                found.problem,
                found.suggestion,
                found.suggestion_rule,
                sellable_quantity=line.quantity,
                **sale_of(line, found.stock_code, match.order, self._sold, self._packs),
            )
            for line in return_.lines
            for found in (self.sku(line.sku),)
        )
        is_alike = paid is not None and paid.currency == return_.currency
        seen = replace(return_, refund_pence=paid.cash_pence + paid.tender_pence) if paid and is_alike else return_
        currency = match.order.currency if match.order and "currency_mismatch" not in self._untold else None
        return ReturnFacts(
            seen, lines, currency, match.problems, over_returned=tuple(sorted(over)), over_pence=sum(over.values())
        )


def _over_returned(
    returns: Iterable[Return], matches: Mapping[str, OrderMatch], shelf: _Shelf, packs: Packs
) -> defaultdict[str, dict[str, int]]:
    """Stock Codes of which each return brings back more than is left of its order, with the pence beyond it."""
    claims: defaultdict[str, list[Claim]] = defaultdict(list)
    orders: dict[str, SalesOrder] = {}
    for one in returns:
        order = matches[one.return_id].order
        if order is None or one.status in ENDED_WITHOUT_REFUND:
            continue
        orders[order.associated_ref] = order
        for line in one.refund_lines:
            if code := shelf.sku(line.sku).stock_code:
                pence = line.cost_pence if one.is_ended and line.currency == order.currency else 0
                at = named_line(order, code, line.line_item_id)
                claim = Claim(one.return_id, one.rma, one.refunded_at, code, line.quantity, pence, at)
                claims[order.associated_ref].append(claim)
    over: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for ref, found in claims.items():
        for (return_id, code), pence in over_sold(found, orders[ref], packs).items():
            over[return_id][code] = pence
    return over


def _money(
    inputs: Inputs, returns: Sequence[Return], naming: Naming
) -> tuple[dict[str, Money] | None, list[RefundRow]]:
    """The money of each return, or None where no refunds file was given."""
    if inputs.refunds is None:
        return None, []
    of_order: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    known = set()
    for one in returns:
        known.add(one.return_id)
        for name in {one.order_name, naming.ref_of(one.order_name)} - {""}:
            of_order[name].append((one.return_id, one.refund_pence))
    of_rma = {one.rma: one.return_id for one in returns}
    named = [row._replace(return_id=of_rma.get(row.return_id, row.return_id)) for row in inputs.refunds.rows]
    return documents.money_by_return(named, of_order, known)


def _paid(return_: Return, money: Mapping[str, Money] | None, *, tells_currency: bool) -> Money | None:
    """The money of a return; nothing moved where the refunds file does not show any."""
    if money is None:
        return None
    paid = money.get(return_.return_id, Money(0, 0, return_.currency, None))
    return paid if tells_currency else replace(paid, currency=return_.currency)


def _people(matches: Mapping[str, OrderMatch]) -> set[str]:
    """Accounts that stand for one person: those with hundreds of returns are collective ones."""
    counts: defaultdict[str, int] = defaultdict(int)
    for match in matches.values():
        if match.order and match.order.customer_code:
            counts[match.order.customer_code] += 1
    return {customer for customer, count in counts.items() if count <= COLLECTIVE_ACCOUNT}
