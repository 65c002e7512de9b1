"""One round of posting: search Khaos, attribute its notes, settle what is out, plan what is ready.

Belongs here: the order of these steps and their transactions. Stays out: every rule (``engine``, ``domain``). The
search comes first and what is planned stands on it, so a restored database cannot post twice. Source: DESIGN §4.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.khaos.documents import return_document
from khaos_swap_assets.adapters.store import Conn, decisions, drafts, links, notes, orders, parties, worklist
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.postings import Planned, Settled, Wanted, prices_of, reference_for
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages import isolating, marks, refusing
from khaos_swap_assets.stages.credit_notes import engine
from khaos_swap_assets.stages.credit_notes.attributing import SOURCE as ATTRIBUTION
from khaos_swap_assets.stages.credit_notes.attributing import attribute_notes
from khaos_swap_assets.stages.credit_notes.engine import ReadyDraft
from khaos_swap_assets.stages.credit_notes.searching import Search, evidence_of, search, searched_by_file
from khaos_swap_assets.stages.orders import note_items
from khaos_swap_assets.stages.orders.sync import keep_notes, keep_statuses
from khaos_swap_assets.stages.storefront import money

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import KhaosClient
    from khaos_swap_assets.domain.records.returns import Return
    from khaos_swap_assets.stages.toolbox import Toolbox

UNCREDITABLE = "document_incomplete"
FORGET_AFTER = timedelta(hours=1)
# A person's hand may commit later than its own clock said, but not by more than this.
HANDS_OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PostingRound:
    """What one round did: searched customers, notes attributed, and postings by outcome."""

    searched: int
    attributed: int
    ambiguous: int
    outcomes: dict[str, int]


def post(tools: Toolbox) -> PostingRound:
    """Search, attribute, settle, plan. Nothing leaves here: Khaos pulls what is planned from the feed."""
    with tools.store() as conn:
        book = SqlPostings(conn)
        wanted = engine.wanted(book)
        ready = drafts.ready(conn) if tools.settings.mode != "audit" else []
    customers = sorted(wanted.customers | {one.draft.customer_code for one in ready if one.draft})
    if tools.settings.khaos.is_cloud:
        with tools.store() as conn:
            worklist.move(conn, marks.WITNESS, tools.now())
            return _settle_and_plan(conn, tools, *searched_by_file(conn, tools.settings, wanted, ready, customers))
    searched_at, client = tools.now(), tools.open_khaos()
    found = search(client, customers)
    if customers:
        found = replace(found, feeds=tuple(note_items.read_items(tools, client, found.feeds)))
    with tools.store() as conn:
        _keep_refusals(conn, customers, found, client, searched_at)
        return _settle_and_plan(conn, tools, wanted, ready, found, searched_at)


def _keep_refusals(conn: Conn, customers: Sequence[str], found: Search, khaos: KhaosClient, now: datetime) -> None:
    """A customer about whom Khaos gave no answer is told of; nothing leaves for them, as they were not searched."""
    refused = [one for feed in found.feeds for one in feed.refused]
    refusing.keep_keys(conn, refusing.SEARCHES, customers, refused, khaos, now)
    if found.refusal or not customers:
        refusing.keep_whole(conn, refusing.SEARCHES, found.refusal, now)
    if found.refusal is None:
        worklist.move(conn, marks.WITNESS, now)


def _settle_and_plan(
    conn: Conn,
    tools: Toolbox,
    wanted: Wanted,
    ready: Sequence[SavedDraft],
    found: Search,
    searched_at: datetime,
) -> PostingRound:
    book, now, faults = SqlPostings(conn), tools.now(), isolating.Faults(isolating.POSTING)
    book.lock()
    keep_statuses(conn, found.feeds, now)
    keep_notes(conn, found.feeds, now)
    last_round = worklist.trusted(conn, ATTRIBUTION, now)
    attributed = attribute_notes(conn, found.customers, now)
    found = replace(found, customers=found.customers - attributed.failed)
    evidence = evidence_of(conn, tools.settings, found, searched_at, wanted, ready)
    evidence = replace(evidence, bystanders=attributed.bystanders)
    waiting = [one.draft for one in drafts.ready(conn) if one.draft]
    settled = engine.read_back(book, evidence, wanted=wanted, now=now, ready=waiting, faults=faults)
    withdrawn = engine.withdraw_stale(book, now=now)
    rendered = _rendered(conn, tools, _uncovered(conn, ready), faults)
    planned = engine.plan(
        book,
        [item for item, *_ in rendered.values()],
        evidence,
        render=lambda item, ref: _render(tools, rendered, item, ref),
        mode=tools.settings.mode,
        post_from=tools.settings.post_from,
        now=now,
        faults=faults,
    )
    faults.keep(conn, [*(one.key[1] for one in settled), *(one.key[1] for one in planned)], now)
    _attach(conn, last_round, now)
    _tell(conn, settled, planned, [one.return_id for one in withdrawn])
    _ask_again(conn, planned, now)
    orders.forget_parties(conn, now - FORGET_AFTER)
    parties.forget(conn, now - FORGET_AFTER)
    done = [*(one.outcome for one in settled), *(one.outcome for one in planned), *("withdrawn" for _ in withdrawn)]
    return PostingRound(len(found.customers), attributed.attributed, attributed.ambiguous, dict(Counter[str](done)))


def _uncovered(conn: Conn, ready: Sequence[SavedDraft]) -> list[SavedDraft]:
    """Drafts still ready, without those whose return was just found to have a note that we did not hand out."""
    still_ready = drafts.ready_keys(conn)
    known = notes.of_returns(conn, [one.return_id for one in ready])
    covered = {key for key, found in known.items() if any(matched_by != "posting" for _, matched_by in found)}
    return [one for one in ready if (one.return_id, one.ordinal) in still_ready and one.return_id not in covered]


Rendered = dict[tuple[str, int], tuple[ReadyDraft, "Return", dict[str, str]]]
"""Of each draft what is planned, its return, and its document by the reference that it was made for."""


def _rendered(conn: Conn, tools: Toolbox, ready: Sequence[SavedDraft], faults: isolating.Faults) -> Rendered:
    """Ready drafts with their sealed party; one whose document cannot be made is held with the reason."""
    witnessed = money.load_each(conn, tools.settings, [one.return_id for one in ready], faults)
    so_codes = [one.draft.so_code for one in ready if one.draft]
    known, sold = orders.parties(conn, so_codes), orders.by_code(conn, so_codes)
    shown = parties.of_returns(conn, [one.return_id for one in ready])
    found: Rendered = {}
    held: list[tuple[SavedDraft, str, str]] = []
    nameless: list[str] = []
    for saved in [one for one in ready if one.return_id in witnessed.records]:
        record, content = witnessed.part(saved.return_id, saved.ordinal), saved.draft
        refunded_at = record.refunded_at
        if content is None or refunded_at is None:
            continue
        party = known.get(content.so_code) or shown.get(content.return_id)
        if party is None:
            nameless.append(content.order_ref)
            held.append((saved, UNCREDITABLE, f"name and address of order {content.so_code} are asked for again"))
            continue
        with faults.of(saved.return_id):
            item = ReadyDraft(content, london_date(refunded_at), party, prices_of(content, sold.get(content.so_code)))
            try:
                likely = reference_for(content.rma, content.ordinal, ())
                made = {likely: _document(tools, item, record, likely)}
                found[content.return_id, content.ordinal] = (item, record, made)
            except ValueError as error:
                held.append((saved, UNCREDITABLE, str(error)))
    drafts.hold(conn, held)
    orders.want_again(conn, nameless)
    return found


def _render(tools: Toolbox, rendered: Rendered, item: ReadyDraft, reference: str) -> str:
    _, record, made = rendered[item.draft.return_id, item.draft.ordinal]
    return made.get(reference) or _document(tools, item, record, reference)


def _document(tools: Toolbox, item: ReadyDraft, record: Return, reference: str) -> str:
    party = tools.open_sealer().unseal(item.party_sealed)
    lines = tuple(replace(line, disposition=line.disposition or "neutral") for line in item.draft.lines)
    moment = record.refunded_at or tools.now()
    return return_document(
        replace(item.draft, lines=lines),
        reference=reference,
        created_at=moment,
        party=party,
        settings=tools.settings.khaos,
    )


def _attach(conn: Conn, last_round: datetime | None, now: datetime) -> None:
    """Attach the notes of postings that were confirmed since the last round, by it or by a person, to their returns."""
    since = last_round - HANDS_OVERLAP if last_round else datetime.min.replace(tzinfo=UTC)
    links.attach(conn, links.confirmed_since(conn, since), now)


def _tell(conn: Conn, settled: Sequence[Settled], planned: Sequence[Planned], withdrawn: Sequence[str]) -> None:
    """Queue every return whose standing changed."""
    worklist.queue(conn, "draft", [one.key[1] for one in planned if one.outcome == "adopted"])
    moved = [one.key[1] for one in settled if one.outcome != "cleared"]
    moved += [one.key[1] for one in planned if one.outcome != "unchanged"]
    for stage in ("stock", "reconcile"):
        worklist.queue(conn, stage, [*moved, *withdrawn])


def _ask_again(conn: Conn, planned: Sequence[Planned], now: datetime) -> None:
    """A note that was waived before the held return was made is a person's to judge once more."""
    codes = links.outlived_waivers(conn, [one.key[1] for one in planned if one.outcome == "held"])
    decisions.end_waivers(
        conn, "credit_note_orphan", codes, "a return that it may be of was made after the waiver", now
    )
