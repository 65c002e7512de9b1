"""What all Credit Notes of one order credit together, beside what was sold and paid: no note is too small to count.

Belongs here: units and pence of the notes of all returns of an order, however they were made. Stays out: what the
returns themselves take back (``records.sold_packs``). Money is whole pence of the order's currency. Source:
FINANCE_RULES U-26.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.domain.records.packs import Packs, units


@dataclass(frozen=True, slots=True)
class OverCredit:
    """Stock Codes of which more units are credited than were sold, and the pence beyond what was paid."""

    codes: tuple[str, ...] = ()
    pence: int = 0


NOTHING = OverCredit()


def over_credits(
    credited: Iterable[tuple[str, CreditNote]], orders: Mapping[str, SalesOrder], packs: Packs
) -> dict[str, OverCredit]:
    """By return id, what its notes add beyond its order; of (return id, note or its share), the oldest counts first.

    A note alone is never more than its return's own gap. Notes of which nobody tells the goods count by their value;
    what is on no line of the order is no unit of it.
    """
    by_order: dict[str, list[tuple[str, CreditNote]]] = {}
    for return_id, note in credited:
        if return_id in orders:
            by_order.setdefault(orders[return_id].associated_ref, []).append((return_id, note))
    found: dict[str, OverCredit] = {}
    for some in by_order.values():
        if len(some) > 1:
            found |= _of_order(sorted(some, key=_turn), orders[some[0][0]], packs)
    return found


def _turn(one: tuple[str, CreditNote]) -> tuple[date, str, str]:
    return one[1].created_on or date.max, one[1].credit_note_code, one[0]


def _of_order(turns: Sequence[tuple[str, CreditNote]], order: SalesOrder, packs: Packs) -> dict[str, OverCredit]:
    sold, paid = units(packs.opened(order.sold.items())), _paid(order, [note for _, note in turns], packs)
    noted: Counter[str] = Counter()
    pence, found = 0, dict.fromkeys((return_id for return_id, _ in turns), NOTHING)
    for at, (return_id, note) in enumerate(turns):
        before = max(pence - paid, 0)
        pence += note.gross_pence
        goods = units(packs.noted(note.lines))
        noted += goods
        if at:
            codes = {code for code in goods if code in sold and noted[code] > sold[code]}
            known, more = found[return_id], max(pence - paid, 0) - before
            found[return_id] = OverCredit(tuple(sorted({*known.codes, *codes})), known.pence + more)
    return {return_id: over for return_id, over in found.items() if over != NOTHING}


def _paid(order: SalesOrder, notes: Sequence[CreditNote], packs: Packs) -> int:
    """What was paid for the goods on these notes, with the delivery; for all where a note tells no goods."""
    codes = {code for note in notes for code, _ in packs.opened(note.lines)}
    is_told = all(note.lines for note in notes)
    held = [
        line
        for line in order.lines
        if not is_told or codes & {code for code, _ in packs.opened([(line.stock_code, 1)])}
    ]
    return sum(line.gross_pence for line in held) + order.delivery_gross_pence
