"""Credit in another month than its money, as the sandbox's own ledgers have it.

Belongs here: the months of a return's payments beside those of its Credit Notes. Stays out: other trouble
(``khaos_truth``). Months are London's; a note that is not issued counts on the day of its making.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from khaos_swap_assets.sandbox.khaos_returns import gross_of
from khaos_swap_assets.sandbox.maker import LONDON
from khaos_swap_assets.sandbox.storefront_books import ON, processed_at
from khaos_swap_assets.sandbox.world import Note, Plant, Rma, StoreRefund, World

KIND = "credited_in_another_month"
HIDING = ("posting_in_doubt", "record_unreadable")
"""Of such a return nobody can tell which note is its own, or what it is at all."""


def credited_elsewhere(world: World, told: Iterable[Plant]) -> list[Plant]:
    """One plant a return; ``told`` is other trouble, of which some hides whose a note is."""
    known = list(told)
    hidden = {one.rma for one in known if one.kind in HIDING}
    loose = {one.credit_note_code for one in known if one.kind == "credit_note_orphan"}
    refunds: dict[str, list[StoreRefund]] = {}
    for one in world.store_refunds.values():
        refunds.setdefault(one.rma, []).append(one)
    return [
        Plant(KIND, rma=number, why="paid and credited in different months", is_nameless=True)
        for number, notes in _notes(world, loose).items()
        if number not in hidden and _is_apart(world, world.rmas[number], refunds.get(number, ()), notes)
    ]


def _notes(world: World, loose: Collection[str]) -> dict[str, list[Note]]:
    """The notes of each return."""
    found: dict[str, list[Note]] = {}
    for note in world.notes.values():
        if note.rma in world.rmas and note.code not in loose and note.created_at <= world.now:
            found.setdefault(note.rma, []).append(note)
    return found


def _is_apart(world: World, rma: Rma, refunds: Iterable[StoreRefund], notes: Iterable[Note]) -> bool:
    months: Counter[str] = Counter()
    paid = list(_paid(world, rma, refunds))
    for moment, pence in paid:
        months[_month(moment)] -= pence
    for note in notes:
        is_issued = note.issued_at is not None and note.issued_at <= world.now
        months[_month(note.issued_at if is_issued and note.issued_at else note.created_at)] += gross_of(note)
    return bool(paid) and min(months.values()) < 0 < max(months.values())


def _paid(world: World, rma: Rma, refunds: Iterable[StoreRefund]) -> Iterator[tuple[datetime, int]]:
    """What went back and when: as the shop shows it once, else as Swap says; money of another currency has no pence."""
    if rma.status != "Closed" or rma.refund_pence <= 0:
        return
    said = processed_at(world, rma) if ON in world.memory else rma.processed_at
    own = [one for one in refunds if one.currency == rma.currency and not one.is_again]
    moved = [part for one in own for part in one.payments if part.status == "SUCCESS" and part.processed_at]
    if ON not in world.memory or any(one.currency != rma.currency for one in refunds):
        yield from [(said, rma.refund_pence)] if said else []
    for part in moved if ON in world.memory else ():
        if part.processed_at and part.processed_at <= world.now:
            yield part.processed_at, part.amount_pence


def _month(moment: datetime) -> str:
    return f"{moment.astimezone(LONDON):%Y-%m}"
