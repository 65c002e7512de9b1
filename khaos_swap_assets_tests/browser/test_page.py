"""Our own pages in a real browser: they are laid out, on a phone too, and ask nobody else for anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from khaos_swap_assets import api_page
from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets_tests.audit.files import AS_OF, small_shop
from khaos_swap_assets_tests.browser import chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine"),
]
ADDRESS = "http://gateway.test/docs"


def service() -> FastAPI:
    app = FastAPI(title="A service", docs_url=None, redoc_url=None)

    @app.get("/things", tags=["Things"], summary="All things")
    def things(count: int) -> list[int]:
        return [count]

    return app


def test_the_page_is_whole_without_a_network() -> None:
    text = api_page.page(service().openapi())
    asked: list[str] = []
    with chromium.open_browser() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.route("**/*", lambda route: route.fulfill(body=text, content_type="text/html", headers=api_page.HEADERS))
        page.goto(ADDRESS)
        assert page.locator("h1").inner_text() == "A service"
        assert page.locator("summary .path").all_inner_texts() == ["/things"]
        assert page.locator("main").bounding_box()["height"] > 200  # type: ignore[index]
    assert asked == [ADDRESS]


CUT = "() => [...document.querySelectorAll('table')].filter(one => one.offsetWidth > innerWidth - 60).length"
"""Tables that do not fit in their card."""


def test_no_table_of_the_report_is_cut_on_a_phone(tmp_path: Path) -> None:
    run.audit(small_shop().write(tmp_path / "in"), Span(AS_OF), tmp_path / "out")
    asked: list[str] = []
    with chromium.open_browser() as browser:
        page = browser.new_page(viewport={"width": 375, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "out/report.html").as_uri())
        assert page.evaluate(CUT) == 0
        labels = page.locator("table.wide td").evaluate_all("all => all.map(one => one.dataset.l)")
        assert {"RMA", "Adds up to", "Not reconciled", "Rejected"} <= set(labels)
    assert len(asked) == 1
