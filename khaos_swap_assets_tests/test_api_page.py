"""The page of an HTTP service is whole, loads nothing and escapes everything."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Header
from pydantic import BaseModel, Field

from khaos_swap_assets import api_page


class Parcel(BaseModel):
    weight: int = Field(description="Grams")
    note: str | None = None


def service() -> FastAPI:
    app = FastAPI(title="A <b>service</b>", docs_url=None, redoc_url=None)

    @app.get("/things", tags=["Things"], summary="All <script>things</script>")
    def things(x_token: Annotated[str, Header(description="From the last answer")]) -> list[str]:
        return [x_token]

    @app.post("/parcels", tags=["Parcels"], summary="One parcel")
    def parcels(parcel: Parcel) -> dict[str, Any]:
        return parcel.model_dump()

    @app.get("/alone", summary="Without a tag")
    def alone() -> None:
        return None

    api_page.serve(app)
    return app


async def ask(path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service()), base_url="http://here") as client:
        return await client.get(path)


def shown() -> str:
    answer = asyncio.run(ask("/docs"))
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return answer.text


def test_every_endpoint_is_on_the_page_under_its_tag() -> None:
    found = api_page.groups(service().openapi())
    assert {tag: [(one["method"], one["path"]) for one in some] for tag, some in found.items()} == {
        "Things": [("GET", "/things")],
        "Parcels": [("POST", "/parcels")],
        "Other": [("GET", "/alone")],
    }
    assert all(path in shown() for path in ("/things", "/parcels", "/alone"))


def test_fields_of_headers_and_bodies_are_shown() -> None:
    found = api_page.groups(service().openapi())
    (header,) = found["Things"][0]["fields"]
    assert header == {
        "name": "x-token", "place": "header", "kind": "string", "words": "From the last answer", "required": "required"
    }  # fmt: skip
    assert [(one["name"], one["kind"], one["required"]) for one in found["Parcels"][0]["fields"]] == [
        ("weight", "integer", "required"),
        ("note", "string", ""),
    ]


def test_the_page_loads_nothing_from_anywhere() -> None:
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", shown())
    assert "<script" not in shown()
    assert "@import" not in shown()


def test_texts_are_escaped() -> None:
    assert "A &lt;b&gt;service&lt;/b&gt;" in shown()
    assert "All &lt;script&gt;things" in shown()
