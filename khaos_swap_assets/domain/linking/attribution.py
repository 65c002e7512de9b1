"""What answers a document of ours, and the guard before a draft.

Belongs here: the note that carries a reference which we handed out, and which notes may cover a return. Stays out:
notes that people posted (``linking.passes``), what of all that is acted on (``linking.loose_notes``), and what a wrong
or missing note means (``judging.verdict``). Source: DESIGN §4.7, contracts/khaos.md §11.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking.records import NoteRecord, PassName
from khaos_swap_assets.domain.linking.windows import INVOICE
from khaos_swap_assets.domain.records.packs import NO_PACKS, Packs
from khaos_swap_assets.domain.sums import grouped

MatchedBy = Literal["posting"] | PassName


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A document of ours that is or was out: its return, reference, customer (empty where unknown) and currency."""

    return_id: str
    reference: str
    customer_code: str
    currency: str


@dataclass(frozen=True, slots=True)
class CoverClaim:
    """What a return asks for before anything is posted. ``references`` are the RMA and its other forms.

    ``customer_code`` is empty when unknown. ``invoiced_on`` is the London day on which its goods were invoiced.
    """

    return_id: str
    customer_code: str
    currency: str
    value_pence: int
    lines: tuple[tuple[str, int], ...]
    references: frozenset[str] = frozenset()
    invoiced_on: date | None = None


@dataclass(frozen=True, slots=True, order=True)
class Attribution:
    """A note belongs to a return, by this pass; ``share_pence`` of a note for several, None: what the others leave."""

    credit_note_code: str
    return_id: str
    matched_by: MatchedBy
    share_pence: int | None = None


def answers(notes: Iterable[NoteRecord], out: Iterable[HandedOut]) -> dict[str, Attribution]:
    """By note code, the return whose reference it carries, character by character; of its customer and currency."""
    by_reference = grouped((one.reference, one) for one in out)
    found: dict[str, Attribution] = {}
    for note in notes:
        fits = {one.return_id for one in by_reference.get(note.ref, ()) if note.ref and not _contradicts(note, one)}
        if len(fits) == 1:
            found[note.code] = Attribution(note.code, fits.pop(), "posting")
    return found


def _contradicts(note: NoteRecord, one: HandedOut) -> bool:
    is_other_person = bool(one.customer_code and note.customer) and note.customer != one.customer_code
    return is_other_person or note.currency != one.currency


def may_cover(note: CreditNote, claim: CoverClaim, packs: Packs = NO_PACKS) -> bool:
    """True when an unattributed note may be the claim's: its customer, and its reference, value or a Stock Code.

    Staff may credit a pack by its components: goods are compared with packs closed and opened.

    A note made before the window of ``invoiced_on`` cannot be, where that is known: staff credit a customer who
    telephones, and the return is made in Swap after that. One that names no customer may be anybody's whose reference,
    or value and goods, it has. One whose goods nobody told may hold any. Nothing may be posted while one may.
    """
    is_older = note.created_on and claim.invoiced_on and not INVOICE.holds(note.created_on, claim.invoiced_on)
    if is_older or not claim.customer_code or note.customer_code not in ("", claim.customer_code):
        return False
    has_value = note.gross_pence == claim.value_pence and note.currency == claim.currency
    is_named = bool(note.associated_ref) and note.associated_ref in claim.references
    shares_goods = packs.share_goods(note.lines, claim.lines)
    if not note.customer_code:
        return is_named or (has_value and (shares_goods or not note.lines))
    return is_named or has_value or shares_goods or not note.lines
