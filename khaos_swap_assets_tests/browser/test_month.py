"""Two months on Dagster's own page of their check, in a real browser: one green with its waiver beside one red."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import Page

from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.ui.webserver import dagster_app
from khaos_swap_assets_tests.browser import chromium
from khaos_swap_assets_tests.running import serving
from khaos_swap_assets_tests.stages.town import NOON, Town, a_return
from khaos_swap_assets_tests.test_definitions import run

pytestmark = [
    pytest.mark.browser,
    pytest.mark.house,
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine"),
]
MONTHS = ("2026-02", "2026-03")
CHECK = "/assets/reconciliation/month_end?view=checks&checkDetail=refunds_reconcile"


@pytest.fixture
def town(database_url: str) -> Town:
    """A refund of each month without a Credit Note; that of March is waived."""
    town = Town(database_url).with_settings(mode="audit", post_from=None)
    in_february = {name: NOON - timedelta(days=20) for name in ("processed_at", "closed_at")}
    town.sells_and_takes_back(a_return(1), a_return(2, **in_february))
    town.now = NOON + timedelta(days=30)
    town.sync()
    number = int(str(town.one("SELECT exception_id FROM recon.exceptions WHERE rma = 'RMA1' AND closed_at IS NULL")))
    with database.connect(town.url, application="tests") as conn:
        waivers.waive(conn, number, people.Person("Kim", "settled outside"), now=town.now)
    return town


@pytest.fixture
def ui(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Dagster's page over the code location as Dagster's own tools load it, with a verdict of each month."""
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("load_from: [{python_module: khaos_swap_assets.definitions}]\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        for month in MONTHS:
            run(town, instance, "month_end", partition_key=month)
        with dagster_app(workspace) as app, serving(app) as port:
            yield f"http://127.0.0.1:{port}"


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium.open_browser() as browser:
        yield browser.new_page(viewport={"width": 1440, "height": 1000})


def test_a_month_is_green_with_its_waiver_beside_a_red_one(ui: str, page: Page) -> None:
    page.set_default_timeout(60_000)
    page.goto(f"{ui}{CHECK}")
    green = "2026-03: every refund is credited, or accounted for; waived: 1, £10.00, by Kim"
    page.get_by_text(green).wait_for()
    page.get_by_text("Skip", exact=True).click()
    page.locator("button#partitions").click()
    for told in ("Failed (1)", "Passed (1)", "Execution Failed (0)"):
        page.get_by_text(told).wait_for()
    page.get_by_text("Execution history", exact=True).click()
    for verdict, told in (("Passed", green), ("Failed", "2026-02: apart: 1, £10.00")):
        row = page.locator("tr", has_text=told)
        row.get_by_text(verdict, exact=True).wait_for()
