"""Every address of every page and service × every refusal and fault: what is wrong, where, what to do; no stack."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx
import psycopg
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.members import Roster
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.audit_page import app as audit_page
from khaos_swap_assets.audit_page.desk import Desk
from khaos_swap_assets.desk.reach import DeskReach
from khaos_swap_assets.desk.routes import desk_routes
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.door.app import door_app
from khaos_swap_assets.gateway.app import create_app
from khaos_swap_assets.told_errors import ADVICE, BARE, told
from khaos_swap_assets_tests.door.place import HTML, MEMBERS, PASSWORD, name_of, token
from khaos_swap_assets_tests.lending import lend

FORM = {"content-type": "application/x-www-form-urlencoded"}
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOST = "http://127.0.0.1"
STACK = re.compile(r"Traceback|File \"|Internal Server Error|RuntimeError|secret of the inside")
FAULTS = {
    "a fault of ours": (RuntimeError("secret of the inside"), 500),
    "the database is away": (psycopg.OperationalError("secret of the inside"), 503),
    "the store says so": (StoreError("database books is away"), 503),
}
FILLED = {"owner": "finance", "number": "1", "number:int": "1", "act": "note", "name": "RMA1", "name:path": "RMA1"}


def filled(path: str) -> str:
    """An address of a route."""
    return re.sub(r"\{([\w:]+)\}", lambda found: FILLED.get(found[1], "x"), path)


def said(answer: httpx.Response) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", answer.text, flags=re.DOTALL)).split())


def is_helpful(answer: httpx.Response, path: str) -> bool:
    """It says what, where and what to do, in more words than the name of the status, and nothing of the inside."""
    words = said(answer)
    heading = re.search(r"<h1>(.+?)</h1>", answer.text, re.DOTALL)
    has_words = bool(heading) and html.unescape(str(heading and heading[1])) not in BARE and len(words) > 60
    return has_words and path in words and not STACK.search(answer.text)


class Session:
    """Somebody at an app of this process, by way of ASGI; what the app raises is for its server's log."""

    def __init__(self, app: ASGIApp, base: str = HOST, **headers: str) -> None:
        self._app, self._base, self._headers = app, base, headers
        self._cookies = httpx.Cookies()

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            inner = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=inner, base_url=self._base, headers=self._headers, cookies=self._cookies
            ) as client:
                answer = await client.request(method, path, **how)
                self._cookies.update(client.cookies)
                return answer

        return asyncio.run(asked())


async def ended(app: ASGIApp) -> None:
    """Begin and end an app, so that it closes what it has open."""
    told = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

    async def receive() -> dict[str, str]:
        return next(told)

    async def send(_: Any) -> None:
        return

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)


