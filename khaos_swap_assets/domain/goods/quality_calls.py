"""Telling Swap's quality control what the warehouse found: whether a finding may be told, and what a call came to.

Belongs here: the states of a call and the rules between them. Stays out: sending (``stages.stock.telling``). Swap has
no key by which a repeat is one, and a repeat may add, so a finding is told once at the most: what has no answer is for
a person. Neither an answer of Swap's nor its status of a whole return proves that a finding arrived. Telling may
complete a refund. Source: contracts/swap.md §4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from khaos_swap_assets.domain.goods.conditions import plain
from khaos_swap_assets.domain.goods.dispositions import Inspection, lines_of
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID, Return, ReturnLine

KIND = "quality_not_told"
State = Literal["planned", "sent", "accepted", "unknown", "refused", "withdrawn"]
CONDITIONS = {plain(word): word for word in (
    "Damaged", "Missing", "No-Value", "Sellable", "Wrong-Item", "Not Expected", "Qty Mismatch",
)}  # fmt: skip
"""Swap's own spelling of each condition that says something (swap.md §4)."""


@dataclass(frozen=True, slots=True)
class QualityCall:
    """The call for one inspection: ``sent`` may have happened. ``said``: Swap's words, or why it was not told."""

    inspection_id: str
    rma: str
    state: State
    asked: str
    said: str
    planned_at: datetime

    @property
    def subject(self) -> str:
        """The subject of its exception."""
        return f"{self.rma}/{self.inspection_id}"

    def task(self, status: str) -> str:
        """What a person has to look into; ``status`` is what Swap says of the whole return now."""
        why = "no answer came, and Swap may have noted it" if self.state == "unknown" else "not told"
        seen = f"; of the whole return Swap says {status or 'nothing'}, which proves nothing"
        return f"{self.asked}, finding {self.inspection_id}: {why}: {self.said}{seen}"


@dataclass(frozen=True, slots=True)
class Finding:
    """An inspection that waits to be told, with what is known around it.

    ``return_`` is None where Swap's list does not show it yet, ``is_replacing`` where Swap may have been told what it
    corrects, ``has_twin`` where another live return holds the same line of the order.
    """

    inspection: Inspection
    return_: Return | None
    is_replacing: bool
    has_twin: bool

    @property
    def line(self) -> ReturnLine | None:
        """The line of the return that it is about."""
        return next(iter(lines_of(self.return_.lines if self.return_ else (), self.inspection)), None)

    @property
    def words(self) -> str:
        """What Swap is asked to note, for a person."""
        told = self.inspection
        return f"{told.quantity} x {told.sku or told.line_item_id} {told.condition}"


def judge(found: Finding, *, processes_by_itself: bool) -> tuple[State, str]:
    """What becomes of a finding, and why: planned waits, withdrawn ends in silence, refused is told; or it is sent."""
    told, return_ = found.inspection, found.return_
    if return_ is None:
        return "planned", "its return is not known yet"
    if return_.status in ENDED_UNPAID or found.line is None or plain(told.condition) == "pending":
        return "withdrawn", "nothing of it is Swap's to know"
    if found.is_replacing:
        return "refused", "Swap was told what it corrects, and what is told cannot be taken back"
    if plain(told.condition) not in CONDITIONS:
        return "refused", f"Swap knows no condition {told.condition!r}"
    if found.has_twin:
        return "refused", "another return holds the same line of the order, and Swap could note it there"
    if processes_by_itself and not return_.is_refund_confirmed:
        return "planned", "Swap could pay the refund by itself once all is approved, so it waits until that is paid"
    return "sent", ""
