"""What an attacker sends over a real line: slow, huge, packed, nested, split, mislabelled; and what the logs hold.

Belongs here: attacks on the running server. Tokens of every wrong kind are in ``test_webhooks``.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from khaos_swap_assets.adapters.http import public_authorities
from khaos_swap_assets.gateway import lines, messages
from khaos_swap_assets_tests.gateway.conftest import CHANNEL, NOW, PREVIOUS, SECRET, TOKEN, Rows
from khaos_swap_assets_tests.gateway.running import Running
from khaos_swap_assets_tests.gateway.test_webhooks import by_hand, claims, message, signed
from khaos_swap_assets_tests.running import fair

PATHS = ("/webhooks/swap", "/inspections", "/khaos/stock", "/khaos/order-status")
PERSONAL = ("priya", "nolan", "example.com", SECRET, PREVIOUS, TOKEN, CHANNEL[1], "eyJ")


@pytest.fixture
def running(database_url: str) -> Iterator[Running]:
    with Running(database_url) as found:
        yield found


@pytest.fixture(autouse=True)
def _said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After every attack: no log line holds a secret, a name or a line that a sender made up."""
    caplog.set_level(logging.INFO)
    yield
    for record in caplog.records:
        text = record.getMessage()
        assert not [word for word in PERSONAL if word.lower() in text.lower()], text
        assert "\n" not in text
        assert "\r" not in text


def is_alive(running: Running) -> bool:
    return running.post(json.dumps(message())).status_code == 200


