"""The bounds of one exchange with a vendor: its time from the first to the last byte, its bytes packed and unpacked.

Belongs here: the deadline under every operation on the network, and reading a body that may lie about its size. Stays
out: what a failure is called and what is repeated (``http``). A timeout of the library is between two bytes only, and
it unpacks a whole piece before anybody counts.
"""

from __future__ import annotations

import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import httpcore
import httpx

PACKED = frozenset({"gzip", "x-gzip", "deflate"})
PLAIN = frozenset({"", "identity"})
PIECE = 16 * 1024
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_UNTIL: ContextVar[float | None] = ContextVar("until", default=None)


class RefusedAnswerError(httpx.RequestError):
    """The answer is none that an honest vendor gives: asking again will not help."""


class TooLongError(RefusedAnswerError):
    """The answer is longer than any honest one."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Whatever happens on a bounded session in this block ends by then: connecting, headers, body."""
    mark = _UNTIL.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _UNTIL.reset(mark)


def bound(client: httpx.Client) -> httpx.Client:
    """Put the deadline under every operation of the session's network. The library offers no public way to it."""
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = _Network(pool._network_backend)
    return client


def body_of(answer: httpx.Response, most: int, check: Callable[[], None]) -> bytes:
    """The body, unpacked; ``check`` is called for each piece and may raise.

    Raises ``TooLongError`` as soon as it has more than ``most`` bytes, packed or unpacked, ``RefusedAnswerError`` for a
    packing that was not asked for, ``httpx.DecodingError`` for one that is damaged or cut off.
    """
    unpack = _Unpacker(answer)
    body, taken = bytearray(), 0
    for piece in cast(Iterable[bytes], answer.stream):
        taken += len(piece)
        body += unpack(piece, most + 1 - len(body))
        if max(taken, len(body)) > most:
            raise TooLongError(f"the answer is longer than {most} bytes", request=answer.request)
        check()
    if taken:
        unpack.require_end()
    return bytes(body)


class _Unpacker:
    """Unpacks one packing, never more than there is room for."""

    def __init__(self, answer: httpx.Response) -> None:
        self._request = answer.request
        packing = answer.headers.get("content-encoding", "").strip().lower()
        if packing not in PACKED | PLAIN:
            raise RefusedAnswerError("the answer is packed in a way that was not asked for", request=self._request)
        self._packed = zlib.decompressobj(_GZIP_OR_ZLIB) if packing in PACKED else None

    def __call__(self, piece: bytes, room: int) -> bytes:
        if self._packed is None:
            return piece
        try:
            return self._packed.decompress(piece, room)
        except zlib.error:
            raise httpx.DecodingError("the packed answer is damaged", request=self._request) from None

    def require_end(self) -> None:
        """Raise unless the packing ended where the answer did."""
        if self._packed is not None and (not self._packed.eof or self._packed.unused_data.strip(b"\0")):
            raise httpx.DecodingError("the packed answer is damaged or cut off", request=self._request)


def _left(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    """Seconds that one operation may take. Raises ``late`` when the exchange has none left."""
    until = _UNTIL.get()
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise late("the exchange took too long")
    return left if timeout is None else min(timeout, left)


class _Network(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try each address of the host in turn, all of them within the deadline."""
        error: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in _addresses(host, port):
            left = _left(timeout, httpcore.ConnectTimeout)
            try:
                return _Stream(self._inner.connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE):
            self._inner.write(buffer[start : start + PIECE], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
