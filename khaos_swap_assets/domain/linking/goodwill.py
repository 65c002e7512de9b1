"""Money without a return and Credit Notes without one: goodwill from the order page, credited by hand.

Belongs here: which of them settle each other. Stays out: what has a return (``linking.loose_notes``,
``linking.refund_links``). Of equal ones the oldest settle each other first; what is left over is told as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from khaos_swap_assets.domain.linking.records import NoteRecord
from khaos_swap_assets.domain.linking.windows import REFUND
from khaos_swap_assets.domain.sums import grouped


@dataclass(frozen=True, slots=True)
class LooseMoney:
    """A refund that pays no return; ``order_ref`` is written as Khaos writes it, ``paid_on`` a London day."""

    refund_id: str
    order_ref: str
    currency: str
    pence: int
    paid_on: date | None


def settle(
    notes: Iterable[NoteRecord], refunds: Iterable[LooseMoney], room: Mapping[str, int] | None = None
) -> dict[str, str]:
    """Refund id by note code, of those that are of one order, currency and value, and near each other.

    ``room`` is by order what of its price no note credits yet, where known: beyond it nothing settles (U-26).
    """
    left = dict(room or {})
    in_turn = sorted(refunds, key=lambda one: (one.paid_on or date.max, one.refund_id))
    loose = grouped(((one.order_ref, one.currency, one.pence), one) for one in in_turn)
    found: dict[str, str] = {}
    for note in sorted(notes, key=lambda note: (note.created_on or date.max, note.code)):
        beside = loose.get((note.order_ref, note.currency, note.value_pence), []) if note.order_ref else []
        near = next((one for one in beside if _is_near(note, one)), None)
        if near and note.value_pence <= left.get(note.order_ref, note.value_pence):
            beside.remove(near)
            if note.order_ref in left:
                left[note.order_ref] -= note.value_pence
            found[note.code] = near.refund_id
    return found


def _is_near(note: NoteRecord, money: LooseMoney) -> bool:
    return note.created_on is None or money.paid_on is None or REFUND.holds(note.created_on, money.paid_on)
