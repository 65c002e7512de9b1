"""The audit in a real browser: exports are dropped as they are, one heading is mapped, the report is read.

``PICTURES=docs/img`` keeps the pictures of the docs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from khaos_swap_assets.audit_page.app import make_app
from khaos_swap_assets.audit_page.desk import Desk
from khaos_swap_assets.ui.guard import Guard
from khaos_swap_assets_tests.audit.files import small_shop
from khaos_swap_assets_tests.browser import chromium
from khaos_swap_assets_tests.running import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine"),
]
PATIENCE = 30_000
SHOPIFY = (
    "Name,Created at,Currency,Lineitem sku,Lineitem quantity,Lineitem price,Lineitem discount,Shipping\n"
    + "".join(f"#LX{number},2026-01-10 12:00:00 +0000,GBP,SHIRT-M,1,24.99,0.00,0.00\n" for number in range(1, 9))
)
GRID = (
    "Credit Note,Ass Ref,SO Code,URN,Inv Date,Item Code,Qty,Money back\n"
    "CN1,RMA1,#LX1,C1,03/03/2026,SHIRT-M,1,24.99\nCN2,RMA2,#LX2,C2,13/03/2026,SHIRT-M,1,20.00\n"
)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    (tmp_path / "desk").mkdir()
    app = Guard(make_app(Desk(tmp_path / "desk"), "key"))
    with serving(app) as port, chromium.open_browser() as browser:
        page = browser.new_page(viewport={"width": 960, "height": 900}, locale="en-GB")
        page.set_default_timeout(PATIENCE)
        page.goto(f"http://127.0.0.1:{port}/key/")
        yield page


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / name, full_page=True)


def test_exports_are_dropped_a_heading_is_mapped_and_the_report_is_read(page: Page, tmp_path: Path) -> None:
    wrong: list[str] = []
    page.on("console", lambda told: wrong.append(told.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    paths = small_shop().write(tmp_path / "in")
    (tmp_path / "orders_export.csv").write_text(SHOPIFY, encoding="utf-8")
    (tmp_path / "credit_notes.csv").write_text(GRID, encoding="utf-8")
    given = {
        "returns": paths.returns,
        "stock-codes": paths.stock_codes,
        "sales-orders": tmp_path / "orders_export.csv",
        "credit-notes": tmp_path / "credit_notes.csv",
    }
    for kind, path in given.items():
        page.set_input_files(f"#pick-{kind}", path)
        page.locator(f"#{kind}").get_by_text(path.name).first.wait_for()
    expect(page.locator("#sales-orders")).to_contain_text("read as Shopify: orders export")
    expect(page.get_by_role("button", name="Audit")).to_be_disabled()
    picture(page, "audit_headings.png")
    page.get_by_label("Heading of gross").select_option("Money back")
    expect(page.locator("#credit-notes")).to_contain_text("2 documents, 2026-03-03 to 2026-03-13, in all £44.99")
    page.fill("#as_of", "2026-03-31")
    page.get_by_role("button", name="Audit").click()
    page.locator("#result .big").first.wait_for()
    with page.context.expect_page() as opened:
        page.get_by_text("Open the report").click()
    opened.value.get_by_text("Not reconciled").first.wait_for()
    assert wrong == []


def test_a_file_that_is_none_is_refused_on_its_card(page: Page, tmp_path: Path) -> None:
    bad = tmp_path / "report.xls"
    bad.write_text("<html><table><tr><td>1</td></tr></table></html>", encoding="utf-8")
    page.set_input_files("#pick-credit-notes", bad)
    expect(page.locator("#credit-notes .faults")).to_contain_text("is a web page named .xls, not a table")
    expect(page.get_by_role("button", name="Audit")).to_be_disabled()
