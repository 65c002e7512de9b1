"""The stock leg: which units a document carries where, and whether the level shows that it happened.

Belongs here: making moves out of offered documents, following their document, judging levels, and which route carries
adjustments for people. Stays out: the rule of the verdict (``goods.dispositions.judge_level``) and the routes
(``level_writes``, ``import_files``). A move is confirmed by its witnessed document; the level is a second witness,
heard one run after the note was seen issued, so that its reading is surely later. Source: DESIGN §4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from khaos_swap_assets.adapters.store import Conn, catalogue, drafts, stock, worklist
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.store.stock import Carrier, Move
from khaos_swap_assets.domain.goods.dispositions import LevelVerdict, judge_level
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.stock import asking, import_files, level_writes
from khaos_swap_assets.stages.toolbox import Toolbox

PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a level has, after the note was seen issued, to show goods that are to be on the shelf."""

    patience: timedelta
    now: datetime

    def verdict(self, found: LevelVerdict, is_sellable: bool, since: datetime, seen_at: datetime) -> str:
        """The verdict by a level that was seen at a moment, or an empty text where a later reading is to say more.

        Units that are in the level prove themselves at once; that they are not is only said of a reading as late.
        """
        if found == ("confirmed" if is_sellable else "failed"):
            return found
        needed = since + self.patience if found == "failed" else since
        if seen_at >= needed:
            return found
        return "cannot_tell" if self.now >= since + self.patience else ""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Moves newly due, offered, confirmed by their document, and verdicts given by the level.

    ``asked``: adjustments that people are newly asked to make, ``ended``: those that are seen or settled.
    ``would_set``: levels that would be set in mode post, where nothing holds the feed.
    """

    due: int
    offered: int
    confirmed: int
    judged: int
    asked: int
    ended: int
    would_set: list[str]


def adjust_stock(tools: Toolbox) -> Adjusted:
    """Bring moves up to date with their documents and, where it can tell, with the level; ask for what none carries."""
    now = tools.now()
    with tools.store() as conn:
        faults = isolating.Faults(isolating.STOCK)
        ended, settled = asking.read_back(conn, now)
        asked, tried = asking.ask(conn, tools.settings, faults, now)
        due = _make_due(conn, faults, now)
        moves = stock.undone(conn)
        carriers = stock.carriers(conn, [move.return_id for move in moves])
        levels = stock.level(conn, [move.stock_code for move in moves], tools.settings.khaos.site_id)
        pending = [move for move in moves if move.level_verdict == PENDING]
        wait = Wait(timedelta(hours=tools.settings.level_hours), now)
        judged = _judge(conn, pending, carriers, levels, faults, wait)
        changed = [
            new
            for old in moves
            if old.level_verdict != PENDING
            for new in faults.tried(old.return_id, _follow, old, carriers, levels)
            if new != old
        ]
        faults.keep(conn, {*tried, *(move.return_id for move in moves)}, now)
        stock.update(conn, [*judged, *changed], now)
        worklist.queue(conn, "reconcile", [*settled, *(move.return_id for move in [*judged, *changed])])
    would_set = carry(tools)
    with tools.store() as conn:  # what Khaos refused is a task again in the same run
        later = isolating.Faults(isolating.STOCK)
        again, tried = asking.ask(conn, tools.settings, later, now)
        later.keep(conn, tried, now)
    states = [move.state for move in changed]
    return Adjusted(
        due=due,
        offered=states.count("offered"),
        confirmed=states.count("confirmed"),
        judged=len(judged),
        asked=asked + again,
        ended=ended,
        would_set=would_set,
    )


def _make_due(conn: Conn, faults: isolating.Faults, now: datetime) -> int:
    drafted = drafts.of_returns(conn, stock.to_carry(conn, now))
    lines = [line for found in drafted.values() for one in found if one.draft for line in one.draft.lines]
    packs = catalogue.packs(conn, {line.stock_code for line in lines})
    moves = [
        move for key, found in drafted.items() for some in faults.tried(key, _moves_of, found, packs) for move in some
    ]
    return stock.save_due(conn, moves, now)


def _moves_of(found: Sequence[SavedDraft], packs: Packs) -> list[tuple[str, str, str, str, str, int]]:
    """The goods of one return's drafts, each row, disposition and Stock Code once; a pack moves its components."""
    moves: dict[tuple[str, str, str, str], tuple[str, str, str, str, str, int]] = {}
    for line in [line for one in found if one.draft for line in one.draft.lines if line.moves_goods]:
        rma = next(one.draft.rma for one in found if one.draft)
        for code, units in packs.opened([(line.stock_code, line.quantity)]):
            key = (found[0].return_id, line.product_id, line.disposition, code)
            before = moves[key][5] if key in moves else 0
            moves[key] = (*key[:3], rma, code, before + units)
    return list(moves.values())


