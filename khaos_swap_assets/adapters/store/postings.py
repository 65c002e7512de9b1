"""Postings, pages and holds of the feed in our store: the memory against doubles.

Belongs here: the book of the posting engine on PostgreSQL (``recon.postings``, ``recon.feed_pages``,
``recon.feed_holds``). Stays out: every rule (``stages.credit_notes``). Every method runs in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import audit_log, notes, worklist
from khaos_swap_assets.domain.documents.credit_notes import UNSAID, CreditNote
from khaos_swap_assets.domain.documents.postings import Key, Page, Posting, PostingChange

# Any constant that nothing else in this database uses as an advisory lock.
LOCK = 0x6B686173
# The watermark of the last search that was used.
SEARCH = "khaos/credit_notes search"
NAMES = tuple(field.name for field in fields(Posting))
AUDITED = (
    "state",
    "is_released",
    "times_handed_out",
    "credit_note_code",
    "witnessed_pence",
    "document_hash",
    "ended_by",
)


@dataclass(frozen=True, slots=True)
class SqlPostings:
    """The book of one connection; it neither begins nor ends a transaction."""

    conn: psycopg.Connection[Any]

    def lock(self) -> None:
        """Wait for, then keep out, every other transaction of the engine, until this one ends.

        Its commit is on disk before the caller goes on, also where the server or the role commits later to be faster.
        """
        self.conn.execute(_LOCK_DURABLY, (LOCK,))

    def life(self) -> str:
        """Changes with every restart of the server, restore of the table or truncation; never within one life."""
        row = self.conn.execute(
            "SELECT concat_ws('/', extract(epoch FROM pg_postmaster_start_time()), 'recon.postings'::regclass::oid, "
            "pg_relation_filenode('recon.postings'))"
        ).fetchone()
        return str(row[0]) if row else ""

    def by_key(self, keys: Collection[Key]) -> dict[Key, Posting]:
        """The postings of these keys in any state."""
        wanted = set(keys)
        found = self._load("p.return_id = ANY(%s)", [key[1] for key in wanted])
        return {one.key: one for one in found if one.key in wanted}

    def by_reference(self, references: Collection[str]) -> dict[str, Posting]:
        """The postings of these references in any state."""
        return {one.reference: one for one in self._load("p.reference = ANY(%s)", list(references))}

    def of_returns(self, return_ids: Collection[str]) -> list[Posting]:
        """The postings of these returns that were not withdrawn, by ordinal."""
        found = self._load("p.state <> 'withdrawn' AND p.return_id = ANY(%s)", list(return_ids))
        return sorted(found, key=lambda one: (one.return_id, one.ordinal))

    def of_state(self, state: str) -> list[Posting]:
        """Every posting of one state, the first planned first."""
        return self._load("p.state = %s", state)

    def has_planned(self) -> bool:
        """True while a posting waits to leave."""
        query = "SELECT 1 FROM recon.postings WHERE state = 'planned' LIMIT 1"
        return self.conn.execute(query).fetchone() is not None

    def undone(self) -> list[Posting]:
        """Every posting that is planned or in doubt, the first planned first."""
        return self._load("p.state IN ('planned', 'in_doubt') AND %s", True)

    def stale(self) -> list[Posting]:
        """Planned postings whose draft is no longer ready, or ready with another value or content."""
        return self._load(
            "p.state = 'planned' AND NOT EXISTS (SELECT 1 FROM recon.drafts d WHERE d.state = 'ready' AND "
            "d.value_pence = p.value_pence AND d.draft - %s::text[] IS NOT DISTINCT FROM p.drafted::jsonb AND "
            "(d.store_id, d.return_id, d.ordinal) = (p.store_id, p.return_id, p.ordinal))", list(UNSAID)
        )  # fmt: skip

    def claimed(self, codes: Collection[str]) -> set[str]:
        """Which of these Credit Note codes a posting was confirmed by."""
        if not codes:
            return set()
        rows = self.conn.execute(
            "SELECT credit_note_code FROM recon.postings WHERE credit_note_code = ANY(%s)", (list(codes),)
        )
        return {row[0] for row in rows}

    def begin_search(self, searched_at: datetime, *, now: datetime) -> bool:
        """Take note of a search; False when a later one was used already, and this one must not be.

        What lies ahead of ``now`` was dated by a clock that ran ahead: such a search is not used, and where one was,
        only searches that begin from now on are, since nobody can tell which others are older than it.
        """
        used = worklist.reached(self.conn, SEARCH)
        is_ahead = used is not None and used > now + worklist.SKEW
        is_older = used is not None and searched_at < used
        if is_ahead or not (is_older or searched_at > now + worklist.SKEW):
            worklist.move(self.conn, SEARCH, now if is_ahead else searched_at)
            return not is_ahead
        return False

    def has_witness(self) -> bool:
        """True when a document that we handed out was witnessed at its drafted value."""
        return self.conn.execute(
            "SELECT 1 FROM recon.postings WHERE state = 'confirmed' AND handed_out_at IS NOT NULL "
            "AND witnessed_pence = value_pence LIMIT 1"
        ).fetchone() is not None  # fmt: skip

    def has_price_witness(self) -> bool:
        """True when one was whose value the sale's prices could not have given: Khaos honours ours."""
        return self.conn.execute(
            "SELECT 1 FROM recon.postings WHERE prices = 'own' AND state = 'confirmed' AND handed_out_at IS NOT NULL "
            "AND witnessed_pence = value_pence LIMIT 1"
        ).fetchone() is not None  # fmt: skip

    def gaps(self) -> list[Posting]:
        """Confirmed postings witnessed at another value than drafted, which no person has accepted."""
        return self._load("p.is_apart AND p.ended_by = ANY(%s)", ["witness", "adoption"])

    def handed_out_since(self, moment: datetime) -> tuple[int, int]:
        """Count and pence of what was written to Khaos at or after ``moment``.

        That are postings by their last hand-out, and orders by the last call that asked to cancel them.
        """
        row = self.conn.execute(
            "SELECT count(*), coalesce(sum(value_pence), 0)::bigint FROM ("
            "SELECT value_pence FROM recon.postings WHERE handed_out_at >= %s "
            "UNION ALL SELECT value_pence FROM recon.cancel_calls WHERE asked_at >= %s) written",
            (moment, moment),
        ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def note(self, code: str) -> CreditNote | None:
        """A Credit Note as last read from Khaos."""
        return next(iter(notes.by_code(self.conn, [code])), None)

    def newest_page(self) -> Page | None:
        """The last page of the feed that held documents, or the token that a person trusted last."""
        row = self.conn.execute(
            "SELECT sequence, previous_token, token, posting_references, handed_out_at FROM recon.feed_pages "
            "ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        return Page(row[0], row[1], row[2], tuple(row[3]), handed_out_at=row[4]) if row else None

    def add_page(self, page: Page) -> None:
        """Remember a page before it leaves."""
        self.conn.execute(
            "INSERT INTO recon.feed_pages (sequence, previous_token, token, posting_references, handed_out_at) "
            "VALUES (%s, %s, %s, %s, %s)",
            (page.sequence, page.previous_token, page.token, list(page.references), page.handed_out_at),
        )

    def holds(self) -> list[str]:
        """Reasons why the feed is held until a person trusts it, oldest first."""
        rows = self.conn.execute(
            "SELECT reason FROM recon.feed_holds WHERE closed_at IS NULL AND held_by = '' ORDER BY hold_id"
        )
        return [row[0] for row in rows]

    def hold(self, token: str, reason: str, now: datetime) -> None:
        """Hold the feed; a second hold for the same token changes nothing."""
        done = self.conn.execute(
            "INSERT INTO recon.feed_holds (token, reason, opened_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (token, reason, now),
        )
        if done.rowcount:
            entry = audit_log.Entry(now, "posting engine", "held", "feed", after={"token": token}, reason=reason)
            audit_log.append(self.conn, [entry])

    def trust(self, by: str, reason: str, now: datetime) -> list[str]:
        """End every hold; the tokens that had caused them."""
        rows = self.conn.execute(
            "UPDATE recon.feed_holds SET closed_at = %s, closed_by = %s, close_reason = %s "
            "WHERE closed_at IS NULL AND held_by = '' RETURNING token",
            (now, by, reason),
        )
        tokens = sorted(row[0] for row in rows)
        audit_log.append(
            self.conn, [audit_log.Entry(now, by, "trusted", "feed", after={"tokens": tokens}, reason=reason)]
        )
        return tokens

    def save(self, postings: Iterable[Posting], *, who: str, what: str, now: datetime, reason: str = "") -> None:
        """Insert or replace postings by their reference; with ``what``, each change goes to the audit log."""
        self.save_changes([PostingChange(one, what, reason) for one in postings], who=who, now=now)

    def save_changes(self, changes: Iterable[PostingChange], *, who: str, now: datetime) -> None:
        """``save`` for changes of several kinds in one statement; each reference at most once."""
        every = list(changes)
        if not every:
            return
        told = [one for one in every if one.what]
        before = self.by_reference([one.posting.reference for one in told]) if told else {}
        postings = [one.posting for one in every]
        self._write(postings)
        self._mark_done([one for one in postings if one.state != "planned" or one.times_handed_out])
        audit_log.append(self.conn, [_entry(one, before, who, now) for one in told])

    def _write(self, postings: Sequence[Posting]) -> None:
        columns = [[getattr(one, name) for one in postings] for name in NAMES]
        if self.conn.execute(_UPSERT, columns).rowcount != len(postings):
            names = ", ".join(one.reference for one in postings)
            raise StoreError(f"postings {names}: a reference keeps its return and, once handed out, its content")

    def _mark_done(self, changed: Collection[Posting]) -> None:
        """Say of each draft whether its posting is over, so that nobody looks through all of history for the others."""
        if not changed:
            return
        self.conn.execute(
            "UPDATE recon.drafts d SET is_done = NOT is_done WHERE return_id = ANY(%s) AND is_done <> EXISTS ("
            "SELECT 1 FROM recon.postings p WHERE p.state IN ('confirmed', 'refused') AND "
            "(p.store_id, p.return_id, p.ordinal) = (d.store_id, d.return_id, d.ordinal))",
            (sorted({one.return_id for one in changed}),),
        )

    def _load(self, where: LiteralString, value: object) -> list[Posting]:
        if value == []:
            return []
        with self.conn.cursor(row_factory=class_row(Posting)) as cursor:
            return cursor.execute(f"{_SELECT} WHERE {where} ORDER BY p.planned_at, p.posting_id", (value,)).fetchall()


_LOCK_DURABLY = (
    "SELECT pg_advisory_xact_lock(%s), CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') "
    "THEN set_config('synchronous_commit', 'on', true) END"
)
# JSON that keeps every byte.
_TEXTS = ("document", "drafted")
_COLUMNS = ", ".join(f"p.{name}::text AS {name}" if name in _TEXTS else f"p.{name}" for name in NAMES)
_SELECT = f"SELECT {_COLUMNS} FROM recon.postings p"
_KEY = ("store_id", "return_id", "ordinal", "rma", "reference")
_TYPES = {
    "ordinal": "integer",
    "value_pence": "bigint",
    "witnessed_pence": "bigint",
    "party_sealed": "bytea",
    "is_released": "boolean",
    "times_handed_out": "integer",
    **dict.fromkeys(("planned_at", "handed_out_at", "asked_again_at", "cleared_at", "ended_at"), "timestamptz"),
}
# A list of documents goes in as bytes: in a text of the list every quote of theirs would be escaped.
_LISTS = {name: "%b::text[]::json[]" if name in _TEXTS else f"%s::{_TYPES.get(name, 'text')}[]" for name in NAMES}
# Another key under the same reference, or another content under one that was handed out, is written by nobody.
_UPSERT = (
    sql.SQL(
        "INSERT INTO recon.postings AS old ({names}) SELECT * FROM unnest({values}) ON CONFLICT (reference) "
        "DO UPDATE SET {changes} "
        "WHERE (old.store_id, old.return_id, old.ordinal) = (EXCLUDED.store_id, EXCLUDED.return_id, EXCLUDED.ordinal) "
        "AND (old.times_handed_out = 0 OR old.document::text = EXCLUDED.document::text)"
    )
    .format(
        names=sql.SQL(", ").join(map(sql.Identifier, NAMES)),
        values=sql.SQL(", ").join(map(sql.SQL, _LISTS.values())),
        changes=sql.SQL(", ").join(
            sql.SQL("{name} = EXCLUDED.{name}").format(name=sql.Identifier(name)) for name in NAMES if name not in _KEY
        ),
    )
    .as_bytes()
)


def _entry(change: PostingChange, before: Mapping[str, Posting], who: str, now: datetime) -> audit_log.Entry:
    posting = change.posting
    old = before.get(posting.reference)
    document = f"posting {posting.reference}"
    return audit_log.Entry(
        now, who, change.what, document, _audited(old) if old else None, _audited(posting), change.reason
    )


def _audited(posting: Posting) -> dict[str, Any]:
    return {name: getattr(posting, name) for name in AUDITED}
