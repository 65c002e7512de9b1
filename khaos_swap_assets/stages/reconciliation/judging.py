"""Reconciling the returns in line and those whose time has come, and keeping verdicts and findings.

Belongs here: which returns to judge, and writing what the judgement says. Stays out: the judgement
(``judging.verdict``) and what happens to a finding (``excepting``). Source: DESIGN §4.8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import psycopg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import findings, monthly, notes, verdicts, worklist
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.judging.document_facts import NoteFacts
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.month_conditions import timing_of
from khaos_swap_assets.domain.judging.return_waterfall import month_parts_of, refund_vat_of
from khaos_swap_assets.domain.judging.verdict import Verdict, judge, judge_note, judge_unreadable
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.linking.loose_notes import WhyLoose
from khaos_swap_assets.domain.money.periods import london_month
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.stages import isolating, refusing
from khaos_swap_assets.stages.credit_notes.attributing import told_of
from khaos_swap_assets.stages.reconciliation.facts import gather, limits_of
from khaos_swap_assets.stages.reconciliation.goodwill import settle_goodwill
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


def reconcile(
    conn: psycopg.Connection, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str], now: datetime
) -> list[str]:
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


def _keep(
    conn: psycopg.Connection, rows: Sequence[tuple[Any, ...]], judged: Sequence[tuple[ReturnFacts, str, Verdict]]
) -> list[str]:
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


def _judge_orphans(conn: psycopg.Connection, settings: Settings, now: datetime) -> None:
    """Notes that belong to no return and were not found yet.

    Those made before the first month, or settled with money of no return, are nobody's trouble, unless a draft waits
    for them.
    """
    holding = notes.holding(conn)
    loose = notes.by_code(conn, findings.unjudged_orphans(conn, settings.period_start, holding))
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


def _told(
    conn: psycopg.Connection, loose: Sequence[CreditNote], now: datetime
) -> dict[str, tuple[WhyLoose, dict[str, str]]]:
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
