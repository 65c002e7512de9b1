"""Reconciling the returns in line and those whose time has come, keeping verdicts and findings, and the exceptions.

Belongs here: which returns to judge, writing what the judgement says, which money and Credit Notes without a return
settle each other, whether anything may close, and the mark that a run came to its end. Stays out: the judgement
(``judging.verdict``), the rule of goodwill (``linking.goodwill``) and how an exception opens
(``adapters.store.findings``). What was not seen may still be so: while a mandatory source is refused nothing closes; of
several stores, nothing of those that are not seen. A note for which a draft waits is told all the same, for that
draft's sake. Source: DESIGN §4.8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import (
    Conn,
    decisions,
    findings,
    goodwill,
    matches,
    monthly,
    notes,
    orders,
    verdicts,
    worklist,
)
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.document_facts import NoteFacts
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.month_conditions import timing_of
from khaos_swap_assets.domain.judging.return_waterfall import month_parts_of, refund_vat_of
from khaos_swap_assets.domain.judging.verdict import Verdict, judge, judge_note, judge_unreadable
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.linking.goodwill import LooseMoney, settle
from khaos_swap_assets.domain.linking.loose_notes import WhyLoose, record_of
from khaos_swap_assets.domain.money.periods import london_date, london_month
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.orders import plain_name
from khaos_swap_assets.domain.records.stores import bare
from khaos_swap_assets.stages import deciding, isolating, marks, refusing, stores, waivers
from khaos_swap_assets.stages.credit_notes.attributing import told_of
from khaos_swap_assets.stages.reconciliation.facts import gather, limits_of
from khaos_swap_assets.stages.reconciliation.governing import weigh, with_tolerance
from khaos_swap_assets.stages.toolbox import Toolbox

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a run judged: returns by status, and how many findings hold now in all."""

    returns: int
    statuses: dict[str, int]
    findings: int


def reconcile_waiting(tools: Toolbox) -> Reconciled:
    """Judge every return in line or due, batch by batch, then the Credit Notes that belong to none."""
    statuses: Counter[str] = Counter()
    while True:
        with tools.store() as conn:
            now = tools.now()
            ids = sorted({*worklist.take(conn, "reconcile", BATCH), *verdicts.due(conn, now, BATCH)})
            if not ids:
                break
            work = partial(reconcile, conn, tools.settings, tools.policy, now=now)
            done, faults = isolating.one_by_one(conn, isolating.JUDGING, ids, work, now)
            verdicts.not_due(conn, list(faults.found))
            statuses.update(done)
    with tools.store() as conn:
        settle_goodwill(conn, tools.settings)
        _judge_orphans(conn, tools.settings, tools.now())
        rows = [
            judge_unreadable(subject, f"{vendor}: {reason}") for vendor, subject, reason in findings.unreadable(conn)
        ]
        findings.replace_unreadable(conn, rows, tools.now())
        findings.replace_of_kinds(conn, refusing.KINDS, refusing.problems(conn), tools.now())
        return Reconciled(statuses.total(), dict(statuses), findings.count(conn))


def reconcile(conn: Conn, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str], now: datetime) -> list[str]:
    """Judge these returns and keep verdicts and findings; the statuses."""
    limits, gathered = limits_of(settings), list(gather(conn, settings, policy, ids))
    decided = weigh(conn, settings, [(facts, period_of(facts, now)) for facts, _ in gathered], now)
    gathered += gather(conn, settings, policy, others := sorted({*decided} - {*ids}))
    passes = {facts.return_.return_id: told for facts, told in gathered}
    weighed = with_tolerance(conn, [facts for facts, _ in gathered])
    judged = [(facts, passes[facts.return_.return_id], judge(facts, limits, now)) for facts in weighed]
    rows = [_row(facts, told, verdict, now) for facts, told, verdict in judged]
    periods = _keep(conn, rows, judged)
    findings.replace_of_returns(
        conn, [*ids, *others], [one for _, _, verdict in judged for one in verdict.problems], now
    )
    monthly.touch(conn, periods, now)
    worklist.queue(conn, "custody", ids)
    return [verdict.status for _, _, verdict in judged]


