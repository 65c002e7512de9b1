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


def picture(page: Page, name: str, *, full: bool = True) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / name, full_page=full)


DROPPED = """([selector, name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name));
    document.querySelector(selector).dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
}"""


def drop(page: Page, kind: str, path: Path) -> None:
    """Drop a file on the card of its kind, and wait until it is read."""
    page.evaluate(DROPPED, [f"#{kind}", path.name, path.read_text(encoding="utf-8")])
    page.locator(f"#{kind}").get_by_text(path.name).first.wait_for()


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
        drop(page, kind, path)
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
    picture(opened.value, "audit_report.png", full=False)
    assert wrong == []


def fits(page: Page) -> bool:
    """Whether nothing of a page is wider than the screen."""
    wide = "[...document.querySelectorAll('body *')].some(one => one.getBoundingClientRect().right > innerWidth + 1)"
    return not page.evaluate(wide)


def test_on_a_phone_a_person_says_what_stands_beside_the_files(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    shop = small_shop()
    shop.decided("accepted_value", "RMA2")
    shop.decided("settled_outside", "RMA3", refunded="20.00")
    shop.paid(1, "24.99", gateway="Rewards")
    paths = shop.write(tmp_path / "in")
    given = {
        "returns": paths.returns,
        "stock-codes": paths.stock_codes,
        "sales-orders": paths.sales_orders,
        "credit-notes": paths.credit_notes,
        "decisions": paths.decisions[0],
    }
    for kind, path in given.items():
        page.set_input_files(f"#pick-{kind}", path)
        page.locator(f"#{kind}").get_by_text(path.name).first.wait_for()
    assert fits(page)
    page.fill("#as_of", "2026-03-31")
    page.select_option("#vat_periods", "quarters-3")
    page.fill("#payment_kinds", "rewards")
    page.get_by_role("button", name="Audit").click()
    expect(page.locator("#result")).to_contain_text("Means of payment: 'rewards' is no list such as")
    page.fill("#payment_kinds", "rewards:money, pay4u:gift_card")
    page.fill("#returns-total", "1")
    page.get_by_role("button", name="Audit").click()
    expect(page.locator("#result")).to_contain_text("--expect-total returns: cannot be compared")
    page.fill("#returns-total", "")
    page.get_by_role("button", name="Audit").click()
    expect(page.locator("#result")).to_contain_text("£2.50 decided by people, in 1 of the rows")
    expect(page.locator("#result")).to_contain_text("refunded £24.99, credited £0.00 now")
    assert fits(page)
    with page.context.expect_page() as opened:
        page.get_by_text("Open the report").click()
    report = opened.value
    report.set_viewport_size({"width": 390, "height": 844})
    report.get_by_text("quarters ending in month 3").first.wait_for()
    report.get_by_text("What people decided").wait_for()
    assert fits(report)


def test_all_proposals_are_taken_at_once(page: Page, tmp_path: Path) -> None:
    (tmp_path / "credit_notes.csv").write_text(GRID.replace("Money back", "Total paid inc VAT"), encoding="utf-8")
    drop(page, "credit-notes", tmp_path / "credit_notes.csv")
    page.get_by_label("Heading of gross").select_option("")
    page.get_by_text("headings that are perhaps meant").click()
    expect(page.get_by_label("Heading of credit_note_code")).to_have_count(0)


def test_a_file_that_is_none_is_refused_on_its_card(page: Page, tmp_path: Path) -> None:
    bad = tmp_path / "report.xls"
    bad.write_text("<html><table><tr><td>1</td></tr></table></html>", encoding="utf-8")
    page.set_input_files("#pick-credit-notes", bad)
    expect(page.locator("#credit-notes .faults")).to_contain_text("is a web page named .xls, not a table")
    expect(page.get_by_role("button", name="Audit")).to_be_disabled()
