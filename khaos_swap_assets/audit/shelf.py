"""The catalogue and the orders of the files, asked return by return.

Belongs here: what a SKU is, which order a return is of, and what a sale says of a returned line. Stays out: Credit
Notes (``pairing``) and money (``refunds``). Money is minor units of the return's currency. Source: FINANCE_RULES U-5,
U-7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.adapters.files.tables import CURRENCY
from khaos_swap_assets.adapters.swap.extras import read_extras
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.order_names import Naming
from khaos_swap_assets.audit.return_rows import ReturnRow
from khaos_swap_assets.domain.judging.facts import ReturnFacts, Unknown
from khaos_swap_assets.domain.judging.goods_facts import LineFacts
from khaos_swap_assets.domain.records.orders import OrderMatch, SalesOrder, choose_order, order_refs
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import Return, ReturnLine
from khaos_swap_assets.domain.records.sold_packs import candidates, chosen
from khaos_swap_assets.domain.records.stock_codes import Catalogue, SkuMatch, match_sku
from khaos_swap_assets.domain.refunds.money_shown import Money, as_money_says, is_owed

UNKNOWN: frozenset[Unknown] = frozenset({"inspections", "orders"})
"""What no file shows: what the bench saw, and whether an order that is not there was ever made."""
SUGGESTIONS = 500


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
        "sold_pence": sum(row.sold_pence for row in rows) * quantity // units if units else None,
        "list_pence": prices.pop() * quantity if len(prices) == 1 and any(row.discount_pence for row in rows) else None,
        "vat_percent": rates.pop() if len(rates) == 1 else None,
    }


class Shelf:
    """The catalogue and the orders, asked one by one; each answer is worked out once."""

    def __init__(
        self, inputs: Inputs, sold: Mapping[str, Sequence[OrderRow]], naming: Naming, codes: Mapping[str, str]
    ) -> None:
        self._catalogue = Catalogue.of(documents.stock_codes(inputs.stock_codes.rows))
        self._packs = Packs(inputs.stock_codes.rows)
        self.asked: dict[str, SkuMatch] = {}
        self._suggested, self._told = 0, codes
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
        if sku not in self.asked:
            is_known = self._catalogue.exact(sku) is not None
            self._suggested += not is_known
            wanted = is_known or self._suggested <= SUGGESTIONS
            told = self._told.get(sku, "")
            is_asked = bool(wanted or told)
            self.asked[sku] = match_sku(sku, self._catalogue, told) if is_asked else SkuMatch(sku, None, "sku_unknown")
        return self.asked[sku]

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

    def facts(
        self, row: ReturnRow, match: OrderMatch, over: Mapping[str, int], money: Money | None, customer: str
    ) -> ReturnFacts:
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
            invoiced_on=match.order.invoiced_on if match.order else None,
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
            **sale_of(line, found.stock_code, order, self._sold, self._packs),
        )
