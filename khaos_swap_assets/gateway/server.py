"""Running the service: one process or several behind one address, and lines that dawdle are cut.

Belongs here: what the HTTP server is told. Stays out: what is answered (``app``). A sender that opens a line has ten
seconds for its headers, so that slow ones cannot hold every line.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from khaos_swap_assets.adapters.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

HEADER_SECONDS = 10.0
HEADER_BYTES = 32 * 1024
MAX_LINES = 1_000
KEEP_ALIVE_SECONDS = 20
GRACE_SECONDS = 15
FACTORY = "khaos_swap_assets.gateway.server:started"
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Line(HttpToolsProtocol):
    """One connection, whose next headers must be whole within ten seconds and 32 KB of their first byte."""

    _deadline: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _is_in_headers = True

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for headers; a line too many is cut at once."""
        super().connection_made(transport)
        if len(self.connections) > MAX_LINES:
            transport.abort()
            return
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the end of the headers."""
        if self._is_in_headers:
            self._header_bytes += len(data)
            if self._deadline is None:
                self._expect()
        super().data_received(data)
        if self._is_in_headers and self._header_bytes > HEADER_BYTES:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """The headers are whole; the body has its own limits."""
        self._is_in_headers, self._header_bytes = False, 0
        self._cancel()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What comes next are headers again, when they come."""
        self._is_in_headers = True
        super().on_message_complete()

    def _expect(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def started() -> FastAPI:
    """The service for this process; whatever starting made is set apart from the garbage collector.

    A full collection that looks through all of it stops every request for 0.15 to 0.35 s. Raises what
    ``app.from_environment`` raises.
    """
    from khaos_swap_assets.gateway.app import from_environment

    app = from_environment()
    gc.collect()
    gc.freeze()
    return app


def serve(settings: Settings, *, host: str = "", port: int | None = None, workers: int = 0) -> None:
    """Run until SIGTERM; a worker that falls is replaced. Address and number default to the settings'."""
    import uvicorn

    number = workers or settings.gateway_workers
    with _shared_folder() if number > 1 else nullcontext():
        uvicorn.run(
            FACTORY,
            factory=True,
            host=host or settings.gateway_host,
            port=settings.gateway_port if port is None else port,
            workers=number,
            http=Line,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.gateway_trusted_proxies,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            backlog=2048,
        )


@contextmanager
def _shared_folder() -> Iterator[None]:
    """Where several processes add up their figures; a single one ends by its signal and could not remove it."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        yield