def head(length: int, *more: str) -> bytes:
    lines = ["POST /webhooks/swap HTTP/1.1", "Host: x", f"Content-Length: {length}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def test_fifty_megabytes_are_refused_before_they_are_sent(running: Running) -> None:
    assert running.say(head(50_000_000) + b"x" * 1000).startswith(b"HTTP/1.1 413")
    assert is_alive(running)


def test_fifty_megabytes_in_chunks_are_cut_after_one(running: Running) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield b"x" * 1_000_000

    with contextlib.suppress(httpx.TransportError):
        assert running.post(chunks()).status_code == 413
    assert is_alive(running)


def test_headers_that_dawdle_lose_the_line(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "HEADER_SECONDS", 0.5)
    with running.line() as line:
        began = time.monotonic()
        line.sendall(b"POST /webhooks/swap HTTP/1.1\r\n")
        with contextlib.suppress(OSError):
            for number in range(100):
                line.sendall(f"X-{number}: y\r\n".encode())
                time.sleep(0.1)
        assert time.monotonic() - began < fair(5)
    assert is_alive(running)


def test_a_line_that_says_nothing_is_cut(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "HEADER_SECONDS", 0.3)
    with running.line() as line:
        assert line.recv(1) == b""


def test_a_body_that_dawdles_is_408(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "SECONDS", 0.3)
    with running.line() as line:
        line.sendall(head(1000) + b"{")
        assert line.recv(100).startswith(b"HTTP/1.1 408")
    assert is_alive(running)


def test_a_kept_line_may_speak_again_later(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "HEADER_SECONDS", 0.5)
    with httpx.Client(base_url=f"http://127.0.0.1:{running.port}", trust_env=False) as client:
        for _ in range(3):
            assert client.get("/healthz").status_code == 200
            time.sleep(0.3)


def test_slow_lines_do_not_keep_others_out(running: Running) -> None:
    lines = [running.line() for _ in range(150)]
    for line in lines:
        line.sendall(b"POST /webhooks/swap HTTP/1.1\r\nX: ")
    assert is_alive(running)
    for line in lines:
        line.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_a_packed_bomb_is_not_unpacked(running: Running, encoding: str) -> None:
    bomb = gzip.compress(b"\x00" * 20_000_000)
    assert running.post(bomb, headers={"content-encoding": encoding}).status_code == 415
    assert running.post(bomb).status_code == 400


XML = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c SYSTEM "file:///etc/passwd">]><StockUpload>&b;&c;</StockUpload>"""


@pytest.mark.parametrize(
    "body",
    [
        XML.encode(),
        b"\x00" * 100,
        b'{"a":"\x00"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'"' + b"x" * 100_000,
        b"9" * 100_000,
        b"\xff\xfe{\x00}",
        b"a=1&b=2",
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--",
    ],
)
def test_no_body_is_an_error_of_ours(running: Running, body: bytes) -> None:
    senders: tuple[dict[str, str], ...] = (
        {},
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": httpx.BasicAuth(*CHANNEL)._auth_header},
    )
    kinds = ("application/json", "application/xml", "multipart/form-data; boundary=x", "")
    for path, headers, kind in itertools.product(PATHS, senders, kinds):
        answer = running.post(body, path, headers=headers | {"content-type": kind})
        good = {200, 401} if path.startswith("/khaos/") else {400, 401}
        assert answer.status_code in good, (path, answer.status_code, answer.text)


TRICKS = (
    "//webhooks/swap", "/webhooks/swap/", "/webhooks/../metrics", "/webhooks/%2e%2e/metrics", "/khaos/..;/metrics",
    "/%00", "/webhooks/swap%00", "/khaos/config/../../etc/passwd", "/%0d%0aX-Injected:%20yes",
    "/webhooks/swap%0aINFO forged line", "/" + "a" * 8_000, "/..\\..\\windows", "/%ff%fe",
)  # fmt: skip


def test_path_tricks_lead_nowhere(running: Running) -> None:
    for path in TRICKS:
        said = running.say(f"GET {path.replace(' ', '%20')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert re.match(rb"HTTP/1\.1 40[045]", said), (path, said[:100])
        headers, _, body = said.partition(b"\r\n\r\n")
        assert b"X-Injected" not in headers, path
        assert not set(body) & {10, 13}, path


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n" * 3, b"\x16\x03\x01\x02\x00\x01", b"GET /\r\n\r\n", b"\r\n" * 1000,
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /webhooks/swap HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /webhooks/swap HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics",
        b"POST /webhooks/swap HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /webhooks/swap HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 60_000,
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)  # fmt: skip
def test_lines_that_speak_no_http_change_nothing(running: Running, raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "HEADER_SECONDS", 1.0)
    said = running.say(raw)
    assert not said.startswith(b"HTTP/1.1 5"), said[:100]
    assert is_alive(running)


def test_what_a_sender_wrote_reaches_no_log_and_no_header(running: Running, rows: Rows) -> None:
    forged = "x\r\nINFO everything is fine\r\n"
    wrong = running.post(json.dumps({"jwt": forged, "event": forged, "return": {"return_id": forged}}))
    assert (wrong.status_code, "everything" in wrong.text) == (401, False)
    held = message(signed(event="e\nv", return_id="r\r\nSet-Cookie: a=b"), **{"return": {}})
    assert running.post(json.dumps(held)).status_code == 200
    assert [row[0] for row in rows("SELECT event FROM recon.inbox")] == ["e\nv"]


def test_a_replayed_token_is_one_knock(running: Running, rows: Rows) -> None:
    body = json.dumps(message())
    assert {running.post(body).status_code for _ in range(5)} == {200}
    assert rows("SELECT count(*) FROM recon.inbox") == [(1,)]


def test_forged_ones_of_every_kind_change_nothing_and_are_counted(running: Running, rows: Rows) -> None:
    issued = int(NOW.timestamp())
    forged: list[Any] = [
        jwt.encode(claims(), "", algorithm="none"),
        by_hand({"alg": "RS256"}, claims()),
        signed(iat=issued - 900, exp=issued - 600),
        signed(iat=issued + 600, exp=issued + 700),
        signed(store_id="st_other"),
        signed(return_id="another"),
    ]
    assert {running.post(json.dumps(message(token))).status_code for token in forged} == {401}
    assert rows("SELECT count(*) FROM recon.inbox") == [(0,)]
    assert rows("SELECT sum(times)::int FROM recon.refused_messages") == [(6,)]


def test_a_gateway_alone_needs_no_folder(database_url: str, tmp_path: Path) -> None:
    from benchmarks.gateway_load import gateway

    with gateway(database_url, workers=1, TMPDIR=str(tmp_path)):
        assert list(tmp_path.glob("khaos-swap-metrics-*")) == []


def test_several_workers_serve_one_port_tell_common_figures_and_leave_no_folder(
    database_url: str, tmp_path: Path
) -> None:
    from benchmarks.gateway_load import gateway

    quick: dict[str, Any] = {"trust_env": False, "verify": public_authorities()}
    near = {"KHAOS_SWAP_GATEWAY_METRICS_FROM": "127.0.0.1", "TMPDIR": str(tmp_path)}
    with gateway(database_url, workers=2, **near) as (port, process), httpx.Client(**quick) as client:
        for _ in range(30):
            assert httpx.get(f"http://127.0.0.1:{port}/khaos/config", **quick).status_code == 401
        assert len(list(tmp_path.glob("khaos-swap-metrics-*"))) == 1
        told = {line for _ in range(10) for line in client.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()}
        assert len([one for one in process.children(recursive=True) if "spawn" in " ".join(one.cmdline())]) == 2
    process.wait(60)
    assert list(tmp_path.glob("khaos-swap-metrics-*")) == []
    counted = [line for line in told if line.startswith("khaos_swap_requests_total") and 'route="none"' not in line]
    assert any('status="401"' in line and line.endswith(" 30.0") for line in counted), counted


@pytest.mark.parametrize(
    ("proxies", "sender", "scheme", "code"),
    [
        ("127.0.0.1", "8.8.8.8", "https", 200),
        ("127.0.0.1", "8.8.8.8", "http", 403),
        ("127.0.0.1", "127.0.0.1, 8.8.8.8", "http", 403),
        ("127.0.0.1", "8.8.8.8, 127.0.0.1", "http", 403),
        ("10.0.0.1", "8.8.8.8", "http", 200),  # nobody trusted said so: it is this machine that asks
    ],
)
def test_only_a_trusted_proxy_says_who_asks_and_over_which_line(
    database_url: str, proxies: str, sender: str, scheme: str, code: int
) -> None:
    headers = {"x-forwarded-for": sender, "x-forwarded-proto": scheme}
    with Running(database_url, proxies=proxies) as running:
        place = f"http://127.0.0.1:{running.port}/khaos/config"
        assert httpx.get(place, headers=headers, auth=CHANNEL, trust_env=False).status_code == code
