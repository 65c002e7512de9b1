"""A whole catalogue pushed by Khaos Cloud: over HTTP into the inbox, and through the assets into the mirrors.

Belongs here: the pushes, the assets run in a process of their own, and what their figures must be. Stays out: the
server and the gateway (``benchmarks.gateway_load``). A push holds 100 items, the most of a ``StockStatusUpload``
(contracts/khaos.md §8.6). ``python -m khaos_swap_assets_tests.prove.catalogue_feed URL`` runs the assets once for each
line that it reads, and prints one JSON line.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn

import httpx

from benchmarks import gateway_load
from benchmarks.measuring import peak_mb
from khaos_swap_assets.adapters.settings import KhaosSettings, Settings
from khaos_swap_assets.adapters.store import database, embedded
from khaos_swap_assets.stages.toolbox import Toolbox

ITEMS = 100_000
A_PUSH = 100
TICKS = 5
USER, PASSWORD = "khaos", "catalogue-proof-only"
MOST_RATIO = 1.3
MOST_MORE_MB = 60
LEAST_ROWS_A_SECOND = 2_000
CODES = (
    "SELECT count(*), count(DISTINCT stock_id), coalesce(md5(string_agg("
    "concat_ws('|', stock_code, content_hash, changed_at), ',' ORDER BY stock_code)), '') FROM khaos.stock_codes"
)
LEVELS = "SELECT count(*), sum(available)::bigint FROM khaos.stock_levels"

Figures = dict[str, Any]


def gateway_catalogue(items: int = ITEMS) -> Figures:
    """100,000 Stock Codes and levels by HTTP: mirrored exactly, in the memory of a tenth of them, and cheap ever after.

    A second, unchanged feed changes nothing; a tick after one changed item costs no more over all than over a tenth.
    """
    with tempfile.TemporaryDirectory(prefix="khaos-swap-feed-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=True)
        try:
            url = gateway_load.prepare(server)
            channel: dict[str, Any] = {
                "KHAOS_SWAP_KHAOS_CHANNEL_USER": USER,
                "KHAOS_SWAP_KHAOS_CHANNEL_PASSWORD": PASSWORD,
            }
            with gateway_load.gateway(url, **channel) as (port, process):
                feed = Feed(url, port)
                feed.play(items)
                feed.figures["gateway_mb"] = gateway_load.memory_mb(process)
        finally:
            server.stop()
    faults = [*feed.faults, *judged(feed.figures)]
    return {"holds": not faults, "faults": faults, **feed.figures}


@dataclass
class Feed:
    """Pushes into a gateway, and what the assets then make of them."""

    url: str
    port: int
    figures: Figures = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def play(self, items: int) -> None:
        """A tenth of the catalogue, then all of it, each with a few single changes; then all of it as it is."""
        for name, count in (("tenth", items // 10), ("whole", items)):
            with Runs(self.url) as runs:
                self.figures[name] = self._fed(runs, count)
                self.figures[name]["seconds_of_one_changed"] = self._single_changes(runs, name)
            self._require(count)
        before = self._ask(CODES)
        with Runs(self.url) as runs:
            self.figures["again"] = again = self._fed(runs, items, unlike=TICKS)
        if again["changed"] or self._ask(CODES) != before:
            self.faults.append(f"an unchanged feed changed {again['changed']} codes")

    def _fed(self, runs: Runs, count: int, unlike: int = 0) -> Figures:
        """Push so many codes and levels, then run the assets once; a run before it warms the process up."""
        runs.once()
        start = perf_counter()
        self._push("stock", ({"Items": part, "Deleted": []} for part in parts(an_item, count, unlike)))
        self._push("stock-status", ({"Statuses": part} for part in parts(a_level, count)))
        pushing, told = perf_counter() - start, runs.once()
        rate = round(2 * count / (told["codes_seconds"] + told["levels_seconds"]))
        return {"pushing_seconds": round(pushing, 1), **told, "rows_a_second": rate}

    def _single_changes(self, runs: Runs, name: str) -> float:
        """Median seconds of both assets after one push of one changed item."""
        told: list[dict[str, float]] = []
        for number in range(TICKS):
            self._push("stock", [{"Items": [an_item(number, name)], "Deleted": []}])
            told.append(runs.once())
        if [one["changed"] for one in told] != [1] * TICKS:
            self.faults.append(f"{[one['changed'] for one in told]} codes changed, each time one was pushed")
        return round(statistics.median(one["codes_seconds"] + one["levels_seconds"] for one in told), 3)

    def _require(self, count: int) -> None:
        codes, levels = self._ask(CODES), self._ask(LEVELS)
        if codes[:2] != (count, count):
            self.faults.append(f"{codes[0]} Stock Codes with {codes[1]} ids are mirrored, {count} were pushed")
        if levels != (count, sum(a_level(number)["Levels"]["Available"] for number in range(count))):
            self.faults.append(f"{levels[0]} levels of {levels[1]} units are mirrored")
        if self._ask("SELECT count(*) FROM recon.inbox WHERE consumed_at IS NULL") != (0,):
            self.faults.append("pushes are left in the inbox")

    def _push(self, name: str, bodies: Iterator[Figures] | Sequence[Figures]) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", auth=(USER, PASSWORD), trust_env=False) as client:
            for body in bodies:
                client.post(f"/khaos/{name}", json=body, timeout=30).raise_for_status()

    def _ask(self, query: str) -> tuple[Any, ...]:
        with database.connect(self.url, application="proof") as conn:
            return conn.execute(query.encode()).fetchone() or ()


def judged(figures: Figures) -> list[str]:
    """What is wrong with the times and the memory."""
    tenth, whole, again = (figures[name] for name in ("tenth", "whole", "again"))
    ratio, faults = whole["seconds_of_one_changed"] / tenth["seconds_of_one_changed"], []
    if ratio > MOST_RATIO:
        faults.append(f"one changed item costs {ratio:.2f} times as much over ten times the items")
    for name, fed in (("first", whole), ("second", again)):
        if (more := fed["peak_mb"] - tenth["peak_mb"]) > MOST_MORE_MB:
            faults.append(f"the {name} feed takes {more} MB more than a tenth of it, {MOST_MORE_MB} are allowed")
        if fed["rows_a_second"] < LEAST_ROWS_A_SECOND:
            faults.append(f"the {name} feed: {fed['rows_a_second']} rows a second, {LEAST_ROWS_A_SECOND} are wanted")
    return faults


def an_item(number: int, note: str = "") -> Figures:
    """One item as ``StockUpload`` tells it; ``note`` makes it another content (contracts/khaos.md §8.5)."""
    return {
        "StockID": str(10_000 + number),
        "StockCode": f"FELL-{number:06d}-MOS-M",
        "ShortDescription": f"Fell Waterproof Jacket {number} Moss M",
        "LongDescription": "Three layers, taped seams, a hood that fits over a helmet. " * 5,
        "OtherRef": note or f"SUP-{number}",
        "BuyPrice": {"Net": 31.2},
        "SellPrice": {"Gross": 84.99},
        "TaxRate": {"ID": "1", "Code": "1", "Name": "Standard"},
        "Options": {"PublishOnWeb": True, "Discontinued": False, "StockControlled": True},
        "Barcodes": [{"Barcode": f"50600{number:08d}", "Type": {"ID": "2", "Name": "EAN"}}],
    }


def a_level(number: int) -> Figures:
    """One level as ``StockStatusUpload`` tells it."""
    return {"StockCode": an_item(number)["StockCode"], "SiteID": 1, "Levels": {"Available": number % 40, "OnOrder": 0}}


def parts(made: Callable[..., Figures], count: int, unlike: int = 0) -> Iterator[list[Figures]]:
    """So many of them in pushes; the first ``unlike`` are items as the single changes left them."""
    for start in range(0, count, A_PUSH):
        numbers = range(start, min(start + A_PUSH, count))
        yield [made(number, "whole") if number < unlike else made(number) for number in numbers]


class Runs:
    """A process that runs both assets when told to."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "khaos_swap_assets_tests.prove.catalogue_feed", url]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=gateway_load.ROOT, stdin=pipe, stdout=pipe, text=True)

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def once(self) -> Figures:
        """Seconds of each asset, codes that changed, and the megabytes that the process took at most."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        told: Figures = json.loads(self._process.stdout.readline())
        return told


def main(url: str) -> None:
    """Run the assets as a sync does, once for each line of stdin."""
    from khaos_swap_assets.stages.stock.assets import stock_levels
    from khaos_swap_assets.stages.stock_codes.assets import stock_codes

    assets: tuple[tuple[str, Any], ...] = (("codes", stock_codes), ("levels", stock_levels))
    tools = toolbox(url)
    for _ in sys.stdin:
        figures: Figures = {}

        def once(figures: Figures = figures) -> None:
            for name, asset in assets:
                start = perf_counter()
                changed = asset(toolbox=tools).metadata["pushed"]
                figures[f"{name}_seconds"] = round(perf_counter() - start, 3)
                figures.setdefault("changed", changed)

        figures["peak_mb"] = peak_mb(once)
        sys.stdout.write(json.dumps(figures) + "\n")
        sys.stdout.flush()


def toolbox(url: str) -> Toolbox:
    """The parts of a sync of Khaos Cloud in audit: no vendor is called."""
    settings = Settings(database_url=url, khaos=KhaosSettings(edition="cloud"))

    def nobody() -> NoReturn:
        raise AssertionError("Khaos Cloud answers no call")

    def open_store() -> Any:
        return database.connect(url, application="proof")

    return Toolbox(settings, open_store, nobody, nobody, nobody, lambda: datetime.now(UTC))


if __name__ == "__main__":
    main(sys.argv[1])