def _follow(move: Move, carriers: dict[tuple[str, str], Carrier], levels: dict[str, tuple[int, datetime]]) -> Move:
    carrier = carriers.get((move.return_id, move.product_id))
    if carrier is None:
        return move
    is_before = move.state == "due" and carrier.state != "confirmed"  # a note that was there already moved its goods
    if is_before and move.level_before is None and move.stock_code in levels:
        before, seen_at = levels[move.stock_code]
        move = replace(move, level_before=before, level_before_at=seen_at)
    state = {"in_doubt": "offered", "confirmed": "confirmed"}.get(carrier.state, move.state)
    verdict = PENDING if carrier.is_issued and move.disposition != "missing" else move.level_verdict
    return replace(move, carried_by=carrier.reference, state=state, level_verdict=verdict)


def _judge(
    conn: Conn,
    pending: Sequence[Move],
    carriers: dict[tuple[str, str], Carrier],
    levels: dict[str, tuple[int, datetime]],
    faults: isolating.Faults,
    wait: Wait,
) -> list[Move]:
    """The moves with their verdict; those that wait for a later reading are marked with its time."""
    by_code = grouped((move.stock_code, move) for move in pending)
    spans = {
        code: (since, levels[code][1])
        for code, moves in by_code.items()
        if code in levels and (since := _first(moves).level_before_at)
    }
    others = {code: some - _own(by_code[code], carriers) for code, some in stock.documents_between(conn, spans).items()}
    raised = stock.raised_by(conn, others)
    judged: list[Move] = []
    for code, moves in by_code.items():
        with faults.of(*(move.return_id for move in moves)):
            judged += _judge_code(moves, others.get(code), raised.get(code), levels.get(code), wait=wait)
    done = {one.key for one in judged}
    waiting = [one for one in pending if one.key not in done]
    stock.judge_after(conn, waiting, wait.patience)
    return judged


def _first(moves: Sequence[Move]) -> Move:
    """The one whose level was seen first; those without a level come last."""
    return min(moves, key=lambda move: (move.level_before_at is None, move.level_before_at))


def _own(moves: Sequence[Move], carriers: dict[tuple[str, str], Carrier]) -> set[str | None]:
    return {carrier.note_code for move in moves if (carrier := carriers.get((move.return_id, move.product_id)))}


def _judge_code(
    moves: Sequence[Move],
    others: set[str] | None,
    raised: int | None,
    level: tuple[int, datetime] | None,
    *,
    wait: Wait,
) -> list[Move]:
    """Those moves of one Stock Code that get their verdict now.

    ``others`` are documents that moved it meanwhile, by notes up to ``raised`` units; None where no level was seen
    before.
    """
    if level is None or others is None:
        return [replace(move, level_verdict="cannot_tell") for move in moves]
    sellable = sum(move.quantity for move in moves if move.disposition == "sellable")
    damaged = sum(move.quantity for move in moves if move.disposition == "damaged")
    is_mixed = bool(sellable and damaged)
    verdict = judge_level(
        _first(moves).level_before, level[0], sellable, bool(others) or is_mixed,
        if_wrong=0 if sellable else damaged, raised=None if is_mixed else raised,
    )  # fmt: skip
    told = [(move, wait.verdict(verdict, bool(sellable), move.changed_at, level[1])) for move in moves]
    return [
        replace(move, level_verdict=one, level_after=level[0], level_after_at=level[1]) for move, one in told if one
    ]


def carry(tools: Toolbox) -> list[str]:
    """Follow what is on its way, then begin what the route may carry; what would be set, where nothing may be."""
    level_writes.read_back(tools)
    import_files.read_back(tools)
    import_files.put_out(tools)
    return level_writes.set_levels(tools) if tools.settings.stock.route == "level" else []
