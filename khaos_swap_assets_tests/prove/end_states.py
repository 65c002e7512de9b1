"""The same days with events, without any, and with a day in the dark: where they end.

Belongs here: the days and the comparison of their ends. Stays out: both vendors' stand-ins (``stages.town``), and the
same claim over HTTP (``proofs.without_webhooks``). Swap does not promise that every change moves the date of update
(swap.md §12.3, question 10), so for some returns it does not.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from benchmarks.gateway_load import prepare
from khaos_swap_assets.adapters.store import arrivals, embedded
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.stages.due import what_is_due
from khaos_swap_assets_tests.stages.town import NOON, Town, a_line, a_return, an_order, some_settings

Mode = Literal["events", "sweeps", "dark day"]
MODES: tuple[Mode, ...] = ("events", "sweeps", "dark day")
DARK = (timedelta(hours=4), timedelta(hours=28))
BUSY = timedelta(hours=40)
END = timedelta(hours=60)
SWEEP = timedelta(minutes=15)
SILENT = 0.2
PAID_PENCE = 1000
MOST_ROUNDS = 200
STATES = {
    "postings": "SELECT rma, value_pence, state FROM recon.postings ORDER BY 1, 2, 3",
    "reconciliation": "SELECT rma, status, refund_pence, credited_pence, gap_pence FROM recon.reconciliation "
    "ORDER BY 1",
    "exceptions": "SELECT kind, subject FROM recon.exceptions WHERE closed_at IS NULL ORDER BY 1, 2",
    "waiting knocks": "SELECT return_id FROM recon.inbox WHERE consumed_at IS NULL",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A return as Swap shows it from a moment on, and the event that Swap sends then."""

    at: datetime
    event: str
    record: Return


def changes_of(returns: int, seed: int) -> list[Change]:
    """Each return is submitted, and processed hours later: most refunded, some cancelled, some of an unknown SKU.

    Each refund is another one, and below what was paid for the line.
    """
    rng = random.Random(seed)
    found: list[Change] = []
    for number in range(1, returns + 1):
        began = NOON + timedelta(seconds=rng.uniform(0, BUSY.total_seconds()))
        ended = began + timedelta(seconds=rng.uniform(600, (BUSY / 2).total_seconds()))
        line = a_line("NOWHERE" if rng.random() < 0.05 else "HAT", pence=PAID_PENCE - number)
        young = {"submitted_at": began, "created_at": began, "delivered_at": began}
        done = a_return(number, line, **young, processed_at=ended, closed_at=ended, updated_at=ended)
        if rng.random() < 0.05:
            done = replace(done, status="Cancelled", processed_at=None, closed_at=None)
        is_silent = rng.random() < SILENT
        opened = replace(done, status="Open", refund_pence=0, processed_at=None, closed_at=None, updated_at=began)
        found.append(Change(began, "returnCreated", opened))
        found.append(Change(ended, "returnProcessed", replace(done, updated_at=began) if is_silent else done))
    return sorted(found, key=lambda change: change.at)


@dataclass
class Days:
    """One play of the days over a database of its own."""

    town: Town
    mode: Mode
    changes: list[Change]
    step: timedelta = timedelta(minutes=5)
    runs: int = 0
    woke_up_with: list[str] = field(default_factory=list)

    def play(self) -> dict[str, Any]:
        """Let all days pass, come to rest, and tell the final state."""
        self.town.khaos.sell(*(an_order(number + 1) for number in range(len(self.changes) // 2)))
        left = list(self.changes)
        while self.town.now < NOON + END:
            self.town.now += self.step
            while left and left[0].at <= self.town.now:
                self._happen(left.pop(0))
            self._run_what_is_due()
        self._come_to_rest()
        return self._state()

    def _happen(self, change: Change) -> None:
        self.town.swap.put(change.record)
        if self.mode == "events":
            with self.town.tools.store() as conn:
                arrivals.keep_knocks(
                    conn, [arrivals.Knock("S1", change.event, change.record.return_id, {}, self.town.now)]
                )

    def _run_what_is_due(self) -> None:
        """With events whatever is due starts a run at once; else only the clock does, and in the dark nothing."""
        if self.mode == "dark day" and DARK[0] <= self.town.now - NOON < DARK[1]:
            return
        is_due = self.mode == "events" and bool(what_is_due(self.town.tools, asks_swap=False))
        if is_due or (self.town.now - NOON) % SWEEP < self.step:
            self._run()

    def _run(self) -> None:
        self.town.swap.asked.clear()
        self.town.sync(seconds=0)
        self.town.pull()
        self.runs += 1
        if self.mode == "dark day" and self.town.now - NOON >= DARK[1] and not self.woke_up_with:
            self.woke_up_with = [how for how, _ in self.town.swap.asked]

    def _come_to_rest(self) -> None:
        """Runs until the days end alike in every mode: everything is handed out and witnessed."""
        for _ in range(MOST_ROUNDS):
            before = self._state()
            self.town.now += timedelta(minutes=20)
            self._run()
            if self._state() == before:
                return

    def _state(self) -> dict[str, Any]:
        notes = sorted((one.associated_ref, one.gross_pence, one.lines) for one in self.town.khaos.notes.values())
        return {"ledger": notes, **{name: self.town.ask(query) for name, query in STATES.items()}}


def compare(open_town: Callable[[], Town], returns: int, step: timedelta, seed: int = 1) -> dict[str, Any]:
    """Play the days in every mode, each over an empty town; the figures and every difference."""
    changes = changes_of(returns, seed)
    played: dict[Mode, Days] = {}
    ends: dict[Mode, dict[str, Any]] = {}
    for mode in MODES:
        played[mode] = Days(open_town(), mode, changes, step)
        ends[mode] = played[mode].play()
    first = ends["events"]
    faults = [
        f"{mode}: another {name} than with events"
        for mode in MODES[1:]
        for name in first
        if ends[mode][name] != first[name]
    ]
    refs = [ref for ref, _, _ in first["ledger"]]
    if len(refs) != len(set(refs)):
        faults.append("a return is credited twice")
    if "submitted" not in played["dark day"].woke_up_with:
        faults.append("the night's sweep was not wide")
    counts = {name: len(rows) for name, rows in first.items()}
    return {"holds": not faults, "faults": faults, **counts, "runs": {mode: days.runs for mode, days in played.items()}}


def end_states(returns: int = 200, step: timedelta = timedelta(minutes=10)) -> dict[str, Any]:
    """With events, without any, and after a dark day that the night's wide sweep repairs: the same final state."""
    with _towns() as open_town:
        return compare(open_town, returns, step)


@contextmanager
def _towns() -> Iterator[Callable[[], Town]]:
    with tempfile.TemporaryDirectory(prefix="khaos-swap-ends-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=False)
        names = iter(range(100))
        try:
            yield lambda: Town(prepare(server, f"ends_{next(names)}"), free_settings())
        finally:
            server.stop()


def free_settings() -> Any:
    """Settings without a cap on documents, which would spread the same end over more days."""
    return some_settings(daily_document_cap=1_000_000, daily_value_cap_pounds=1_000_000, page_documents=1_000)
