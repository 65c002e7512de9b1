"""Vendors that dawdle, bomb and lie about their size, over real sockets of this machine."""

from __future__ import annotations

import contextlib
import gzip
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from khaos_swap_assets.adapters import failures
from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, TooLargeError, TransientError
from khaos_swap_assets.adapters.http import Http
from khaos_swap_assets.adapters.khaos import xml_text
from khaos_swap_assets_tests.running import fair

Say = Callable[[socket.socket], Any]
FINE = b"HTTP/1.1 200 OK\r\n"
LIMIT = 0.4
MOST = 1_000_000


def heard(line: socket.socket) -> None:
    """Read one whole request: a line that is closed with something unread is reset."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += line.recv(65536)
    head, _, body = said.partition(b"\r\n\r\n")
    length = int((head.lower().partition(b"content-length: ")[2] or b"0").split(b"\r\n")[0])
    while len(body) < length:
        body += line.recv(65536)


class Vendor:
    """A server that does whatever a test says with each connection, in a thread each."""

    def __init__(self) -> None:
        self.say: Say = lambda _: None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self.listener.accept()
                threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            self.say(line)

    def answers(self, body: bytes, *headers: str) -> None:
        told = "".join(f"{header}\r\n" for header in headers).encode()

        def say(line: socket.socket) -> None:
            heard(line)
            line.sendall(FINE + told + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        self.say = say

    def http(self, **changes: Any) -> Http:
        return Http(self.url, **({"retries": 0, "timeout": LIMIT, "max_bytes": MOST} | changes))


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    yield made
    made.listener.close()


def dripping(first: bytes, drop: bytes) -> Say:
    def say(line: socket.socket) -> None:
        line.sendall(first)
        for _ in range(100):
            line.sendall(drop)
            time.sleep(LIMIT / 10)

    return say


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
        (FINE, b"X-More: y\r\n"),
        (FINE + b"Content-Length: 1000\r\n\r\n", b"x"),
        (FINE + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (FINE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: y\r\n"),
        (FINE + b"\r\n", b"x"),
        (b"", b""),
    ],
    ids=["100", "103", "headers", "body", "chunks", "trailers", "no length", "silence"],
)
def test_an_exchange_ends_in_its_time_whatever_drips(vendor: Vendor, first: bytes, drop: bytes) -> None:
    vendor.say = dripping(first, drop)
    began = time.monotonic()
    with vendor.http() as http, pytest.raises(TransientError, match="no answer in time"):
        http.read("GET", "/")
    assert time.monotonic() - began < fair(LIMIT * 2.5)


def test_a_vendor_that_hardly_listens_is_left_in_its_time(vendor: Vendor) -> None:
    def say(line: socket.socket) -> None:
        for _ in range(100):
            line.recv(piece)
            time.sleep(LIMIT / 10)

    piece = 10_000
    vendor.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, piece)
    vendor.say = say
    began = time.monotonic()
    with vendor.http() as http, pytest.raises(InDoubtError, match="no answer in time"):
        http.write("POST", "/", content=b"x" * 20_000_000)
    assert time.monotonic() - began < fair(LIMIT * 2.5)


def test_all_addresses_of_a_host_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("0.0.0.0", 0), backlog=0) as deaf, contextlib.ExitStack() as stack:
        port = deaf.getsockname()[1]
        for _ in range(4):
            line = stack.enter_context(socket.socket())
            line.setblocking(False)
            line.connect_ex(("127.0.0.1", port))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{number}", port)) for number in range(1, 9)]
        monkeypatch.setattr(socket, "getaddrinfo", _only(found, socket.getaddrinfo))
        began = time.monotonic()
        with Http(f"http://vendor.test:{port}", retries=0, timeout=LIMIT) as http, pytest.raises(TransientError):
            http.read("GET", "/")
        assert time.monotonic() - began < fair(LIMIT * 2.5)


def _only(found: list[Any], real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda host, *more, **named: found if host == "vendor.test" else real(host, *more, **named)


def test_a_time_that_ran_out_leaves_the_session_usable(vendor: Vendor) -> None:
    with vendor.http() as http:
        vendor.say = dripping(FINE, b"X: y\r\n")
        with pytest.raises(TransientError):
            http.read("GET", "/")
        vendor.answers(b"well")
        for _ in range(3):
            assert http.read("GET", "/").text == "well"


def packed(body: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        body = gzip.compress(body)
    return body


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "deflate"])
def test_one_packing_is_read(vendor: Vendor, encoding: str) -> None:
    body = zlib.compress(b"[]") if encoding == "deflate" else packed(b"[]")
    vendor.answers(body, f"Content-Encoding: {encoding}")
    with vendor.http() as http:
        assert http.read("GET", "/").content == b"[]"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip\r\nContent-Encoding: gzip", "br", "zstd", "compress", "x"])
def test_packing_that_was_not_asked_for_is_refused(vendor: Vendor, encoding: str) -> None:
    vendor.answers(packed(b"x" * 1000, 2), f"Content-Encoding: {encoding}")
    with vendor.http() as http:
        with pytest.raises(PermanentError, match="not asked for"):
            http.read("GET", "/")
        with pytest.raises(InDoubtError, match="not asked for"):
            http.write("POST", "/")


@pytest.mark.parametrize(
    "body",
    [packed(b"x" * 1000)[:-9], b"no gzip", packed(b"a") + packed(b"b"), packed(b"a") + b"tail"],
    ids=["cut off", "no packing", "two parts", "a tail"],
)
def test_packing_that_is_damaged_is_no_answer(vendor: Vendor, body: bytes) -> None:
    vendor.answers(body, "Content-Encoding: gzip")
    with vendor.http() as http, pytest.raises(TransientError, match="packed answer is damaged"):
        http.read("GET", "/")


@pytest.mark.parametrize(
    ("body", "is_read"),
    [(b"x" * MOST, True), (b"x" * (MOST + 1), False), (packed(b"x" * MOST), True), (packed(b"x" * (MOST + 1)), False)],
    ids=["raw", "raw too long", "packed", "packed too long"],
)
def test_bytes_count_packed_and_unpacked(vendor: Vendor, body: bytes, *, is_read: bool) -> None:
    vendor.answers(body, *(["Content-Encoding: gzip"] if body[:2] == b"\x1f\x8b" else []))
    with vendor.http(timeout=10) as http:
        if is_read:
            assert len(http.read("GET", "/").content) == MOST
        else:
            with pytest.raises(TooLargeError, match=f"longer than {MOST} bytes"):
                http.read("GET", "/")


def test_packed_bytes_that_unpack_to_nothing_count(vendor: Vendor) -> None:
    nothing = zlib.compressobj(wbits=31)
    body = nothing.compress(b"x") + b"".join(nothing.flush(zlib.Z_FULL_FLUSH) + b"" for _ in range(3))
    empty = b"\x00\x00\x00\xff\xff"
    vendor.answers(body + empty * (MOST // 5), "Content-Encoding: gzip")
    with vendor.http(timeout=10) as http, pytest.raises(TooLargeError):
        http.read("GET", "/")


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"message":' * 50_000, b'{"message": "' + b"x" * 900_000 + b'"}'])
def test_no_error_page_is_a_trap(vendor: Vendor, body: bytes) -> None:
    def say(line: socket.socket) -> None:
        heard(line)
        line.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    vendor.say = say
    with vendor.http(timeout=10) as http, pytest.raises(PermanentError, match=r"404 Not Found$"):
        http.read("GET", "/")
    assert failures.LONGEST_REASON < 900_000


MEASURE = """
import sys
from khaos_swap_assets.adapters import http, json_text
from khaos_swap_assets.adapters.errors import VendorError
from khaos_swap_assets.adapters.khaos import envelope
from khaos_swap_assets.adapters.khaos.soap import Soap
from khaos_swap_assets.adapters.settings import SwapSettings
from khaos_swap_assets.adapters.swap import client
base = sys.argv[1]
swap = client.connect(SwapSettings(url=base, api_key="k", store_id="st", retries=0), sleep=id)
soap = Soap(http.Http(base, retries=0))
def peak():
    told = open("/proc/self/status").read()
    return int(told.partition("VmHWM:")[2].split()[0]) // 1024
