"""Files that a person brings: Sales Orders and Credit Notes beside what Khaos tells by itself, payouts, write-offs.

Belongs here: one import as one transaction, and whom it concerns. Stays out: reading files (``adapters.files``), the
mirrors (``adapters.store``). A file is a witness as good as the service and never better: what Khaos or the storefront
itself told stays. A write-off is evidence and moves nothing. Source: contracts/khaos.md §8 (Khaos Cloud shows neither
orders nor notes by API), §11.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.documents import FileNote
from khaos_swap_assets.adapters.files.layouts import NoteRow, OrderRow
from khaos_swap_assets.adapters.files.write_offs import WriteOffRow
from khaos_swap_assets.adapters.store import (
    Conn,
    audit_log,
    imports,
    links,
    matches,
    notes,
    orders,
    payouts,
    returns,
    worklist,
    write_offs,
)
from khaos_swap_assets.adapters.store.imports import Import, Kind
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.adapters.storefront.records import ReadPayout
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.payouts.records import Payout, PayoutLine
from khaos_swap_assets.domain.records.stores import qualified
from khaos_swap_assets.stages.orders.sync import SOURCE, answer_by_files


class ImportRefusedError(KhaosSwapError):
    """The file cannot be what the person says it is."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A file and who brings it. ``complete_to`` (UTC): it holds every document that was made before that moment."""

    file_name: str
    file_hash: str
    by: str
    complete_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it: documents in the file, those that were news, those that Khaos itself told of, returns queued.

    ``absent`` are codes that an earlier file held and a complete one no longer does. They still count: a note that is
    there once too often keeps a document back, one too few would let it leave twice.
    """

    documents: int
    changed: int
    told_by_khaos: int
    returns: int
    absent: tuple[str, ...] = ()


def import_orders(conn: Conn, rows: Sequence[OrderRow], brought: Brought, now: datetime, *, is_cloud: bool) -> Imported:
    """Keep the Sales Orders of a file and queue the returns that name them. The caller commits.

    An order counts as invoiced only where the file names the day. Where no web service answers (``is_cloud``), a
    reference that is in no file is answered too: not found.
    """
    SqlPostings(conn).lock()
    told = [
        order
        for some in documents.by_order(rows).values()
        for order in documents.sales_orders(some, tells_invoice=True)
    ]
    fresh, by_khaos = imports.new_orders(conn, told)
    import_id = record_import(conn, "sales-orders", brought, len(told), len(fresh), now)
    imports.save_orders(conn, fresh, import_id, now)
    touched = set(matches.ids_of_refs(conn, sorted({order.associated_ref for order in fresh})))
    if is_cloud:
        orders.want(conn, [order.associated_ref for order in told], now)
        touched |= set(matches.ids_of_refs(conn, answer_by_files(conn, now)))
    worklist.queue(conn, "match", touched)
    return Imported(len(told), len(fresh), by_khaos, len(touched))


def import_notes(
    conn: Conn, rows: Sequence[NoteRow], brought: Brought, now: datetime, *, is_cloud: bool = False
) -> Imported:
    """Keep the Credit Notes of a file and queue the returns that they may concern. The caller commits.

    A note counts as issued on the day that the file names. Raises ``ImportRefusedError`` when the file is said to be
    complete and a note in it is nobody's: it may be anybody's, so nothing could be cleared by it; or when a file that
    is complete up to a later moment was there before: this one would put back what notes were.
    """
    SqlPostings(conn).lock()
    told = _with_customers(conn, [_as_note(one) for one in documents.notes(rows)])
    if brought.complete_to:
        _refuse_incomplete(told, brought.complete_to, now)
        _refuse_older(conn, brought.complete_to)
    codes = [note.credit_note_code for note in told]
    absent = imports.absent_notes(conn, codes, london_date(brought.complete_to)) if brought.complete_to else ()
    fresh, by_khaos = imports.new_notes(conn, told)
    import_id = record_import(conn, "credit-notes", brought, len(told), len(fresh), now)
    notes.save(conn, fresh, now, import_id=import_id)
    if is_cloud and import_id is not None:
        worklist.move(conn, SOURCE, now)
    touched = _concerned(conn, fresh)
    for stage in ("draft", "reconcile"):
        worklist.queue(conn, stage, touched)
    return Imported(
        documents=len(told), changed=len(fresh), told_by_khaos=by_khaos, returns=len(touched), absent=tuple(absent)
    )


def _as_note(told: FileNote) -> CreditNote:
    units: dict[str, int] = {}
    for line in told.lines:
        if line.quantity:
            units[line.stock_code] = units.get(line.stock_code, 0) + line.quantity
    is_net_known = told.vat_pence is not None and not told.delivery_pence
    return CreditNote(
        credit_note_code=told.code,
        associated_ref=told.associated_ref,
        customer_code=told.customer_ref,
        currency=told.currency,
        created_on=told.created_on,
        issued_on=told.created_on,
        stage_id=None,
        gross_pence=told.gross_pence,
        net_pence=told.gross_pence - told.vat_pence if is_net_known and told.vat_pence is not None else None,
        delivery_gross_pence=told.delivery_pence,
        lines=tuple(units.items()),
        order_ref=told.order_ref,
    )


def _with_customers(conn: Conn, told: Sequence[CreditNote]) -> list[CreditNote]:
    """The notes, each that names no customer with the one of its order or of our own reference that it carries."""
    of_ref = imports.customers_of_refs(conn, sorted({note.order_ref for note in told if note.order_ref}))
    of_ours = imports.customers_of_postings(conn, sorted({note.associated_ref for note in told}))
    return [
        replace(
            note, customer_code=note.customer_code or of_ref.get(note.order_ref) or of_ours.get(note.associated_ref, "")
        )
        for note in told
    ]


def _refuse_incomplete(told: Sequence[CreditNote], complete_to: datetime, now: datetime) -> None:
    if complete_to > now:
        raise ImportRefusedError(f"--complete-to {complete_to:%Y-%m-%d %H:%M} is not over yet: no file can hold it all")
    nobodys = [note.credit_note_code for note in told if not note.customer_code]
    if nobodys:
        raise ImportRefusedError(
            f"--complete-to: {len(nobodys)} Credit Notes name neither customer_ref nor an order_ref that we know, "
            f"{', '.join(nobodys[:5])} among them; they may be anybody's, so nothing can be cleared by this file"
        )


def _refuse_older(conn: Conn, complete_to: datetime) -> None:
    last = imports.newest(conn, "credit-notes", is_complete=True)
    if last and last.complete_to and last.complete_to > complete_to:
        raise ImportRefusedError(
            f"--complete-to {complete_to:%Y-%m-%d %H:%M} is older than {last.file_name}, which is complete up to "
            f"{last.complete_to:%Y-%m-%d %H:%M} and was imported before; export the Credit Notes again"
        )


def _concerned(conn: Conn, fresh: Sequence[CreditNote]) -> set[str]:
    """Returns of the notes' customers and orders, those that they name, and those that they belonged to already."""
    customers = sorted({note.customer_code for note in fresh if note.customer_code})
    refs = sorted({note.order_ref for note in fresh if note.order_ref})
    names = sorted({note.associated_ref for note in fresh if note.associated_ref})
    return {
        *matches.ids_of_customers(conn, customers),
        *matches.ids_of_refs(conn, refs),
        *returns.named(conn, names),
        *links.owners(conn, [note.credit_note_code for note in fresh]),
    }


