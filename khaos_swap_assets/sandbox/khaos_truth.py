"""What is truly wrong in the sandbox's own ledger, read from the ledger alone.

Belongs here: trouble that scripts and switches made on the Khaos side, as plants, and the count of duplicates by
customer, order line and quantity. Stays out: trouble that the generator planted (it is in ``World.plants``).
Ages follow the house's limits: in doubt after 24 hours, not issued after 3 days, unallocated after 7 days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from khaos_swap_assets.sandbox import adjusted, foreseen, storefront_payouts, unread
from khaos_swap_assets.sandbox.khaos_packs import opened
from khaos_swap_assets.sandbox.khaos_returns import QUARANTINE, RETURN_TO_STOCK, STOCK_MISSING, gross_of
from khaos_swap_assets.sandbox.month_truth import credited_elsewhere
from khaos_swap_assets.sandbox.world import Note, Plant, ReturnDocument, Rma, World

IN_DOUBT_AFTER = timedelta(hours=24)
ISSUE_WITHIN = timedelta(days=3)
ALLOCATE_WITHIN = timedelta(days=7)
WRONG_PICK = "the clerk picked the wrong processing type"
STOCK_KINDS = {
    ("1", STOCK_MISSING): "stock_not_returned",
    ("1", QUARANTINE): "stock_not_returned",
    ("2", RETURN_TO_STOCK): "damaged_in_saleable",
}
"""(reason asked for, processing type used) -> what is wrong with the goods then."""

Key = tuple[str, str, str]


def planted(
    world: World, *, shows_items: bool = True, gone: Mapping[str, str] | None = None, refused: Iterable[str] = ()
) -> list[Plant]:
    """Every trouble that must be open by the world's clock: the generator's and what happened since, each once.

    Without ``shows_items`` nobody can tell whose a note is that names no return, unless its value is the only one.
    ``gone``: operation → the record that it refuses to answer about; ``refused``: operations that answer nothing.
    """
    found = [*world.plants]
    found += [plant for one in world.documents.values() for plant in _of_document(world, one, shows_items)]
    found += adjusted.plants(world)
    found += [] if shows_items else _nameless(world)
    lacking = set(refused)
    found = [one for one in found if not _is_untold(world, one, gone or {}, lacking)]
    found += [*credited_elsewhere(world, found), *storefront_payouts.truth(world)]
    found += foreseen.truth(world, found)
    found = [one for one in found if not unread.is_hidden(world, one, gone or {}, lacking)]
    found += unread.told(world, gone or {}, lacking)
    found = found if shows_items else [replace(one, is_nameless=True) for one in found]
    unique: dict[tuple[str, ...], Plant] = {}
    for plant in found:
        subject = (plant.rma, plant.credit_note_code, plant.sku, plant.refund, plant.record, plant.order)
        unique.setdefault((plant.kind, *subject), plant)
    return list(unique.values())


def duplicates(world: World, store: str | None = None) -> int:
    """Units credited beyond what truly came back, over all orders; what staff alone credited twice is not counted.

    With ``store`` over the orders of that store alone.
    """
    by_channel: Counter[Key] = Counter()
    by_staff: Counter[Key] = Counter()
    owners = _owners(world)
    for note in world.notes.values():
        counter = by_channel if note.made_by == "channel" else by_staff
        for line in note.lines:
            for code, units in opened(world.items, [(line.stock_code, line.quantity)]):
                counter[(note.urn, line.so_code or owners.get((note.urn, code), ""), code)] += units
    returned = _returned(world)
    excess = {key: by_channel[key] + by_staff[key] - returned[key] for key in by_channel}
    asked = [key for key in excess if store is None or (key[1] and world.orders[key[1]].store) == store]
    return sum(min(by_channel[key], max(0, excess[key])) for key in asked)


def undue_moves(world: World) -> int:
    """Units that our documents put on a shelf beyond those that came back: goods that a customer keeps, for one."""
    moved: Counter[tuple[str, str]] = Counter()
    for document in world.documents.values():
        note = world.notes.get(document.note_code)
        for line in note.lines if note else ():
            if line.processing_type != STOCK_MISSING:
                for code, units in opened(world.items, [(line.stock_code, line.quantity)]):
                    moved[document.rma, code] += units
    for rma in world.rmas.values():
        for back in [line for line in rma.lines if not line.is_kept]:
            for code, units in opened(world.items, [(back.sku, back.quantity)]):
                moved[rma.rma_number, code] -= units
    return sum(max(0, units) for units in moved.values())


def _returned(world: World) -> Counter[Key]:
    orders: dict[str, list[str]] = {}
    for order in world.orders.values():
        orders.setdefault(order.order_name, []).append(order.so_code)
    units: Counter[Key] = Counter()
    for rma in world.rmas.values():
        for line in rma.lines:
            for so_code in orders.get(line.original_order_name or rma.order_name, ())[:1]:
                for code, count in opened(world.items, [(line.sku, line.quantity)]):
                    units[(world.orders[so_code].urn, so_code, code)] += count
    return units


def _owners(world: World) -> dict[tuple[str, str], str]:
    """(URN, Stock Code) -> the customer's order of it; empty where there are several."""
    owners: dict[tuple[str, str], str] = {}
    for order in world.orders.values():
        for stock_code in dict(opened(world.items, [(line.stock_code, line.quantity) for line in order.lines])):
            key = (order.urn, stock_code)
            owners[key] = "" if key in owners else order.so_code
    return owners


