"""Khaos's ledger of returns: a document becomes a return, a return a Credit Note, and its goods move.

Belongs here: import, ProcessReturn, issue and allocation, under the switches of contracts/khaos.md §8.7 and §11.
Stays out: where a document comes from (``channel``), when staff act (``staff``), what went wrong in truth
(``khaos_truth``). Money is integer pence of the order's currency; numbers of a document arrive as exact text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from khaos_swap_assets.sandbox import switches
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_packs import opened
from khaos_swap_assets.sandbox.khaos_prices import net_mode_line, net_of_gross, share
from khaos_swap_assets.sandbox.khaos_wire import KhaosFaultError
from khaos_swap_assets.sandbox.world import Note, NoteLine, Order, ReturnDocument

RETURN_TO_STOCK, QUARANTINE, STOCK_MISSING = "Return to Stock", "Quarantine", "Stock Missing"
REASONS: Mapping[str, str] = {"1": RETURN_TO_STOCK, "2": QUARANTINE, "3": STOCK_MISSING, "4": STOCK_MISSING}
WRONG_TYPES: Mapping[str, tuple[str, str]] = {
    "wrong_type_missing": (RETURN_TO_STOCK, STOCK_MISSING),
    "wrong_type_saleable": (QUARANTINE, RETURN_TO_STOCK),
}
LOSING_SCRIPTS = ("drop_import", "partial_return")
NOT_USED_UP = ("failed", "skipped", "lost")
FREE_TEXT = ("AssociatedRef", "Notes", "InvoiceAddress", "InvoiceContact", "DeliveryAddress", "DeliveryContact")
PROCESSED = "Return has successfully been processed."
UNDEFINED = "Return Code or Auth Code not defined."
MISSING = "Return does not exist or has been deleted."
ALREADY = "Return has already been processed."
PARTIAL = "Return has been partially processed, unable to continue."
SWAP_RMA = re.compile(r"Swap RMA (?:[a-z][a-z0-9]*:)?(\S+)")

Json = Mapping[str, object]


class ImportProblemError(Exception):
    """Why a document could not be imported; seen only on the channel's screen."""


@dataclass(frozen=True)
class AskedLine:
    """One returned item of a document: what was asked, before Khaos puts its own price on it."""

    stock_code: str
    quantity: int
    unit_pence: int | None
    processing_type: str
    order: Order | None


def import_document(books: Books, raw: Json) -> ReturnDocument:
    """Take one document of our feed into the ledger. Never raises: a bad one is kept as failed or skipped."""
    document = ReturnDocument(
        return_code=books.next_code("RET"),
        associated_ref=str(raw.get("AssociatedRef", "")),
        urn=str(raw.get("URN", "")),
        state="new",
        document=dict(raw),
        rma=_rma_of(raw),
        received_at=books.now,
    )
    books.world.documents[document.return_code] = document
    books.touch(document)
    try:
        _take_in(books, document)
    except ImportProblemError as problem:
        document.state, document.message = "failed", str(problem)
    return document


def process_return(books: Books, return_code: str, auth_code: str) -> str:
    """The SOAP operation of that name. Raises ``KhaosFaultError`` with one of the four texts of khaos.md §7.8."""
    if not return_code or not auth_code:
        raise KhaosFaultError(UNDEFINED)
    document = books.world.documents.get(return_code)
    if document is None or document.state in {"deleted", *NOT_USED_UP}:
        raise KhaosFaultError(MISSING)
    if document.state != "new":
        document.refused_at = books.now
        books.touch(document)
        raise KhaosFaultError(ALREADY if document.state == "processed" else PARTIAL)
    _process(books, document, _asked_lines(books, document))
    return PROCESSED


def issue(books: Books, note: Note, document: ReturnDocument | None) -> None:
    """Make a note final: it counts in the ledger, is unallocated credit, and moves goods that still wait for it."""
    note.stage_id, note.issued_at, note.changed_at = 70, books.now, books.now
    customer = books.customer(note.urn)
    if customer:
        customer.unallocated_pence += gross_of(note)
        books.touch(customer)
    if document and not document.stock_moved:
        _move_stock(books, document, note)
    books.touch(note)


