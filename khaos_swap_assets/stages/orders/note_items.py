"""Reading the items of Credit Notes that the status list shows without, by their own codes.

Belongs here: which notes are asked for, how often, and by which way this Khaos shows the items. Stays out: the calls
(``adapters.khaos``), keeping refusals (``stages.refusing``), and what a note without items proves
(``linking.witness``).

Whether the list shows items of notes, and whether ExportOrders takes a note's code, is not documented (khaos.md §7.4,
§7.5): it is tried and kept. Each note is read once, and again when its line in the list changed; what is over the
budget of a run waits in line. Where no way shows items, a few notes are tried once a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import PermanentError, TransientError, VendorError
from khaos_swap_assets.adapters.khaos.records import NoteItems, StatusFeed
from khaos_swap_assets.adapters.store import Conn, notes, setbacks
from khaos_swap_assets.adapters.store import note_items as store
from khaos_swap_assets.adapters.store.note_items import Capability, ItemsReading, hash_of_line
from khaos_swap_assets.domain.documents.credit_notes import CreditNote, ItemsBy
from khaos_swap_assets.stages import refusing
from khaos_swap_assets.stages.refusing import Heard

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import KhaosClient
    from khaos_swap_assets.domain.records.packs import Goods
    from khaos_swap_assets.stages.toolbox import Toolbox

PROBE_AGAIN = timedelta(days=1)
NO_ANSWER = "ExportOrders shows nothing under its code"
FOLLOWS: Mapping[ItemsBy, str] = {
    "status": "",
    "export": ": each Credit Note is read by its own code, within KHAOS_SWAP_KHAOS_ORDER_BUDGET a run",
    "none": ": a Credit Note without our reference is known by customer, value and day alone; where more than one "
    "thing can be meant a person confirms it: khaos-swap postings confirm-notes",
}


def read_items(
    tools: Toolbox, client: KhaosClient, feeds: Sequence[StatusFeed], *, is_of_all: bool = False, is_later: bool = False
) -> list[StatusFeed]:
    """The feeds, with the items of their notes as far as Khaos shows them.

    ``is_of_all`` reads those in line too; ``is_later`` puts all in line, once it is known that they can be read.
    """
    now, budget = tools.now(), tools.settings.khaos.order_budget
    seen = [note for feed in feeds for note in feed.credit_notes]
    with tools.store() as conn:
        plan = _plan(conn, seen, store.in_line(conn, budget) if is_of_all else (), now)
    is_line_enough = is_later and plan.before is not None and plan.before.value == "export"
    heard = _heard(client, plan, () if is_line_enough else plan.ask[:budget])
    gone = [note.credit_note_code for feed in feeds for note in feed.cancelled_credit_notes]
    with tools.store() as conn:
        found = _keep(conn, plan, heard, gone, now)
    told = {note.credit_note_code for note in seen}
    extra = StatusFeed([], [note for code, note in found.items() if code not in told])
    told_again = (
        replace(feed, credit_notes=[found.get(note.credit_note_code, note) for note in feed.credit_notes])
        for feed in feeds
    )
    return [*told_again, extra]


def probe(client: KhaosClient, seen: Sequence[CreditNote], now: datetime) -> Capability | None:
    """By which way Khaos shows the items of these notes, tried now; None where there is no note to try."""
    plan = _Plan(seen, {note.credit_note_code: note for note in seen if not note.lines})
    tried = () if len(plan.lacking) < len(seen) else _newest(plan.lacking.values())
    return _capability(plan, _heard(client, plan, tried[: refusing.HOPELESS]), now)


def told(found: Capability | None) -> tuple[bool, str]:
    """Whether the way limits what is possible, and the way in words."""
    if found is None:
        return True, "not known: no Credit Note was shown to try it with"
    return found.value == "none", f"{found.value}, {found.evidence}{FOLLOWS[found.value]}"


@dataclass(frozen=True, slots=True)
class _Plan:
    """Notes as the status list shows them, those ``lacking`` items with what was read of them, and whom to ask for."""

    seen: Sequence[CreditNote]
    lacking: Mapping[str, CreditNote]
    known: Mapping[str, ItemsReading] = field(default_factory=dict)
    before: Capability | None = None
    ask: Sequence[str] = ()

    def is_as_known(self, code: str) -> bool:
        """True where its line in the list is as it was when it was read or put in line."""
        return code in self.known and self.known[code].line_hash == hash_of_line(self.lacking[code])

    def lines_of(self, code: str) -> Goods | None:
        """What was read while its line was as it is now."""
        return self.known[code].lines if self.is_as_known(code) else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came of asking; ``lost`` are the refused ones of which nobody knows whether Khaos shows them."""

    heard: Heard[NoteItems]
    lost: frozenset[str]


