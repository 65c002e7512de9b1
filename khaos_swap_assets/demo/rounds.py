"""Playing a trading month: rounds of sandbox and sync until nothing is left to do, then time passes, and again.

Belongs here: the order of events and when it is quiet. Stays out: starting processes (``once``) and counting
(``outcome``). The jobs are those of the code location, on a real instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

import dagster as dg
import httpx

from khaos_swap_assets.adapters import clock
from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.store import monthly, queues
from khaos_swap_assets.automation import known_periods
from khaos_swap_assets.demo.environment import Place
from khaos_swap_assets.demo.outcome import confirmed_by_store
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.stages.due import local_reason
from khaos_swap_assets.stages.toolbox import Toolbox

WAITS = (timedelta(days=3), timedelta(days=5), timedelta(days=8))
LAST_LOOK = timedelta(hours=6)
"""Where goods go into Khaos by a route: until the level of what went last is looked at."""
MOST_ROUNDS = 40
ROUNDS_DOWN = 6
MOST_FAILURES = 5
PERSON = people.Person("demo.person", "the return was looked up in Khaos")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
Say = Callable[[str], None]


@dataclass
class Played:
    """What a play measured: seconds a stage, and the last verdict of every check by its name and partition.

    ``meanwhile``: documents confirmed by store, at the end of the time in which the store ``down`` answered nothing.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    checks: dict[tuple[str, str], bool] = field(default_factory=dict)
    failed_runs: int = 0
    down: str = ""
    meanwhile: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of the block to ``stage``."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - start


@dataclass
class Play:
    """One play over a running sandbox, gateway and database."""

    place: Place
    tools: Toolbox
    definitions: dg.Definitions
    instance: dg.DagsterInstance
    say: Say
    played: Played = field(default_factory=Played)
    down: str = ""
    was_whole: bool = False
    door: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=300, trust_env=False))

    def run(self) -> Played:
        """Play to the end. Raises ``KhaosSwapError`` when it never becomes quiet."""
        self._pin()
        if self.down:
            self._without_a_store()
        self._until_quiet()
        self._act()
        for wait in WAITS if self.tools.settings.stock.route == "task" else (*WAITS, LAST_LOOK):
            self._sandbox("advance", {"hours": wait / timedelta(hours=1)})
            self._pin()
            self._until_quiet()
        self._job("standing_checks")
        self._close_months()
        return self.played

    def _without_a_store(self) -> None:
        """Some rounds in which one store of Swap answers nothing, and then the pause after which it is asked again."""
        faults = f"faults?store={self.down}"
        self._sandbox(faults, {"swap_500": -1})
        for number in range(1, ROUNDS_DOWN + 1):
            self._tick()
            self._sync()
            self.say(f"{self._now():%d %b %H:%M} round {number}, {self.down} is down: {self._standing()}")
        with self.tools.store() as conn:
            self.played.down, self.played.meanwhile = self.down, confirmed_by_store(conn)
        self._sandbox(faults, {"swap_500": 0})
        self._sandbox("advance", {"hours": 1})
        self._pin()

    def _tick(self) -> dict[str, int]:
        with self.played.timed("sandbox"):
            did: dict[str, int] = self._sandbox("tick")["did"]
        return did

    def _until_quiet(self) -> None:
        for number in range(1, MOST_ROUNDS + 1):
            did = self._tick()
            is_still = not any(did[name] for name in did if name != "sold")
            if number > 1 and is_still and self.was_whole and not self._is_due():
                return
            self._sync()
            self.say(f"{self._now():%d %b %H:%M} round {number}: {self._standing()}")
            if self.played.failed_runs > MOST_FAILURES:
                raise KhaosSwapError(f"{self.played.failed_runs} runs failed; the reasons are above")
        raise KhaosSwapError(f"the demo was not quiet after {MOST_ROUNDS} rounds")

    def _sync(self) -> None:
        self.was_whole = self._job("sync")

    def _job(self, name: str, partition: str | None = None) -> bool:
        job = self.definitions.resolve_job_def(name)
        result = job.execute_in_process(
            instance=self.instance, partition_key=partition, raise_on_error=False, run_config=QUIET
        )
        self._tell_failures(result)
        for event in result.all_events:
            if event.is_step_success and event.step_key:
                took = event.step_success_data.duration_ms / 1000
                self.played.seconds[event.step_key] = self.played.seconds.get(event.step_key, 0.0) + took
        for check in result.get_asset_check_evaluations():
            self.played.checks[check.check_name, partition or ""] = check.passed
        return bool(result.success)

    def _tell_failures(self, result: dg.ExecuteInProcessResult) -> None:
        self.played.failed_runs += not result.success
        for event in result.all_events:
            if event.is_step_failure and event.step_failure_data.error:
                cause = event.step_failure_data.error
                self.say(f"{event.step_key} failed: {(cause.cause or cause).message.strip()}")

    def _standing(self) -> str:
        with self.tools.store() as conn:
            return ", ".join(f"{count} {name}" for name, count in queues.standing(conn))

    def _is_due(self) -> bool:
        with self.tools.store() as conn:
            reason = local_reason(conn, self.tools.settings, self.tools.now())
        return bool(reason) and reason != "a document is out or ready"

    def _act(self) -> None:
        """Do what a person would who looks at Khaos's screens: process returns that Khaos left half done."""
        for action in self._sandbox("script", method="GET")["actions"]:
            self.say(f"{action['reference']}: {self._processed(action['reference'], action['return_code'])}")

    def _processed(self, reference: str, return_code: str) -> str:
        """What came of one; a document that Khaos pulled twice is there twice, and its posting may have ended."""
        with self.tools.open_store() as conn:
            try:
                khaos = self.tools.open_khaos()
                return people.process_return(conn, khaos, reference, return_code, PERSON, now=self._now())[1]
            except people.ActionError as error:
                return str(error)

    def _close_months(self) -> None:
        with self.tools.store() as conn:
            periods = known_periods(monthly.touched(conn), self.tools.settings.period_start)
        for period in periods:
            self._job("month_end", period)

    def _now(self) -> datetime:
        return datetime.fromisoformat(self._sandbox("clock", method="GET")["now"])

    def _pin(self) -> None:
        clock.pin(self.place.clock_file, self._now())

    def _sandbox(self, door: str, body: dict[str, object] | None = None, *, method: str = "POST") -> dict:  # type: ignore[type-arg]
        answer = self.door.request(method, f"{self.place.sandbox_url}/admin/{door}", json=body)
        answer.raise_for_status()
        return dict(answer.json())
