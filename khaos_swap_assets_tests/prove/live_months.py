"""The sandbox's months that staff posted by hand, attributed live: with the order that each note credits, and without.

Belongs here: a month laid beside its notes as a run lays it, its figures, and the claim about many. Stays out: what the
sandbox makes (``sandbox.hand_month``) and the same months audited from files (``hand_posted_months``).

A clean note counts apart where the orders are hidden and the same customer returned the same goods again, without a
clean note of its own: nothing but the reference tells them apart, and people type the wrong one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import MagicMock

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.documents import FileNote
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.audit import cases, pairing
from khaos_swap_assets.audit.inputs import Inputs, Paths
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets.domain.linking.loose_notes import Standing
from khaos_swap_assets.domain.records.matches import MatchedLine, MatchedReturn
from khaos_swap_assets.sandbox import audit_files, hand_month
from khaos_swap_assets.sandbox.hand_month import HandMonth
from khaos_swap_assets.sandbox.world import Rma
from khaos_swap_assets.stages.credit_notes.attributing import Candidates
from khaos_swap_assets.stages.dossier import Dossier
from khaos_swap_assets_tests.audit.reading import read_inputs

SEEDS = range(1, 51)
RETURNS = 200
LEAST_CLEAN = 0.98
WAYS = ("orders shown", "orders hidden")
AT = datetime(2026, 1, 1, tzinfo=UTC)

Figures = dict[str, Any]


def live_hand_months() -> Figures:
    """Sandbox months posted by hand, attributed live, seeds 1 to 50, orders shown and hidden: nothing certain is wrong.

    98 % of the clean ones are found.
    """
    return together(one_month(seed) for seed in SEEDS)


def together(months: Iterable[Figures]) -> Figures:
    """The figures of all months by way, and whether the claim holds."""
    shown = list(months)
    faults = [f"seed {one['seed']}, {way}: {fault}" for one in shown for way in WAYS for fault in one[way]["faults"]]
    sums: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    for one in shown:
        for way in WAYS:
            sums[way].update({name: count for name, count in one[way].items() if name != "faults"})
    for way, found in sums.items():
        if found["clean_found"] < LEAST_CLEAN * found["clean"]:
            faults.append(f"{way}: {found['clean_found']} of {found['clean']} clean notes are matched for certain")
    return {"holds": not faults, "faults": faults, **{way: dict(found) for way, found in sums.items()}}


def one_month(seed: int, returns: int = RETURNS) -> Figures:
    """Make, lay, attribute and judge one month, both ways."""
    month = hand_month.build(seed, returns)
    known, notes = laid(month)
    hidden = [replace(note, order_ref="") for note in notes]
    figures = {
        WAYS[0]: judged(month, known, attributed(known, notes), frozenset()),
        WAYS[1]: judged(month, known, attributed(known, hidden), twins_without_a_note(month)),
    }
    return {"seed": seed, **figures}


def judged(month: HandMonth, known: Candidates, found: Iterable[Attribution], apart: frozenset[str]) -> Figures:
    """What was attributed beside the truth; clean notes of the RMAs ``apart`` are counted by themselves."""
    rmas: defaultdict[str, set[str]] = defaultdict(set)
    for one in found:
        rmas[one.credit_note_code].add(known.dossier.records[one.return_id].rma)
    truth = {one.note_code: set(one.rmas) for one in month.typed}
    clean = {one.note_code for one in month.typed if one.slip == "clean" and apart.isdisjoint(one.rmas)}
    twins = {one.note_code for one in month.typed if one.slip == "clean"} - clean
    good = {code for code, some in rmas.items() if some == truth[code]}
    return {
        "faults": [
            f"{code} is not of {sorted(some - truth[code])}" for code, some in rmas.items() if some - truth[code]
        ],
        "certain": len(rmas),
        "clean": len(clean),
        "clean_found": len(clean & good),
        "clean_twins": len(twins),
        "clean_twins_found": len(twins & good),
    }


def twins_without_a_note(month: HandMonth) -> frozenset[str]:
    """RMAs of which another one of the customer holds the same goods, and has no clean note."""
    told = {one.rmas[0] for one in month.typed if one.slip == "clean"}
    alike: defaultdict[object, list[str]] = defaultdict(list)
    for rma in month.world.rmas.values():
        alike[_goods(rma)].append(rma.rma_number)
    return frozenset(one for some in alike.values() for one in some if set(some) - {one} - told)


def _goods(rma: Rma) -> object:
    return rma.urn, rma.currency, tuple(sorted((line.sku, line.quantity) for line in rma.lines))


def attributed(known: Candidates, notes: Sequence[CreditNote]) -> list[Attribution]:
    """All that a run attributes of these notes, with nothing attributed before."""
    return known.attributed(notes)[0]


def laid(month: HandMonth) -> tuple[Candidates, list[CreditNote]]:
    """What a run knows of the month's returns, and all of its notes as a file tells them."""
    with TemporaryDirectory() as folder:
        options = audit_files.write(month, Path(folder))
        names = ("returns", "stock-codes", "sales-orders", "credit-notes")
        return laid_inputs(read_inputs(Paths(*(Path(options[name]) for name in names)), skips_bad_rows=False))


def laid_inputs(inputs: Inputs) -> tuple[Candidates, list[CreditNote]]:
    """The same of files that were read."""
    found, sold_rows = cases.Cases(inputs, {}), documents.by_order(inputs.sales_orders.rows)
    notes = [_note(note, sold_rows.get(note.order_ref, ())) for note in pairing.completed_notes(inputs, found)]
    by_id = found.of_id
    records = {key: case.return_ for key, case in by_id.items()}
    heads = {key: _head(case) for key, case in by_id.items()}
    lines = {key: _lines(case) for key, case in by_id.items()}
    sold = {key: case.order for key, case in by_id.items() if case.order}
    dossier = Dossier(MagicMock(), records)
    vars(dossier).update(records=records, heads=heads, lines=lines, orders=sold, postings={}, notes={})
    return Candidates(dossier, {}, Standing(), found.shelf.packs), notes


def _head(case: cases.AuditedReturn) -> MatchedReturn:
    order, key = case.order, case.return_.return_id
    if order is None:
        return MatchedReturn(key, None, None, None, None, case.order_ref, (), (), (), AT)
    names = (order.so_code, order.customer_code, order.currency, None, case.order_ref)
    return MatchedReturn(key, *names, (), (), (), AT, customer_is_generic=not case.facts.customer_code)


def _lines(case: cases.AuditedReturn) -> list[MatchedLine]:
    return [
        MatchedLine(
            return_id=case.return_.return_id, product_id=one.product_id, sku=one.sku, quantity=one.quantity,
            cost_pence=one.cost_pence, outcome=one.outcome, stock_code=one.stock_code, order_line_no=None,
            sold_quantity=None, sold_gross_pence=None,
        )
        for one in case.facts.lines
    ]  # fmt: skip


def _note(note: FileNote, sold: Sequence[OrderRow]) -> CreditNote:
    """A note as Khaos shows it: issued on the day of its making, its lines without values."""
    shown = note.shown(net_pence=pairing.net_of(note, sold))
    return replace(shown, issued_on=note.created_on, stage_id=70, lines=note.record.codes)
