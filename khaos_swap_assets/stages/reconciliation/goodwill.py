"""Money without a return and Credit Notes without one, live: which of them settle each other.

Belongs here: what is laid beside what, and keeping the outcome. Stays out: the rule (``linking.goodwill``). A note for
which a draft waits is told all the same, for that draft's sake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

import psycopg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import goodwill, matches, notes, orders
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking.goodwill import LooseMoney, settle
from khaos_swap_assets.domain.linking.loose_notes import record_of
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.orders import plain_name
from khaos_swap_assets.stages.credit_notes.attributing import told_of


def settle_goodwill(conn: psycopg.Connection, settings: Settings) -> None:
    """Pair what is of one order, currency and value."""
    if not settings.connected:
        return
    pairs: list[goodwill.Candidate] = []
    refs: dict[str, str] = {}
    for one in goodwill.candidates(conn):
        if ref := settings.namings.ref(one.order_name):
            pairs.append(one)
            refs[one.order_name] = ref
    told = [] if settings.has_several_stores else list(refs.items())
    named = {plain_name(text): ref for text, ref in [*told, *((ref, ref) for ref in refs.values())]}
    found = notes.by_code(conn, sorted({one.credit_note_code for one in pairs}))
    of_order = [note for note in found if plain_name(note.order_ref or note.associated_ref) in named]
    free = _free(conn, of_order)
    records = [
        replace(record_of(note), order_ref=named[plain_name(note.order_ref or note.associated_ref)]) for note in free
    ]
    money = {
        LooseMoney(
            refund_id=one.refund_id,
            order_ref=refs[one.order_name],
            currency=one.currency,
            pence=one.moved_pence,
            paid_on=london_date(one.moved_at),
        )
        for one in pairs
    }
    room = _room(conn, {one.order_ref for one in money}) if records else {}
    if kept := settle(records, money, room):
        goodwill.keep(conn, kept)


def _room(conn: psycopg.Connection, refs: Collection[str]) -> dict[str, int]:
    """What each of these orders, where Khaos told it, leaves to credit beside the notes of its returns and goodwill."""
    known = orders.by_ref(conn, sorted(refs))
    heads = matches.returns(conn, matches.ids_of_refs(conn, list(known)))
    credited = Counter(goodwill.credited(conn, list(known)))
    for key, some in notes.of_returns(conn, list(heads)).items():
        credited[heads[key].order_ref] += sum(note.gross_pence for note, _ in some)
    return {
        ref: sum(line.gross_pence for one in some for line in one.lines)
        + sum(one.delivery_gross_pence for one in some)
        - credited[ref]
        for ref, some in known.items()
    }


def _free(conn: psycopg.Connection, some: Sequence[CreditNote]) -> list[CreditNote]:
    """The notes that are of no return, nor may be of one."""
    told = told_of(conn, some) if some else {}
    known = {code: one for code, (one, _) in told.items()}
    return [note for note in some if (one := known.get(note.credit_note_code)) and not (one.rivals or one.suggested_by)]
