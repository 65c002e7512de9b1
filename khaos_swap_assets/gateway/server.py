"""Running the service: one process or several behind one address.

Belongs here: what the HTTP server is told. Stays out: what is answered (``app``) and what a connection may take
(``lines``).
"""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.gateway.lines import IDLE_SECONDS, TimedConnection

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACE_SECONDS = 15
FACTORY = "khaos_swap_assets.gateway.server:started"
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


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
            http=TimedConnection,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.gateway_trusted_proxies,
            timeout_keep_alive=int(IDLE_SECONDS),
            timeout_graceful_shutdown=GRACE_SECONDS,
            backlog=2048,
        )


@contextmanager
def _shared_folder() -> Iterator[None]:
    """Where several processes add up their figures; a single one ends by its signal and could not remove it."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        yield
