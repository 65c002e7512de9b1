"""The door in a real browser: signing in by role, Dagster's page behind it, out again; also on a phone and by keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from starlette.responses import HTMLResponse

from khaos_swap_assets.domain.desk.members import Role
from khaos_swap_assets_tests.browser import chromium
from khaos_swap_assets_tests.door.place import PASSWORD, Behind, Place, behind_the_door, name_of, open_door
from khaos_swap_assets_tests.running import serving
from khaos_swap_assets_tests.ui.serving import Marks

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine"),
]
SPEAK = """query => fetch('/dagster/graphql', {method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query})}).then(answer => answer.text())"""
LISTEN = """() => new Promise(done => {
    const line = new WebSocket(location.origin.replace('http', 'ws') + '/dagster/graphql', 'graphql-ws');
    line.onopen = () => done(true); line.onerror = () => done(false) })"""
PHONE: Any = {"width": 360, "height": 640}


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    with behind_the_door(tmp_path_factory.mktemp("door")) as behind:
        yield behind


@pytest.fixture
def place(behind: Behind, database_url: str) -> Iterator[Place]:
    with open_door(behind, database_url) as place:
        yield place


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def sign_in(page: Page, role: Role) -> None:
    page.get_by_label("Name").fill(name_of(role))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def signed_in(page: Page, role: Role) -> None:
    """Sign in and wait until the page is whole: its words stand before its style is there."""
    sign_in(page, role)
    page.get_by_text("Signed in as").wait_for()
    page.wait_for_load_state()


@pytest.mark.parametrize(("role", "may_run"), [("viewer", False), ("cx", False), ("finance", True), ("engineer", True)])
def test_a_member_signs_in_and_dagsters_page_works_as_the_role_allows(
    place: Place, page: Page, role: Role, may_run: bool
) -> None:
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{place.url}/dagster/runs")
    assert page.title() == "Sign in – Khaos Swap"
    sign_in(page, role)
    page.wait_for_url("**/dagster/runs")
    page.get_by_text("Runs").first.wait_for()
    marks = Marks(place.instance)
    said = page.evaluate(SPEAK, marks.delete)
    assert marks.is_touched() == may_run
    assert ("DeletePipelineRunSuccess" in said) == may_run
    assert page.evaluate(LISTEN)
    assert [url for url in failed if not url.endswith(("/graphql", "manifest.json"))] == []


def test_signing_out_leaves_nothing_to_go_back_to(place: Place, page: Page) -> None:
    page.goto(place.url)
    signed_in(page, "finance")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_label("Password").wait_for()
    page.go_back()
    page.reload()
    assert page.get_by_label("Password").is_visible()


def test_a_wrong_password_is_told_in_words(place: Place, page: Page) -> None:
    page.goto(place.url)
    page.get_by_label("Name").fill(name_of("finance"))
    page.get_by_label("Password").fill("something else")
    page.get_by_label("Password").press("Enter")
    assert page.get_by_role("alert").inner_text() == "Name or password is wrong."


def test_a_page_of_another_origin_signs_nobody_in_or_out(place: Place, page: Page) -> None:
    page.goto(place.url)
    signed_in(page, "finance")
    form = f"<form method=post action={place.url}/sign-out><button>go</button></form>"
    with serving(HTMLResponse("<p>somebody else's page")) as foreign:
        page.goto(f"http://localhost:{foreign}")
        with page.expect_navigation() as answer:
            page.evaluate("form => { document.body.innerHTML = form; document.forms[0].submit() }", form)
    assert answer.value is not None
    assert answer.value.status == 403
    page.goto(place.url)
    assert page.get_by_text("Signed in as").is_visible()


def test_it_works_on_a_phone_and_without_scripts(place: Place, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(place.url)
    signed_in(page, "viewer")
    assert page.locator("main").bounding_box()["width"] <= PHONE["width"]  # type: ignore[index]
    context.close()


def test_nothing_of_our_pages_is_refused_by_their_own_policy(place: Place, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    page.goto(place.url)
    signed_in(page, "viewer")
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
    assert said == []
