"""What a person may do to the link of a Credit Note and a return: take it back, and take the no back.

Belongs here: the two hands, each with a name and a reason, each in the audit log. Stays out: making links
(``attributing``), and how a person reaches the hands (``cli_links``).

Taking back is the exact inverse of linking: what was linked together falls together, every return is drafted and judged
as before, and the notes hold back again what they may cover: what is planned for their customers is withdrawn at once,
and planned again only where no note may be its own. The no is remembered, so that no pass links the pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import audit_log, links, worklist
from khaos_swap_assets.adapters.store.links import RuledOut, StandingLink
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.linking.loose_notes import SPLIT
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person

SHOW = "khaos-swap links list shows what there is"


def undo(
    conn: psycopg.Connection[Any], code: str, person: Person, *, now: datetime, rma: str = ""
) -> list[StandingLink]:
    """Take back the links of a note and of what was linked together with it; gives them.

    The no counts for the note and each of its returns, or only for the return ``rma``. Raises ``ActionError`` where
    there is no such link, and for a note that answers our own document.
    """
    with conn.transaction():
        book = SqlPostings(conn)
        book.lock()
        found = links.of_notes(conn, [code])
        refused = [one for one in found if rma in ("", one.rma)]
        if not refused:
            raise ActionError(f"Credit Note {code} is not linked to {rma or 'any return'}; {SHOW}")
        if any(one.matched_by == "posting" for one in found):
            raise ActionError(f"Credit Note {code} answers our own document; khaos-swap postings resolve is for that")
        taken = links.of_notes(conn, _together(conn, found))
        links.detach(conn, sorted({one.credit_note_code for one in taken}))
        links.refuse(conn, map(_pair, refused), person.by, person.reason, now)
        _follow(conn, [one.return_id for one in taken])
        hold_back(book, [one.credit_note_code for one in taken], person, now)
        entries = [_entry(one, "link taken back", person, now) for one in taken]
        audit_log.append(conn, entries)
    conn.commit()
    return taken


def allow(conn: psycopg.Connection[Any], code: str, person: Person, *, now: datetime, rma: str = "") -> list[RuledOut]:
    """Take back the no to a note and each of its returns, or to the return ``rma``; gives what was refused.

    The next run links them again where that is certain. Raises ``ActionError`` where nobody said no.
    """
    with conn.transaction():
        SqlPostings(conn).lock()
        found = [one for one in links.refusals(conn, [code]) if rma in ("", one.rma)]
        if not found:
            raise ActionError(f"nobody ruled out Credit Note {code} and {rma or 'any return'}; {SHOW}")
        links.forgive(conn, list(map(_pair, found)), person.by, person.reason, now)
        _follow(conn, [one.return_id for one in found])
        audit_log.append(conn, [_entry(one, "link allowed again", person, now) for one in found])
    conn.commit()
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


def _together(conn: psycopg.Connection[Any], found: Sequence[StandingLink]) -> list[str]:
    """The note, and the notes that were linked to its return as the rest of a credit that was split."""
    parts = links.companions(conn, [one.return_id for one in found], SPLIT)
    return sorted({found[0].credit_note_code, *parts})


def _pair(one: StandingLink | RuledOut) -> tuple[str, str]:
    return one.credit_note_code, one.return_id


def _follow(conn: psycopg.Connection[Any], return_ids: Iterable[str]) -> None:
    ids = sorted(set(return_ids))
    worklist.queue(conn, "draft", ids)
    worklist.queue(conn, "reconcile", ids)


def _entry(one: StandingLink | RuledOut, what: str, person: Person, now: datetime) -> audit_log.Entry:
    told = {name: value if isinstance(value, int) else str(value) for name, value in asdict(one).items()}
    return audit_log.Entry(
        now, person.by, what, f"link {one.credit_note_code} {one.rma}", before=told, reason=person.reason
    )
