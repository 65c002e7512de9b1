"""Discounts of orders: positive here, and each part of them on the line that it belongs to.

Belongs here: the sign of discounts, and spreading the discount of an order as a whole over its lines. Stays out: other
signs (``signs``) and what a line was sold for (``layouts``). Source: FINANCE_RULES U-7.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from khaos_swap_assets.adapters.files.columns import values_of
from khaos_swap_assets.adapters.files.tables import Table
from khaos_swap_assets.domain.money.amounts import format_money, spread

MOST_NAMED = 5


def discounts_on_lines(table: Table[Any]) -> None:
    """Read all discounts as positive, and spread those of orders as a whole over their lines by largest remainder."""
    _positive(table)
    if not any(values_of(table.rows, "order_discount_pence")):
        return
    orders: defaultdict[str, list[int]] = defaultdict(list)
    kept = list(table.rows)
    for place, row in enumerate(kept):
        orders[row.order_ref].append(place)
    told: list[str] = []
    spread_over = 0
    for ref, places in orders.items():
        rows = [kept[place] for place in places]
        pence, apart = _beside_lines(rows)
        told += [f"{ref} {apart}"] if apart and ref not in table.torn else []
        if pence:
            spread_over += 1
            for place, share in zip(places, spread(pence, [row.sold_pence for row in rows]), strict=True):
                row = kept[place]
                kept[place] = row._replace(discount_pence=row.discount_pence + share)
    table.rows = kept
    if spread_over:
        table.notices.append(f"the discounts of {spread_over:,} orders as a whole are spread over their lines by price")
    if told:
        some = "; ".join(told[:MOST_NAMED]) + (" …" if len(told) > MOST_NAMED else "")
        table.notices.append(f"no discount is spread over orders that do not add up ({len(told):,}): {some}")


def _beside_lines(rows: Sequence[Any]) -> tuple[int, str]:
    """What of an order's discount is not on its lines, in pence; or what does not add up.

    The goods total settles it where the file has one: an export's discount may be on the lines already, or be one of
    the delivery.
    """
    sold, currency = sum(row.sold_pence for row in rows), rows[0].currency
    discount = max((abs(row.order_discount_pence) for row in rows if row.order_discount_pence is not None), default=0)
    goods = max((row.goods_pence for row in rows if row.goods_pence is not None), default=None)
    is_on_lines = discount == sum(row.discount_pence for row in rows)
    pence = sold - goods if goods is not None else 0 if is_on_lines else discount
    if not discount or not pence:
        return 0, ""
    if 0 < pence <= min(discount, sold):
        return pence, ""
    said = format_money(discount, currency)
    return 0, f"has lines of {format_money(sold, currency)}, " + (
        f"goods of {format_money(goods, currency)} and a discount of {said}" if goods is not None else f"less {said}"
    )


def _positive(table: Table[Any]) -> None:
    """Where the file writes all discounts of lines negative, they are read as such; in a mixture they are faults."""
    if min(values_of(table.rows, "discount_pence"), default=0) >= 0:
        return
    negative = [row for row in table.rows if row.discount_pence < 0]
    if any(row.discount_pence > 0 for row in table.rows):
        lines = {row.line for row in negative}
        table.rows = [row for row in table.rows if row.line not in lines]
        for row in negative:
            table.reject(
                row.line, "discount_gross", f"{row.discount_pence} pence", "is negative, and others are positive"
            )
            table.torn.setdefault(row.order_ref, row.line)
        return
    table.rows = [row._replace(discount_pence=abs(row.discount_pence)) for row in table.rows]
    table.notices.append("discounts are written negative: read as discounts")
