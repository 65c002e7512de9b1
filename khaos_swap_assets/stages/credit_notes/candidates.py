"""Everything that is known of the returns which some loose Credit Notes may belong to, laid beside these notes.

Belongs here: loading it in bulk, and its shape for the passes. Stays out: the passes
(``linking.loose_notes``) and what follows (``attributing``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import catalogue, drafts, links, matches, notes, orders, returns
from khaos_swap_assets.adapters.store.postings import SqlBook
from khaos_swap_assets.domain.documents.postings import Posting
from khaos_swap_assets.domain.documents.references import reference_for
from khaos_swap_assets.domain.linking.attribution import Attribution, HandedOut
from khaos_swap_assets.domain.linking.loose_notes import Standing, Told, attribute_loose, record_of
from khaos_swap_assets.domain.linking.records import NoteRecord, ReturnRecord, unknown_codes
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import rightful_pence

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.store.matches import MatchedLine, MatchedReturn
    from khaos_swap_assets.domain.documents.credit_notes import CreditNote
    from khaos_swap_assets.domain.records.orders import SalesOrder
    from khaos_swap_assets.domain.records.returns import Return

OUT = frozenset({"in_doubt", "confirmed"})
Goods = tuple[tuple[str, int], ...]
Due = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Beside:
    """The returns of these notes' customers and orders, and those that they name, by return id.

    ``due`` is what a note should be worth and hold, of those returns for which the policy says something else than the
    refund and its rows.
    """

    records: dict[str, Return]
    heads: dict[str, MatchedReturn]
    lines: dict[str, list[MatchedLine]]
    postings: dict[str, list[Posting]]
    notes: dict[str, list[tuple[CreditNote, str]]]
    due: dict[str, Due]
    standing: Standing
    orders: dict[str, SalesOrder]
    packs: Packs
    settled: Sequence[CreditNote] = ()

    @property
    def out(self) -> list[HandedOut]:
        """The documents of theirs that are or were out."""
        posted = (one for some in self.postings.values() for one in some if one.handed_out_at)
        return [HandedOut(one.return_id, one.reference, one.customer_code, one.currency) for one in posted]

    @property
    def returns(self) -> list[ReturnRecord]:
        """The returns as the ordered passes read them."""
        return [self._return(one, is_worth=_is_worth(one)) for one in self.records.values()]

    @property
    def pending(self) -> list[ReturnRecord]:
        """The open returns that are not refunded yet, at what they would be worth."""
        waiting = (one for one in self.records.values() if one.refunded_at is None and one.is_open)
        return [self._return(one, is_worth=True) for one in waiting]

    def _return(self, record: Return, *, is_worth: bool) -> ReturnRecord:
        key = record.return_id
        head, (refunded_on, opened_on) = self.heads.get(key), _days(record)
        pence, goods, others = _asked(record, self.lines.get(key, ()), self.due.get(key))
        order = self.orders.get(head.so_code) if head and head.so_code else None
        rightful = rightful_pence(record, pence, order.delivery_gross_pence if order else 0) if is_worth else ()
        is_person = head is not None and not head.customer_is_generic
        return ReturnRecord(
            key,
            record.rma,
            pence if is_worth else 0,
            record.currency,
            head.order_ref if head else "",
            (head.customer_code or "") if head and is_person else "",
            self.packs.opened(goods),
            refunded_on,
            opened_on,
            _names(record) | {one.reference for one in self.postings.get(key, ())},
            frozenset(rightful),
            self.packs.opened(others),
            unknown_codes(self.lines.get(key, ())),
        )

    def attributed(self, loose: Sequence[CreditNote]) -> tuple[list[Attribution], dict[str, Told]]:
        """What is certain of the loose notes, and what is known of the others."""
        standing = replace(self.standing, settled=self._noted(self.settled), pending=self.pending)
        return attribute_loose(self._noted(loose), self.out, self.returns, standing)

    def _noted(self, some: Sequence[CreditNote]) -> list[NoteRecord]:
        """Notes as the passes read them, with the components of packs in their place."""
        orders = {head.order_ref for head in self.heads.values() if head.order_ref}
        return [record_of(replace(note, lines=self.packs.noted(note.lines)), orders) for note in some]


def beside(conn: psycopg.Connection, loose: Sequence[CreditNote], customers: Sequence[str]) -> Beside:
    """Load what is known of the returns of these customers, and of all that the notes name."""
    typed = sorted({note.associated_ref for note in loose} | {note.order_ref for note in loose} - {""})
    known = [code for code in customers if code]
    found = {
        *matches.ids_of_customers(conn, known),
        *matches.ids_of_refs(conn, typed),
        *returns.named(conn, typed),
    }
    ids = sorted(found)
    posted: dict[str, list[Posting]] = {}
    for posting in SqlBook(conn).of_returns(ids):
        posted.setdefault(posting.return_id, []).append(posting)
    noted, heads, lines = notes.of_returns(conn, ids), matches.returns(conn, ids), matches.lines(conn, ids)
    settled = notes.by_code(conn, sorted({note.credit_note_code for some in noted.values() for note, _ in some}))
    codes = {code for note in (*loose, *settled) for code, _ in note.lines}
    codes |= {line.stock_code or line.sku for some in lines.values() for line in some}
    sold = orders.by_code(conn, sorted({head.so_code for head in heads.values() if head.so_code}))
    return Beside(
        returns.load(conn, ids), heads, lines, posted, noted, drafts.due_beyond(conn, ids),
        _standing(conn, loose, noted, posted), sold, catalogue.packs(conn, codes), settled,
    )  # fmt: skip


def _standing(
    conn: psycopg.Connection,
    loose: Sequence[CreditNote],
    noted: Mapping[str, Sequence[tuple[CreditNote, str]]],
    posted: Mapping[str, Iterable[Posting]],
) -> Standing:
    """What these returns have: notes, each of them whole, and documents that are out; and what a person refused."""
    held = {key: {note.credit_note_code for note, _ in some} for key, some in noted.items()}
    codes = sorted({code for some in held.values() for code in some})
    out = {key for key, some in posted.items() if any(one.state in OUT for one in some)}
    refused = links.refused(conn, [*codes, *(note.credit_note_code for note in loose)])
    return Standing((), held, out, refused)


def _is_worth(record: Return) -> bool:
    """True where staff may have made a note of it: refunded, or closed with a value that nothing shows as paid."""
    return record.refunded_at is not None or record.is_closed_with_value


def _days(record: Return) -> tuple[date | None, date | None]:
    """The London days of the refund, or of closing without proof of one, and of the return's beginning."""
    refunded, opened = record.refunded_at or record.closed_at, record.submitted_at or record.created_at
    return refunded and london_date(refunded), opened and london_date(opened)


def _names(record: Return) -> frozenset[str]:
    return frozenset({record.rma, reference_for(record.rma, 1, ())})


def _asked(record: Return, lines: Iterable[MatchedLine], due: Due | None) -> tuple[int, Goods, Goods]:
    """What the note of a return is worth, the goods on it, and those that came back for something else."""
    pence, ids = due or (record.refund_pence, [one.product_id for one in record.refund_lines])
    found: dict[bool, list[tuple[str, int]]] = {True: [], False: []}
    for line in lines:
        found[line.product_id in ids].append((line.stock_code or line.sku, line.quantity))
    return pence, tuple(found[True]), tuple(found[False]) if found[True] else ()
