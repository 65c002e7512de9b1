"""What the files together know about each return: its order, its Stock Codes, its money.

Belongs here: joining a return with catalogue, orders and refunds, and what a sale says of a returned line. Stays out:
Credit Notes (``pairing``) and what is wrong (``findings``). Money is minor units of the return's currency. Source:
FINANCE_RULES U-5, U-7.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.adapters.files.tables import CURRENCY
from khaos_swap_assets.adapters.swap.extras import read_extras
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.order_names import Naming, OrderNames, naming_of
from khaos_swap_assets.audit.refunds import Paid, paid
from khaos_swap_assets.audit.returns_file import ReturnRow
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.facts import ReturnFacts, Unknown
from khaos_swap_assets.domain.judging.goods_facts import LineFacts
from khaos_swap_assets.domain.linking.records import ReturnRecord, unknown_codes
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.orders import OrderMatch, SalesOrder, UnitClaim, choose_order, order_refs
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID, Return, ReturnLine, rightful_pence
from khaos_swap_assets.domain.records.sold_packs import candidates, chosen, named_line, over_sold
from khaos_swap_assets.domain.records.stock_codes import Catalogue, SkuMatch, match_sku
from khaos_swap_assets.domain.refunds.money_shown import Money, as_money_says, is_owed
from khaos_swap_assets.domain.refunds.payments import Refund


def sale_of(
    line: ReturnLine, code: str | None, order: SalesOrder | None, sold: Mapping[str, Sequence[OrderRow]], packs: Packs
) -> dict[str, Any]:
    """Fields of ``LineFacts`` that the sale tells: by the line's reference, else by its exact price."""
    able = candidates(order, packs, code, line.line_item_id) if order and code else []
    told = chosen(able, line.quantity, line.cost_pence)
    if order is None or not told or any(one.pack for one in told):
        return {}
    rows = [row for row in sold[order.associated_ref] if row.so_code in ("", order.so_code)]
    return _shared([rows[one.line.line_no - 1] for one in told], line.quantity)


def _shared(rows: Sequence[OrderRow], quantity: int) -> dict[str, Any]:
    """Price, list price and rate of so many units of these sold lines; what they do not share is not known."""
    units = sum(row.quantity for row in rows)
    rates = {row.vat_percent for row in rows}
    prices = {row.unit_price_pence for row in rows}
    return {
        "sold_pence": sum(map(documents.sold_pence, rows)) * quantity // units if units else None,
        "list_pence": prices.pop() * quantity if len(prices) == 1 and any(row.discount_pence for row in rows) else None,
        "vat_percent": rates.pop() if len(rates) == 1 else None,
    }


UNKNOWN: frozenset[Unknown] = frozenset({"inspections", "orders"})
"""What no file shows: what the bench saw, and whether an order that is not there was ever made."""
SUGGESTIONS = 500
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
class AuditedReturns:
    """All returns, how order names are written in Khaos, refunds that belong to none of them, and strange payments.

    ``skus`` says what a code is.
    """

    all: tuple[AuditedReturn, ...]
    naming: Naming
    orders: OrderNames
    packs: Packs
    stray_refunds: tuple[Refund, ...]
    skus: Callable[[str], SkuMatch]
    others: tuple[Problem, ...] = ()
    sold: Mapping[str, Sequence[OrderRow]] = field(default_factory=dict)

    def paid_of(self, ref: str) -> int | None:
        """What was paid for an order with its delivery; None for one that is not known."""
        rows = self.sold.get(ref, ())
        return sum(map(documents.sold_pence, rows)) + documents.delivery_of(rows) if rows else None


def cases(inputs: Inputs) -> AuditedReturns:
    """Join the files."""
    sold = documents.by_order(inputs.sales_orders.rows)
    rows = list(inputs.proven_returns)
    returns = [row.record for row in rows]
    named = [line.original_order_name for one in returns for line in one.lines]
    credited = {row.order_ref for row in inputs.credit_notes.rows} - {""}
    naming = naming_of([*(one.order_name for one in returns), *named], sold.keys(), credited)
    shelf = _Shelf(inputs, sold, naming)
    matches = {one.return_id: shelf.order_of(one) for one in returns}
    packs = Packs(inputs.stock_codes.rows)
    over = _over_returned(returns, matches, shelf, packs)
    money = _money(inputs, returns, naming)
    people = _people(matches)
    found = []
    for row in rows:
        one, match = row.record, matches[row.record.return_id]
        customer = match.order.customer_code if match.order and match.order.customer_code in people else ""
        facts = shelf.facts(row, match, over[one.return_id], money.money.get(one.return_id))
        facts = replace(facts, customer_code=customer)
        found.append(AuditedReturn(one, facts, match.order, shelf.ref_of(one), shelf.sold_of(match.order), customer))
    names = OrderNames(inputs.sales_orders.rows, naming)
    return AuditedReturns(tuple(found), naming, names, packs, money.strays, shelf.sku, money.others, sold)


def _money(inputs: Inputs, returns: Sequence[Return], naming: Naming) -> Paid:
    """What the refunds file says; nothing where none was given."""
    if inputs.refunds is None:
        return Paid()
    tells_currency = CURRENCY in inputs.refunds.columns
    return paid(inputs.refunds.rows, returns, naming, inputs.payment_kinds, tells_currency=tells_currency)


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

    def sold_of(self, order: SalesOrder | None) -> tuple[OrderRow, ...]:
        """The rows of an order."""
        return tuple(self._sold.get(order.associated_ref, ())) if order else ()

    def facts(self, row: ReturnRow, match: OrderMatch, over: Mapping[str, int], money: Money | None) -> ReturnFacts:
        """What the files show of a return, and that they show no inspection and perhaps not every order."""
        one, extras = row.record, read_extras(row.raw, row.record.currency)
        return ReturnFacts(
            return_=as_money_says(one, money, is_in_sight=True),
            lines=tuple(self._line(line, match.order) for line in one.lines),
            order_currency=match.order.currency if match.order and "currency_mismatch" not in self._untold else None,
            order_problems=match.problems,
            over_returned=tuple(sorted(over)),
            over_pence=sum(over.values()),
            exchange_pence=extras.exchange_pence,
            taxes_on_top_pence=extras.taxes_on_top_pence,
            duties_pence=extras.duties_pence,
            postage_pence=extras.postage_pence,
            order_delivery_pence=match.order.delivery_gross_pence if match.order else 0,
            money=money,
            said=one if money and is_owed(one) else None,
            unknown=UNKNOWN,
        )

    def _line(self, line: ReturnLine, order: SalesOrder | None) -> LineFacts:
        """A line beside its sale."""
        found = self.sku(line.sku)
        return LineFacts(
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
            **sale_of(line, found.stock_code, order, self._sold, self._packs),
        )


def _over_returned(
    returns: Iterable[Return], matches: Mapping[str, OrderMatch], shelf: _Shelf, packs: Packs
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
                claim = UnitClaim(one.return_id, one.rma, one.refunded_at, code, line.quantity, pence, at)
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