class Breaking:
    """What stands behind the door in Dagster's place, and says no more than Starlette does of a fault."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("Internal Server Error", 500)(scope, receive, send)
        raise RuntimeError("secret of the inside")


@contextmanager
def at_the_door(url: str, fault: Exception | None = None) -> Iterator[tuple[Session, list[Route]]]:
    """A member of finance in front of the desk, whose store fails in a way."""

    def store() -> Any:
        if fault:
            raise fault
        return lend(url)

    reach = DeskReach(store, Settings(), CreditNotePolicy(), Settings().desk.waiver_limits, lambda: NOW)
    routes = desk_routes(reach)
    app = door_app(
        Breaking(),
        routes,
        connect=lambda: lend(url),
        roster=Roster(MEMBERS),
        settings=Settings(),
        clock=lambda: NOW,
        is_demo=False,
    )
    session = Session(app, **HTML)
    form = {"name": name_of("finance"), "password": PASSWORD, "csrf": token(session.ask("GET", "/sign-in"))}
    assert session.ask("POST", "/sign-in", data=form).status_code == 303
    yield session, [route for route in routes if "desk.css" not in route.path]
    asyncio.run(ended(app))


@pytest.mark.parametrize("how", FAULTS)
def test_every_page_of_the_desk_says_what_went_wrong(database_url: str, how: str) -> None:
    fault, status = FAULTS[how]
    with at_the_door(database_url, fault) as (session, routes):
        seen, key = 0, token(session.ask("GET", "/queues/nobody"))
        for route in routes:
            path = filled(route.path)
            for method in sorted((route.methods or set()) - {"HEAD"}):
                answer = session.ask(method, path, data={"csrf": key} if method == "POST" else None)
                if answer.status_code < 500:
                    assert is_helpful(answer, path) or answer.status_code < 400, (method, path, said(answer))
                    continue
                assert answer.status_code == status, (method, path, said(answer))
                assert is_helpful(answer, path), (method, path, said(answer))
                seen += 1
        assert seen >= 10


@pytest.mark.parametrize(
    ("method", "path", "status", "how"),
    [
        ("GET", "/nowhere", 404, {}),
        ("GET", "/queues/nobody", 404, {}),
        ("GET", "/returns/RMA404", 404, {}),
        ("GET", "/exceptions/404", 404, {}),
        ("GET", "/queues/all?month=13", 400, {}),
        ("PUT", "/", 403, {}),
        ("POST", "/acts/note", 403, {"data": {"csrf": "old"}}),
        ("POST", "/acts/note", 413, {"content": b"x" * 1_100_000, "headers": FORM}),
        ("GET", "/dagster/runs", 500, {}),
    ],
)  # fmt: skip
def test_every_refusal_behind_the_door_is_a_page_that_helps(
    database_url: str, method: str, path: str, status: int, how: dict[str, Any]
) -> None:
    with at_the_door(database_url) as (session, _):
        answer = session.ask(method, path, **how)
        assert answer.status_code == status, said(answer)
        assert is_helpful(answer, path.partition("?")[0]), said(answer)


def test_who_tries_too_often_is_told_how_long_to_wait(database_url: str) -> None:
    with at_the_door(database_url) as (session, _):
        stranger = Session(session._app, **HTML)
        for _ in range(40):
            form = {"name": "nobody", "password": "wrong wrong wrong", "csrf": token(stranger.ask("GET", "/sign-in"))}
            answer = stranger.ask("POST", "/sign-in", data=form)
            if answer.status_code == 429:
                break
        assert (answer.status_code, "Wait a quarter of an hour" in said(answer)) == (429, True)


def raising(fault: Exception) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise fault

    return fail


def is_told(answer: httpx.Response, path: str) -> bool:
    """The same for a program: three members, in words."""
    body = answer.json()
    words = body["detail"] and str(body["detail"]) not in BARE and len(body["what_to_do"]) > 10
    return bool(words) and body["where"] == path and not STACK.search(answer.text)


@pytest.mark.parametrize("how", FAULTS)
def test_every_address_of_the_gateway_says_what_went_wrong(how: str) -> None:
    app = create_app(connect=raising(FAULTS[how][0]), settings=Settings(), clock=lambda: NOW)
    session = Session(app)
    addresses = [filled(path) for path in app.openapi()["paths"]]
    assert len(addresses) > 8
    for path in addresses:
        for method in ("GET", "POST", "DELETE"):
            answer = session.ask(method, path, json={} if method == "POST" else None)
            assert answer.status_code < 400 or is_told(answer, path), (method, path, answer.text)
    assert is_told(session.ask("GET", "/nowhere"), "/nowhere")
    assert "Look at /docs" in session.ask("GET", "/nowhere").json()["what_to_do"]
    assert is_helpful(session.ask("GET", "/nowhere", headers=HTML), "/nowhere")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"content-encoding": "gzip"}, 415), ({"x-long": "x" * 20_000}, 431)],
)
def test_what_the_gateway_takes_from_nobody_is_told_the_same_way(headers: dict[str, str], status: int) -> None:
    app = create_app(connect=raising(RuntimeError()), settings=Settings(gateway_sender_rate=1), clock=lambda: NOW)
    session = Session(app)
    answer = session.ask("POST", "/inspections", headers=headers)
    assert (answer.status_code, is_told(answer, "/inspections")) == (status, True)
    often = next(found for _ in range(40) if (found := session.ask("GET", "/readyz")).status_code == 429)
    assert is_told(often, "/readyz")


def test_every_address_of_the_audit_page_says_what_went_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("place", "take", "mapped", "forget"):
        monkeypatch.setattr(Desk, name, raising(RuntimeError("secret of the inside")))
    monkeypatch.setattr(audit_page, "audited", raising(RuntimeError("secret of the inside")))
    desk = Desk(tmp_path)
    session = Session(audit_page.make_app(desk, "key"))
    routes = [*audit_page.pages(desk).routes, *audit_page.work(desk).routes]
    seen = set()
    for route in routes:
        assert isinstance(route, Route)
        path = filled(f"/key{route.path}".replace("{kind}", "returns"))
        for method in ("GET", "POST", "PUT", "DELETE"):
            answer = session.ask(method, path, params={"name": "x"}, json={} if method in ("POST", "PUT") else None)
            seen.add(answer.status_code)
            assert answer.status_code < 400 or is_told(answer, path), (method, path, answer.text)
    assert seen >= {200, 404, 405, 500}
    shown = session.ask("GET", "/", headers=HTML)
    assert is_helpful(shown, "/")
    assert "khaos-swap audit --open" in said(shown)


def test_what_a_sender_wrote_is_shown_as_text(tmp_path: Path) -> None:
    session = Session(audit_page.make_app(Desk(tmp_path), "key"), **HTML)
    answer = session.ask("GET", "/<script>alert(1)</script>")
    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("status", sorted(ADVICE))
def test_a_bare_status_is_said_in_words_and_a_reason_is_kept(status: int) -> None:
    assert told(status, None, "/x")["detail"] not in {*BARE, ""}
    assert told(status, "the body is no JSON", "/x" * 500) == {
        "detail": "the body is no JSON",
        "where": ("/x" * 500)[:200],
        "what_to_do": ADVICE[status],
    }
