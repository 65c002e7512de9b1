"""The desk in a real browser: signing in by role, a match, a waiver and its second person, on a phone, read by axe."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from khaos_swap_assets.domain.desk.members import Role
from khaos_swap_assets_tests.browser import chromium
from khaos_swap_assets_tests.browser.desk_place import PHONE, WIDE, filled, served, sign_in
from khaos_swap_assets_tests.stages.town import Town

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine"),
]
CUT = "() => document.documentElement.scrollWidth - innerWidth"
"""Pixels of the page that lie beyond the right edge."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.open_browser() as browser:
        yield browser


@pytest.fixture
def town(database_url: str) -> Town:
    return filled(database_url)


@pytest.fixture
def address(town: Town) -> Iterator[str]:
    with served(town) as address:
        yield address


def as_member(browser: Browser, address: str, role: Role, size: tuple[int, int] = WIDE) -> Page:
    """A page of a browser of its own, signed in."""
    width, height = size
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    sign_in(page, address, role)
    return page


def serious(page: Page) -> list[str]:
    """What axe finds serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]


def addresses(town: Town) -> dict[str, str]:
    """Every kind of page of the desk."""
    number = town.one("SELECT exception_id FROM recon.exceptions WHERE kind = 'value_gap' AND rma = 'RMA2'")
    note = town.one("SELECT exception_id FROM recon.exceptions WHERE kind = 'credit_note_orphan'")
    return {
        "start": "/",
        "queue": "/queues/all",
        "empty": "/queues/finance?kind=vat_differs",
        "search": "/search?q=HAT",
        "nothing": "/search?q=NOTHING",
        "case": f"/exceptions/{number}",
        "loose note": f"/exceptions/{note}",
        "refund": "/returns/RMA1",
        "waive": f"/acts/waive?id={number}",
        "link": f"/exceptions/{note}/link",
        "waiting": "/waiting",
        "feed": "/feed",
        "not there": "/exceptions/987654",
    }


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_every_page_is_laid_out_read_by_axe_and_asks_nobody_else(
    browser: Browser, town: Town, address: str, size: tuple[int, int]
) -> None:
    page = as_member(browser, address, "finance", size)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    found: dict[str, object] = {}
    for name, path in addresses(town).items():
        page.goto(f"{address}{path}")
        if faults := serious(page):
            found[name] = faults
        if (beyond := page.evaluate(CUT)) > 0:
            found[f"{name} is cut"] = beyond
    assert found == {}
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


def test_a_match_is_accepted_and_taken_back(browser: Browser, town: Town, address: str) -> None:
    page = as_member(browser, address, "finance")
    page.get_by_role("link", name="Finance").click()
    page.get_by_role("link", name="Credit note orphan").click()
    assert "What keeps them apart" in page.locator("#near").inner_text()
    page.get_by_role("link", name="Say whose Credit Note it is", exact=True).click()
    assert page.locator("input[type=radio]:checked").count() == 0
    page.get_by_role("radio").first.check()
    page.get_by_label("Why").fill("the customer telephoned")
    page.get_by_role("button", name="Link them").click()
    page.get_by_role("link", name="take back").click()
    assert "What does not" in page.locator("main").inner_text()
    page.get_by_label("Why").fill("it was another's")
    page.get_by_role("button", name="Take it back").click()
    assert "it was another's" in page.locator("#record").inner_text()
    assert town.ask("SELECT decision, ended_by <> '' FROM recon.decisions") == [("this_return", True)]


def test_a_waiver_above_the_limit_waits_for_the_second_person(browser: Browser, town: Town, address: str) -> None:
    page = as_member(browser, address, "finance", PHONE)
    page.goto(f"{address}/search?q=RMA2")
    page.get_by_role("link", name="Value gap").click()
    page.get_by_role("link", name="Waive").click()
    assert "£299.00 at risk" in page.locator(".lead").inner_text()
    assert "above your limit of £100.00" in page.locator("main").inner_text()
    page.get_by_label("Why").fill("settled by bank transfer")
    page.get_by_role("button", name="Waive").click()
    assert "waits for a second person" in page.locator("#record").inner_text()
    page.get_by_role("link", name="second person").click()
    assert "Your roles do not allow this" in page.locator("h1").inner_text()
    other = as_member(browser, address, "finance_approver")
    other.get_by_role("link", name=re.compile("1 waiver above a limit")).click()
    other.get_by_role("link", name="Look and grant").click()
    other.get_by_label("Why").fill("seen the bank's paper")
    other.get_by_role("button", name="Grant it").click()
    assert "closed at" in other.locator("main").inner_text()
    assert town.one("SELECT closed_at IS NOT NULL FROM recon.exceptions WHERE kind = 'value_gap' AND rma = 'RMA2'")


def test_many_are_handed_over_without_a_script(browser: Browser, town: Town, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address, "cx")
    page.goto(f"{address}/queues/all")
    page.get_by_role("link", name="pick all on this page").click()
    page.get_by_role("button", name="Say who takes it").click()
    page.get_by_label("Who takes it").fill("Kim <b>Cx</b>")
    page.get_by_role("button", name="Hand it over").click()
    told = page.locator("main").inner_text()
    assert "all of them done" in told
    assert "in the hands of Kim <b>Cx</b>" in told
    assert town.one("SELECT count(*) FROM recon.decisions WHERE decision = 'assigned'") == town.one(
        "SELECT count(*) FROM recon.exceptions WHERE closed_at IS NULL"
    )


def test_an_agent_finds_a_refund_and_reads_it_out(browser: Browser, address: str) -> None:
    page = as_member(browser, address, "viewer", PHONE)
    page.get_by_role("searchbox").fill("LX3")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(f"{address}/returns/RMA3")
    told = page.locator("main").inner_text()
    for part in ("Where is the refund of RMA3?", "Who acts next", "£24.00", "escalate"):
        assert part in told
