"""Everything that is known of the returns which some loose Credit Notes may belong to, laid beside these notes.

Belongs here: which returns these are, and their shape for the passes. Stays out: the passes
(``linking.loose_notes``) and what follows (``attributing``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import psycopg

from khaos_swap_assets.adapters.store import catalogue, decisions, drafts, links, matches, notes, returns
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import reference_for
from khaos_swap_assets.domain.linking.attribution import Attribution, HandedOut
from khaos_swap_assets.domain.linking.loose_notes import Standing, WhyLoose, attribute_loose, record_of
from khaos_swap_assets.domain.linking.records import NoteRecord, ReturnRecord, unknown_codes
from khaos_swap_assets.domain.linking.typed_references import texts_of
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.matches import MatchedLine
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import Return, rightful_pence
from khaos_swap_assets.domain.records.stores import bare
from khaos_swap_assets.stages.dossier import Dossier, unknown_codes_of

OUT = frozenset({"in_doubt", "confirmed"})
Goods = tuple[tuple[str, int], ...]
Due = tuple[int, list[str]]


@dataclass(frozen=True)
class Candidates:
    """The returns of these notes' customers and orders, and those that they name.

    ``due`` is what a note should be worth and hold, of those returns for which the policy says something else than the
    refund and its rows. ``settled`` are their notes, whole. ``unknown`` are codes of notes that are no Stock Code.
    """

    dossier: Dossier
    due: dict[str, Due]
    standing: Standing
    packs: Packs
    settled: Sequence[CreditNote] = ()
    unknown: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    @property
    def out(self) -> list[HandedOut]:
        """The documents of theirs that are or were out."""
        posted = (one for some in self.dossier.postings.values() for one in some if one.handed_out_at)
        return [HandedOut(one.return_id, one.reference, one.customer_code, one.currency) for one in posted]

    @cached_property
    def returns(self) -> list[ReturnRecord]:
        """The returns as the ordered passes read them."""
        return [self._return(one, is_worth=_is_worth(one)) for one in self.dossier.records.values()]

    @cached_property
    def pending(self) -> list[ReturnRecord]:
        """The open returns that are not refunded yet, at what they would be worth."""
        waiting = (one for one in self.dossier.records.values() if one.refunded_at is None and one.is_open)
        return [self._return(one, is_worth=True) for one in waiting]

    def _return(self, record: Return, *, is_worth: bool) -> ReturnRecord:
        key, (refunded_on, opened_on) = record.return_id, _days(record)
        head, order = self.dossier.heads.get(key), self.dossier.orders.get(key)
        lines = self.dossier.lines.get(key, ())
        pence, goods, others = _asked(record, lines, self.due.get(key))
        rightful = rightful_pence(record, pence, order.delivery_gross_pence if order else 0) if is_worth else ()
        return ReturnRecord(
            return_id=key,
            rma=record.rma,
            value_pence=pence if is_worth else 0,
            currency=record.currency,
            order_ref=head.order_ref if head else "",
            customer=(head.customer_code or "") if head and not head.customer_is_generic else "",
            codes=self.packs.opened(goods),
            refunded_on=refunded_on,
            opened_on=opened_on,
            references=_names(record) | {one.reference for one in self.dossier.postings.get(key, ())},
            other_pence=frozenset(rightful),
            other_codes=self.packs.opened(others),
            unknown_codes=unknown_codes(lines),
        )

    def attributed(self, loose: Sequence[CreditNote]) -> tuple[list[Attribution], dict[str, WhyLoose]]:
        """What is certain of the loose notes, and what is known of the others."""
        standing = replace(self.standing, settled=self._noted(self.settled), pending=self.pending)
        return attribute_loose(self._noted(loose), self.out, self.returns, standing)

    def _noted(self, some: Sequence[CreditNote]) -> list[NoteRecord]:
        """Notes as the passes read them, with the components of packs in their place."""
        orders = {head.order_ref for head in self.dossier.heads.values() if head.order_ref}
        return [
            replace(
                record_of(replace(note, lines=self.packs.noted(note.lines)), orders),
                unknown_codes=self.unknown.get(note.credit_note_code, ()),
            )
            for note in some
        ]


def candidates_of(conn: psycopg.Connection, loose: Sequence[CreditNote], buyers: Sequence[str]) -> Candidates:
    """What is known of the returns of these customers, and of all that the notes name."""
    typed = sorted({text for note in loose for text in (*texts_of(note.associated_ref), note.order_ref) if text})
    of_buyers = matches.ids_of_customers(conn, [code for code in buyers if code])
    named = {*of_buyers, *matches.ids_of_refs(conn, typed), *returns.named(conn, typed)}
    told = decisions.told(conn, [note.credit_note_code for note in loose])
    dossier = Dossier(conn, sorted({*named, *(return_id for _, return_id in told)}))
    held = {key: {note.credit_note_code for note, _ in some} for key, some in dossier.notes.items()}
    noted = sorted({code for some in held.values() for code in some})
    out = {key for key, some in dossier.postings.items() if any(one.state in OUT for one in some)}
    refused = links.refused(conn, [*noted, *(note.credit_note_code for note in loose)])
    settled = notes.by_code(conn, noted)
    codes = {code for note in (*loose, *settled) for code, _ in note.lines}
    codes |= {line.stock_code or line.sku for some in dossier.lines.values() for line in some}
    due, packs = drafts.due_beyond(conn, dossier.ids), catalogue.packs(conn, codes)
    unknown = unknown_codes_of(conn, (*loose, *settled))
    return Candidates(
        dossier=dossier,
        due=due,
        standing=Standing(settled=(), held=held, closed=out, refused=refused, told=told),
        packs=packs,
        settled=settled,
        unknown=unknown,
    )


def _is_worth(record: Return) -> bool:
    """True where staff may have made a note of it: refunded, or closed with a value that nothing shows as paid."""
    return record.refunded_at is not None or record.is_closed_with_value


def _days(record: Return) -> tuple[date | None, date | None]:
    """The London days of the refund, or of closing without proof of one, and of the return's beginning."""
    refunded, opened = record.refunded_at or record.closed_at, record.submitted_at or record.created_at
    return refunded and london_date(refunded), opened and london_date(opened)


def _names(record: Return) -> frozenset[str]:
    return frozenset({record.rma, bare(record.store, record.rma), reference_for(record.rma, 1, ())})


def _asked(record: Return, lines: Iterable[MatchedLine], due: Due | None) -> tuple[int, Goods, Goods]:
    """What the note of a return is worth, the goods on it, and those that came back for something else."""
    pence, ids = due or (record.refund_pence, [one.product_id for one in record.refund_lines])
    found: dict[bool, list[tuple[str, int]]] = {True: [], False: []}
    for line in lines:
        found[line.product_id in ids].append(line.goods)
    return pence, tuple(found[True]), tuple(found[False]) if found[True] else ()
