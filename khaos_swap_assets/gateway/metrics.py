"""What the service tells about itself to Prometheus.

Belongs here: counters of this process (of all of them, where several share a folder) and figures of the database at
the moment of asking. Stays out: what a figure means for the flow (``adapters.store.queues``). No label holds anything
that a sender chose.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from khaos_swap_assets.adapters.store.queues import Queue

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
OWN = CollectorRegistry()
REQUESTS = Counter("khaos_swap_requests", "Requests answered", ["route", "method", "status"], registry=OWN)
SECONDS = Histogram(
    "khaos_swap_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10),
    registry=OWN,
)
IN_FLIGHT = Gauge("khaos_swap_requests_in_flight", "Requests being answered", registry=OWN, multiprocess_mode="livesum")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe(scope: Scope, status: int, seconds: float) -> None:
    """Count one answered request under the route that took it."""
    route = getattr(scope.get("route"), "path", "none")
    method = scope["method"] if scope["method"] in METHODS else "other"
    REQUESTS.labels(route, method, str(status)).inc()
    SECONDS.labels(route).observe(seconds)


def page(
    queues: Iterable[Queue],
    refused: dict[str, int],
    *,
    is_database_up: bool,
    feed: Sequence[str] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> bytes:
    """Everything in Prometheus's text form.

    ``feed`` is what stops the feed, None where that is not known; ``sizes`` are bytes on disk by what holds them.
    """
    registry = CollectorRegistry()
    if os.environ.get(SHARED_FOLDER):
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(_Figures(list(queues), refused, is_database_up, feed))
    registry.register(_Sizes(sizes or {}))
    own = b"" if os.environ.get(SHARED_FOLDER) else generate_latest(OWN)
    return own + generate_latest(registry)


class _Figures(Collector):
    def __init__(
        self, queues: list[Queue], refused: dict[str, int], is_database_up: bool, feed: Sequence[str] | None
    ) -> None:
        self._queues, self._refused, self._is_up, self._feed = queues, refused, is_database_up, feed

    def collect(self) -> Iterator[Metric]:
        """The figures as gauges."""
        yield GaugeMetricFamily("khaos_swap_database_up", "1 while the database answers", float(self._is_up))
        if self._feed is not None:
            told = "Reasons that stop the feed or a document of it; khaos-swap postings list says them"
            yield GaugeMetricFamily("khaos_swap_feed_stopped", told, float(len(self._feed)))
        waiting = GaugeMetricFamily("khaos_swap_waiting", "Things that wait", labels=["queue"])
        oldest = GaugeMetricFamily("khaos_swap_oldest_waiting_seconds", "Age of the oldest", labels=["queue"])
        empty = GaugeMetricFamily("khaos_swap_empty_in_seconds", "Until empty at the present rate", labels=["queue"])
        for queue in self._queues:
            waiting.add_metric([queue.name], queue.waiting)
            oldest.add_metric([queue.name], queue.oldest_seconds)
            if queue.empty_in_seconds is not None:
                empty.add_metric([queue.name], queue.empty_in_seconds)
        refused = GaugeMetricFamily("khaos_swap_refused_messages", "Refused in the past day", labels=["reason"])
        for reason, times in self._refused.items():
            refused.add_metric([reason], times)
        yield from (waiting, oldest, empty, refused)


class _Sizes(Collector):
    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes

    def collect(self) -> Iterator[Metric]:
        """One gauge of bytes."""
        sizes = GaugeMetricFamily("khaos_swap_size_bytes", "Bytes on disk", labels=["what"])
        for what, size in self._sizes.items():
            sizes.add_metric([what], size)
        yield sizes