def _plan(conn: Conn, seen: Sequence[CreditNote], in_line: Sequence[str], now: datetime) -> _Plan:
    lacking = {note.credit_note_code: note for note in (*notes.by_code(conn, in_line), *seen) if not note.lines}
    before = store.capability(conn)
    plan = _Plan(seen, lacking, store.readings(conn, list(lacking)), before)
    if not lacking or (before and before.value == "none" and now < before.asked_at + PROBE_AGAIN):
        return plan
    paused = setbacks.paused(conn, refusing.NOTES, now)
    due = [code for code in _newest(lacking.values()) if plan.lines_of(code) is None and code not in paused]
    is_hopeful = before is not None and before.value == "export"
    return replace(plan, ask=due if is_hopeful else due[: refusing.HOPELESS])


def _newest(some: Iterable[CreditNote]) -> list[str]:
    ordered = sorted(some, key=lambda note: (note.created_on or date.min, note.credit_note_code), reverse=True)
    return [note.credit_note_code for note in ordered]


def _heard(client: KhaosClient, plan: _Plan, codes: Sequence[str]) -> _Asked:
    """The answers for these notes; after several refusals in a row no more of them are asked for."""
    lost: set[str] = set()

    def told() -> Iterator[tuple[str, NoteItems | VendorError]]:
        for code, answer in client.export_notes_many(codes):
            if isinstance(answer, TransientError):
                lost.add(code)
            yield code, _checked(answer, plan.lacking[code])

    return _Asked(refusing.hear(told() if codes else ()), frozenset(lost))


def _checked(answer: NoteItems | VendorError | None, note: CreditNote) -> NoteItems | VendorError:
    if answer is None:
        return PermanentError(NO_ANSWER)
    if isinstance(answer, NoteItems) and answer.customer_code not in ("", note.customer_code):
        return PermanentError(f"ExportOrders shows it for customer {answer.customer_code}")
    return answer


def _capability(plan: _Plan, asked: _Asked, now: datetime) -> Capability | None:
    if shown := next((note.credit_note_code for note in plan.seen if note.lines), ""):
        return Capability("status", f"the status list shows the items of {shown}", now)
    if asked.heard.answers:
        return Capability("export", f"ExportOrders shows the items of {min(asked.heard.answers)} by its code", now)
    refused = sorted(asked.heard.refused.keys() - asked.lost)
    if refused and (plan.before is None or plan.before.value == "none"):
        return Capability("none", f"neither way shows the items of {', '.join(refused)}", now)
    return plan.before


def _keep(conn: Conn, plan: _Plan, asked: _Asked, gone: Sequence[str], now: datetime) -> dict[str, CreditNote]:
    """Write down what was read, refused, and put in line; the notes whose items are known now, by code."""
    found = _capability(plan, asked, now)
    if found is not None and (plan.before is None or found.value != plan.before.value or asked.heard.refused):
        store.keep_capability(conn, found)
    shown = [note.credit_note_code for note in plan.seen if note.lines]
    store.leave_line(conn, [*shown, *gone])
    setbacks.over(conn, [refusing.NOTES], [*shown, *gone, *asked.heard.answers])
    read = {code: items.lines for code, items in asked.heard.answers.items()}
    store.save(conn, [ItemsReading(code, hash_of_line(plan.lacking[code]), lines, now) for code, lines in read.items()])
    if found is None or found.value != "none":
        setbacks.keep(conn, refusing.NOTES, asked.heard.refused, now)
        waiting = [code for code in plan.lacking if code not in read and not plan.is_as_known(code)]
        store.save(conn, [ItemsReading(code, hash_of_line(plan.lacking[code]), None, now) for code in waiting])
    before = {code: lines for code in plan.lacking if (lines := plan.lines_of(code)) is not None}
    return {code: replace(plan.lacking[code], lines=lines) for code, lines in {**before, **read}.items()}
