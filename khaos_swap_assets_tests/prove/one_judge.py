"""Months that staff posted by hand, loaded from files and as the live flow loads them: the judge says the same of both.

Belongs here: both loads of one month, what each says of every return, and where files may say otherwise. Stays out:
what the sandbox makes (``sandbox.hand_month``) and whether a link is right (``live_months``, ``hand_posted_months``).
The live rows are those of the tables, without a database between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store.doubts import NoteDoubt
from khaos_swap_assets.adapters.swap.extras import read_extras
from khaos_swap_assets.audit import cases
from khaos_swap_assets.audit.engine import Span, day_of, reconciled
from khaos_swap_assets.audit.inputs import Inputs, Paths
from khaos_swap_assets.audit.pairing import Pairing, facts_of
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.document_facts import over_credits
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts
from khaos_swap_assets.domain.judging.value_conditions import small_residual
from khaos_swap_assets.domain.judging.verdict import judge
from khaos_swap_assets.domain.money.tolerance import Residual, Tolerances, govern
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.sandbox import audit_files, hand_month
from khaos_swap_assets.stages.credit_notes.attributing import Candidates
from khaos_swap_assets.stages.reconciliation import facts as live
from khaos_swap_assets.stages.storefront.money import Witnessed
from khaos_swap_assets_tests.audit.reading import read_inputs
from khaos_swap_assets_tests.prove.live_months import laid_inputs

SEEDS = range(1, 51)
RETURNS = 200
FILES_LACK: Mapping[str, str] = {
    "inspection_disputed": "no file shows what the bench saw",
    "inspection_overdue": "no file shows what the bench saw",
    "stock_adjustment_due": "no file shows what the bench saw",
    "stock_not_returned": "no file shows what the bench saw",
    "credit_note_not_issued": "no file shows the stage of a Credit Note",
    "credit_note_unallocated": "no file shows the open credit of a customer",
}
"""Kinds that the live flow may raise alone, and why."""

FACTS_APART: Mapping[str, str] = {
    "lines": "what a line was sold for is laid for the files alone",
    "refund_lines": "some of the lines",
    "notes": "no file shows the stage of a Credit Note; Khaos shows no values of its lines",
    "unknown": "no file shows what the bench saw",
    "policy": "files are judged without a policy of the merchant",
    "settled": "files hold less of a line than Swap's API",
    "settlement": "files hold less of a line than Swap's API",
}
"""Facts of a return that the two loads fill differently, and why."""

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a return: its notes, status, open pence, gap, and (kind, owner, pence) of each problem."""

    notes: tuple[str, ...]
    status: str
    open_pence: int
    gap_pence: int
    problems: Counter[tuple[str, str, int]]


def one_judge() -> Figures:
    """Sandbox months posted by hand, from files and live, seeds 1 to 50: one judge says the same of every return."""
    return together(one_month(seed) for seed in SEEDS)


def together(months: Iterable[Figures]) -> Figures:
    """The figures of all months and whether the law holds."""
    shown = list(months)
    faults = [f"seed {one['seed']}: {fault}" for one in shown for fault in one["faults"]]
    sums = {name: sum(one[name] for one in shown) for name in ("returns", "compared", "apart_by_link")}
    return {"holds": not faults, "faults": faults, **sums}


def one_month(seed: int, returns: int = RETURNS) -> Figures:
    """Make one month, load it both ways and compare."""
    inputs, span = month_files(seed, returns)
    pairing = Pairing(inputs)
    return {"seed": seed, **compared(from_files(pairing, span), from_tables(inputs, pairing, span))}


def month_files(seed: int, returns: int) -> tuple[Inputs, Span]:
    """The files of one month as they are read, and the day as of which they are judged."""
    month = hand_month.build(seed, returns)
    with TemporaryDirectory() as folder:
        options = audit_files.write(month, Path(folder))
        names = ("returns", "stock-codes", "sales-orders", "credit-notes")
        inputs = read_inputs(Paths(*(Path(options[name]) for name in names)), skips_bad_rows=False)
        return inputs, Span(date.fromisoformat(options["as-of"]))


def facts_apart(inputs: Inputs) -> set[str]:
    """Fields of the facts that the two loads fill differently, beside those that ``FACTS_APART`` names."""
    pairing = Pairing(inputs)
    pairs = [(facts_of(pairing.case_of[one.return_.return_id], pairing), one) for one in live_facts(inputs, pairing)]
    names = {field.name for field in fields(ReturnFacts)} - FACTS_APART.keys()
    return {name for name in names for files, tables in pairs if getattr(files, name) != getattr(tables, name)}


def compared(files: Mapping[str, Said], tables: Mapping[str, Said]) -> Figures:
    """Every difference between both that no table above expects, in words.

    Returns that share a note are compared as one: only files show the values of its lines, and so whose the gap is.
    """
    alike = [key for key in files if files[key].notes == tables[key].notes]
    groups: dict[tuple[str, ...], list[str]] = {}
    for key in alike:
        groups.setdefault(files[key].notes or (key,), []).append(key)
    faults = [
        f"{', '.join(keys)}: {fault}"
        for keys in groups.values()
        for fault in _apart(_as_one([files[key] for key in keys]), _as_one([tables[key] for key in keys]))
    ]
    return {
        "returns": len(files),
        "compared": len(alike),
        "apart_by_link": len(files) - len(alike),
        "faults": faults,
    }


def _as_one(some: Sequence[Said]) -> Said:
    """What is said of returns that share their notes, together."""
    if len(some) == 1:
        return some[0]
    return Said(
        some[0].notes,
        ", ".join(sorted(one.status for one in some)),
        sum(one.open_pence for one in some),
        sum(one.gap_pence for one in some),
        sum((one.problems for one in some), Counter()),
    )