def allocate(books: Books, note: Note) -> None:
    """Set a note against the refund: the customer's unallocated credit goes down again."""
    note.is_allocated = True
    customer = books.customer(note.urn)
    if customer:
        customer.unallocated_pence = max(0, customer.unallocated_pence - gross_of(note))
        books.touch(customer)
    books.touch(note)


def gross_of(note: Note) -> int:
    """The whole value of a note."""
    return sum(line.gross_pence for line in note.lines) + note.delivery_gross_pence


def _take_in(books: Books, document: ReturnDocument) -> None:
    lines = _asked_lines(books, document)
    document.sum_pence = sum(line.quantity * (line.unit_pence or 0) for line in lines)
    script = _script_for(books, document)
    if _is_repeated(books, document) and switches.value(books.state, "repeated_reference") == "refuse":
        document.state, document.message = "skipped", f"Associated Ref {document.associated_ref} is already used"
    elif script == "drop_import":
        document.state = "lost"
    elif script == "partial_return":
        document.state = "partial"
    elif document.document.get("ProcessReturn") is True:
        _process(books, document, lines)


def _process(books: Books, document: ReturnDocument, lines: Sequence[AskedLine]) -> None:
    script = books.world.scripts.get(document.rma, "")
    order = lines[0].order
    customer = books.world.customers[document.urn]
    note = Note(
        code=books.next_code("CN"),
        urn=document.urn,
        associated_ref=_note_reference(books, document, order),
        currency=order.currency if order else customer.currency,
        created_at=books.now,
        changed_at=books.now,
        lines=[_note_line(books, line, script) for line in lines],
        rma=document.rma,
    )
    books.world.notes[note.code] = note
    document.state, document.note_code = "processed", note.code
    books.touch(document, note)
    if switches.value(books.state, "stock_moves") == "process":
        _move_stock(books, document, note)
    if switches.value(books.state, "notes_issued") == "at_once" and script != "issue_never":
        issue(books, note, document)


def _note_reference(books: Books, document: ReturnDocument, order: Order | None) -> str:
    """By the switch ``note_reference``: the document's own, none, or that of the sale (khaos.md §7.4)."""
    shown = switches.value(books.state, "note_reference")
    if shown == "order":
        return order.associated_ref if order else ""
    return document.associated_ref if shown == "inherit" else ""


def _note_line(books: Books, line: AskedLine, script: str) -> NoteLine:
    net, gross = _value(books, line)
    wrong = WRONG_TYPES.get(script)
    processing_type = wrong[1] if wrong and wrong[0] == line.processing_type else line.processing_type
    if script == "value_override":
        gross += 100
    so_code = line.order.so_code if line.order else ""
    return NoteLine(line.stock_code, line.quantity, gross, net, processing_type=processing_type, so_code=so_code)


def _value(books: Books, line: AskedLine) -> tuple[int, int]:
    """(net, gross) of a line by the switch ``unit_price``: ours, the order's, or ours worked in net mode."""
    sold = next((sold for sold in line.order.lines if sold.stock_code == line.stock_code), None) if line.order else None
    item = books.world.items[line.stock_code]
    vat = sold.vat_percent if sold else item.vat_percent
    mode = switches.value(books.state, "unit_price")
    if mode == "net" and line.unit_pence is not None:
        return net_mode_line(line.unit_pence, line.quantity, vat)
    if mode == "ignore" or line.unit_pence is None:
        gross = share(sold.gross_pence, line.quantity, sold.quantity) if sold else item.unit_gross_pence * line.quantity
    else:
        gross = line.unit_pence * line.quantity
    return net_of_gross(gross, vat), gross


def _move_stock(books: Books, document: ReturnDocument, note: Note) -> None:
    items = books.world.items
    for line in note.lines:
        for code, units in opened(items, [(line.stock_code, line.quantity)]):
            item = items[code]
            if line.processing_type == RETURN_TO_STOCK:
                item.available += units
            elif line.processing_type == QUARANTINE:
                item.quarantine += units
            if line.processing_type != STOCK_MISSING:
                item.moved_at = books.now
                books.touch(item)
    document.stock_moved = True
    books.touch(document)