def record_import(conn: Conn, kind: Kind, brought: Brought, count: int, changed: int, now: datetime) -> int | None:
    """Keep who brought what, in the record and in the audit log; a file that brings no news leaves no trace."""
    last = imports.newest(conn, kind, is_complete=True)
    is_later = brought.complete_to and (last is None or not last.complete_to or brought.complete_to > last.complete_to)
    if not changed and not is_later:
        return None
    found = Import(
        kind=kind,
        file_name=brought.file_name,
        file_hash=brought.file_hash,
        documents=count,
        changed=changed,
        complete_to=brought.complete_to,
        life=SqlPostings(conn).life(),
        imported_at=now,
        imported_by=brought.by,
    )
    import_id = imports.record(conn, found)
    after = {"documents": count, "changed": changed, "file_hash": brought.file_hash}
    if brought.complete_to:
        after["complete_to"] = brought.complete_to.isoformat()
    entry = audit_log.Entry(now, brought.by, "imported", f"{kind} {brought.file_name}", after=after)
    audit_log.append(conn, [entry])
    return import_id


@dataclass(frozen=True, slots=True)
class ImportedPayouts:
    """What came of it: payouts in the file, those that were news, and those that the storefront told itself."""

    payouts: int
    changed: int
    told_by_storefront: int


def import_payouts(conn: Conn, told: Sequence[Payout], brought: Brought, now: datetime) -> ImportedPayouts:
    """Keep the payouts of a file, which the next run compares; one file twice changes nothing. The caller commits."""
    known = payouts.known_hashes(conn, [(one.provider, one.payout_id) for one in told])
    read = [ReadPayout(one, _hash(one)) for one in told]
    own = [one for one in read if known.get((one.record.provider, one.record.payout_id), ("", True))[1]]
    fresh = [one for one in own if known.get((one.record.provider, one.record.payout_id), ("",))[0] != one.content_hash]
    if fresh:
        payouts.save(conn, fresh, now, import_id=record_import(conn, "payouts", brought, len(told), len(fresh), now))
    return ImportedPayouts(len(told), len(fresh), len(told) - len(own))


def of_store(told: Sequence[Payout], store: str | None) -> Sequence[Payout]:
    """Payouts of a file whose returns and orders are those of a further store, as our tables name them."""
    if not store:
        return told

    def named(line: PayoutLine) -> PayoutLine:
        return replace(line, return_ref=qualified(store, line.return_ref), order_ref=qualified(store, line.order_ref))

    return [replace(one, lines=tuple(map(named, one.lines))) for one in told]


def _hash(one: Payout) -> str:
    whole = (replace(one, lines=()), [repr(line) for line in one.lines])
    return hashlib.sha256(repr(whole).encode()).hexdigest()


def import_write_offs(conn: Conn, rows: Sequence[WriteOffRow], brought: Brought, now: datetime) -> int:
    """Keep the rows that are news, and how many they are; their months are added up again. The caller commits.

    A row is known by all that it says, and by which of the rows of its file that say the same it is: the same file
    twice, or a later report of the same days, changes nothing.
    """
    told: dict[str, tuple[object, ...]] = {}
    seen: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        seen[row[1:]] += 1
        told[hashlib.sha256(repr((seen[row[1:]], *map(str, row[1:]))).encode()).hexdigest()] = row[1:]
    known = write_offs.known(conn, list(told))
    fresh = {key: values for key, values in told.items() if key not in known}
    import_id = record_import(conn, "write-offs", brought, len(told), len(fresh), now)
    if import_id is not None:
        write_offs.save(conn, fresh, import_id)
        write_offs.touch_kept(conn, sorted({f"{row.written_off_on:%Y-%m}" for row in rows}), now)
    return len(fresh)
