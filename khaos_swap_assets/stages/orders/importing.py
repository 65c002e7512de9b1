"""Sales Orders and Credit Notes that a person brings as a file, beside what Khaos tells by itself.

Belongs here: one import as one transaction, and whom it concerns. Stays out: reading files (``adapters.files``), the
mirrors (``adapters.store``). A file is a witness as good as the web service and never better: what Khaos itself told
of a document stays. Source: contracts/khaos.md §8 (Khaos Cloud shows neither by API), §11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.store import audit_log, imports, links, matches, notes, orders, returns, worklist
from khaos_swap_assets.adapters.store.imports import Import, Kind
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages.orders.sync import SOURCE, answer_by_files

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.files.documents import FileNote
    from khaos_swap_assets.adapters.files.layouts import NoteRow, OrderRow


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


def import_orders(
    conn: psycopg.Connection, rows: Sequence[OrderRow], brought: Brought, now: datetime, *, is_cloud: bool
) -> Imported:
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
    conn: psycopg.Connection, rows: Sequence[NoteRow], brought: Brought, now: datetime, *, is_cloud: bool = False
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
    absent = _absent(conn, told, brought.complete_to)
    fresh, by_khaos = imports.new_notes(conn, told)
    import_id = record_import(conn, "credit-notes", brought, len(told), len(fresh), now)
    notes.save(conn, fresh, now, import_id=import_id)
    if is_cloud and import_id is not None:
        worklist.move(conn, SOURCE, now)
    touched = _concerned(conn, fresh)
    for stage in ("draft", "reconcile"):
        worklist.queue(conn, stage, touched)
    return Imported(
        documents=len(told), changed=len(fresh), told_by_khaos=by_khaos, returns=len(touched), absent=absent
    )


def _absent(conn: psycopg.Connection, told: Sequence[CreditNote], complete_to: datetime | None) -> tuple[str, ...]:
    codes = [note.credit_note_code for note in told]
    return tuple(imports.absent_notes(conn, codes, london_date(complete_to))) if complete_to else ()


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


def _with_customers(conn: psycopg.Connection, told: Sequence[CreditNote]) -> list[CreditNote]:
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


def _refuse_older(conn: psycopg.Connection, complete_to: datetime) -> None:
    last = imports.newest(conn, "credit-notes", is_complete=True)
    if last and last.complete_to and last.complete_to > complete_to:
        raise ImportRefusedError(
            f"--complete-to {complete_to:%Y-%m-%d %H:%M} is older than {last.file_name}, which is complete up to "
            f"{last.complete_to:%Y-%m-%d %H:%M} and was imported before; export the Credit Notes again"
        )


def _concerned(conn: psycopg.Connection, fresh: Sequence[CreditNote]) -> set[str]:
    """Returns of the notes' customers and orders, those that they name, and those that they belonged to already."""
    customers = sorted({note.customer_code for note in fresh if note.customer_code})
    refs = sorted({note.order_ref for note in fresh if note.order_ref})
    names = sorted({note.associated_ref for note in fresh if note.associated_ref})
    found = {*matches.ids_of_customers(conn, customers), *matches.ids_of_refs(conn, refs)}
    return {
        *found,
        *returns.named(conn, names),
        *links.owners(conn, [note.credit_note_code for note in fresh]),
    }


def record_import(
    conn: psycopg.Connection, kind: Kind, brought: Brought, count: int, changed: int, now: datetime
) -> int | None:
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
