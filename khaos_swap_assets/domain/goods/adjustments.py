"""Stock adjustments: what the goods of a return still ask of Khaos beside its documents.

Belongs here: the units that no document moved, and the record of one adjustment that people are asked to make. Stays
out: reading levels (``stages.stock``). What the bench found is what Khaos should hold, less what documents carried and
what was adjusted before: so under ``credit_first`` all of it, and after a corrected inspection the difference, with a
sign. Source: DESIGN §4.6, contracts/khaos.md §7.3, §11.2, §11.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.domain.goods.dispositions import B_GRADE, DAMAGED, KEPT, SELLABLE
from khaos_swap_assets.domain.records.matches import CodedRow
from khaos_swap_assets.domain.records.packs import Packs

MOVING = (SELLABLE, DAMAGED, B_GRADE)
KIND = "stock_adjustment_due"
Key = tuple[str, str, str]
"""Product id, disposition, Stock Code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """Units that people are to add to (negative: take off) the level of ``site_id``; ``state`` is asked until it ends.

    It is sent while a route of ours carries it, and ``told`` says how that stands. It ends as done (the level shows
    it), settled (a person says so, ``ended_by`` and ``reason``) or withdrawn.
    """

    adjustment_id: int
    return_id: str
    product_id: str
    disposition: str
    rma: str
    stock_code: str
    site_id: int
    quantity: int
    state: str
    asked_at: datetime
    level_before: int | None = None
    level_before_at: datetime | None = None
    level_after: int | None = None
    level_after_at: datetime | None = None
    ended_by: str = ""
    reason: str = ""
    ended_at: datetime | None = None
    told: str = ""

    @property
    def is_open(self) -> bool:
        """True until it ends."""
        return self.state in ("asked", "sent")

    @property
    def is_spoken_for(self) -> bool:
        """True where its units are in Khaos, or nothing but its own transfer may bring them there."""
        return self.state in ("sent", "done", "settled")

    @property
    def key(self) -> Key:
        """What it is about, within its return."""
        return self.product_id, self.disposition, self.stock_code

    @property
    def subject(self) -> str:
        """The subject of its exception."""
        return subject_of(self.rma, self.stock_code, self.disposition)


def subject_of(rma: str, stock_code: str, disposition: str) -> str:
    """The subject of the exception about goods of a return that went one way."""
    return f"{rma}/{stock_code}/{disposition}"


def outstanding(
    rows: Iterable[CodedRow], carried: Iterable[DraftLine], done: Mapping[Key, int], packs: Packs
) -> dict[Key, int]:
    """Units that Khaos still lacks (negative: holds too many of), of the rows that the documents of a return hold.

    ``carried`` are the lines of its documents, ``done`` units adjusted before. Rows credited as kept, and rows that
    are another Stock Code now than on their document, are told elsewhere and ask for nothing here. No document carries
    B-grade units: they are always a movement of their own, onto their B-grade Stock Code.
    """
    told = list(carried)
    concerned = {row.product_id: row for row in rows if _is_told_as_matched(row, told, packs)}
    units: Counter[Key] = Counter()
    for row in concerned.values():
        for disposition, code in ((SELLABLE, row.stock_code), (DAMAGED, row.stock_code), (B_GRADE, row.graded_code)):
            count = row.dispositions.get(disposition, 0) if code else 0
            _add(units, row.product_id, disposition, packs.opened([(code or "", count)]))
    for line in told:
        if line.disposition in (SELLABLE, DAMAGED) and line.product_id in concerned:
            _add(units, line.product_id, line.disposition, packs.opened([(line.stock_code, -line.quantity)]))
    for key, count in done.items():
        units[key] -= count if key[0] in concerned else 0
    return {key: count for key, count in sorted(units.items()) if count}


def _is_told_as_matched(row: CodedRow, told: Iterable[DraftLine], packs: Packs) -> bool:
    own = [line for line in told if line.product_id == row.product_id]
    codes = {code for line in own for code, _ in packs.opened([(line.stock_code, 1)])}
    is_kept = any(line.disposition == KEPT for line in own)
    return bool(own) and not is_kept and codes == {code for code, _ in packs.opened([(row.stock_code or "", 1)])}


def _add(units: Counter[Key], product_id: str, disposition: str, goods: Iterable[tuple[str, int]]) -> None:
    for code, count in goods:
        units[product_id, disposition, code] += count
