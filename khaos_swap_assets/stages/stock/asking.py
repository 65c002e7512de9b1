"""Adjustments that people are asked to make in Khaos, and whether the level shows that they made them.

Belongs here: asking for what no document moves, reading it back, ending what a person settled. Stays out: which units
(``goods.adjustments``), the exception about them (``judging.goods_conditions``), and routes that carry them for people
(``level_writes``, ``import_files``). Khaos offers no call that adjusts by so many units (khaos.md §7.3); the level is
the witness, and where another document moved the Stock Code meanwhile it begins anew from the level of then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, catalogue, stock, stock_adjustments, stock_transfers, worklist
from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.domain.goods.adjustments import Adjustment, Key, outstanding
from khaos_swap_assets.domain.goods.dispositions import B_GRADE, DAMAGED, SELLABLE, judge_level
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.dossier import Dossier

BATCH = 5_000
AFTER = timedelta(microseconds=1)
"""A run reads documents before levels: what it saw had moved the Stock Code when it read the level."""


def ask(conn: Conn, settings: Settings, faults: isolating.Faults, now: datetime) -> tuple[int, list[str]]:
    """Ask for what the returns in line need beside their documents: how many are new or changed, and the returns."""
    sites = {SELLABLE: settings.khaos.site_id, DAMAGED: settings.khaos.nonsaleable_site_id}
    sites[B_GRADE] = settings.khaos.site_id
    fresh, tried = 0, list[str]()
    while taken := worklist.take(conn, "stock", BATCH):
        tried += taken
        known = Dossier(conn, taken)
        if not (ids := sorted({*known.postings, *known.adjustments})):
            continue
        dossier = known if len(ids) == len(taken) else Dossier(conn, ids)
        carried = {key: list(_carried(dossier, key)) for key in ids}
        codes = {line.stock_code for some in carried.values() for line in some} | dossier.codes
        packs = catalogue.packs(conn, codes)
        wanted = {
            key: one
            for key in ids
            for one in faults.tried(key, _wanted, dossier, key, carried[key], dossier.adjustments.get(key, []), packs)
        }
        rmas = {key: record.rma for key, record in dossier.records.items()}
        fresh += stock_adjustments.ask(conn, rmas, sites, {key: wanted[key] for key in wanted if key in rmas}, now)
    return fresh, tried


def _carried(dossier: Dossier, key: str) -> Iterator[DraftLine]:
    """Lines of the documents of a return that are planned, or left and were not refused.

    A note that was there before its document left moved its goods as whoever made it chose.
    """
    states = {one.ordinal: one for one in dossier.postings.get(key, ())}
    for saved in dossier.drafts.get(key, ()):
        posting = states.get(saved.ordinal)
        is_ours = posting and (posting.handed_out_at or posting.state == "planned") and posting.state != "refused"
        if saved.draft and is_ours:
            yield from saved.draft.lines


def _wanted(
    dossier: Dossier, key: str, carried: Sequence[DraftLine], known: Sequence[Adjustment], packs: Packs
) -> dict[Key, int]:
    done: dict[Key, int] = {}
    for one in known:
        if one.is_spoken_for:
            done[one.key] = done.get(one.key, 0) + one.quantity
    return outstanding(dossier.lines.get(key, ()), carried, done, packs)


def read_back(conn: Conn, now: datetime) -> tuple[int, list[str]]:
    """End the adjustments that a level shows or a person settled: how many ended, and the returns that changed."""
    settled = stock_adjustments.settle_waived(conn, now)
    stock_transfers.end_settled(conn, now)
    by_site: dict[int, dict[str, list[Adjustment]]] = {}
    for one in stock_adjustments.asked(conn):
        by_site.setdefault(one.site_id, {}).setdefault(one.stock_code, []).append(one)
    changed = [new for site_id, found in by_site.items() for new in _of_site(conn, site_id, found, now)]
    stock_adjustments.follow(conn, changed)
    done = [one for one in changed if one.state == "done"]
    return len(done) + len(settled), sorted({*settled, *(one.return_id for one in done)})


def _of_site(
    conn: Conn, site_id: int, found: Mapping[str, Sequence[Adjustment]], now: datetime
) -> Iterator[Adjustment]:
    levels = stock.level(conn, list(found), site_id)
    seen = {code: [one.level_before_at for one in found[code] if one.level_before_at] for code in levels}
    since = {code: min(moments) for code, moments in seen.items() if moments}
    spans = {code: (first + AFTER, levels[code][1]) for code, first in since.items()}
    moved_by = moved_by_others(conn, spans)
    for code, level in levels.items():
        yield from heard(found[code], *level, is_disturbed=bool(moved_by.get(code)), now=now)


def moved_by_others(conn: Conn, spans: Mapping[str, tuple[datetime, datetime]]) -> dict[str, set[str]]:
    """By Stock Code, the documents that moved it within its span, without those of ours that move no goods."""
    found = stock.documents_between(conn, spans)
    neutral = stock_adjustments.neutral_notes(conn, {one for some in found.values() for one in some})
    return {code: some - neutral for code, some in found.items()}


def heard(
    group: Sequence[Adjustment], level: int, seen_at: datetime, *, is_disturbed: bool, now: datetime
) -> Iterator[Adjustment]:
    """Those of one Stock Code at one site that its level changes: together they are done, or they begin anew."""
    for one in group:
        if one.level_before_at is None and seen_at >= one.asked_at:
            yield replace(one, level_before=level, level_before_at=seen_at)
    waiting = [one for one in group if one.level_before_at is not None]
    first = min(waiting, key=lambda one: one.level_before_at or seen_at, default=None)
    if first is None:
        return
    moved = sum(one.quantity for one in waiting)
    if judge_level(first.level_before, level, moved, is_disturbed) == "confirmed":
        for one in waiting:
            yield replace(one, state="done", level_after=level, level_after_at=seen_at, ended_at=now)
    elif is_disturbed:
        for one in waiting:
            yield replace(one, level_before=level, level_before_at=seen_at)
