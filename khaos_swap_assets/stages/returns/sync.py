"""Reading Swap: what changed since the last look, what is still open, and once a night a wide sweep.

Belongs here: which window to ask for and what to do with what came. Stays out: paging and parsing (``adapters.swap``).
A tick costs by what changed: only returns with another content hash are written and queued. A sweep during which the
list moved is kept, but does not count as read up to now. A knock is used up in the transaction of the change that it
told of; one that no change followed is asked about again, and the wide sweep has the last word on it. Source: DESIGN
§4.2, contracts/swap.md §5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.store import Conn, inbox, parties, proofs, returns, worklist
from khaos_swap_assets.stages import marks, refusing, stores
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.store.inbox import Waiting, WaitingKnock
    from khaos_swap_assets.adapters.swap.client import SwapClient, SweepResult
    from khaos_swap_assets.adapters.swap.records import ReadReturn
    from khaos_swap_assets.domain.records.returns import Return

SOURCE = marks.SWAP
OPEN = marks.OPEN
WIDE = "swap/wide_sweep"
WHOLE = "swap/whole_list"
WHOLE_EVERY = timedelta(days=6, hours=12)
NIGHT = time(2, 0)
MOST_NAMED = 50
UNSEEN = "a webhook told of a return that Swap's list does not show:"


@dataclass(frozen=True, slots=True)
class SyncedReturns:
    """What one look at Swap brought; counts of returns, lines and rows that could not be read."""

    read: int
    changed: tuple[str, ...]
    lines: int
    unreadable: int
    is_drifted: bool
    knocks: int


def sync_returns(tools: Toolbox) -> SyncedReturns:
    """Read every store of Swap and bring the mirror up to date; one that does not answer holds up no other."""
    found = stores.each(tools, refusing.SWAP_LIST, _sync)
    return SyncedReturns(
        read=sum(one.read for one in found),
        changed=tuple(key for one in found for key in one.changed),
        lines=sum(one.lines for one in found),
        unreadable=sum(one.unreadable for one in found),
        is_drifted=any(one.is_drifted for one in found),
        knocks=sum(one.knocks for one in found),
    )


def _sync(tools: Toolbox) -> SyncedReturns:
    """Read one store, in one transaction with its watermarks."""
    now, store = tools.now(), tools.settings.swap.store
    with tools.store() as conn:
        windows = due_windows(conn, tools.settings, now)
        knocks = inbox.knocks(conn, store=store)
        due = [one for one in knocks if one.is_due(now)]
        rmas = _rmas(conn, due)
    client = tools.open_swap()
    sweeps, refusal = _read_windows(client, windows)
    named, left = _read_named(client, sweeps.values(), due, rmas)
    is_wide = any(window.source == marks.of(WIDE, store) and not sweep.is_drifted for window, sweep in sweeps.items())
    with tools.store() as conn:
        pause = stores.longest_pause(tools.settings)
        refusing.keep_whole(conn, marks.of(refusing.SWAP_LIST, store), refusal, now, longest=pause)
        if is_wide:
            returns.resolve_nameless(conn, now, store)
        result = keep(conn, [*sweeps.values(), *named.answers.values()], now, knocks, tools.settings)
        refusing.keep_named(conn, named, now)
        if tools.settings.khaos.is_cloud and tools.settings.mode != "audit":
            read = [one for sweep in [*sweeps.values(), *named.answers.values()] for one in sweep.returns]
            _keep_parties(conn, tools, read, now)
        inbox.postpone(conn, [one for one in due if one.inbox_id not in left], now)
        if is_wide:
            _settle_knocks(conn, [one for one in knocks if one.next_try_at is None], now, store)
        _keep_unreadable_messages(conn, now)
        for window in windows:
            if (window.by == "none" and refusal is None) or (window in sweeps and not sweeps[window].is_drifted):
                worklist.move(conn, window.source, now)
    return result


@dataclass(frozen=True, slots=True)
class SweepWindow:
    """One list to ask for: returns updated, or submitted, since a moment; or ``whole``, for those worth knowing."""

    source: str
    by: str
    since: datetime


def due_windows(conn: Conn, settings: Settings, now: datetime) -> list[SweepWindow]:
    """The lists of one store to ask for now. The first look reaches back as far as a wide sweep; so does one a night.

    The first look and one night a week also go through the whole list: customers who wait longest are in no window.
    """
    source, open_, wide_list, whole_list = (marks.of(one, settings.swap.store) for one in (SOURCE, OPEN, WIDE, WHOLE))
    reached = worklist.trusted(conn, source, now)
    wide = now - timedelta(days=settings.swap.wide_sweep_days)
    if reached is None or _is_night_due(worklist.trusted(conn, wide_list, now), now):
        whole, first = worklist.trusted(conn, whole_list, now), marks.first_read_from(settings, now)
        weekly = [SweepWindow(whole_list, "whole", first)] if whole is None or whole <= now - WHOLE_EVERY else []
        return [
            SweepWindow(source, "changed", wide),
            SweepWindow(wide_list, "submitted", wide),
            SweepWindow(open_, "none", now),
            *weekly,
        ]
    windows = [SweepWindow(source, "changed", reached - timedelta(minutes=settings.swap.overlap_minutes))]
    reread = worklist.trusted(conn, open_, now)
    if reread is None or reread <= now - timedelta(minutes=settings.open_reread_minutes):
        oldest = returns.oldest_open(conn, wide, settings.swap.store)
        windows.append(SweepWindow(open_, "submitted" if oldest else "none", oldest or now))
    return windows


def _is_night_due(reached: datetime | None, now: datetime) -> bool:
    london = now.astimezone(ZoneInfo("Europe/London"))
    tonight = london.replace(hour=NIGHT.hour, minute=0, second=0, microsecond=0)
    last = tonight if london >= tonight else tonight - timedelta(days=1)
    return reached is None or reached < last


def _read_windows(
    client: SwapClient, windows: Sequence[SweepWindow]
) -> tuple[dict[SweepWindow, SweepResult], PermanentError | None]:
    """Ask for each list; where one is refused the others are asked for all the same. The lists, and the refusal."""
    sweeps: dict[SweepWindow, SweepResult] = {}
    refusal: PermanentError | None = None
    for window in windows:
        if window.by != "none":
            try:
                sweeps[window] = _ask(client, window)
            except PermanentError as error:
                refusal = error
    return sweeps, refusal


def _ask(client: SwapClient, window: SweepWindow) -> SweepResult:
    if window.by == "whole":
        return client.whole(lambda record: is_worth_knowing(record, window.since))
    return client.changed_since(window.since) if window.by == "changed" else client.submitted_since(window.since)


def is_worth_knowing(record: Return, since: datetime) -> bool:
    """True for a return that is open, however old, or has any date since then; and for one without a date."""
    dates = [record.updated_at, record.submitted_at, record.created_at, record.processed_at, record.closed_at]
    known = [moment for moment in dates if moment]
    return record.is_open or not known or max(known) >= since


def _rmas(conn: Conn, knocks: Sequence[Waiting]) -> dict[str, str]:
    """By return id: the RMA to look it up by, as we know it or else as the knock names it."""
    return _named(knocks) | returns.rmas_of(conn, [one.return_id for one in knocks])


def _named(knocks: Sequence[Waiting]) -> dict[str, str]:
    """By return id: the RMA that its knock names, or an empty text."""
    told = {one.return_id: one.body.get("return") for one in knocks}
    return {key: str(part.get("rma_number") or "") if isinstance(part, dict) else "" for key, part in told.items()}


def _read_named(
    client: SwapClient, sweeps: Iterable[SweepResult], due: Sequence[Waiting], rmas: Mapping[str, str]
) -> tuple[refusing.Heard[SweepResult], set[int]]:
    """Ask by RMA for the returns that knocked and that no window showed; and the knocks too many for this time."""
    read = {one.record.return_id for sweep in sweeps for one in sweep.returns}
    unread = [one for one in due if one.return_id not in read]
    wanted = {rmas.get(one.return_id, "") for one in unread[:MOST_NAMED]}
    named = refusing.hear_each(sorted(wanted - {""}), client.by_rma)
    return named, {one.inbox_id for one in unread[MOST_NAMED:]}


def keep(
    conn: Conn,
    sweeps: Sequence[SweepResult],
    now: datetime,
    knocks: Sequence[WaitingKnock],
    settings: Settings,
) -> SyncedReturns:
    """Bring the mirror up to date with what was read, queue what changed, and use up the knocks that told of it.

    ``knocks`` were listed before the reading began; the settings are those of the store that was read, and say what is
    a refund, also of all that was read before. The caller's transaction.
    """
    proof = settings.proof
    read = [one for sweep in sweeps for one in sweep.returns]
    faults = {fault.row_hash: fault for sweep in sweeps for fault in sweep.faults}
    fresh = [replace(one, record=proof.on(one.record)) for one in returns.changed(conn, read)]
    returns.save(conn, fresh, now)
    returns.resolve_unreadable(conn, [one.record.rma for one in read], now)
    unreadable = [(one.row_hash, one.subject, one.reason) for one in faults.values()]
    returns.save_unreadable(conn, unreadable, now, settings.swap.store)
    changed = tuple(one.record.return_id for one in fresh)
    worklist.queue(conn, "match", [*changed, *proofs.put_in_force(conn, proof)])
    used = inbox.consume(conn, _answered(knocks, set(changed), {one.record.return_id for one in read}), now)
    return SyncedReturns(
        read=len(read),
        changed=changed,
        lines=sum(len(one.record.lines) for one in fresh),
        unreadable=len(faults),
        is_drifted=any(sweep.is_drifted for sweep in sweeps),
        knocks=used,
    )


def _keep_parties(conn: Conn, tools: Toolbox, read: Sequence[ReadReturn], now: datetime) -> None:
    """Seal name and address for the document: Khaos Cloud shows no order that would tell them."""
    parties_read = {one.record.return_id: one.party for one in read if one.party}
    wanted = parties.wanted(conn, parties_read)
    if wanted:
        sealer = tools.open_sealer()
        parties.save(conn, {key: sealer.seal(parties_read[key]) for key in wanted}, now)


def _answered(knocks: Sequence[WaitingKnock], changed: set[str], read: set[str]) -> list[WaitingKnock]:
    """Knocks whose change was read; and those tried often enough, whose return is what this reading shows."""
    return [one for one in knocks if one.return_id in (read if one.next_try_at is None else changed)]


def _settle_knocks(conn: Conn, tried: Sequence[WaitingKnock], now: datetime, store: str) -> None:
    """Everything was just read: a knock of a return that never showed is a fault, and none waits any longer."""
    known = returns.rmas_of(conn, [one.return_id for one in tried])
    named = _named([one for one in tried if one.return_id not in known])
    faults = [
        (key := hashlib.sha256(f"knock {return_id}".encode()).hexdigest(), rma or key, f"{UNSEEN} {return_id}")
        for return_id, rma in named.items()
    ]
    returns.save_unreadable(conn, faults, now, store)
    inbox.consume(conn, tried, now)


def _keep_unreadable_messages(conn: Conn, now: datetime) -> None:
    """A message that Swap signed and that names no return becomes a fault; those of one shape are one."""
    messages = inbox.waiting(conn, "swap_unreadable")
    shapes = {", ".join(sorted(map(str, one.body))) or "no field" for one in messages}
    faults = [(hashlib.sha256(f"webhook {shape}".encode()).hexdigest(), shape) for shape in sorted(shapes)]
    reason = "a webhook that Swap signed names no return and no event; its fields: "
    returns.save_unreadable(conn, [(key, key, f"{reason}{shape[:300]}") for key, shape in faults], now)
    inbox.consume(conn, messages, now)
