"""What the file of orders says of a returned line: its price, its list price and its VAT rate.

Belongs here: the sold lines that a returned line is of. Stays out: reading orders (``adapters.files``) and what follows
for a return (``cases``). Money is minor units. Source: FINANCE_RULES U-5, U-7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import ReturnLine
from khaos_swap_assets.domain.records.sold_packs import candidates, chosen


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
