"""The guard before Dagster's UI: who is let through, who is not, what a refusal says. Browsers: ``browser.test_ui``."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from starlette.types import Message, Scope

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import load_settings
from khaos_swap_assets.ui import webserver
from khaos_swap_assets.ui.guard import Guard, refusal
from khaos_swap_assets_tests.running import serving
from khaos_swap_assets_tests.ui.serving import FORGE, Marks, make_home

HOST = "127.0.0.1:3000"
OWN, FOREIGN = f"http://{HOST}", "http://localhost:3000"
PUBLIC = "https://ui.example"
JSON = {"content-type": "application/json"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
Sent = dict[str, str]


def scope_of(method: str, path: str, headers: Sent | list[tuple[str, str]], host: str = HOST) -> Scope:
    pairs = [*(headers.items() if isinstance(headers, dict) else headers), *([("host", host)] if host else [])]
    raw = [(name.encode(), value.encode()) for name, value in pairs]
    kind = {"type": "websocket"} if method == "WS" else {"type": "http", "method": method}
    return {**kind, "path": path, "headers": raw}


def status(method: str, path: str, headers: Sent | list[tuple[str, str]], host: str = HOST, public: str = "") -> int:
    found = refusal(scope_of(method, path, headers, host), public)
    return found.status if found else 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        ("GET", "/runs", {}, 200),
        ("GET", "/runs", {"sec-fetch-site": "none"}, 200),
        ("GET", "/runs", {"sec-fetch-site": "same-origin"}, 200),
        ("GET", "/runs", LINK, 200),
        ("GET", "/runs", {**LINK, "sec-fetch-dest": "iframe"}, 403),
        ("GET", "/runs", {**LINK, "sec-fetch-mode": "no-cors"}, 403),
        ("POST", "/runs", LINK, 403),
        ("GET", "/runs", {**LINK, "origin": FOREIGN}, 403),
        ("GET", "/logs/a.err", {"sec-fetch-site": "cross-site"}, 403),
        ("GET", "/logs/a.err", {"sec-fetch-site": "same-site"}, 403),
        ("POST", "/graphql", JSON, 200),
        ("POST", "/graphql", {**JSON, "origin": OWN, "sec-fetch-site": "same-origin"}, 200),
        ("POST", "/graphql", {"content-type": "Application/JSON; charset=utf-8"}, 200),
        ("POST", "/graphql", {**JSON, "origin": FOREIGN}, 403),
        ("POST", "/graphql", {**JSON, "origin": "null"}, 403),
        ("POST", "/graphql", {**JSON, "origin": f"https://{HOST}"}, 403),
        ("POST", "/graphql", {**JSON, "sec-fetch-site": "same-site"}, 403),
        ("POST", "/graphql", [*JSON.items(), ("origin", OWN), ("origin", FOREIGN)], 403),
        ("POST", "/graphql", [*JSON.items(), ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], 403),
        ("POST", "/graphql", {}, 415),
        ("POST", "/graphql", {"content-type": "text/plain; charset=application/json"}, 415),
        ("GET", "/graphql", {}, 405),
        ("GET", "/graphql", {"accept": "application/json"}, 405),
        ("GET", "/graphql", {"accept": "text/html"}, 200),
        ("GET", "/graphql", {"accept": "text/html", **LINK}, 403),
        ("HEAD", "/graphql", {"accept": "text/html"}, 405),
        ("POST", "/report_asset_check/a", JSON, 403),
        ("POST", "/report_asset_materialization/a", JSON, 403),
        ("POST", "/report_asset_observation/a", JSON, 403),
        ("WS", "/graphql", {}, 200),
        ("WS", "/graphql", {"origin": OWN}, 200),
        ("WS", "/graphql", {"origin": FOREIGN}, 403),
    ],
)
def test_who_may_ask_for_what(method: str, path: str, headers: Sent | list[tuple[str, str]], expected: int) -> None:
    assert status(method, path, headers) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("[::1]:3000", 200),
        ("", 403),
        ("evil.test", 403),
        ("127.0.0.1.evil.test:3000", 403),
        ("127.0.0.1@evil.test", 403),
        ("evil.test@127.0.0.1", 200),
        ("[::1", 403),
        ("ui.example", 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "WS"])
def test_a_name_that_is_not_ours_is_refused(method: str, host: str, expected: int) -> None:
    assert status(method, "/graphql" if method == "WS" else "/runs", {}, host) == expected


def test_two_names_at_once_are_refused() -> None:
    assert status("GET", "/runs", [("host", "localhost")]) == 403


def test_a_proxy_with_a_sign_in_is_named_in_the_settings() -> None:
    sent = {**JSON, "origin": PUBLIC, "sec-fetch-site": "same-origin"}
    assert status("POST", "/graphql", sent, "ui.example", PUBLIC) == 200
    assert status("POST", "/graphql", sent, HOST, f"{PUBLIC}/") == 200
    assert status("POST", "/graphql", sent | {"origin": "http://evil.test"}, "ui.example", PUBLIC) == 403
    assert status("POST", "/graphql", sent, "evil.test", PUBLIC) == 403


def test_the_guard_is_written_for_the_dagster_that_is_locked() -> None:
    assert version("dagster-webserver") == webserver.WRITTEN_FOR


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "::", "ui.example"])
def test_the_ui_binds_to_this_machine_only(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("KHAOS_SWAP_WEBSERVER_HOST", host)
    with pytest.raises(SettingsError, match=r"WEBSERVER_HOST: must be one of .*: the Dagster UI asks nobody for a"):
        load_settings()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return make_home(tmp_path)


def test_each_refusal_is_one_clear_line_and_is_logged(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with webserver.dagster_app(home) as app, dg.DagsterInstance.get() as instance, serving(Guard(app)) as port:
        marks = Marks(instance)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            answers = [client.get(marks.by_address), client.post(marks.by_address), client.post(FORGE)]
            assert not marks.is_touched()
            done = client.post("/graphql", json={"query": marks.delete})
        assert "DeletePipelineRunSuccess" in done.text
        assert done.headers["x-frame-options"] == "SAMEORIGIN"
    assert [(answer.status_code, answer.text.count("\n")) for answer in answers] == [(405, 1), (415, 1), (403, 1)]
    assert [record.message for record in caplog.records if record.name == "khaos_swap.ui"] == [
        "refused GET '/graphql': nothing is executed by this method: send the query by POST",
        "refused POST '/graphql': send the query as a body of type application/json",
        "refused POST '/report_asset_check/storefront/payments': results are written by runs only: start one",
    ]


@pytest.mark.filterwarnings("ignore:Error loading repository location")
def test_a_list_of_code_servers_that_is_away_for_a_moment_is_read_once_it_is_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webserver, "FOLLOW_SECONDS", 0.02)
    nobody = {"grpc_server": {"host": "127.0.0.1", "port": 1, "location_name": "felwood"}}
    query = "{ workspaceOrError { ... on Workspace { locationEntries { name } } } }"
    with webserver.dagster_app(home) as app, serving(Guard(app)) as port:
        home.unlink()
        time.sleep(0.2)
        home.write_text(json.dumps({"load_from": [nobody]}))
        ended = time.monotonic() + 30
        while "felwood" not in (told := post(port, query)):
            assert time.monotonic() < ended, told
            time.sleep(0.05)


def post(port: int, query: str) -> str:
    """What the UI answers to a query."""
    return httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}, timeout=30, trust_env=False).text


async def said(scope: Scope) -> list[Message]:
    """What a refused sender hears."""
    heard: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        heard.append(message)

    async def never(*_: Any) -> None:
        raise AssertionError("it was let through")

    await Guard(never)(scope, receive, send)
    return heard


@pytest.mark.parametrize("extensions", [{}, {"websocket.http.response": {}}])
def test_a_line_that_stays_open_is_refused_before_it_is_accepted(extensions: dict[str, Any]) -> None:
    heard = asyncio.run(said({**scope_of("WS", "/graphql", {"origin": FOREIGN}), "extensions": extensions}))
    assert heard[0]["type"] == ("websocket.http.response.start" if extensions else "websocket.close")


def test_what_a_sender_wrote_takes_a_bounded_place_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    asyncio.run(said(scope_of("GET", "/\n" + "é" * 10_000, {}, "evil.test")))
    (line,) = [record.message for record in caplog.records]
    assert len(line) < 800
    assert "\n" not in line