def of_soap():
    soap.ask_document("M")
def of_swap():
    swap.by_rma("R")
before = peak()
for read, times in zip((of_soap, of_swap), sys.argv[2:]):
    for _ in range(int(times)):
        try:
            read()
        except VendorError:
            pass
print(peak() - before)
"""
FULL = 20 * 1024 * 1024 - 1000


def filled(part: bytes, most: int, first: bytes = b"", last: bytes = b"") -> bytes:
    return first + part * ((most - len(first + last)) // len(part)) + last


SOAP = b'<Envelope><Body><MResponse xmlns:x="y"><return>', b"</return></MResponse></Body></Envelope>"
MARKS = xml_text.MOST_MARKS - 1000
ATTRIBUTES = b" ".join(b'b%d="x"' % number for number in range(998))
PAGING = b'"pagination": {"has_next_page": false}}'


def of_khaos() -> list[bytes]:
    return [
        filled(b"<a/>", FULL, *SOAP),
        b"<Other>" + b"<a/>x" * MARKS + b"</Other>",
        b"<Other>" + (b"<a " + ATTRIBUTES + b"/>") * (MARKS // 1000) + b"</Other>",
        filled(b"<a>", FULL, *SOAP),
        filled("\U0001f600".encode(), 9_900_000, *SOAP),
        filled(b"&lt;a/&gt;", FULL, *SOAP),
        filled(b"&amp;", FULL, *SOAP),
        filled(b"&#1;", FULL, *SOAP),
        gzip.compress(b"\0" * 200_000_000, 1),
        b"<!DOCTYPE a [" + b"<!ENTITY a 'b'>" * 1_000_000 + b"]><a/>",
    ]


def of_swap() -> list[bytes]:
    return [
        filled(b"{},", 10_000_000, b'{"returns": [', b"{}]}"),
        filled(b"[1.5],", 190_000 * 6, b'{"returns": [[', b'{}]], ' + PAGING),
        filled("\U0001f600".encode(), 10_000_000, b'{"returns": ["', b'"], ' + PAGING),
        filled(b"\\ud800", 10_000_000, b'{"returns": ["', b'"], ' + PAGING),
        filled(b"[", 10_000_000),
        filled(b"9", 10_000_000, b'{"returns": [', b'], ' + PAGING),
    ]  # fmt: skip


@pytest.mark.long
def test_no_answer_takes_more_than_300_mb_of_memory(vendor: Vendor) -> None:
    khaos, swap = of_khaos(), of_swap()
    traps = deque([*khaos, *swap])

    def say(line: socket.socket) -> None:
        body = traps.popleft()
        heard(line)
        is_packed = b"Content-Encoding: gzip\r\n" if body[:2] == b"\x1f\x8b" else b""
        line.sendall(FINE + is_packed + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    vendor.say = say
    command = [sys.executable, "-c", MEASURE, vendor.url, str(len(khaos)), str(len(swap))]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert not traps, "each trap was read once"
    assert int(told.stdout) <= 300
