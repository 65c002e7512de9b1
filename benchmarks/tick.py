"""A tick with 1,000 changed returns over a history of 100,000 and of 1,000,000: the cost must not follow the history.

Every asset and check of the sync runs as in a job, with both vendors answering from memory: what is left is our own
work and the database's. The median of three ticks after one to warm up.
"""

from __future__ import annotations

import statistics
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import dagster as dg
from pydantic import SecretStr

from benchmarks.history import NOW, build, empty_store, forget
from benchmarks.stand_ins import FromMemoryKhaos, FromMemorySwap
from khaos_swap_assets.adapters.settings import KhaosSettings, Settings
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.adapters.store.pool import Pool
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.definitions import STANDING
from khaos_swap_assets.definitions import build as definitions
from khaos_swap_assets.resources import set_apart
from khaos_swap_assets.stages.checking import judge_all
from khaos_swap_assets.stages.toolbox import Toolbox

CHANGED = 1_000
# Both are longer than what checks look back over: 30 days, 60,000 returns.
SIZES = (100_000, 1_000_000)
REPEATS = 3


def measure() -> dict[str, Any]:
    """Median seconds over each history, their ratio (at most 1.3 is wanted) and where the time went.

    Ticks over the short and the long history take turns, so that whatever else the machine does hits both.
    """
    with empty_store() as short, empty_store() as long:
        ours = [_Bench(url, size) for url, size in zip((short, long), SIZES, strict=True)]
        for _ in range(REPEATS + 1):
            for bench in ours:
                bench.take()
    seconds = [bench.seconds for bench in ours]
    ratio = round(seconds[1] / seconds[0], 2)
    return {
        "changed_returns": CHANGED,
        "history_returns": SIZES,
        "seconds": seconds[1],
        "seconds_over_the_short_history": seconds[0],
        "ratio": ratio,
        "seconds_by_step": {name: [bench.by_step[name] for bench in ours] for name in ours[1].by_step},
        "is_met": ratio <= 1.3,
    }


class _Bench:
    """A store with a history of ``size`` returns and the ticks taken over it; the first only warms up."""

    def __init__(self, url: str, size: int) -> None:
        build(url, size)
        self.swap = FromMemorySwap()
        self.swap.shown = range(size + 1, size + 1 + CHANGED)
        self.tools = toolbox(url, self.swap)
        self.steps = steps()
        self.ticks: list[dict[str, float]] = []

    def take(self) -> None:
        """One tick, then everything of it is taken out again."""
        self.ticks.append(tick(self.tools, self.steps))
        _require_all_planned(self.tools)
        with self.tools.store() as conn:
            forget(conn, self.swap.shown[0], self.swap.shown[-1])
            conn.execute("UPDATE recon.watermarks SET reached_at = %s - interval '1 minute'", (NOW,))

    @property
    def seconds(self) -> float:
        """The median of whole ticks."""
        return round(statistics.median(sum(one.values()) for one in self.ticks[1:]), 3)

    @property
    def by_step(self) -> dict[str, float]:
        """The median of each step, the longest first."""
        found = {name: round(statistics.median(one[name] for one in self.ticks[1:]), 3) for name in self.ticks[0]}
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def toolbox(url: str, swap: FromMemorySwap, opened: Callable[[Any], None] = lambda _: None) -> Toolbox:
    """The parts of a tick over the database of ``url``, in a process settled as that of a run.

    Connections, each shown to ``opened``, are kept as by a run.
    """
    set_apart()
    key = SecretStr(Sealer.new_key())
    settings = Settings(
        mode="post",
        post_from=NOW.date().replace(day=1),
        order_ref_format="KCC{0}",
        khaos=KhaosSettings(stock_minutes=0, poll_minutes=0, order_budget=CHANGED),
    )

    def open_store() -> Any:
        connection = database.connect(url, application="benchmark")
        opened(connection)
        return connection

    khaos: Any = FromMemoryKhaos()
    vendor: Any = swap
    pool = Pool(open_store)
    tools = Toolbox(settings, pool.transaction, lambda: vendor, lambda: khaos, lambda: Sealer(key), lambda: NOW)
    weakref.finalize(tools, pool.close)
    return tools


def tick(tools: Toolbox, work_steps: Sequence[tuple[str, Any]]) -> dict[str, float]:
    """Do what a sync does, asset by asset, and judge after it; seconds of each."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for name, work in work_steps:
        with _added(seconds, name):
            result = work(toolbox=tools)
            if isinstance(result, Iterator):
                list(result)
    return dict(seconds)


def steps() -> list[tuple[str, Any]]:
    """The assets of the sync in the order of their dependencies, then the standing checks, which follow each sync."""
    built = definitions()
    made: list[Any] = [one for one in built.assets or () if isinstance(one, dg.AssetsDefinition)]
    functions = {one.node_def.name: one.node_def.compute_fn.decorated_fn for one in made}
    job = built.resolve_job_def("sync")
    assets = [(node.name, functions[node.name]) for node in job.nodes_in_topological_order]
    return [*assets, ("standing_checks", lambda toolbox: judge_all(STANDING, toolbox))]


@contextmanager
def _added(seconds: defaultdict[str, float], name: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[name] += perf_counter() - start


def _require_all_planned(tools: Toolbox) -> None:
    with tools.store() as conn:
        row = conn.execute("SELECT count(*) FROM recon.postings WHERE state = 'planned'").fetchone()
    if not row or row[0] != CHANGED:
        raise AssertionError(f"{row and row[0]} of {CHANGED} changed returns became a posting")
