"""Our own page in a real browser: it is laid out, and asks nobody else for anything."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from khaos_swap_assets import api_page
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
