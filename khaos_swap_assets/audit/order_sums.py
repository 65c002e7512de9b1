"""What the files show of an order as a whole: money that its notes without a return settle, and credit beyond it.

Belongs here: adding up shares by order. Stays out: which note is whose (``pairing``) and the rules themselves
(``domain.linking.goodwill``, ``domain.judging.order_credits``). Source: FINANCE_RULES U-26.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from khaos_swap_assets.adapters.files.documents import FileNote
from khaos_swap_assets.audit.cases import AuditedReturns
from khaos_swap_assets.domain.judging.order_credits import OverCredit, over_credits
from khaos_swap_assets.domain.linking.goodwill import LooseMoney, settle
from khaos_swap_assets.domain.linking.records import NoteRecord
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.refunds.payments import Refund


def goodwill(
    notes: Iterable[NoteRecord], found: AuditedReturns, shares: Mapping[tuple[str, str], int]
) -> dict[str, Refund]:
    """The money without a return that a note without one settles, within what its order leaves to credit."""
    if not found.stray_refunds:
        return {}
    strays = {one.refund_id: one for one in found.stray_refunds if not one.return_ref}
    loose = [
        LooseMoney(
            refund_id=one.refund_id,
            order_ref=found.orders.ref_of(one.order_name) or found.naming.ref_of(one.order_name),
            currency=one.currency,
            pence=one.moved_pence,
            paid_on=london_date(one.moved_at) if one.moved_at else None,
        )
        for one in strays.values()
    ]
    room = _room({one.order_ref for one in loose}, found, shares)
    return {code: strays[refund_id] for code, refund_id in settle(notes, loose, room).items()}


def _room(refs: Iterable[str], found: AuditedReturns, shares: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """What each of these orders, where it is known, leaves to credit beside the notes of its returns."""
    paid = {ref: pence for ref in refs if (pence := found.paid_of(ref)) is not None}
    of_return = {case.return_.return_id: case.order_ref for case in found.all if case.order_ref in paid}
    for (_, return_id), pence in shares.items():
        if return_id in of_return:
            paid[of_return[return_id]] -= pence
    return paid


def over_credited(
    found: AuditedReturns, notes: Mapping[str, FileNote], shares: Mapping[tuple[str, str], int]
) -> dict[str, OverCredit]:
    """What the notes of each return credit beyond its order, with all notes of that."""
    orders = {case.return_.return_id: case.order for case in found.all if case.order}
    whole = {code: notes[code].shown() for code, _ in shares}
    credited = (
        (key, whole[code] if pence == whole[code].gross_pence else replace(whole[code], gross_pence=pence, lines=()))
        for (code, key), pence in shares.items()
    )
    return over_credits(credited, orders, found.packs)