def _keep(conn: Conn, rows: Sequence[tuple[Any, ...]], judged: Sequence[tuple[ReturnFacts, str, Verdict]]) -> list[str]:
    """Keep rows and their months; every month that a return was in or is in."""
    ids = [facts.return_.return_id for facts, _, _ in judged]
    before = monthly.periods_of(conn, ids)
    verdicts.save(conn, rows)
    parts = (
        (facts.return_.return_id, part)
        for facts, _, verdict in judged
        for part in month_parts_of(facts, verdict.waterfall, verdict.vat_gap_pence, verdict.status)
    )
    monthly.replace(conn, ids, parts)
    of_notes = {f"{day:%Y-%m}" for facts, _, _ in judged for day in timing_of(facts).credited_on}
    of_rows = {row[verdicts.COLUMNS.index("period")] for row in rows}
    return sorted(before | monthly.periods_of(conn, ids) | of_notes | of_rows)


def period_of(facts: ReturnFacts, now: datetime) -> str:
    """The London month that a return belongs to: that of its refund, else of its closing, else of its submission."""
    record = facts.return_
    return london_month(record.refunded_at or record.done_at or record.submitted_at or record.created_at or now)


def _row(facts: ReturnFacts, passes: str, verdict: Verdict, now: datetime) -> tuple[Any, ...]:
    record, waterfall = facts.return_, verdict.waterfall
    codes = [note.note.credit_note_code for note in facts.notes]
    return (
        record.return_id,
        record.store_id,
        record.rma,
        record.currency,
        facts.refund_pence,
        facts.credited_pence,
        facts.issued_pence,
        verdict.gap_pence,
        waterfall.told,
        *map(waterfall.pence, LEGS),
        verdict.vat_gap_pence,
        refund_vat_of(facts),
        verdict.status,
        passes,
        codes,
        period_of(facts, now),
        verdict.next_due_at,
        now,
    )


def _judge_orphans(conn: Conn, settings: Settings, now: datetime) -> None:
    """Notes that belong to no return and were not found yet.

    Those made before the first month, or settled with money of no return, are nobody's trouble, unless a draft waits
    for them. One that a return may have, whose order Khaos has not told, is judged later.
    """
    holding = notes.holding(conn)
    loose = _not_awaited(conn, notes.by_code(conn, findings.unjudged_orphans(conn, settings.period_start, holding)))
    told, limits, first = _told(conn, loose, now), limits_of(settings), settings.period_start
    found = [
        problem
        for note in loose
        for problem in judge_note(
            _loose(note, told.get(note.credit_note_code), None if note.credit_note_code in holding else first),
            limits,
            now,
        ).problems
    ]
    findings.replace_of_notes(conn, [note.credit_note_code for note in loose], found, now)


def _not_awaited(conn: Conn, loose: Sequence[CreditNote]) -> list[CreditNote]:
    """Those that no return may turn out to be the return of, once Khaos tells of its order."""
    awaited = matches.awaited(conn) if loose else []
    named = {bare(store, rma) for store, rma, _, _ in awaited}
    worth = {(currency, pence) for _, _, currency, pence in awaited}
    return [one for one in loose if one.associated_ref not in named and (one.currency, one.gross_pence) not in worth]


def _told(conn: Conn, loose: Sequence[CreditNote], now: datetime) -> dict[str, tuple[WhyLoose, dict[str, str]]]:
    """What is told of loose notes; nothing of those of a customer on whose notes the rules fail."""

    def work(customers: Sequence[str]) -> list[dict[str, tuple[WhyLoose, dict[str, str]]]]:
        return [told_of(conn, [note for note in loose if note.customer_code in customers])]

    customers = sorted({note.customer_code for note in loose})
    done, _ = isolating.one_by_one(conn, isolating.ATTRIBUTING, customers, work, now)
    return {code: told for some in done for code, told in some.items()}