def _apart(files: Said, tables: Said) -> Iterable[str]:
    if files.status != tables.status:
        yield f"{files.status} by the files, {tables.status} by the tables"
    if (files.gap_pence, files.open_pence) != (tables.gap_pence, tables.open_pence):
        told = (files.gap_pence, files.open_pence, tables.gap_pence, tables.open_pence)
        yield f"gap and open by the files, gap and open by the tables: {told}"
    for one in files.problems - tables.problems:
        yield f"{one} by the files alone"
    for one in tables.problems - files.problems:
        if one[0] not in FILES_LACK:
            yield f"{one} by the tables alone"


def from_files(pairing: Pairing, span: Span) -> dict[str, Said]:
    """What the audit says."""
    done = reconciled(pairing, span)
    problems: dict[str, list[Problem]] = {}
    for row, problem in done.problems:
        problems.setdefault(row.return_id, []).append(problem)
    certain = pairing.links_of.keys()
    return {
        row.return_id: Said(
            row.credit_note_codes if row.return_id in certain else (),
            row.status,
            row.open_pence,
            row.gap_pence,
            _told(problems.get(row.return_id, ())),
        )
        for row in done.rows
        if row.return_id
    }


def from_tables(inputs: Inputs, pairing: Pairing, span: Span) -> dict[str, Said]:
    """What the live flow says of the same month, as its loader makes the facts of the rows of its tables."""
    some = list(live_facts(inputs, pairing))
    tolerances = Tolerances()
    by_month: dict[str, list[Residual]] = {}
    for one in some:
        if residual := small_residual(one, tolerances):
            by_month.setdefault(str(day_of(pairing.case_of[one.return_.return_id]))[:7], []).append(residual)
    governed = [govern(residuals, tolerances) for residuals in by_month.values()]
    settled = {residual.subject for one in governed for residual, _ in one.cleared}
    leaning = {one.subject for month in governed for one, rule in month.refused if rule == "systematic"}
    found = {}
    for one in some:
        key = one.return_.return_id
        facts = replace(one, tolerance="accepted" if key in settled else "systematic" if key in leaning else "")
        verdict = judge(facts, Limits(), span.now)
        codes = tuple(sorted(note.note.credit_note_code for note in facts.notes))
        found[key] = Said(codes, verdict.status, verdict.open_pence, verdict.gap_pence, _told(verdict.problems))
    return found


def _told(problems: Iterable[Problem]) -> Counter[tuple[str, str, int]]:
    return Counter((one.kind, one.owner, one.money_at_risk_pence) for one in problems)


def live_facts(inputs: Inputs, pairing: Pairing) -> Iterable[ReturnFacts]:
    """The facts of the live loader, with what the live flow attributes."""
    known, notes = laid_inputs(inputs)
    found, told = known.attributed(notes)
    doubts: dict[str, list[NoteDoubt]] = {}
    for code, why in sorted(told.items()):
        for key in why.rivals:
            doubts.setdefault(key, []).append(NoteDoubt(code, key, why.is_merged))
    noted: dict[str, list[tuple[CreditNote, str]]] = {}
    for note in notes:
        own = [one for one in found if one.credit_note_code == note.credit_note_code]
        rest = note.gross_pence - sum(one.share_pence or 0 for one in own)
        for one in own:
            pence = rest if one.share_pence is None else one.share_pence
            share = note if len(own) == 1 else replace(note, gross_pence=pence, lines=(), net_pence=None)
            noted.setdefault(one.return_id, []).append((share, one.matched_by))
    taken = {one.credit_note_code for one in found}
    loose = [note for note in notes if note.credit_note_code not in taken]
    batch = replace(batch_of(inputs, known, noted, loose), doubts=doubts)
    for key, case in pairing.case_of.items():
        facts = batch.facts(known.dossier.records[key])
        yield replace(facts, lines=_with_rates(facts, case), unknown=frozenset({"orders"}))


def _with_rates(facts: ReturnFacts, case: cases.AuditedReturn) -> Any:
    rates = {line.product_id: line for line in case.facts.lines}
    return tuple(
        replace(one, vat_percent=rates[one.product_id].vat_percent, list_pence=rates[one.product_id].list_pence)
        for one in facts.lines
    )


def batch_of(
    inputs: Inputs, known: Candidates, noted: dict[str, list[tuple[CreditNote, str]]], loose: Iterable[CreditNote]
) -> live.Batch:
    """What the tables hold of all returns, where nothing was posted or inspected and no storefront is connected."""
    by_customer: dict[str, list[CreditNote]] = {}
    for note in loose:
        by_customer.setdefault(note.customer_code, []).append(note)
    raws = {row.record.return_id: row for row in inputs.proven_returns}
    credited = ((key, note) for key, some in noted.items() for note, _ in some)
    vars(known.dossier).update(notes=noted, postings={}, moves={}, drafts={})
    return live.Batch(
        settings=cast(Settings, SimpleNamespace(mode="audit", legs_policy="disposition", post_from=None)),
        policy=CreditNotePolicy(),
        dossier=known.dossier,
        money=Witnessed(dict(known.dossier.records)),
        loose=by_customer,
        unallocated={},
        extras={key: read_extras(row.raw, row.record.currency) for key, row in raws.items()},
        shared={},
        packs=known.packs,
        waived=frozenset(),
        doubts={},
        over=over_credits(credited, known.dossier.orders, known.packs),
    )