def _script_for(books: Books, document: ReturnDocument) -> str:
    """The script of a document. One that loses it waits for a later return until a first note was made.

    A real channel that loses its very first document shows nothing but that; and a lost one is not lost twice.
    """
    world = books.world
    script = world.scripts.get(document.rma, "")
    has_notes = any(other.state == "processed" for other in world.documents.values())
    waiting = world.memory.get("waiting_scripts", "").split()
    if script in LOSING_SCRIPTS and not has_notes:
        del world.scripts[document.rma]
        world.memory["waiting_scripts"] = " ".join([*waiting, script])
        books.touch(world)
        return ""
    if not script and waiting and has_notes and document.rma:
        script = world.scripts[document.rma] = waiting[0]
        world.memory["waiting_scripts"] = " ".join(waiting[1:])
        books.touch(world)
    return "" if script == "drop_import" and _was_lost(books, document) else script


def _was_lost(books: Books, document: ReturnDocument) -> bool:
    return any(other.state == "lost" for other in _same_reference(books, document))


def _is_repeated(books: Books, document: ReturnDocument) -> bool:
    return any(other.state not in NOT_USED_UP for other in _same_reference(books, document))


def _same_reference(books: Books, document: ReturnDocument) -> list[ReturnDocument]:
    reference = document.associated_ref
    every = books.world.documents.values()
    return [other for other in every if other is not document and other.associated_ref == reference]


def _refuse_hashes(raw: Json) -> None:
    """A channel's import stumbles over ``#`` in what people wrote; codes and references are read otherwise."""
    for name in FREE_TEXT:
        if "#" in str(raw.get(name, "")):
            raise ImportProblemError(f"{name} holds #, which is not supported")


def _asked_lines(books: Books, document: ReturnDocument) -> list[AskedLine]:
    _refuse_hashes(document.document)
    if not document.associated_ref:
        raise ImportProblemError("AssociatedRef is missing")
    if document.urn not in books.world.customers:
        raise ImportProblemError(f"URN '{document.urn}' is no customer")
    items = document.document.get("ReturnedItems")
    if not isinstance(items, list) or not items:
        raise ImportProblemError("ReturnedItems is empty")
    return [_asked_line(books, item) for item in items]


def _asked_line(books: Books, raw: Json) -> AskedLine:
    stock_code = str(raw.get("SKU", ""))
    if stock_code not in books.world.items:
        raise ImportProblemError(f"SKU '{stock_code}' is no stock code")
    reason = str(_inside(raw, "ReturnReason", "ID"))
    if reason not in REASONS:
        raise ImportProblemError(f"Return Reason '{reason}' does not exist")
    price = _inside(raw, "UnitPrice", "Gross")
    pointer = switches.value(books.state, "source_pointer").split(".")
    reference = str(_inside(raw, *pointer, "AssociatedRef"))
    orders = books.orders_of(reference) if reference else []
    unit_pence = _whole(price, "UnitPrice", scale=100) if price != "" else None
    quantity = _whole(raw.get("Quantity", ""), "Quantity")
    if quantity <= 0 or (unit_pence or 0) < 0:
        raise ImportProblemError(f"Quantity and UnitPrice of '{stock_code}' must not be negative or zero units")
    return AskedLine(stock_code, quantity, unit_pence, REASONS[reason], order=orders[0] if orders else None)


def _whole(number: object, name: str, *, scale: int = 1) -> int:
    try:
        value = Decimal(str(number)) * scale
    except InvalidOperation as error:
        raise ImportProblemError(f"{name} '{number}' is no number") from error
    if value != value.to_integral_value():
        raise ImportProblemError(f"{name} '{number}' is not whole")
    return int(value)


def _inside(raw: object, *path: str) -> object:
    for name in path:
        raw = raw.get(name, "") if isinstance(raw, dict) else ""
    return raw


def _rma_of(raw: Json) -> str:
    found = SWAP_RMA.search(str(raw.get("Notes", "")))
    return found.group(1) if found else ""
