"""What a person may do to a posting: release, resolve, process, trust the feed.

Belongs here: the actions, each with the name of the person and a reason, each in the audit log. Stays out: how a person
reaches them (``cli.postings``). An action raises ``ActionError`` with one line when it does not fit the state of
things. Every action commits what it did; ``process_return`` commits its intent before Khaos is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from khaos_swap_assets.adapters.errors import InDoubtError, KhaosSwapError
from khaos_swap_assets.adapters.khaos.writes import ReturnRefused
from khaos_swap_assets.adapters.store import Conn, feed_holds, worklist
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.postings import Page, Posting
from khaos_swap_assets.stages.credit_notes.engine import confirmed, ended_posting
from khaos_swap_assets.stages.credit_notes.posting_store import TOKEN, PostingStore

WRONG_CODE = ("does not exist", "not defined")


class ActionError(KhaosSwapError):
    """The action does not fit: nothing was changed."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who does it and why; both go to the audit log."""

    by: str
    reason: str

    def __post_init__(self) -> None:
        """Raise ``ActionError`` when one of the two is empty."""
        if not self.by.strip() or not self.reason.strip():
            raise ActionError("--by and --reason must both say something")


class ReturnProcessor(Protocol):
    """The one write of the Khaos web service that the hands need (khaos.md §7.8)."""

    def process_return(self, return_code: str, auth_code: str) -> Literal["processed", "already_processed"]:
        """Process a return; raises ``ReturnRefused`` when Khaos answered no, ``InDoubtError`` without an answer."""


@contextmanager
def ledger(conn: Conn) -> Iterator[SqlPostings]:
    """The locked book, in a transaction that is on disk when the block ends."""
    with conn.transaction():
        book = SqlPostings(conn)
        book.lock()
        yield book
    conn.commit()


def release(conn: Conn, reference: str, person: Person, *, now: datetime, has_looked: bool = False) -> Posting:
    """Let a planned posting go in assist; permit one more hand-out, unseen, of one in doubt.

    The second sends a document again that Khaos may hold, so it needs ``has_looked``: the person looked in Khaos.
    """
    return _act(conn, reference, lambda book, one: _released(book, one, person, now, has_looked=has_looked))


def take_release_back(conn: Conn, reference: str, person: Person, *, now: datetime) -> Posting:
    """Undo a release while Khaos has not collected the document: it waits again as it did before."""
    return _act(conn, reference, lambda book, one: _kept_back(book, one, person, now))


def resolve_confirmed(conn: Conn, reference: str, code: str, person: Person, *, now: datetime) -> Posting:
    """Say that Credit Note ``code`` is the one of this posting, or accept the value at which it was witnessed.

    The note must have been read from Khaos, belong to the same customer and be no other posting's.
    """
    return _act(conn, reference, lambda book, one: resolved(book, one, code, person, now))


def resolve_not_posted(conn: Conn, reference: str, person: Person, *, now: datetime) -> Posting:
    """Say that Khaos has no note of a posting in doubt and gets none from us: it is refused, never sent again."""
    return _act(conn, reference, lambda book, one: _not_posted(book, one, person, now))


def process_return(
    conn: Conn,
    khaos: ReturnProcessor,
    reference: str,
    return_code: str,
    person: Person,
    *,
    now: datetime,
) -> tuple[Posting, str]:
    """Have Khaos process the return document of a posting in doubt; gives the posting and what came of it in words.

    The intent is committed before the call. Only an answered refusal ends the posting; success and "already processed"
    leave it in doubt until its note is witnessed, and so does a call without an answer.
    """
    posting = _act(conn, reference, lambda book, one: _intended(book, one, return_code, person, now))
    try:
        answered = khaos.process_return(return_code, reference)
    except InDoubtError as error:
        return posting, f"Khaos did not answer ({error}); it stays in doubt until its Credit Note is seen"
    except ReturnRefused as error:
        return _refusal(conn, posting, str(error), person, now)
    words = "was processed" if answered == "processed" else "had been processed before"
    return posting, f"return {return_code} {words}; it stays in doubt until its Credit Note is seen"


def hold_feed(conn: Conn, person: Person, *, now: datetime) -> None:
    """Stop the feed at once: when this returns, no document leaves. Raises ``ActionError`` when somebody holds it."""
    with ledger(conn):
        if not feed_holds.hold(conn, person.by, person.reason, now):
            raise ActionError(f"{feed_holds.by_person(conn)}; khaos-swap postings resume ends that")


def resume_feed(conn: Conn, person: Person, *, now: datetime) -> None:
    """End the hold that a person set. Raises ``ActionError`` where nobody holds the feed."""
    with ledger(conn):
        if not feed_holds.resume(conn, person.by, person.reason, now):
            raise ActionError("nobody holds the feed; khaos-swap postings list says what else may stop it")


def trust_feed(conn: Conn, person: Person, *, now: datetime) -> list[str]:
    """End the holds of the feed and continue after the tokens that had caused them.

    Every planned posting is searched for again before it leaves. Raises ``ActionError`` when the feed is not held.
    """
    with conn.transaction():
        book = SqlPostings(conn)
        tokens = trust(book, person, now)
    conn.commit()
    return tokens


