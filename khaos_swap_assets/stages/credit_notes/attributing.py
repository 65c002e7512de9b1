"""Attributing the Credit Notes that belong to no return yet: the returns that each may be of, laid beside the notes.

Belongs here: which notes and returns to lay side by side, their shape for the passes, and keeping the outcome. Stays
out: the passes and what is told of a note (``linking.loose_notes``). Only notes of customers that something happened to
are looked at, never all of history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property, partial

from khaos_swap_assets.adapters.store import (
    Conn,
    catalogue,
    decisions,
    doubts,
    drafts,
    links,
    matches,
    notes,
    returns,
    worklist,
)
from khaos_swap_assets.adapters.store.doubts import NoteDoubt
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Bystander, reference_for
from khaos_swap_assets.domain.linking.attribution import Attribution, HandedOut
from khaos_swap_assets.domain.linking.loose_notes import Standing, WhyLoose, attribute_loose, record_of
from khaos_swap_assets.domain.linking.records import NoteRecord, ReturnRecord, unknown_codes
from khaos_swap_assets.domain.linking.typed_references import texts_of
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.matches import MatchedLine
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import Return, rightful_pence
from khaos_swap_assets.domain.records.stores import bare
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.dossier import Dossier, unknown_codes_of

SOURCE = "recon/attribution"
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
        """The returns as the ordered passes read them; one is worth a note once it is refunded, or closed unpaid."""
        known = self.dossier.records.values()
        return [self._return(one, is_worth=bool(one.refunded_at or one.is_closed_with_value)) for one in known]

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


def candidates_of(conn: Conn, loose: Sequence[CreditNote], buyers: Sequence[str]) -> Candidates:
    """What is known of the returns of these customers, and of all that the notes name.

    Of a customer without a loose note only the returns that have none either: nothing is to be told of the others.
    """
    typed = sorted({text for note in loose for text in (*texts_of(note.associated_ref), note.order_ref) if text})
    noting = {note.customer_code for note in loose} - {""}
    of_buyers = matches.ids_of_customers(conn, sorted(noting.intersection(buyers)))
    of_others = matches.ids_without_note(conn, sorted({*buyers} - noting - {""}))
    named = {*of_buyers, *of_others, *matches.ids_of_refs(conn, typed), *returns.named(conn, typed)}
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


@dataclass(frozen=True, slots=True)
class AttributedNotes:
    """How many notes found their return, and how many fit more than one.

    ``bystanders``: the returns of all these customers without a note; ``failed``: customers of whom nothing was told.
    """

    attributed: int
    ambiguous: int
    bystanders: tuple[Bystander, ...] = ()
    failed: frozenset[str] = frozenset()


def attribute_notes(conn: Conn, customers: Iterable[str], now: datetime) -> AttributedNotes:
    """Attribute unattributed notes of these customers, of returns in line, and notes that changed since last time."""
    concerned = sorted({*customers, *_touched_customers(conn, now)})
    work = partial(_attribute, conn, now=now)
    done, faults = isolating.one_by_one(conn, isolating.ATTRIBUTING, concerned, work, now)
    worklist.move(conn, SOURCE, now)
    return AttributedNotes(
        sum(one.attributed for one in done),
        sum(one.ambiguous for one in done),
        tuple(bystander for one in done for bystander in one.bystanders),
        frozenset(faults.found),
    )


def _attribute(conn: Conn, customers: Sequence[str], now: datetime) -> list[AttributedNotes]:
    loose = notes.unattributed(conn, customers)
    known = candidates_of(conn, loose, customers)
    found, told = known.attributed(loose)
    links.attach(conn, found, now)
    doubtful = [NoteDoubt(code, key, one.is_merged) for code, one in told.items() for key in one.rivals]
    changed = doubts.replace(conn, [note.credit_note_code for note in loose], doubtful)
    orders = {known.dossier.heads[one.return_id].so_code or "" for one in found if one.return_id in known.dossier.heads}
    siblings = matches.ids_of_orders(conn, sorted(orders - {""}))
    touched = [*(one.return_id for one in found), *changed, *siblings]
    worklist.queue(conn, "draft", touched)
    worklist.queue(conn, "reconcile", [*touched, *(one.return_id for one in doubtful)])
    bystanders = tuple(_bystanders(known, {one.return_id for one in found}))
    attributed = len({one.credit_note_code for one in found})
    return [AttributedNotes(attributed, sum(bool(one.rivals) for one in told.values()), bystanders)]


def _bystanders(known: Candidates, noted: Collection[str]) -> Iterator[Bystander]:
    """Returns of persons that staff may credit at any time: those without a note, whatever of ours is out for them."""
    for one in (*known.returns, *known.pending):
        is_seen = any(posting.state == "confirmed" for posting in known.dossier.postings.get(one.return_id, ()))
        is_done = is_seen or one.return_id in noted or known.dossier.notes.get(one.return_id)
        if one.customer and one.values and not is_done:
            yield Bystander(one.return_id, one.customer, one.currency, one.values, order_ref=one.order_ref)


def told_of(conn: Conn, loose: Sequence[CreditNote]) -> dict[str, tuple[WhyLoose, dict[str, str]]]:
    """For notes that nobody could attribute: why not, with the RMAs of the returns that this names."""
    known = candidates_of(conn, loose, sorted({note.customer_code for note in loose}))
    _, told = known.attributed(loose)
    return {
        code: (one, {key: known.dossier.records[key].rma for key in {*one.rivals, one.nearest} - {""}})
        for code, one in told.items()
    }


def _touched_customers(conn: Conn, now: datetime) -> set[str]:
    since = worklist.trusted(conn, SOURCE, now) or datetime.min.replace(tzinfo=UTC)
    return links.customers_to_ask(conn, since)