def _loose(note: CreditNote, known: tuple[WhyLoose, dict[str, str]] | None, seen_from: date | None) -> NoteFacts:
    """A note of nobody, with why; a suggestion is told with its score and acts on nothing."""
    if known is None:
        return NoteFacts(note, seen_from=seen_from)
    told, rmas = known
    nearest = rmas.get(told.nearest, "")
    suggested = f" (suggested by {told.suggested_by}, score {told.score})" if told.suggested_by else ""
    return NoteFacts(
        note,
        rival_rmas=tuple(rmas[key] for key in told.rivals),
        is_merged=told.is_merged,
        nearest=f"{nearest}: {told.clause}" if nearest else "",
        suggestion=f"{nearest}: {told.change}{suggested}" if nearest else "",
        seen_from=seen_from,
    )


def settle_goodwill(conn: Conn, settings: Settings) -> None:
    """Pair what is of one order, currency and value."""
    if not settings.connected:
        return
    known = goodwill.candidates(conn)
    refs = {one.order_name: ref for one in known if (ref := settings.namings.ref(one.order_name))}
    pairs = [one for one in known if one.order_name in refs]
    told = [] if settings.has_several_stores else list(refs.items())
    named = {plain_name(text): ref for text, ref in [*told, *((ref, ref) for ref in refs.values())]}
    found = notes.by_code(conn, sorted({one.credit_note_code for one in pairs}))
    of_order = [note for note in found if plain_name(note.order_ref or note.associated_ref) in named]
    free = _free(conn, of_order)
    records = [
        replace(record_of(note), order_ref=named[plain_name(note.order_ref or note.associated_ref)]) for note in free
    ]
    money = {
        LooseMoney(
            one.refund_id, refs[one.order_name], one.currency, one.moved_pence, paid_on=london_date(one.moved_at)
        )
        for one in pairs
    }
    room = _room(conn, {one.order_ref for one in money}) if records else {}
    if kept := settle(records, money, room):
        goodwill.keep(conn, kept)


def _room(conn: Conn, refs: Collection[str]) -> dict[str, int]:
    """What each of these orders, where Khaos told it, leaves to credit beside the notes of its returns and goodwill."""
    known = orders.by_ref(conn, sorted(refs))
    heads = matches.returns(conn, matches.ids_of_refs(conn, list(known)))
    credited = Counter(goodwill.credited(conn, list(known)))
    for key, some in notes.of_returns(conn, list(heads)).items():
        credited[heads[key].order_ref] += sum(note.gross_pence for note, _ in some)
    return {
        ref: sum(line.gross_pence for one in some for line in one.lines)
        + sum(one.delivery_gross_pence for one in some)
        - credited[ref]
        for ref, some in known.items()
    }


def _free(conn: Conn, some: Sequence[CreditNote]) -> list[CreditNote]:
    """The notes that are of no return, nor may be of one."""
    told = told_of(conn, some) if some else {}
    known = {code: one for code, (one, _) in told.items()}
    return [note for note in some if (one := known.get(note.credit_note_code)) and not (one.rivals or one.suggested_by)]


def settle_exceptions(tools: Toolbox) -> tuple[list[Problem], int, list[str]]:
    """Bring exceptions in line with the findings: those newly opened, how many closed, and what was not seen.

    A waiver whose facts changed ends first, so that its exception is open with the others, and so does any decision.
    """
    with tools.store() as conn:
        unseen, of_stores = stores.unseen(conn, tools.settings)
        for ended in decisions.end_outdated(conn, tools.now(), may_end=not unseen, not_of=of_stores):
            waivers.follow_waiver(conn, ended.kind, ended.subject)
        deciding.end_unfit(conn, tools.now())
        opened, closed = findings.open_and_close(conn, tools.now(), may_close=not unseen, not_of=of_stores)
        worklist.move(conn, marks.JUDGED, tools.now())
    return opened, closed, [*unseen, *(marks.of(refusing.SWAP_LIST, store) for store in of_stores)]
