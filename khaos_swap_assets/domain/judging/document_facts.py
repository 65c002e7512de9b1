"""What is known about one document when its return is judged: one of ours, or a Credit Note in Khaos.

Belongs here: frozen records, and figures that follow from them alone. Stays out: the return itself (``judging.facts``)
and what the facts mean (``judging.conditions``). Money is minor units of the document's currency, times UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from khaos_swap_assets.domain.documents.credit_notes import CreditNote


@dataclass(frozen=True, slots=True)
class PostingFacts:
    """One document of ours. ``refusal`` is what Khaos answered when it refused; empty when a person ended it.

    ``beyond_pence`` of its value was no refund of money: store credit, an exchange, a gift card, a charged fee.
    """

    reference: str
    state: str
    value_pence: int
    handed_out_at: datetime | None = None
    witnessed_pence: int | None = None
    refusal: str = ""
    has_rival_notes: bool = False
    beyond_pence: int = 0


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """One Credit Note with the return it is attributed to, if any, and the open credit of its customer.

    ``note`` is a return's share: where others share it, ``whole_pence`` is all of it, and one of them is its teller.
    ``values`` are the gross of its lines if told, ``is_issue_known`` whether its stage is, ``is_suggested`` whether a
    return waits for it, but for a detail. ``rival_rmas`` are those between which nobody can tell, or that it may credit
    together; ``nearest`` says what keeps it from that one, ``suggestion`` what would not. ``unallocated_pence`` is None
    when never read. ``opened_units``: its units, packs opened, where it fits only so. ``held_codes`` are those of the
    whole note where its lines do not say, ``unknown_codes`` those that are no Stock Code, with what each stands for.
    """

    note: CreditNote
    return_id: str = ""
    rma: str = ""
    unallocated_pence: int | None = None
    rival_rmas: tuple[str, ...] = ()
    is_merged: bool = False
    nearest: str = ""
    suggestion: str = ""
    seen_from: date | None = None
    whole_pence: int | None = None
    is_teller: bool = True
    values: tuple[int | None, ...] = ()
    is_issue_known: bool = True
    is_suggested: bool = False
    opened_units: int = 0
    held_codes: tuple[str, ...] = ()
    unknown_codes: tuple[tuple[str, str], ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """The Stock Codes that it holds."""
        return frozenset(code for code, _ in self.note.lines) or frozenset(self.held_codes)


def share_of(note: CreditNote, pence: int, due_pence: int) -> CreditNote:
    """A return's share of a note for several: which goods it holds nobody tells, nor their VAT.

    The delivery is in the share that is above what is due by just that.
    """
    delivery = note.delivery_gross_pence if pence - due_pence == note.delivery_gross_pence else 0
    return replace(note, gross_pence=pence, net_pence=None, delivery_gross_pence=delivery, lines=())
