"""Whether Dagster's processes do more than exist: a process can be there and answer nobody.

Belongs here: one question each. Stays out: how often it is asked and what follows (``watching``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from khaos_swap_assets.adapters.alerts import FAILURES_SEEN
from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import dagster_runs, database, worklist
from khaos_swap_assets.running.processes import Listen

UNSEEN_AFTER = timedelta(minutes=10)

ANSWER_SECONDS = 5
STILL_SECONDS = 120
"""Each part of the daemon is to be heard every 30 s; a look at a slow vendor may hold one up for a minute."""


def code_server_answers(address: Listen) -> bool:
    """Whether Dagster's code server says by its own health service that it serves."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(f"{address.host}:{address.port}") as channel:
        try:
            question = health_pb2.HealthCheckRequest(service="DagsterApi")
            answer = health_pb2_grpc.HealthStub(channel).Check(question, timeout=ANSWER_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def daemon_beats(dagster_database_url: str) -> bool:
    """Whether the daemon's parts that start syncs were heard of late; an unanswered question speaks of the database."""
    try:
        return dagster_runs.seconds_since_beat(dagster_database_url) < STILL_SECONDS
    except StoreError:
        return True


class FailuresSeen:
    """Whether somebody still looks for failed runs: told by the house itself when the sensor's last look is old."""

    def __init__(
        self, url: str, alert: Callable[[str, str], object], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._url = url
        self._alert = alert
        self._now = now
        self._since = now()

    def look(self) -> None:
        """Alert when nobody looked for ten minutes of this house's life. Raises ``StoreError``."""
        now = self._now()
        if now - self._since < UNSEEN_AFTER:
            return
        with database.reported(self._url), database.connect(self._url, application="house") as connection:
            seen_at = worklist.reached(connection, FAILURES_SEEN) or self._since
        if now - seen_at >= UNSEEN_AFTER:
            minutes = (now - seen_at) // timedelta(minutes=1)
            self._alert(
                "nobody is told of failed runs",
                f"the sensor failed_runs did not look for {minutes} minutes: see it in the UI under /automation",
            )
