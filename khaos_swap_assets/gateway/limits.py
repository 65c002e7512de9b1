"""What one sender, one request and all requests together may take, before anything looks at what they say.

Belongs here: sizes, times and numbers, the same for every endpoint. Stays out: who a sender is (``security``) and what
a body means. Every limit holds per process, so the memory of one process is bounded whatever arrives.
"""

from __future__ import annotations

import logging
import math
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address, ip_network

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from khaos_swap_assets.gateway import metrics
from khaos_swap_assets.told_errors import told

LOG = logging.getLogger("khaos_swap.gateway")
MAX_HEADER_BYTES = 16 * 1024
MAX_REQUESTS = 128
BURST_SECONDS = 10.0
MOST_SENDERS = 10_000
ALWAYS_ANSWERED = frozenset({"/healthz"})


@dataclass
class SenderRate:
    """So many requests a second of each sender, with a burst of ten seconds' worth; the least seen are forgotten."""

    per_second: float
    clock: Callable[[], float] = time.monotonic
    _free_at: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def wait(self, sender: str) -> float:
        """Seconds until the sender may come again; 0 when this request is within its rate, and then it counts."""
        now = self.clock()
        free_at = max(self._free_at.pop(sender, now), now)
        ahead = free_at - now - BURST_SECONDS
        self._free_at[sender] = free_at if ahead > 0 else free_at + 1 / self.per_second
        if len(self._free_at) > MOST_SENDERS:
            self._free_at.popitem(last=False)
        return max(ahead, 0.0)


def sender_of(host: str) -> str:
    """Who counts as one sender: an address, of IPv6 the network of 64 bits, which one sender owns as a whole."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return host
    return str(address.ipv4_mapped or ip_network((address, 64), strict=False))


def is_among(host: str, networks: Sequence[str]) -> bool:
    """Whether an address is one of these or lies in one of these networks."""
    try:
        address = ip_address(host)
        return any(address in ip_network(word.strip(), strict=False) for word in networks if word.strip())
    except ValueError:
        return False


class _RefusedError(Exception):
    def __init__(self, status: int, detail: str, retry_after: int = 0) -> None:
        super().__init__(detail)
        self._status, self._detail = status, detail
        self._headers = {"Retry-After": str(retry_after)} if retry_after else {"Connection": "close"}

    def answer(self, scope: Scope) -> JSONResponse:
        """What the sender is told."""
        return JSONResponse(told(self._status, self._detail, scope["path"]), self._status, self._headers)


class _CutError(Exception):
    """An answer that had begun cannot be made good; the server cuts the line."""


class RequestLimits:
    """The outermost layer: refuses what is too much, times and counts the rest, and turns a fault of ours into 503."""

    def __init__(self, app: ASGIApp, rate: SenderRate) -> None:
        self._app, self._rate = app, rate
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse and say when to come again."""
        if scope["type"] != "http" or scope["path"] in ALWAYS_ANSWERED:
            answer = _RefusedError(413, "no body is taken here").answer(scope) if _has_body(scope) else self._app
            await answer(scope, receive, send)
            return
        began, sent = time.perf_counter(), _Told(send)
        self._inside += 1
        metrics.IN_FLIGHT.inc()
        try:
            self._admit(scope)
            await self._app(scope, receive, sent)
        except _RefusedError as refusal:
            await refusal.answer(scope)(scope, receive, sent)
        except Exception as error:
            LOG.error("%s at %s", type(error).__name__, _place(error))
            if sent.has_begun:
                raise _CutError from None
            fault = _RefusedError(503, "this could not be done; nothing was kept", 10)
            await fault.answer(scope)(scope, receive, sent)
        finally:
            self._inside -= 1
            metrics.IN_FLIGHT.dec()
            metrics.observe(scope, sent.status, time.perf_counter() - began)

    def _admit(self, scope: Scope) -> None:
        headers = scope["headers"]
        if sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES:
            raise _RefusedError(431, f"the headers are longer than {MAX_HEADER_BYTES} bytes")
        wait = self._rate.wait(sender_of(scope["client"][0] if scope["client"] else ""))
        if wait:
            raise _RefusedError(429, "too many requests of one sender", math.ceil(wait))
        if self._inside > MAX_REQUESTS:
            raise _RefusedError(503, "too many requests at once", 1)
        for name, value in headers:
            if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                raise _RefusedError(415, "a packed body is not unpacked here")


def _has_body(scope: Scope) -> bool:
    """Whether the headers of a request announce a body."""
    told = dict(scope.get("headers", ()))
    return b"transfer-encoding" in told or told.get(b"content-length", b"0").strip() != b"0"


def _place(error: Exception) -> str:
    """Where it happened, without its words: they may repeat what a sender wrote."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


@dataclass
class _Told:
    """Hands messages on and remembers the status."""

    send: Send
    status: int = 500
    has_begun: bool = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.has_begun = message["status"], True
        await self.send(message)
