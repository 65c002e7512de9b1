"""Slow and endless senders over real sockets: every line ends, and strangers never keep others out."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from khaos_swap_assets.gateway import lines
from khaos_swap_assets.gateway.limits import SenderRate, sender_of
from khaos_swap_assets.gateway.lines import OnceAMinute, Register
from khaos_swap_assets_tests.gateway.conftest import CHANNEL
from khaos_swap_assets_tests.gateway.running import Running
from khaos_swap_assets_tests.gateway.test_webhooks import message
from khaos_swap_assets_tests.running import fair

SOON = 0.4
PATHS = ("/nowhere", "/healthz", "/metrics", "/webhooks/swap", "/khaos/stock", "/khaos/returns", "/openapi.json")
CHUNKED = "POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    found = Register()
    monkeypatch.setattr(lines, "REGISTER", found)
    return found


@pytest.fixture
def start(database_url: str, register: Register) -> Iterator[Callable[..., Running]]:
    with contextlib.ExitStack() as stack:
        yield lambda **changes: stack.enter_context(Running(database_url, **changes))


@pytest.fixture
def running(start: Callable[..., Running]) -> Running:
    return start()


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEADER_SECONDS", "BODY_SECONDS", "ANSWER_SECONDS", "IDLE_SECONDS"):
        monkeypatch.setattr(lines, name, SOON)


def lasts(line: socket.socket, drop: bytes) -> float:
    """Seconds until the other side gives up although something comes all the time."""
    began = time.monotonic()
    line.settimeout(SOON / 10)
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - began < fair(5):
            line.sendall(drop)
            with contextlib.suppress(TimeoutError):
                while line.recv(65536):
                    pass
                break
    return time.monotonic() - began


@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_drips_ends_on_every_route(running: Running, path: str) -> None:
    with running.line() as line:
        line.sendall(CHUNKED.format(path=path).encode())
        assert lasts(line, b"1\r\nx\r\n") < fair(SOON * 3)


@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b"X"),
        (b"", b"\r\n"),
        (ASK, b"\r\n"),
        (ASK, b"G"),
        (CHUNKED.format(path="/nowhere").encode() + b"0\r\n", b"X: y\r\n"),
        (b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"POST /webhooks/swap HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n", b"x"),
    ],
    ids=["headers", "blank lines", "blank after an answer", "headers after", "trailers", "body", "continue"],
)
def test_whatever_drips_the_line_ends(running: Running, register: Register, first: bytes, drop: bytes) -> None:
    with running.line() as line:
        line.sendall(first)
        assert lasts(line, drop) < fair(SOON * 4)
    assert not register._lines


@pytest.mark.usefixtures("_short")
def test_a_line_that_rests_after_an_answer_is_closed(running: Running) -> None:
    with running.line() as line:
        line.sendall(ASK)
        assert line.recv(65536).startswith(b"HTTP/1.1 200")
        assert lasts(line, b"") < fair(SOON * 3)


@pytest.mark.usefixtures("_short")
def test_who_reads_no_answer_loses_the_line(running: Running, register: Register) -> None:
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", running.port))
        line.setblocking(False)
        ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 500
        began = time.monotonic()
        while time.monotonic() - began < SOON * 2:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                line.send(ask)
            time.sleep(0.02)
        until = time.monotonic() + fair(SOON * 5)
        while register._lines and time.monotonic() < until:
            time.sleep(0.02)
        assert not register._lines


def test_a_request_without_end_is_cut_by_its_size(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "REQUEST_BYTES", 100_000)
    with running.line() as line, contextlib.suppress(ConnectionError):
        line.sendall(CHUNKED.format(path="/nowhere").encode() + b"0\r\n")
        for _ in range(1000):
            line.sendall(b"X: " + b"y" * 10_000 + b"\r\n")
        pytest.fail("ten megabytes of trailers were taken")


def hold(running: Running, host: str, count: int, stack: contextlib.ExitStack) -> int:
    """Open so many chunked lines from an address and leave them open; how many live on."""
    opened = [
        stack.enter_context(socket.create_connection(("127.0.0.1", running.port), 5, (host, 0))) for _ in range(count)
    ]
    living = 0
    for line in opened:
        with contextlib.suppress(ConnectionError):
            line.sendall(CHUNKED.format(path="/nowhere").encode())
            living += line.recv(4096).startswith(b"HTTP/1.1 404")
    return living


def asked(running: Running, host: str, raw: bytes = ASK) -> bytes:
    with socket.create_connection(("127.0.0.1", running.port), 5, (host, 0)) as line, contextlib.suppress(OSError):
        line.sendall(raw)
        return line.recv(4096)[:12]
    return b""


def test_one_sender_holds_no_more_than_its_lines(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINES_OF_A_SENDER", 10)
    with contextlib.ExitStack() as stack:
        assert hold(running, "127.0.0.1", 30, stack) == 10
        assert asked(running, "127.0.0.2") == b"HTTP/1.1 200"
    until = time.monotonic() + 60
    while asked(running, "127.0.0.1") == b"" and time.monotonic() < until:
        time.sleep(0.02)
    assert asked(running, "127.0.0.1") == b"HTTP/1.1 200"


BODY = json.dumps(message()).encode()
KNOCK = b"POST /webhooks/swap HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
PULL = b"GET /khaos/config HTTP/1.1\r\nHost: x\r\nAuthorization: Basic a2hhb3M6cGFzczp3b3Jk\r\n\r\n"


@pytest.mark.parametrize("proof", [KNOCK, PULL], ids=["a token of Swap", "the channel's password"])
def test_strangers_leave_a_share_to_those_who_proved_themselves(
    running: Running, proof: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", 30)
    monkeypatch.setattr(lines, "KEPT_FOR_PROVEN", 10)
    monkeypatch.setattr(lines, "LINES_OF_A_SENDER", 15)
    assert CHANNEL == ("khaos", "pass:word")
    assert asked(running, "127.0.0.9", proof) == b"HTTP/1.1 200"
    with contextlib.ExitStack() as stack:
        held = [hold(running, f"127.0.0.{number}", 15, stack) for number in (2, 3, 4)]
        assert held == [15, 5, 0]
        assert asked(running, "127.0.0.5") == b""
        assert asked(running, "127.0.0.5", proof) == b"", "a proof comes after the line"
        assert asked(running, "127.0.0.9", proof) == b"HTTP/1.1 200"


def test_a_proxy_speaks_for_many(start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINES_OF_A_SENDER", 5)
    running = start(proxies="10.0.0.1, 127.0.0.0/8")
    with contextlib.ExitStack() as stack:
        assert hold(running, "127.0.0.1", 20, stack) == 20


def test_what_is_no_http_counts_and_is_one_line_of_the_log_a_minute(
    start: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    running = start(gateway_sender_rate=1)
    said = [asked(running, "127.0.0.1", b"\x16\x03\x01 no http\r\n\r\n") for _ in range(30)]
    assert said == [b"HTTP/1.1 400"] * 11 + [b""] * 19
    assert asked(running, "127.0.0.1", b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n") == b"HTTP/1.1 429"
    assert asked(running, "127.0.0.2", b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n") == b"HTTP/1.1 200"
    assert len([one for one in caplog.records if "Invalid" in one.getMessage()]) <= 1


def test_a_flood_of_one_message_is_told_once_a_minute_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    told, found = OnceAMinute(), []
    for second in (0, 1, 2, 59, 61, 62, 200):
        now[0] = 100.0 + second
        record = logging.LogRecord("x", logging.WARNING, "", 0, "Bad request", (), None)
        found += [record.getMessage()] if told.filter(record) else []
    assert found == ["Bad request", "Bad request (3 more of these since)", "Bad request (1 more of these since)"]


@pytest.mark.parametrize("told", ["Content-Length: 5", "Content-Length: x", "Transfer-Encoding: chunked"])
def test_health_takes_no_body(running: Running, told: str) -> None:
    with running.line() as line:
        line.sendall(f"GET /healthz HTTP/1.1\r\nHost: x\r\n{told}\r\n\r\n".encode())
        assert line.recv(4096)[:12] in (b"HTTP/1.1 413", b"HTTP/1.1 400")
        assert lasts(line, b"") < 2
    assert asked(running, "127.0.0.1", b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").endswith(
        b"200"
    )


@pytest.mark.parametrize(
    ("host", "sender"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_a_network_of_ipv6_is_one_sender(host: str, sender: str) -> None:
    assert sender_of(host) == sender


def test_the_register_forgets_what_is_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_PROVEN", 3)
    register = Register()
    for name in ("a", "b", "c", "a", "d"):
        register.prove(name)
    assert list(register._proven) == ["c", "a", "d"]
    rate: Any = SenderRate(1)
    assert rate.wait("x") == 0
