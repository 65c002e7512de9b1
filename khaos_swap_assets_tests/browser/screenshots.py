"""The pictures of ``docs/img``, taken from a running demo.

    khaos-swap demo --port 3100                                       (until a sync and a month end are through)
    python -m khaos_swap_assets_tests.browser.screenshots http://127.0.0.1:3100 http://127.0.0.1:8700

Belongs here: what is shown, and how wide. Stays out: starting the demo.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize

from khaos_swap_assets.door.gate import DAGSTER
from khaos_swap_assets_tests.browser.chromium import open_browser
from khaos_swap_assets_tests.running import ask_dagster, signed_in

FOLDER = Path(__file__).parents[2] / "docs" / "img"
SETTLES, PATIENCE = 3_000, 60_000
SENSORS = ("new_returns",)
QUIET_LOOKS, TRIES = 30, 5
LOCATION = {"repositoryName": "__repository__", "repositoryLocationName": "khaos_swap"}
ACTIVE = "{runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED, CANCELING]}) {... on Runs {count}}}"
STATE = (
    "query($selector: SensorSelector!) {sensorOrError(sensorSelector: $selector) {... on Sensor {sensorState {id}}}}"
)
STOP = "mutation($id: String!) {stopSensor(id: $id) {__typename}}"
START = "mutation($selector: SensorSelector!) {startSensor(sensorSelector: $selector) {__typename}}"
Shoot = Callable[[Page, str], None]


def take(addresses: Mapping[str, str], folder: Path) -> list[Path]:
    """Take every picture from the service that it shows (``ui`` or ``gateway``); the files written."""
    addresses = {**addresses, "ui": f"{addresses['ui']}{DAGSTER}"}
    with _without_new_runs(addresses["ui"]), open_browser() as browser:
        page = browser.new_page()
        door = addresses["ui"].removesuffix(DAGSTER)
        page.context.add_cookies([{"name": name, "value": key, "url": door} for name, key in signed_in(door).items()])
        page.goto(f"{addresses['ui']}/runs")
        page.get_by_text("Hide navigation").click()
        return [_shot(page, addresses, folder / name) for name in SHOTS]


def _shot(page: Page, addresses: Mapping[str, str], target: Path) -> Path:
    """Take one picture at rest: again where a run was asked for meanwhile."""
    service, (width, height), shoot, awaited = SHOTS[target.name]
    page.set_viewport_size(ViewportSize(width=width, height=height))
    for _ in range(TRIES):
        _rest(addresses["ui"])
        shoot(page, addresses[service])
        page.get_by_text(awaited).last.wait_for(timeout=PATIENCE)
        page.wait_for_timeout(SETTLES)
        page.screenshot(path=target)
        if not _active(addresses["ui"]):
            return target
    raise RuntimeError(f"{target.name}: runs were asked for at each of {TRIES} tries")


def _active(ui: str) -> int:
    """How many runs are queued or running."""
    return int(_ask(ui, ACTIVE)["runsOrError"]["count"])


def _rest(ui: str, looks: int = 1) -> None:
    """Wait until no run was queued or running at so many looks, one after the other."""
    quiet = 0
    while quiet < looks:
        quiet = 0 if _active(ui) else quiet + 1
        time.sleep(0.5)


@contextmanager
def _without_new_runs(ui: str) -> Iterator[None]:
    """Stop new syncs until all pictures are taken, and wait for the last month end: nothing shown is half done."""
    names = [{"sensorName": name, **LOCATION} for name in SENSORS]
    states = [_ask(ui, STATE, selector=name)["sensorOrError"]["sensorState"] for name in names]
    for state in states:
        _ask(ui, STOP, id=state["id"])
    try:
        _rest(ui, QUIET_LOOKS)
        yield
    finally:
        for name in names:
            _ask(ui, START, selector=name)


def _ask(ui: str, query: str, **variables: object) -> dict[str, Any]:
    return ask_dagster(ui.removesuffix(DAGSTER), query, DAGSTER, **variables)


def lineage(page: Page, ui: str) -> None:
    """The groups of assets and what flows between them, without the list beside the graph."""
    page.goto(f"{ui}/asset-groups")
    page.get_by_text("reconciliation").last.wait_for(timeout=PATIENCE)
    page.wait_for_timeout(SETTLES)
    if page.get_by_placeholder("Jump to…").is_visible():
        page.get_by_placeholder("Jump to…").locator("xpath=following::button[1]").click()
    page.keyboard.press("Alt+0")


def runs(page: Page, ui: str) -> None:
    """Runs that the sensors launched."""
    page.goto(f"{ui}/runs")


def check(page: Page, ui: str) -> None:
    """A red check with its table of the worst."""
    page.goto(f"{ui}/assets/khaos/credit_notes?view=checks&checkDetail=every_confirmed_refund_has_one_credit_note")


def month_end(page: Page, ui: str) -> None:
    """The month that ended last: its summary."""
    last = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    page.goto(f"{ui}/assets/reconciliation/month_end?view=partitions&partition={last:%Y-%m}")


def gap(page: Page, ui: str) -> None:
    """The same month: its gap by cause."""
    month_end(page, ui)
    row = page.get_by_role("row").filter(has_text="gap_by_cause")
    row.get_by_text("[Show Markdown]").click(timeout=PATIENCE)


def gateway(page: Page, address: str) -> None:
    """The gateway's own page."""
    page.goto(f"{address}/docs")


SHOTS: Mapping[str, tuple[str, tuple[int, int], Shoot, str]] = {
    "lineage.png": ("ui", (1600, 800), lineage, "reconciliation"),
    "runs.png": ("ui", (1400, 620), runs, "Success"),
    "check.png": ("ui", (1500, 900), check, "When red:"),
    "month_end.png": ("ui", (1400, 800), month_end, "Unreconciled"),
    "gap_by_cause.png": ("ui", (1400, 900), gap, "Close"),
    "gateway.png": ("gateway", (1100, 900), gateway, "/metrics"),
}

if __name__ == "__main__":
    for file in take({"ui": sys.argv[1], "gateway": sys.argv[2]}, FOLDER):
        sys.stdout.write(f"{file}\n")
