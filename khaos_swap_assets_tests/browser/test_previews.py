"""What assets and checks show of their tables, on Dagster's own pages: nothing is cut, and an RMA stays on its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from playwright.sync_api import Page

from khaos_swap_assets import definitions
from khaos_swap_assets.adapters.store import database, embedded, mark, migrate
from khaos_swap_assets.ui.guard import Guard
from khaos_swap_assets.ui.webserver import dagster_app
from khaos_swap_assets_tests.browser import chromium
from khaos_swap_assets_tests.running import serving
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, refunded_ago

pytestmark = [
    pytest.mark.browser,
    pytest.mark.house,
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine"),
]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
MONTH = "2026-03"
JOBS = (("sync", None), ("standing_checks", None), ("month_end", MONTH))
WORKSPACE = """load_from:
  - python_module: {module_name: khaos_swap_assets.definitions, location_name: khaos_swap}
"""
PAGES = (
    ("reconciliation/exceptions", ""),
    ("reconciliation/returns", ""),
    ("reconciliation/completeness", ""),
    ("reconciliation/month_end", ""),
    ("credit_notes/drafts", ""),
    ("khaos/stock_adjustments", ""),
    ("reconciliation/month_end", "refunds_reconcile"),
    ("matched/return_lines", "every_sku_has_one_stock_code"),
)
"""The pages with the widest tables: each asset, and the check of it where one is named."""
CUT = """() => [...document.querySelectorAll('td table, [class*=arkdown] table')].map(table => {
    const right = table.getBoundingClientRect().right
    const heads = [...table.querySelectorAll('th')].map(one => one.innerText.trim())
    let parent = table.parentElement, room = 99999
    for (; parent && parent !== document.body; parent = parent.parentElement)
        if (getComputedStyle(parent).overflowX !== 'visible')
            room = Math.min(room, parent.getBoundingClientRect().right)
    const broken = [...table.querySelectorAll('tbody tr')].map(row => row.children[heads.indexOf('rma')]).filter(
        cell => { if (!cell) return false; const range = document.createRange(); range.selectNodeContents(cell)
            return new Set([...range.getClientRects()].map(one => Math.round(one.top))).size > 1 })
    return {heads, over: Math.round(right - room), broken: broken.map(one => one.innerText)} })"""


def peopled(url: str) -> Town:
    """A town with trouble of every sort of length: RMAs and SKUs as Swap writes them, gaps, a loose note, no order."""
    town = Town(url)
    hats = [
        a_return(n, a_line(sku, 1, pence), **refunded_ago(days))
        for n, sku, pence, days in (
            (1, "FEL-JKT-BLK-L", 18_529, 3),
            (2, "CHN-TPR-MOS-S", 1_299_900, 9),
            (3, "HAT", 700, 2),
            (4, "SCARF-MERINO-CHARCOAL-XL", 2_400, 20),
        )
    ]
    town.sells_and_takes_back(*hats)
    strange = a_return(5, a_line("cap-trucker-navy-one-size", 1, 1_995), **refunded_ago(9))
    lost = a_return(6, a_line("HAT"), **refunded_ago(6))
    town.swap.returns = {
        one.return_id: replace(one, rma=f"RMA-2026-0110{one.return_id[1:]}") for one in (*hats, strange, lost)
    }
    short = a_note("CN00052", 1_000_000, customer_code="C2", associated_ref="RMA-2026-01102")
    loose = a_note("CN00091", 2_500, customer_code="C3")
    town.khaos.notes = {note.credit_note_code: note for note in (short, loose)}
    return town


def play(town: Town, instance: dg.DagsterInstance) -> None:
    """Run every job over a town."""
    for job, month in JOBS:
        found = definitions.build(toolbox=dg.ResourceDefinition.hardcoded_resource(town.tools)).resolve_job_def(job)
        found.execute_in_process(instance=instance, partition_key=month, run_config=QUIET)


def prepared(server: embedded.EmbeddedPostgres) -> str:
    """A database of the pages' own."""
    url = server.url("previews")
    database.ensure(url)
    migrate.upgrade(url)
    with database.connect(url, application="tests") as conn:
        mark.ensure(conn, "test")
    return url


def home_in(folder: Path) -> Path:
    """A ``DAGSTER_HOME`` whose workspace is our code location; the path of the workspace file."""
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    (folder / "workspace.yaml").write_text(WORKSPACE)
    return folder / "workspace.yaml"


@pytest.fixture(scope="module")
def place(postgres: embedded.EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of Dagster's UI over runs that were made over a town."""
    home = tmp_path_factory.mktemp("previews")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        workspace = home_in(home)
        with dg.DagsterInstance.get() as instance:
            play(peopled(prepared(postgres)), instance)
        with dagster_app(workspace) as app, serving(Guard(app)) as port:
            yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium.open_browser() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        yield context.new_page()


def tables(page: Page, address: str, word: str) -> list[dict[str, Any]]:
    """The tables of a page, once a word is on it: headings, pixels beyond the room, and RMAs that were broken."""
    page.goto(address)
    page.get_by_text(word, exact=True).first.wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    return list(page.evaluate(CUT))


def test_no_table_is_cut_and_no_rma_broken(place: str, page: Page) -> None:
    for asset, check in PAGES:
        view = f"checks&checkDetail={check}" if check else "overview"
        found = tables(page, f"{place}/assets/{asset}?view={view}", "worst" if check else "tables")
        assert found, asset
        assert [one for one in found if one["over"] > 0 or one["broken"]] == [], asset
