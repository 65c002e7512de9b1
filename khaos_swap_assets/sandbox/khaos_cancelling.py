"""CancelOrder of the sandbox's Khaos, an add-on: which orders it cancels, and each family of refusal.

Belongs here: the rules of khaos.md §7.7, with wordings of our own, as none is documented. Stays out: the wire
(``khaos_server``). An order's ``cancel_bar`` says what else keeps it: one of ``BARS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_wire import KhaosFaultError
from khaos_swap_assets.sandbox.world import Order

EDITABLE = frozenset({9, 10, 11, 17, 18, 19, 21})
SHIPPING, ISSUED = frozenset({14, 15, 16}), 70
WITHIN = timedelta(hours=48)
CANCELLED = "Order {} has been cancelled."
MISMATCH = "Order code and Associated Ref mismatch: {}"
SHIPPED = "Order {} is already shipping or issued."
NOT_EDITABLE = "Order {} is not in an editable stage."
TOO_OLD = "Order {} cannot be cancelled: it was placed more than 48 hours ago."
BARS: Mapping[str, str] = {
    "by_hand": "Order {} is not a web service order.",
    "locked": "Order {} cannot be cancelled or edited.",
    "paid": "Payment of order {} has already been processed.",
    "old_payment": "Payment of order {} is too old and cannot be deleted.",
}


def cancel_order(books: Books, so_code: str, associated_ref: str) -> str:
    """Cancel a Sales Order and its payment. Raises ``KhaosFaultError`` with the words of a refusal."""
    order = books.world.orders.get(so_code)
    if order is None or order.is_cancelled or order.associated_ref != associated_ref:
        raise KhaosFaultError(MISMATCH.format(so_code))
    if refusal := _refusal(books, order):
        raise KhaosFaultError(refusal.format(so_code))
    order.is_cancelled, order.changed_at, order.invoice_code = True, books.now, ""
    books.touch(order)
    return CANCELLED.format(so_code)


def _refusal(books: Books, order: Order) -> str:
    if order.cancel_bar:
        return BARS[order.cancel_bar]
    if order.stage_id in SHIPPING or order.stage_id >= ISSUED:
        return SHIPPED
    if order.stage_id not in EDITABLE:
        return NOT_EDITABLE
    return TOO_OLD if books.now - order.ordered_at > WITHIN else ""