def find(book: PostingStore, reference: str) -> Posting:
    """The posting of a reference. Raises ``ActionError`` when there is none."""
    posting = book.by_reference([reference]).get(reference)
    if posting is None:
        raise ActionError(f"no posting has the reference {reference}; khaos-swap postings list shows them")
    return posting


def trust(book: PostingStore, person: Person, now: datetime) -> list[str]:
    """The rule of ``trust_feed`` on any book."""
    book.lock()
    if not book.holds():
        raise ActionError("the feed is not held: nothing to trust")
    tokens = book.trust(person.by, person.reason, now)
    for token in sorted(tokens, key=_sequence):
        newest = book.newest_page()
        sequence = max(_sequence(token), newest.sequence + 1 if newest else 1)
        book.add_page(Page(sequence, newest.token if newest else "", token, (), handed_out_at=now))
    unsearched = [replace(one, cleared_at=None) for one in book.undone()]
    book.save(unsearched, who=person.by, what="must be searched for again", now=now, reason=person.reason)
    return tokens


def _sequence(token: str) -> int:
    found = TOKEN.fullmatch(token)
    return int(found[1]) if found else 0


def _act(conn: Conn, reference: str, act: Callable[[PostingStore, Posting], Posting]) -> Posting:
    with ledger(conn) as book:
        done = act(book, find(book, reference))
        for stage in ("stock", "reconcile"):
            worklist.queue(conn, stage, [done.return_id])
    return done


def _released(
    book: PostingStore, posting: Posting, person: Person, now: datetime, *, has_looked: bool = False
) -> Posting:
    _require(posting, "planned", "in_doubt")
    is_again = posting.state == "in_doubt"
    if is_again and not has_looked:
        raise ActionError(_what_release_does(posting))
    done = replace(posting, is_released=True)
    what = "released once more, having looked in Khaos" if is_again else "released"
    book.save([done], who=person.by, what=what, now=now, reason=person.reason)
    return done


def _kept_back(book: PostingStore, posting: Posting, person: Person, now: datetime) -> Posting:
    if not posting.is_released:
        raise ActionError(f"{posting.reference} is {posting.state} and not released, or Khaos has it already")
    done = replace(posting, is_released=False)
    book.save([done], who=person.by, what="release taken back", now=now, reason=person.reason)
    return done


def _what_release_does(posting: Posting) -> str:
    out = f"{posting.handed_out_at:%Y-%m-%d %H:%M} UTC" if posting.handed_out_at else "an unknown time"
    return (
        f"{posting.reference} is in doubt: Khaos got it on {out} and no Credit Note of it was seen yet. A release "
        "sends it once more at the next pull, without another search: if Khaos holds it after all, customer "
        f"{posting.customer_code} may be credited twice. Look in Khaos for a return or a Credit Note with this "
        "reference, and at the imports of the channel; where there is none, say it with --i-looked-in-khaos"
    )


def resolved(book: PostingStore, posting: Posting, code: str, person: Person, now: datetime) -> Posting:
    """The rule of ``resolve_confirmed`` on any book."""
    _require(posting, "in_doubt", "confirmed")
    note = book.note(code)
    if note is None or note.customer_code != posting.customer_code:
        raise ActionError(f"no Credit Note {code} of customer {posting.customer_code} was read from Khaos yet")
    if code != posting.credit_note_code and book.claimed([code]):
        raise ActionError(f"Credit Note {code} confirms another posting already")
    done = confirmed(posting, note, by=f"person {person.by}", now=now)
    book.save([done], who=person.by, what="resolved as confirmed", now=now, reason=person.reason)
    return done


def _not_posted(book: PostingStore, posting: Posting, person: Person, now: datetime) -> Posting:
    _require(posting, "in_doubt")
    done = ended_posting(posting, "refused", by=f"person {person.by}: {person.reason}", now=now)
    book.save([done], who=person.by, what="resolved as not posted", now=now, reason=person.reason)
    return done


def _intended(book: PostingStore, posting: Posting, return_code: str, person: Person, now: datetime) -> Posting:
    _require(posting, "in_doubt")
    if not return_code.strip():
        raise ActionError("--return-code must name the return in Khaos")
    reason = f"return {return_code}: {person.reason}"
    book.save([posting], who=person.by, what="ProcessReturn asked for", now=now, reason=reason)
    return posting


def _refusal(conn: Conn, posting: Posting, said: str, person: Person, now: datetime) -> tuple[Posting, str]:
    if any(words in said.lower() for words in WRONG_CODE):
        raise ActionError(f"{said}: nothing was changed; check the return code in Khaos")

    def refuse(book: PostingStore, current: Posting) -> Posting:
        _require(current, "in_doubt")
        done = ended_posting(current, "refused", by=said, now=now)
        book.save([done], who=person.by, what="refused by Khaos", now=now, reason=said)
        return done

    return _act(conn, posting.reference, refuse), f"Khaos refused: {said}"


def _require(posting: Posting, *states: str) -> None:
    if posting.state not in states:
        raise ActionError(f"{posting.reference} is {posting.state}; this needs {' or '.join(states)}")