def _nameless(world: World) -> Iterator[Plant]:
    """Notes of staff that name no return."""
    for note in world.notes.values():
        if note.made_by == "staff" and not note.associated_ref and note.created_at <= world.now:
            yield Plant("credit_note_orphan", credit_note_code=note.code, why="no reference, and no items are shown")


def _is_untold(world: World, one: Plant, gone: Mapping[str, str], refused: Collection[str]) -> bool:
    """Whether only an account, or levels, that nobody can read would show it, or Khaos cancelled its order since."""
    if one.kind == "cancelled_order_open":
        name = one.order.partition("/")[0]
        return all(order.is_cancelled for order in world.orders.values() if order.order_name == name)
    if one.why == WRONG_PICK and "ExportStockStatus" in refused:
        return True
    note = world.notes.get(one.credit_note_code)
    return one.kind == "credit_note_unallocated" and note is not None and note.urn == gone.get("GetCompanyInfo")


def _of_document(world: World, document: ReturnDocument, shows_items: bool) -> Iterator[Plant]:
    rma = world.rmas.get(document.rma)
    if rma is None:
        return
    if document.state == "processed":
        yield from _of_note(world, document, rma, world.notes[document.note_code], shows_items)
    elif document.state == "partial" and document.refused_at:
        yield Plant("posting_refused", rma=rma.rma_number, why="Khaos had processed the return in part")
    elif _is_older(world, document.received_at, IN_DOUBT_AFTER) and not _is_ended(world, document):
        why = {"lost": "Khaos lost the document", "partial": "no Credit Note came of it"}.get(document.state)
        yield Plant("posting_in_doubt", rma=rma.rma_number, why=why or f"import {document.state}: {document.message}")


def _of_note(world: World, document: ReturnDocument, rma: Rma, note: Note, shows_items: bool) -> Iterator[Plant]:
    number, script = rma.rma_number, world.scripts.get(rma.rma_number, "")
    is_equal = gross_of(note) == document.sum_pence
    if note.associated_ref == document.associated_ref:
        if not is_equal:
            yield Plant("value_gap", rma=number, why=f"Khaos credited {gross_of(note)} for {document.sum_pence}")
    elif (not is_equal or _has_twin(world, note, shows_items)) and _is_older(
        world, document.received_at, IN_DOUBT_AFTER
    ):
        yield Plant(
            "posting_in_doubt", rma=number, why="the note carries no reference and is not the only one that fits"
        )
        if not is_equal:
            yield Plant("credit_note_orphan", credit_note_code=note.code, why="no reference and another value")
    if document.stock_moved:
        for kind in sorted(_wrong_goods(document, note)):
            yield Plant(kind, rma=number, why=WRONG_PICK)
    if script == "issue_never" and note.issued_at is None and _is_older(world, note.created_at, ISSUE_WITHIN):
        yield Plant("credit_note_not_issued", credit_note_code=note.code, why="nobody issued it")
    if script == "never_allocated" and not note.is_allocated and _is_older(world, note.issued_at, ALLOCATE_WITHIN):
        yield Plant("credit_note_unallocated", credit_note_code=note.code, why="nobody allocated it")


def _wrong_goods(document: ReturnDocument, note: Note) -> set[str]:
    asked = document.document.get("ReturnedItems")
    reasons = [str(item["ReturnReason"]["ID"]) for item in asked] if isinstance(asked, list) else []
    pairs = zip(reasons, (line.processing_type for line in note.lines), strict=True)
    return {STOCK_KINDS[pair] for pair in pairs if pair in STOCK_KINDS}


def _is_older(world: World, moment: datetime | None, limit: timedelta) -> bool:
    return moment is not None and world.now - moment > limit


def _is_ended(world: World, document: ReturnDocument) -> bool:
    """True where a document of the same reference became a note, or was refused to whoever asked: nobody waits."""
    same = (one for one in world.documents.values() if one.associated_ref == document.associated_ref)
    return any(one.state == "processed" or one.refused_at for one in same)


def _has_twin(world: World, note: Note, shows_items: bool) -> bool:
    """Whether another note of the customer that names nothing else has the same value, and goods where shown."""
    others = (one for one in world.notes.values() if one.urn == note.urn and one.code != note.code)
    alike = [one for one in others if one.associated_ref in ("", note.associated_ref)]
    return any(_likeness(one, shows_items) == _likeness(note, shows_items) for one in alike)


def _likeness(note: Note, shows_items: bool) -> tuple[int, list[tuple[str, int]]]:
    goods = sorted((line.stock_code, line.quantity) for line in note.lines)
    return gross_of(note), goods if shows_items else []
