"""What the HTTP server is told, when a line is cut, and that starting is set apart from the collector."""

from __future__ import annotations

import gc
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.gateway import app, lines, server
from khaos_swap_assets_tests.gateway.running import Running
from khaos_swap_assets_tests.running import fair

ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
FINE = b"HTTP/1.1 200"


def is_cut(line: socket.socket) -> bool:
    """Send one more byte of headers; whether the other side has given up."""
    line.settimeout(0.05)
    try:
        line.sendall(b"x")
        return line.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.fixture
def running(database_url: str) -> Iterator[Running]:
    with Running(database_url) as started:
        yield started


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``uvicorn`` is told instead of being started, and the folder for figures at that moment."""
    found: dict[str, Any] = {}

    def run(target: str, **options: Any) -> None:
        found.update(options, app=target, folder=os.environ.get(server.SHARED_FOLDER))

    monkeypatch.setattr("uvicorn.run", run)
    monkeypatch.setenv(server.SHARED_FOLDER, "")
    return found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("10.1.1.1", 8123, 3)),
        ({"host": "127.0.0.1", "port": 0, "workers": 1}, ("127.0.0.1", 0, 1)),
        ({"port": 9000}, ("10.1.1.1", 9000, 3)),
    ],
)
def test_address_and_number_are_the_settings_unless_given(
    told: dict[str, Any], given: dict[str, Any], expected: tuple[str, int, int]
) -> None:
    settings = Settings(
        gateway_host="10.1.1.1", gateway_port=8123, gateway_workers=3, gateway_trusted_proxies="10.9.9.9"
    )
    server.serve(settings, **given)
    assert (told["host"], told["port"], told["workers"]) == expected
    assert (told["http"], told["forwarded_allow_ips"], told["server_header"]) == (
        lines.TimedConnection,
        "10.9.9.9",
        False,
    )
    assert told["app"] == "khaos_swap_assets.gateway.server:started"


@pytest.mark.parametrize(("workers", "is_shared"), [(1, False), (2, True)])
def test_only_several_workers_share_a_folder_and_it_goes_with_them(
    told: dict[str, Any], workers: int, is_shared: bool
) -> None:
    server.serve(Settings(), workers=workers)
    assert bool(told["folder"]) is is_shared
    assert not told["folder"] or not Path(told["folder"]).exists()


def test_what_starting_made_is_not_collected_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = FastAPI()
    monkeypatch.setattr(app, "from_environment", lambda: made)
    before = gc.get_freeze_count()
    try:
        assert server.started() is made
        assert gc.get_freeze_count() > max(before, 10_000)
    finally:
        gc.unfreeze()


def test_a_line_that_says_nothing_is_cut(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "HEADER_SECONDS", 0.3)
    began = time.monotonic()
    assert running.say(b"") == b""
    assert time.monotonic() - began < fair(8)


def test_headers_that_drip_are_cut_although_something_comes(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "HEADER_SECONDS", 0.5)
    began = time.monotonic()
    with running.line() as line:
        while not is_cut(line) and time.monotonic() - began < fair(15):
            pass
    assert time.monotonic() - began < fair(8)


@pytest.mark.parametrize(("size", "is_answered"), [(1_000, True), (lines.HEADER_BYTES + 1_000, False)])
def test_headers_without_end_are_cut_by_their_size(running: Running, size: int, is_answered: bool) -> None:
    answer = running.say(ASK + b"X-Long: " + b"a" * size + (b"\r\n\r\n" if is_answered else b""))
    assert answer.startswith(FINE) is is_answered


def test_a_line_too_many_is_cut_and_the_others_are_served(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", 2)
    monkeypatch.setattr(lines, "KEPT_FOR_PROVEN", 0)
    with running.line() as first, running.line() as second:
        for line in (first, second):
            line.sendall(ASK + b"\r\n")
            assert line.recv(1_000).startswith(FINE)
        assert running.say(ASK + b"\r\n") == b""
        first.sendall(ASK + b"\r\n")
        assert first.recv(1_000).startswith(FINE)


def test_one_line_serves_many_requests_each_with_its_own_deadline(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "HEADER_BYTES", 100)
    with running.line() as line:
        for _ in range(5):
            line.sendall(ASK + b"\r\n")
            assert line.recv(1_000).startswith(FINE)
