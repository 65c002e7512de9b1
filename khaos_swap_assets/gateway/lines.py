"""One connection of a sender: how long each part of it may take, how much may come, how many a sender may hold.

Belongs here: deadlines, sizes and numbers of connections, and requests that are no HTTP. Stays out: what is answered
(``app``) and what one request may take (``limits``). At every moment of its life a line has a deadline, whatever was
asked and whatever drips. Every number holds per process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from khaos_swap_assets.gateway.limits import SenderRate, is_among, sender_of

HEADER_SECONDS = 10.0
BODY_SECONDS = 12.0
ANSWER_SECONDS = 60.0
IDLE_SECONDS = 20.0
HEADER_BYTES = 32 * 1024
REQUEST_BYTES = 8 * 1024 * 1024
"""A body may have one megabyte; one that comes in chunks of a byte each takes six times as much."""
MAX_LINES = 1_000
LINES_OF_A_SENDER = 250
KEPT_FOR_PROVEN = 250
MOST_PROVEN = 1_000
SILENT_SECONDS = 60.0
LOG = logging.getLogger("khaos_swap.gateway.lines")


@dataclass
class Register:
    """Who holds how many lines, and who showed a right secret lately: strangers never fill the share of the others."""

    _lines: Counter[str] = field(default_factory=Counter)
    _proven: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def take(self, sender: str, *, is_proxy: bool) -> bool:
        """Count a line of ``sender``; whether it may be held. A proxy speaks for many and has no limit of its own."""
        self._lines[sender] += 1
        room = MAX_LINES if is_proxy or sender in self._proven else MAX_LINES - KEPT_FOR_PROVEN
        is_one_too_many = not is_proxy and self._lines[sender] > LINES_OF_A_SENDER
        return self._lines.total() <= room and not is_one_too_many

    def give_back(self, sender: str) -> None:
        """A line of ``sender`` is gone."""
        self._lines[sender] -= 1
        if self._lines[sender] <= 0:
            del self._lines[sender]

    def prove(self, sender: str) -> None:
        """Remember that ``sender`` showed a right secret; those that did longest ago are forgotten."""
        self._proven[sender] = None
        self._proven.move_to_end(sender)
        if len(self._proven) > MOST_PROVEN:
            self._proven.popitem(last=False)


class OnceAMinute(logging.Filter):
    """Lets each message through once a minute and tells how often it was said since."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[str, float] = {}
        self._untold: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is told. Messages are few: none holds anything that a sender wrote."""
        key, now = str(record.msg), time.monotonic()
        if now < self._next.get(key, 0.0):
            self._untold[key] += 1
            return False
        self._next[key] = now + SILENT_SECONDS
        if more := self._untold.pop(key, 0):
            record.msg, record.args = f"{record.getMessage().rstrip()} ({more} more of these since)", ()
        return True


REGISTER = Register()
LOG.setLevel(logging.WARNING)
LOG.addFilter(OnceAMinute())


class TimedConnection(HttpToolsProtocol):
    """One connection. Its deadline is that of the part it is in: headers, body, answer and its way out, idle."""

    _deadline: asyncio.TimerHandle | None = None
    _sender = ""
    _bytes = 0
    _is_in_headers = True
    _is_idle = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.logger = LOG

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for headers; a line too many is cut at once."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self._sender = sender_of(host)
        self._expect(HEADER_SECONDS)
        if not REGISTER.take(self._sender, is_proxy=is_among(host, _listed(self.config.forwarded_allow_ips))):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        if self._deadline is not None:
            self._deadline.cancel()
        REGISTER.give_back(self._sender)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes; the first byte after an answer begins the next headers."""
        self._bytes += len(data)
        if self._is_idle:
            self._is_idle = False
            self._expect(HEADER_SECONDS)
        super().data_received(data)
        if self._bytes > (HEADER_BYTES if self._is_in_headers else REQUEST_BYTES):
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """The headers are whole: now the body, which may be none."""
        self._is_in_headers, self._bytes = False, 0
        self._expect(BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole: what comes next are headers again, when they come."""
        self._is_in_headers, self._bytes = True, 0
        self._rest() if self.cycle.response_complete else self._expect(ANSWER_SECONDS)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Answered; what is still to come or to go out keeps its deadline."""
        if self.cycle.scope.get("state", {}).get("is_proven"):
            REGISTER.prove(self._sender)
        super().on_response_complete()
        if self._is_in_headers and self.cycle.response_complete:
            self._rest()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP counts against the rate of its sender; beyond it the line is cut without an answer."""
        rate = self.app_state.get("rate")
        if isinstance(rate, SenderRate) and rate.wait(self._sender):
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def _rest(self) -> None:
        self._is_idle = True
        self._expect(IDLE_SECONDS)

    def _expect(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)


def _listed(networks: list[str] | str | None) -> list[str]:
    return networks.split(",") if isinstance(networks, str) else networks or []
