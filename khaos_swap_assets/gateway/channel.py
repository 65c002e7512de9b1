"""The endpoints that a Khaos channel of type "3rd Party API" calls: configuration, pulls and pushes.

Belongs here: URLs, headers and envelopes. Stays out: which documents leave (``stages.credit_notes.feed``) and what a
push means (``stages``): it is stored and answered 200, since anything else is sent again; so is one that cannot be
read, which becomes an exception. Source: khaos.md §8.1-§8.7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol

import psycopg
from fastapi import APIRouter, Depends, Header, HTTPException, Response

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import inbox
from khaos_swap_assets.adapters.store.pool import Pool
from khaos_swap_assets.gateway import describing
from khaos_swap_assets.gateway.messages import body_of, whole
from khaos_swap_assets.gateway.security import basic_guard

API_VERSION = 1000
PULL_MINUTES = 15
CONTINUATION = "Sirion-Continuation"
MAX_HEADER = 8000
MAX_TOKEN = 200
ORDERS: dict[str, Any] = {
    "Orders": [],
    "ApiVersion": API_VERSION,
    "Config": {
        "MatchCompanyOn": ["Email", "Postcode", "Surname"],
        "MatchAddressOn": ["Address1", "Postcode"],
        "MatchContactOn": ["Surname"],
    },
}
RETURNS_TAIL = (
    f'"ApiVersion":{API_VERSION},"Config":{{"MatchAddressOn":["Address1","Postcode"],"MatchContactOn":["Surname"]}}'
)


class PulledPage(Protocol):
    """The answer to one pull: the token to give back and the documents as JSON text."""

    @property
    def token(self) -> str:
        """What Khaos sends at its next pull."""

    @property
    def documents(self) -> Sequence[str]:
        """JSON text of each document, handed on byte by byte."""


class HandOut(Protocol):
    """Decides which documents leave; the intent is committed when it returns."""

    def __call__(
        self,
        conn: psycopg.Connection[Any],
        /,
        *,
        settings: Settings,
        now: datetime,
        continuation: str,
        specific_ids: Sequence[str],
    ) -> PulledPage:
        """Answer one pull."""


def router(pool: Pool, settings: Settings, clock: Callable[[], datetime], hand_out: HandOut | None) -> APIRouter:
    """The channel's endpoints; without ``hand_out`` the feed is empty."""
    khaos = settings.khaos
    guard = Depends(basic_guard(khaos.channel_user, khaos.channel_password, khaos.channel_password_previous))
    answers = describing.answers((*describing.OF_ALL, 401, 403))
    routes = APIRouter(prefix="/khaos", tags=["Khaos channel"], dependencies=[guard], responses=answers)
    _add_pulls(routes, pool, settings, clock, hand_out)
    _add_pushes(routes, pool, clock)
    return routes


def configuration(base_url: str) -> dict[str, Any]:
    """The channel's configuration file with every member that Khaos requires."""
    pulled = {"OrderDownload": "orders", "CReturnDownload": "returns"}
    pushed = {"OrderStatusUpload": "order-status", "StockStatusUpload": "stock-status", "StockUpload": "stock"}
    places = {member: f"{base_url.rstrip('/')}/khaos/{name}" for member, name in (pulled | pushed).items()}
    return {
        "EndpointConfig": {
            member: {"URL": url, "Format": "JSON", **({"Frequency": PULL_MINUTES} if member in pulled else {})}
            for member, url in places.items()
        }
    }


def _add_pulls(
    routes: APIRouter, pool: Pool, settings: Settings, clock: Callable[[], datetime], hand_out: HandOut | None
) -> None:
    base_url = settings.gateway_public_url or f"http://{settings.gateway_host}:{settings.gateway_port}"

    @routes.get("/config", summary="Configuration URL of the channel")
    def config() -> dict[str, Any]:
        return configuration(base_url)

    @routes.get("/orders", summary="OrderDownload: none, orders reach Khaos from the storefront")
    def orders() -> dict[str, Any]:
        return ORDERS

    @routes.get("/returns", summary="CReturnDownload: returns to be turned into Credit Notes", response_class=Response)
    def returns(
        sirion_continuation: Annotated[str, Header(alias=CONTINUATION)] = "",
        specific_ids: Annotated[str | None, Header(alias="SpecificIDs")] = None,
    ) -> Response:
        asked = _asked(sirion_continuation, specific_ids)
        if hand_out is None or asked == []:
            return _feed(sirion_continuation, ())
        with pool.transaction() as conn:
            page = hand_out(
                conn,
                settings=settings,
                now=clock(),
                continuation=sirion_continuation,
                specific_ids=asked or (),
            )
        return _feed(page.token, page.documents)


def _add_pushes(routes: APIRouter, pool: Pool, clock: Callable[[], datetime]) -> None:
    def keep(event: str, body: bytes) -> dict[str, bool]:
        message = whole(body)
        with pool.transaction() as conn:
            inbox.store_push(conn, event=event, body=message, now=clock())
        return {"accepted": True}

    @routes.post("/stock", summary="StockUpload: Stock Codes that changed", **_describe("stock"))
    def stock(body: Annotated[bytes, Depends(body_of)]) -> dict[str, bool]:
        return keep("StockUpload", body)

    @routes.post("/stock-status", summary="StockStatusUpload: levels that changed", **_describe("stock-status"))
    def stock_status(body: Annotated[bytes, Depends(body_of)]) -> dict[str, bool]:
        return keep("StockStatusUpload", body)

    @routes.post("/order-status", summary="OrderStatusUpload: orders that moved on", **_describe("order-status"))
    def order_status(body: Annotated[bytes, Depends(body_of)]) -> dict[str, bool]:
        return keep("OrderStatusUpload", body)


def _describe(name: str) -> dict[str, Any]:
    return {"openapi_extra": describing.push(name), "responses": describing.answers(describing.OF_BODIES)}


def _asked(continuation: str, specific_ids: str | None) -> list[str] | None:
    """The references that Khaos names, quotes and blanks removed; None without the header, 400 for a monster."""
    if len(continuation) > MAX_TOKEN or len(specific_ids or "") > MAX_HEADER:
        raise HTTPException(400, "a header is too long")
    if specific_ids is None:
        return None
    parts = (part.strip(" \t\"'") for part in specific_ids.split(","))
    return [part for part in parts if part]


def _feed(token: str, documents: Sequence[str]) -> Response:
    """The envelope around documents that are JSON text already, so that no byte of them changes."""
    body = f'{{"Returns":[{",".join(documents)}],{RETURNS_TAIL}}}'
    return Response(body, media_type="application/json", headers={CONTINUATION: token, "Cache-Control": "no-store"})
