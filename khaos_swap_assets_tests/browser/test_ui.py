"""Dagster's UI in a real browser: its own pages work, and a page of another origin reaches nothing.

Each attack is first tried on Dagster's app without the guard, where it must succeed: one that cannot proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dagster as dg
import pytest
from playwright.sync_api import Browser, Page
from starlette.responses import HTMLResponse

from khaos_swap_assets.ui.guard import Guard
from khaos_swap_assets.ui.webserver import dagster_app
from khaos_swap_assets_tests.browser import chromium
from khaos_swap_assets_tests.running import serving
from khaos_swap_assets_tests.ui.serving import FORGE, Marks, make_home

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine"),
]
REBOUND = "rebound.test"
BLIND = "([url, method]) => fetch(url, {method, mode: 'no-cors'}).then(() => 1, () => 0)"
SPEAK = """([url, query]) => fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query})}).then(answer => answer.text(), () => "")"""
PICTURE = "url => new Promise(done => { const one = new Image(); one.onload = one.onerror = done; one.src = url })"
FORM = """url => new Promise(done => {
    document.body.innerHTML = `<iframe name="into"></iframe><form method="post" target="into" action="${url}"></form>`;
    document.querySelector('iframe').onload = () => done(1); document.forms[0].submit() })"""
LISTEN = """url => new Promise(done => {
    const line = new WebSocket(url.replace('http', 'ws') + '/graphql', 'graphql-ws');
    line.onopen = () => done(true); line.onerror = () => done(false) })"""


@dataclass(frozen=True)
class Place:
    """Addresses: Dagster bare and behind the guard, and a page of somebody else on the same machine."""

    bare: str
    guarded: str
    foreign: str
    instance: dg.DagsterInstance


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("ui")
    workspace = make_home(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        stranger = HTMLResponse("<p>somebody else's page")
        with (
            dagster_app(workspace) as app,
            dg.DagsterInstance.get() as instance,
            serving(app) as bare,
            serving(Guard(app)) as guarded,
            serving(stranger) as foreign,
        ):
            ours = [f"http://127.0.0.1:{port}" for port in (bare, guarded)]
            yield Place(ours[0], ours[1], f"http://localhost:{foreign}", instance)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.open_browser(f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1") as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def query_by_get(page: Page, ui: str, marks: Marks) -> None:
    page.evaluate(BLIND, [f"{ui}{marks.by_address}", "GET"])


def query_by_picture(page: Page, ui: str, marks: Marks) -> None:
    page.evaluate(PICTURE, f"{ui}{marks.by_address}")


def post_without_body(page: Page, ui: str, marks: Marks) -> None:
    page.evaluate(BLIND, [f"{ui}{marks.by_address}", "POST"])


def form(page: Page, ui: str, marks: Marks) -> None:
    page.evaluate(FORM, f"{ui}{marks.by_address}")


def forged_verdict(page: Page, ui: str, _: Marks) -> None:
    page.evaluate(BLIND, [f"{ui}{FORGE}", "POST"])


def rebound_name(page: Page, ui: str, marks: Marks) -> None:
    """The name of somebody else's page is pointed at this machine: for the browser the UI is now of that origin."""
    address = ui.replace("127.0.0.1", REBOUND)
    page.goto(address)
    page.evaluate(SPEAK, [f"{address}/graphql", marks.delete])


@pytest.mark.parametrize(
    "attack", [query_by_get, query_by_picture, post_without_body, form, forged_verdict, rebound_name]
)
def test_a_page_of_another_origin_steers_nothing(
    place: Place, page: Page, attack: Callable[[Page, str, Marks], None]
) -> None:
    page.goto(place.foreign)
    touched = []
    for ui in (place.bare, place.guarded):
        marks = Marks(place.instance)
        attack(page, ui, marks)
        touched.append(marks.is_touched())
    assert touched == [True, False]


def test_a_page_of_another_origin_cannot_listen_in(place: Place, page: Page) -> None:
    page.goto(place.foreign)
    assert [page.evaluate(LISTEN, ui) for ui in (place.bare, place.guarded)] == [True, False]


def test_a_page_of_another_origin_cannot_frame_the_ui(place: Place, page: Page) -> None:
    shown = []
    for ui in (place.bare, place.guarded):
        page.goto(place.foreign)
        with page.expect_response(f"{ui}/") as answer:
            page.evaluate("url => { document.body.innerHTML = `<iframe src='${url}'></iframe>` }", ui)
        if answer.value.ok:
            page.frames[1].wait_for_function("document.title.includes('Dagster')")
        shown.append(answer.value.ok)
    assert shown == [True, False]


def test_the_uis_own_page_works_and_a_link_leads_to_it(place: Place, page: Page) -> None:
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.goto(place.foreign)
    page.evaluate("url => { document.body.innerHTML = `<a href='${url}/runs'>the UI</a>` }", place.guarded)
    page.get_by_text("the UI").click()
    page.get_by_text("Runs").first.wait_for()
    marks = Marks(place.instance)
    assert page.evaluate(LISTEN, place.guarded)
    assert "DeletePipelineRunSuccess" in page.evaluate(SPEAK, ["/graphql", marks.delete])
    assert marks.is_touched()
    assert [url for url in refused if url.startswith(place.guarded)] == []
