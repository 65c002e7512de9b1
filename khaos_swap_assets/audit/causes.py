"""Why a return and its Credit Notes differ, leg by leg, and the gap of the VAT.

Belongs here: what the files show of each side, handed to the penny waterfall. Stays out: naming the legs
(``domain.waterfall``). Money is minor units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from khaos_swap_assets.audit.cases import Case
from khaos_swap_assets.audit.documents import Note
from khaos_swap_assets.audit.rows import LEGS
from khaos_swap_assets.domain.money import split_gross


@dataclass(frozen=True, slots=True)
class Causes:
    """``legs`` add up to the gap. ``residual_pence`` is what nothing settles; up to the tolerance it is let be."""

    legs: Mapping[str, int]
    residual_pence: int
    tolerance_pence: int = 0
    evidence: Mapping[str, str] = field(default_factory=dict)


def explain(case: Case, notes: Sequence[Note], credited_pence: int) -> Causes:
    """The causes of one return's gap."""
    gap = credited_pence - case.refund_pence
    if not notes:
        return Causes(_legs(goods=gap), gap)
    tender = case.tender_pence if gap and case.tender_pence else 0
    lines = sum(len(note.lines) for note in notes)
    return Causes(_legs(tender=tender, unexplained=gap - tender), gap - tender, min(5, lines))


def explain_orphan(note: Note) -> Causes:
    """The causes of a note that credits no refund: its goods and its delivery."""
    goods = note.gross_pence - note.delivery_pence
    return Causes(_legs(goods=goods, delivery=note.delivery_pence), note.gross_pence)


def vat_gap(case: Case, notes: Sequence[Note]) -> int | None:
    """VAT that the notes credit on goods less the VAT of the refunded lines at the rates of their sale.

    None where a note does not say its net, or the sale its rate.
    """
    credited = [note.vat_pence for note in notes]
    rates = {row.stock_code: row.vat_percent for row in case.sold}
    due = 0
    for line in case.facts.refund_lines:
        rate = rates.get(line.stock_code or "")
        if rate is None:
            return None
        due += split_gross(line.cost_pence, rate)[1]
    known = [pence for pence in credited if pence is not None]
    return sum(known) - due if notes and len(known) == len(credited) else None


def _legs(**named: int) -> dict[str, int]:
    return {leg: named.get(leg, 0) for leg in LEGS}
