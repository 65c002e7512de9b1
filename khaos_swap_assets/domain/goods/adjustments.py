"""Stock adjustments: what the goods of a return still ask of Khaos beside its documents, and on which route it gets it.

Belongs here: the units that no document moved, the record of one adjustment that people are asked to make, and that of
a transfer with what a level proves of it. Stays out: reading levels and writing (``stages.stock``). What the bench
found is what Khaos should hold, less what documents carried and what was adjusted before: so under ``credit_first`` all
of it, and after a corrected inspection the difference, with a sign. A transfer by ``file``: a person imports a file of
ours; by ``level``: we read the level, add, and set it. Neither is ever taken as done: the level read back decides, and
what it cannot decide is a person's. Source: DESIGN §4.6, contracts/khaos.md §7.3, §11.2, §11.4, §13.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.domain.goods.dispositions import B_GRADE, DAMAGED, KEPT, SELLABLE
from khaos_swap_assets.domain.records.matches import CodedRow
from khaos_swap_assets.domain.records.packs import Packs

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
            for part, count in packs.opened([(code, row.dispositions.get(disposition, 0))]) if code else ():
                units[row.product_id, disposition, part] += count
    for line in told:
        if line.disposition in (SELLABLE, DAMAGED) and line.product_id in concerned:
            for part, count in packs.opened([(line.stock_code, line.quantity)]):
                units[line.product_id, line.disposition, part] -= count
    units.subtract({key: count for key, count in done.items() if key[0] in concerned})
    return {key: count for key, count in sorted(units.items()) if count}


def _is_told_as_matched(row: CodedRow, told: Iterable[DraftLine], packs: Packs) -> bool:
    own = [line for line in told if line.product_id == row.product_id]
    codes = {code for line in own for code, _ in packs.opened([(line.stock_code, 1)])}
    is_kept = any(line.disposition == KEPT for line in own)
    return bool(own) and not is_kept and codes == {code for code, _ in packs.opened([(row.stock_code or "", 1)])}


Route = Literal["file", "level"]
Answer = Literal["taken", "refused", "unknown"]
"""What Khaos said of a level that we set; ``unknown``: no answer, or none that can be read."""
MOVED, AGAIN, REFUSED, PERSON, OUT = "moved", "again", "refused", "person", "out"
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Units of one Stock Code at one site (negative: taken off), between the level read and the one that is to be.

    ``state``: out (its outcome is not known), again (certainly nothing happened), person; it ends as moved, refused
    (certainly nothing happened either) or settled by a person. ``window_ms`` lay between reading and setting.
    """

    transfer_id: int
    route: Route
    file_name: str
    site_id: int
    stock_code: str
    quantity: int
    value_pence: int
    state: str
    level_read: int
    level_wanted: int
    read_at: datetime
    attempts: int
    window_ms: int | None = None
    level_after: int | None = None
    level_after_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def told(self) -> str:
        """Where it stands, for whoever has the task: after ``1 x HAT ``."""
        return WORDS[self.route, self.state].format(
            site=self.site_id, read=self.level_read, wanted=self.level_wanted, seen=self.level_after,
            file=self.file_name, window="the time" if self.window_ms is None else f"the {self.window_ms} ms",
        )  # fmt: skip


UNTOLD = "look at its movements in Khaos, put it right there and waive this"
WORDS = {
    ("level", OUT): "on its way: the level of site {site} was to go from {read} to {wanted}, and what came of it is "
    "not known; Khaos is asked before anything else",
    ("level", AGAIN): "not moved: the level of site {site} is still {read}; it is tried again",
    ("level", PERSON): "in doubt: the level of site {site} was to go from {read} to {wanted} and is {seen}; " + UNTOLD,
    ("level", MOVED): "level of site {site} set from {read} to {wanted}; a sale within {window} "
    "between reading and setting cannot be seen",
    ("level", REFUSED): "refused: the level of site {site} is still {read}",
    ("level", "settled"): "level of site {site}: a person said what became of it",
    ("file", OUT): "in {file}: import it in Khaos; the level of site {site} was {read}, {wanted} is expected",
    ("file", PERSON): "in {file}, in doubt: it was to bring the level of site {site} from {read} to {wanted}; it is "
    "{seen}, or something else moved the Stock Code; " + UNTOLD,
    ("file", MOVED): "{file}: level of site {site} seen to go from {read} to {wanted}",
    ("file", "settled"): "{file}: a person said what became of it",
}


def judge_write(answer: Answer, transfer: Transfer, seen: int, *, is_moved: bool) -> str:
    """The state of a transfer whose level was set and read back as ``seen``.

    ``is_moved``: Khaos, or a document, says that the Stock Code moved since it was read. Without an answer the old
    level alone proves nothing: it may be what was set, less a sale.
    """
    if seen == transfer.level_wanted and answer != "refused":
        return MOVED
    if seen == transfer.level_read and answer == "refused":
        return REFUSED
    is_untouched = seen == transfer.level_read and answer == "unknown" and not is_moved
    return AGAIN if is_untouched and transfer.attempts < MOST_ATTEMPTS else PERSON


def judge_file(transfer: Transfer, seen: int, *, is_moved: bool) -> str:
    """The state of a transfer in a file, by a later level; ``is_moved``: a document moved the Stock Code meanwhile."""
    if is_moved or seen not in (transfer.level_read, transfer.level_wanted):
        return PERSON
    return MOVED if seen == transfer.level_wanted else OUT
