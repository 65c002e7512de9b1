"""What the files together know about each return: its order, its Stock Codes, its money.

Belongs here: joining a return with catalogue, orders and refunds, and what a sale says of a returned line. Stays out:
which refund is whose (``refunds``), Credit Notes (``pairing``) and what is wrong (``engine``). Money is minor units of
the return's currency. Source: FINANCE_RULES U-5, U-7.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.adapters.files.tables import CURRENCY
from khaos_swap_assets.adapters.swap.extras import read_extras
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.refunds import Paid, paid
from khaos_swap_assets.audit.return_rows import ReturnRow
from khaos_swap_assets.domain.judging.document_facts import LineFacts
from khaos_swap_assets.domain.judging.facts import ReturnFacts, Unknown
from khaos_swap_assets.domain.linking.records import ReturnRecord, unknown_codes
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.orders import OrderMatch, SalesOrder, UnitClaim, choose_order
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID, Return, ReturnLine, rightful_pence
from khaos_swap_assets.domain.records.sold_packs import candidates, chosen, named_line, over_sold
from khaos_swap_assets.domain.records.stock_codes import Catalogue, SkuMatch, match_sku
from khaos_swap_assets.domain.records.stores import OrderNamings
from khaos_swap_assets.domain.refunds.money_shown import Money, as_money_says, is_owed

COLLECTIVE_ACCOUNT = 500
UNKNOWN: frozenset[Unknown] = frozenset({"inspections", "orders"})
"""What no file shows: what the bench saw, and whether an order that is not there was ever made."""
SUGGESTIONS = 500


@dataclass(frozen=True, slots=True)
class AuditedReturn:
    """One return as Swap shows it, beside what the files show of it without its Credit Notes, and its order."""

    return_: Return
    facts: ReturnFacts
    order: SalesOrder | None
    order_ref: str

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
            customer=self.facts.customer_code,
            codes=packs.opened(own),
            refunded_on=london_date(ended_at) if ended_at else None,
            opened_on=london_date(opened_at) if opened_at else None,
            other_pence=rightful_pence(return_, self.worth_pence, self.facts.order_delivery_pence),
            other_codes=packs.opened(others),
            unknown_codes=unknown_codes(self.facts.lines),
        )


class Cases:
    """All returns of the files by their id, on the shelf of their orders, and the refunds of each and of none."""

    def __init__(self, inputs: Inputs, codes: Mapping[str, str]) -> None:
        rows = inputs.proven_returns
        returns = [row.record for row in rows]
        self.shelf = shelf = Shelf(inputs, codes)
        matches = {one.return_id: shelf.order_of(one) for one in returns}
        over = _over_returned(returns, matches, shelf)
        self.paid = _paid(inputs, returns)
        buyers = Counter(match.order.customer_code for match in matches.values() if match.order)
        people = {customer for customer, count in buyers.items() if count <= COLLECTIVE_ACCOUNT}
        self.of_id: dict[str, AuditedReturn] = {}
        for row in rows:
            key, match = row.record.return_id, matches[row.record.return_id]
            customer = match.order.customer_code if match.order and match.order.customer_code in people else ""
            facts = shelf.facts(row, match, over.get(key, {}), self.paid.money.get(key), customer)
            self.of_id[key] = AuditedReturn(row.record, facts, match.order, shelf.ref_of(row.record))


def _paid(inputs: Inputs, returns: Sequence[Return]) -> Paid:
    """What the refunds file says; nothing where none was given."""
    if inputs.refunds is None:
        return Paid()
    naming, tells_currency = inputs.order_names.naming, CURRENCY in inputs.refunds.columns
    return paid(inputs.refunds.rows, returns, naming, inputs.payment_kinds, tells_currency=tells_currency)


def _over_returned(
    returns: Sequence[Return], matches: Mapping[str, OrderMatch], shelf: Shelf
) -> Mapping[str, dict[str, int]]:
    """Stock Codes of which each return brings back more than is left of its order, with the pence beyond it."""
    claims: defaultdict[str, list[UnitClaim]] = defaultdict(list)
    orders: dict[str, SalesOrder] = {}
    for one in returns:
        order = matches[one.return_id].order
        if order and one.status not in ENDED_UNPAID:
            orders[order.associated_ref] = order
            claims[order.associated_ref] += _claims(one, order, shelf)
    over: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for ref, found in claims.items():
        for (return_id, code), pence in over_sold(found, orders[ref], shelf.packs).items():
            over[return_id][code] = pence
    return over


def _claims(one: Return, order: SalesOrder, shelf: Shelf) -> Iterator[UnitClaim]:
    for line in one.refund_lines:
        if code := shelf.sku(line.sku).stock_code:
            pence = line.cost_pence if one.is_ended and line.currency == order.currency else 0
            at = named_line(order, code, line.line_item_id)
            yield UnitClaim(
                return_id=one.return_id,
                rma=one.rma,
                refunded_at=one.refunded_at,
                stock_code=code,
                quantity=line.quantity,
                pence=pence,
                line_no=at,
            )


class Shelf:
    """The catalogue and the orders, asked one by one; ``asked`` are the SKUs so far, ``codes`` those people told."""

    def __init__(self, inputs: Inputs, codes: Mapping[str, str]) -> None:
        self.orders, self.sold, self.packs = inputs.order_names, inputs.sold, Packs(inputs.stock_codes.rows)
        self.asked: dict[str, SkuMatch] = {}
        self._catalogue = Catalogue.of(documents.stock_codes(inputs.stock_codes.rows))
        self._suggested, self._told = 0, codes
        self._namings = OrderNamings([self.orders.naming])
        self._orders: dict[str, list[SalesOrder]] = {}
        self._tells_invoice = "invoiced_on" in inputs.sales_orders.columns
        tells = {"customer_unknown": "customer_ref", "currency_mismatch": CURRENCY}
        self._untold = {kind for kind, column in tells.items() if column not in inputs.sales_orders.columns}

    def ref_of(self, return_: Return) -> str:
        """The one order that a return names as Khaos writes it, else empty."""
        refs = self._namings.refs(return_)
        return refs[0] if len(refs) == 1 else ""

    def sku(self, sku: str) -> SkuMatch:
        """What a SKU is; the search for the nearest spelling is made for the first few hundred strangers only."""
        if sku not in self.asked:
            is_known, told = self._catalogue.exact(sku) is not None, self._told.get(sku, "")
            self._suggested += not is_known
            is_asked = is_known or self._suggested <= SUGGESTIONS or bool(told)
            self.asked[sku] = match_sku(sku, self._catalogue, told) if is_asked else SkuMatch(sku, None, "sku_unknown")
        return self.asked[sku]

    def order_of(self, return_: Return) -> OrderMatch:
        """The order of a return, or why there is none."""
        refs = self._namings.refs(return_)
        codes = {code for line in return_.refund_lines if (code := self.sku(line.sku).stock_code)}
        able = [order for ref in refs for order in self._orders_of(ref)]
        match = choose_order(return_, refs, able, stock_codes=codes, is_answered=True, packs=self.packs)
        return replace(match, problems=tuple(kind for kind in match.problems if kind not in self._untold))

    def _orders_of(self, ref: str) -> list[SalesOrder]:
        if ref not in self._orders:
            rows = self.sold.get(ref, ())
            self._orders[ref] = documents.sales_orders(rows, tells_invoice=self._tells_invoice)
        return self._orders[ref]

    def paid_of(self, ref: str) -> int | None:
        """What was paid for an order with its delivery; None for one that is not known."""
        rows = self.sold.get(ref, ())
        return sum(row.sold_pence for row in rows) + documents.delivery_of(rows) if rows else None

    def facts(
        self, row: ReturnRow, match: OrderMatch, over: Mapping[str, int], money: Money | None, customer: str
    ) -> ReturnFacts:
        """What the files show of a return, and that they show no inspection and perhaps not every order.

        ``customer`` is empty for an account that is no person.
        """
        one, order, extras = row.record, match.order, read_extras(row.raw, row.record.currency)
        return ReturnFacts(
            return_=as_money_says(one, money, is_in_sight=True),
            lines=tuple(self._line(line, order) for line in one.lines),
            order_currency=order.currency if order and "currency_mismatch" not in self._untold else None,
            order_problems=match.problems,
            over_returned=tuple(sorted(over)),
            over_pence=sum(over.values()),
            exchange_pence=extras.exchange_pence,
            taxes_on_top_pence=extras.taxes_on_top_pence,
            duties_pence=extras.duties_pence,
            postage_pence=extras.postage_pence,
            order_delivery_pence=order.delivery_gross_pence if order else 0,
            invoiced_on=order.invoiced_on if order else None,
            money=money,
            said=one if money and is_owed(one) else None,
            same_codes=frozenset(self._told),
            customer_code=customer,
            unknown=UNKNOWN,
        )

    def _line(self, line: ReturnLine, order: SalesOrder | None) -> LineFacts:
        """A line beside its sale."""
        found = self.sku(line.sku)
        return LineFacts(
            product_id=line.product_id,
            sku=line.sku,
            quantity=line.quantity,
            cost_pence=line.cost_pence,
            outcome=line.outcome,
            currency=line.currency,
            stock_code=found.stock_code,
            problem=found.problem,
            suggestion=found.suggestion,
            suggestion_rule=found.suggestion_rule,
            **self._sale_of(line, found.stock_code, order),
        )

    def _sale_of(self, line: ReturnLine, code: str | None, order: SalesOrder | None) -> dict[str, Any]:
        """Fields of ``LineFacts`` that the sale tells: by the line's reference, else by its exact price."""
        able = candidates(order, self.packs, code, line.line_item_id) if order and code else []
        told = chosen(able, line.quantity, line.cost_pence)
        if order is None or not told or any(one.pack for one in told):
            return {}
        rows = [row for row in self.sold[order.associated_ref] if row.so_code in ("", order.so_code)]
        return _shared([rows[one.line.line_no - 1] for one in told], line.quantity)


def _shared(rows: Sequence[OrderRow], quantity: int) -> dict[str, Any]:
    """Price, list price and rate of so many units of these sold lines; what they do not share is not known."""
    units = sum(row.quantity for row in rows)
    rates = {row.vat_percent for row in rows}
    prices = {row.unit_price_pence for row in rows}
    return {
        "sold_pence": sum(row.sold_pence for row in rows) * quantity // units if units else None,
        "list_pence": prices.pop() * quantity if len(prices) == 1 and any(row.discount_pence for row in rows) else None,
        "vat_percent": rates.pop() if len(rates) == 1 else None,
    }
