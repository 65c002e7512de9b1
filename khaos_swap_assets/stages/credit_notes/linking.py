"""What a person may do to the links of Credit Notes and returns: confirm a list of them, take one back, take a no back.

Belongs here: these hands, each with a name and a reason, each in the audit log, and what is put into the list. Stays
out: making links (``attributing``), what is certain without a person (``linking.witness``), and how a person reaches
the hands (``cli.links``, ``cli.confirming``).

Taking back is the exact inverse of linking: what was linked together falls together, every return is drafted and judged
as before, and the notes hold back again what they may cover: what is planned for their customers is withdrawn at once,
and planned again only where no note may be its own. The no is remembered, so that no pass links the pair.

The list is of notes whose items nobody told. Each is laid beside our documents in doubt and the returns without a note
of its customer, by currency and value. Only where there are as many notes as takers the list says who gets which, the
oldest to the oldest; the rest is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from khaos_swap_assets.adapters.store import Conn, audit_log, links, notes, worklist
from khaos_swap_assets.adapters.store.links import RuledOut, StandingLink
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets.domain.linking.loose_notes import SPLIT
from khaos_swap_assets.domain.linking.windows import REFUND
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.stages.credit_notes.attributing import Candidates, candidates_of
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person

SHOW = "khaos-swap links list shows what there is"
Group = tuple[str, str, int]


@dataclass(frozen=True, slots=True, order=True)
class Taker:
    """What may have a note: our document in doubt (``reference``), or a return that staff credited; since ``since``."""

    since: date
    rma: str
    return_id: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the list: the note and who gets it."""

    credit_note_code: str
    made_on: date | None
    customer_code: str
    currency: str
    pence: int
    taker: Taker


@dataclass(frozen=True, slots=True)
class Listed:
    """The list, and in words what is not on it because notes and takers are not as many."""

    pairs: tuple[Pair, ...]
    left: tuple[str, ...]


def listed(conn: Conn) -> Listed:
    """The list as it is now."""
    loose = [note for note in notes.without_items(conn) if note.customer_code]
    known = candidates_of(conn, loose, sorted({note.customer_code for note in loose}))
    noted = grouped(((note.customer_code, note.currency, note.gross_pence), note) for note in loose)
    takers = grouped(_takers(known))
    refused = links.refused(conn, [note.credit_note_code for note in loose])
    pairs: list[Pair] = []
    left: list[str] = []
    for group, some in sorted(noted.items()):
        able = takers.get(group, [])
        made = _paired(group, some, sorted(able))
        if made and not any((one.credit_note_code, one.taker.return_id) in refused for one in made):
            pairs += made
        elif able:
            left.append(_why(some, able))
    return Listed(tuple(pairs), tuple(left))


def confirm(conn: Conn, shown: Sequence[Pair], person: Person, *, now: datetime) -> None:
    """Confirm the list that a person was shown. Raises ``ActionError`` where it is another one by now."""
    with people.ledger(conn) as book:
        if listed(conn).pairs != tuple(shown):
            raise ActionError("the list changed since it was shown: nothing was confirmed; look at it again")
        for pair in shown:
            if pair.taker.reference:
                people.resolved(book, people.find(book, pair.taker.reference), pair.credit_note_code, person, now)
        by_staff = [pair for pair in shown if not pair.taker.reference]
        found = [Attribution(one.credit_note_code, one.taker.return_id, "person") for one in by_staff]
        links.attach(conn, found, now, by=person.by)
        audit_log.append(conn, [_linked(one, person, now) for one in by_staff])
        look_again(conn, {pair.taker.return_id for pair in shown})


def _takers(known: Candidates) -> Iterator[tuple[Group, Taker]]:
    for record in (*known.returns, *known.pending):
        posted = known.dossier.postings.get(record.return_id, ())
        out = [one for one in posted if one.state == "in_doubt" and one.handed_out_at]
        for one in out:
            since = london_date(one.handed_out_at) if one.handed_out_at else date.min
            group = (one.customer_code, one.currency, one.value_pence)
            yield group, Taker(since, record.rma, record.return_id, one.reference)
        is_done = out or known.dossier.notes.get(record.return_id) or any(one.state == "confirmed" for one in posted)
        if record.customer and not is_done:
            since = record.refunded_on or record.opened_on or date.max
            for pence in record.values:
                yield (record.customer, record.currency, pence), Taker(since, record.rma, record.return_id)


