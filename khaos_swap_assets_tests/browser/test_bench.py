"""The bench in a real browser: a scan and four touches, work without a network, an answer that is lost, a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from khaos_swap_assets_tests.browser import chromium
from khaos_swap_assets_tests.browser.desk_place import served, sign_in
from khaos_swap_assets_tests.browser.test_desk import CUT, serious
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine"),
]
FOUND = "SELECT sku, condition, quantity, inspected_by FROM recon.inspections ORDER BY received_at, sku"
OPEN: dict[str, Any] = {"status": "Open", "processed_at": None, "closed_at": None, "quality_control_status": "Pending"}
SMALL = """() => [...document.querySelectorAll('main button, main input')].filter(one => one.offsetParent
    && one.getBoundingClientRect().height < 48).map(one => one.outerHTML)"""
WHO = "Kim Operations"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.open_browser() as browser:
        yield browser


@pytest.fixture
def town(database_url: str) -> Town:
    """RMA1 with three hats and a cap, of which nobody looked at any."""
    town = Town(database_url)
    town.sells_and_takes_back(a_return(1, a_line("HAT", 3, 3000), a_line("CAP"), **OPEN))
    town.swap.raw["R1"] = {"products": [{"product_id": "P-HAT", "product_name": "Wool hat", "variant_name": "M"}]}
    town.sync()
    return town


@pytest.fixture
def page(browser: Browser, town: Town) -> Iterator[Page]:
    """The bench on a phone, signed in as operations, ready for a scan; a word on the console fails the test."""
    with served(town) as address:
        page = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True).new_page()
        told: list[str] = []
        page.on("pageerror", lambda error: told.append(str(error)))
        sign_in(page, address, "operations")
        page.get_by_role("link", name="The bench").click()
        page.wait_for_url("**/bench")
        expect(page.get_by_label("RMA or order")).to_be_focused()
        yield page
        page.context.close()
        assert told == []


def scan(page: Page, label: str) -> None:
    """A keyboard-wedge scanner: it types, and presses Enter."""
    page.keyboard.type(label)
    page.keyboard.press("Enter")


def touch(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("button", name=name, exact=name.isdigit()).first.tap()


def test_a_scan_and_four_touches_record_a_finding(page: Page, town: Town) -> None:
    scan(page, "RMA1")
    expect(page.get_by_role("heading", name="RMA1")).to_be_visible()
    assert "3 to inspect" in page.locator("#bench").inner_text()
    touch(page, "Wool hat", "Damaged", "2")
    assert (serious(page), page.evaluate(SMALL), page.evaluate(CUT)) == ([], [], 0)
    touch(page, "Record 2 × Damaged")
    expect(page.get_by_role("status")).to_have_text("2 × Damaged: recorded.")
    expect(page.locator("#bench")).to_contain_text("1 to inspect")
    assert town.ask(FOUND) == [("HAT", "Damaged", 2, WHO)]
    scan(page, "RMA9")
    expect(page.get_by_role("status")).to_contain_text("Swap shows no return")


def test_what_is_found_without_a_network_is_sent_once_when_it_is_back(page: Page, town: Town) -> None:
    scan(page, "RMA1")
    expect(page.get_by_role("heading", name="RMA1")).to_be_visible()
    page.context.set_offline(True)
    touch(page, "CAP", "Sellable", "Record 1 × Sellable", "Wool hat", "Sellable", "3", "Record 3 × Sellable")
    expect(page.locator("#waiting")).to_have_text("2 wait to be sent")
    assert "all inspected" in page.locator("#bench").inner_text()
    scan(page, "RMA1")
    expect(page.get_by_role("status")).to_contain_text("as it was shown last")
    assert town.ask(FOUND) == []
    where = page.url
    page.goto("about:blank")
    page.context.set_offline(False)
    lost: list[Route] = []

    def lose_the_first_answer(route: Route) -> None:
        if not lost:
            route.fetch()
            lost.append(route)
            route.abort()
        else:
            route.continue_()

    page.route("**/bench/inspections", lose_the_first_answer)
    page.goto(where)
    expect(page.locator("#waits")).to_be_hidden(timeout=15_000)
    assert len(lost) == 1
    assert sorted(town.ask(FOUND)) == [("CAP", "Sellable", 1, WHO), ("HAT", "Sellable", 3, WHO)]


def test_a_mistake_is_replaced_and_what_is_refused_says_why(page: Page, town: Town) -> None:
    scan(page, "RMA1")
    touch(page, "CAP", "Sellable", "Record 1 × Sellable", "Correct", "Damaged")
    page.get_by_label("What was wrong").fill("torn seam")
    touch(page, "Record 1 × Damaged")
    expect(page.locator("#bench")).to_contain_text(f"1 × Damaged, {WHO}")
    touch(page, "Correct", "Missing")
    page.get_by_label("What was wrong").fill("it is gone")
    town.do(
        "INSERT INTO recon.inspections SELECT 'other', rma, sku, line_item_id, condition, 1, now(), 'Eve', 'x', now(), "
        "inspection_id FROM recon.inspections WHERE condition = 'Damaged'"
    )
    touch(page, "Record 1 × Missing")
    expect(page.locator("#refused")).to_have_text("1 was refused")
    expect(page.locator(".why")).to_contain_text("was corrected before")
    touch(page, "Leave it out")
    expect(page.locator("#waits")).to_be_hidden()
    assert town.ask("SELECT condition, inspected_by FROM recon.inspections WHERE corrects <> '' ORDER BY 1, 2") == [
        ("Damaged", "Eve"),
        ("Damaged", WHO),
    ]
