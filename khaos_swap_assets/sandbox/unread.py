"""What nobody can tell while an operation of Khaos answers nothing, or refuses one record for ever.

Belongs here: the kinds of trouble that only an operation would show, and what has to be told instead. Stays out: the
trouble itself (``khaos_truth``) and refusing (``khaos_refusing``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta

from khaos_swap_assets.sandbox.khaos_refusing import GONE, OPTIONAL
from khaos_swap_assets.sandbox.khaos_returns import gross_of
from khaos_swap_assets.sandbox.maker import LONDON
from khaos_swap_assets.sandbox.world import Note, Plant, World

STATUSES = "ExportOrderStatusEx"
NO_SUCH_GOODS = "the order holds none of that Stock Code"
OF_CODES = frozenset(
    {"sku_unknown", "sku_ambiguous", "sku_discontinued", "code_will_fail", "over_return", NO_SUCH_GOODS}
)
OF_FOLLOWING = frozenset({"order_not_invoiced", "credit_note_missing"})
OF_NOTES = frozenset({"credit_note_duplicate", "credit_note_orphan", "credited_without_refund", "value_gap"})
OF_ORDERS = frozenset(
    {"currency_mismatch", "customer_unknown", "order_not_invoiced", "over_return", "value_gap", NO_SUCH_GOODS}
    | {"two orders carry the reference", "Khaos has no order of that reference"}
)
SHOWN_BY: Mapping[str, frozenset[str]] = {
    "GetStockList": OF_CODES,
    "ExportStock": OF_CODES,
    STATUSES: OF_FOLLOWING | OF_NOTES,
    "ExportOrders": OF_ORDERS,
    "GetCompanyInfo": frozenset({"credit_note_unallocated"}),
}
"""By operation: the kinds, or the causes, that nobody can see where it answers nothing."""
SOURCE_OF = {"GetStockList": "khaos/stock_codes", "ExportStock": "khaos/stock_codes", STATUSES: "khaos/documents"}
REFUND_WITHIN = timedelta(days=14)


def is_hidden(world: World, one: Plant, gone: Mapping[str, str], refused: Collection[str]) -> bool:
    """Whether nobody can tell of it; of the status feed one record that is gone hides the hour that holds it."""
    untold = frozenset[str]().union(*(SHOWN_BY.get(name, frozenset()) for name in refused))
    untold |= OF_FOLLOWING if STATUSES in gone else frozenset()
    note = world.notes.get(one.credit_note_code)
    is_awaited = "ExportOrders" in refused and note is not None and one.kind == "credit_note_orphan"
    return one.kind in untold or one.why in untold or (is_awaited and note is not None and _may_be_paid(world, note))


def _may_be_paid(world: World, note: Note) -> bool:
    """Whether a return has its value: whose note it is shows once its order is known."""
    return any((one.refund_pence, one.currency) == (gross_of(note), note.currency) for one in world.rmas.values())


def told(world: World, gone: Mapping[str, str], refused: Collection[str]) -> Iterator[Plant]:
    """What is told instead: the operation or the record, the source, and whatever may not close meanwhile."""
    for name, key in gone.items():
        if name != STATUSES:
            yield Plant("record_refused", record=f"Khaos {name} {key}", why=GONE)
    unread = {*refused, *(gone.keys() & {STATUSES})}
    for name in sorted(unread - OPTIONAL):
        yield Plant("source_refused", record=f"Khaos {name}", why="Khaos refuses it, or lacks it")
    for source in sorted({SOURCE_OF[name] for name in unread & SOURCE_OF.keys()}):
        yield Plant("source_not_read", record=source, why="it was never read")
    if STATUSES in unread:
        yield from _never_closed(world)
    if STATUSES in gone:
        yield Plant("nobody_watches", record="complete run", why="documents wait, and an hour is never read")


def _never_closed(world: World) -> Iterator[Plant]:
    """Refunds that came late: told while they were, and nothing closes while the status feed is not read."""
    for rma in world.rmas.values():
        if rma.delivered_at and rma.processed_at:
            last_day = (rma.delivered_at.astimezone(LONDON) + REFUND_WITHIN).date()
            if rma.processed_at.astimezone(LONDON).date() > last_day:
                yield Plant("refund_unconfirmed_too_long", rma=rma.rma_number, why="refunded late")