def _paired(group: Group, some: Sequence[CreditNote], takers: Sequence[Taker]) -> list[Pair]:
    """Note by note, the oldest to the oldest; none where they are not as many, or a note was there long before."""
    ordered = sorted(some, key=lambda note: (note.created_on or date.max, note.credit_note_code))
    both = list(zip(ordered, takers, strict=False))
    if len(some) != len(takers) or any(_is_before(note, taker) for note, taker in both):
        return []
    return [Pair(note.credit_note_code, note.created_on, *group, taker) for note, taker in both]


def _is_before(note: CreditNote, taker: Taker) -> bool:
    return note.created_on is not None and (taker.since - note.created_on).days > REFUND.before


def _why(some: Sequence[CreditNote], takers: Sequence[Taker]) -> str:
    codes = ", ".join(sorted(note.credit_note_code for note in some))
    rmas = ", ".join(one.rma for one in sorted(takers)) or "no return of that value"
    return f"{codes}: may be of {rmas}; khaos-swap postings resolve, or the RMA as its reference in Khaos, settles it"


def _linked(pair: Pair, person: Person, now: datetime) -> audit_log.Entry:
    document = f"link {pair.credit_note_code} {pair.taker.rma}"
    return audit_log.Entry(now, person.by, "linked", document, after={"pence": pair.pence}, reason=person.reason)


def undo(conn: Conn, code: str, person: Person, *, now: datetime, rma: str = "") -> list[StandingLink]:
    """Take back the links of a note and of what was linked together with it; gives them.

    The no counts for the note and each of its returns, or only for the return ``rma``. Raises ``ActionError`` where
    there is no such link, and for a note that answers our own document.
    """
    with people.ledger(conn) as book:
        found = links.of_notes(conn, [code])
        refused = [one for one in found if rma in ("", one.rma)]
        if not refused:
            raise ActionError(f"Credit Note {code} is not linked to {rma or 'any return'}; {SHOW}")
        if any(one.matched_by == "posting" for one in found):
            raise ActionError(f"Credit Note {code} answers our own document; khaos-swap postings resolve is for that")
        rest = links.companions(conn, [one.return_id for one in found], SPLIT)  # of a credit that was split
        taken = links.of_notes(conn, sorted({code, *rest}))
        links.detach(conn, sorted({one.credit_note_code for one in taken}))
        links.refuse(conn, map(_pair, refused), person.by, person.reason, now)
        look_again(conn, [one.return_id for one in taken])
        hold_back(book, [one.credit_note_code for one in taken], person, now)
        audit_log.append(conn, [_entry(one, "link taken back", person, now) for one in taken])
    return taken


def allow(conn: Conn, code: str, person: Person, *, now: datetime, rma: str = "") -> list[RuledOut]:
    """Take back the no to a note and each of its returns, or to the return ``rma``; gives what was refused.

    The next run links them again where that is certain. Raises ``ActionError`` where nobody said no.
    """
    with people.ledger(conn):
        found = [one for one in links.refusals(conn, [code]) if rma in ("", one.rma)]
        if not found:
            raise ActionError(f"nobody ruled out Credit Note {code} and {rma or 'any return'}; {SHOW}")
        links.forgive(conn, list(map(_pair, found)), person.by, person.reason, now)
        look_again(conn, [one.return_id for one in found])
        audit_log.append(conn, [_entry(one, "link allowed again", person, now) for one in found])
    return found


def hold_back(
    book: SqlPostings, codes: Iterable[str], person: Person, now: datetime, return_ids: Iterable[str] = ()
) -> None:
    """Withdraw what is planned for these returns and the customers of these notes: the next search decides anew."""
    customers, own = {note.customer_code for code in set(codes) if (note := book.note(code))}, set(return_ids)
    planned = [one for one in book.undone() if one.state == "planned"]
    asked = [one for one in planned if one.customer_code in customers or one.return_id in own]
    gone = [replace(one, state="withdrawn", party_sealed=None, ended_at=now, is_released=False) for one in asked]
    book.save(gone, who=person.by, what="withdrawn", now=now, reason=f"a person decided on it: {person.reason}")


def _pair(one: StandingLink | RuledOut) -> tuple[str, str]:
    return one.credit_note_code, one.return_id


def look_again(conn: Conn, return_ids: Iterable[str]) -> None:
    """Draft and judge these returns anew."""
    ids = sorted(set(return_ids))
    worklist.queue(conn, "draft", ids)
    worklist.queue(conn, "reconcile", ids)


def _entry(one: StandingLink | RuledOut, what: str, person: Person, now: datetime) -> audit_log.Entry:
    told = {name: value if isinstance(value, int) else str(value) for name, value in asdict(one).items()}
    return audit_log.Entry(
        now, person.by, what, f"link {one.credit_note_code} {one.rma}", before=told, reason=person.reason
    )
