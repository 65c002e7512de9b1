"""Transfers: units of adjustments on a route of their own into Khaos, and what a level proves of one.

Belongs here: the record of a transfer, its verdict and its words. Stays out: which units there are (``adjustments``),
writing (``stages.stock``). ``file``: a person imports a file of ours; ``level``: we read the level, add, and set it.
Neither is ever taken as done: the level read back decides, and what it cannot decide is a person's.
Source: contracts/khaos.md §7.3, §11.4, §13.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

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
            file=self.file_name, window=self._window,
        )  # fmt: skip

    @property
    def _window(self) -> str:
        took = "the time" if self.window_ms is None else f"the {self.window_ms} ms"
        return f"a sale within {took} between reading and setting cannot be seen"


UNTOLD = "look at its movements in Khaos, put it right there and waive this"
WORDS = {
    (
        "level",
        OUT,
    ): "on its way: the level of site {site} was to go from {read} to {wanted}, and what came of it is not "
    "known; Khaos is asked before anything else",
    ("level", AGAIN): "not moved: the level of site {site} is still {read}; it is tried again",
    ("level", PERSON): "in doubt: the level of site {site} was to go from {read} to {wanted} and is {seen}; " + UNTOLD,
    ("level", MOVED): "level of site {site} set from {read} to {wanted}; {window}",
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
