"""The page of the audit, served to this machine until Ctrl-C; then the files are gone.

Belongs here: the address, the browser, the folder that lives as long as the page. Stays out: routes (``app``).
"""

from __future__ import annotations

import secrets
import signal
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from khaos_swap_assets.audit_page.app import make_app
from khaos_swap_assets.audit_page.desk import Desk
from khaos_swap_assets.ui.guard import Guard

HOST = "127.0.0.1"


def serve(port: int, tell: Callable[[str], None], *, opens_browser: bool = True) -> None:
    """Serve the page on a port of loopback (0: a free one) until it is interrupted, or its terminal is closed."""
    key = secrets.token_urlsafe(24)
    with (
        tempfile.TemporaryDirectory(prefix="khaos-swap-audit-") as folder,
        socket.create_server((HOST, port)) as own,
    ):
        address = f"http://{HOST}:{own.getsockname()[1]}/{key}/"
        app = Guard(make_app(Desk(Path(folder)), key))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, lambda *_: setattr(server, "should_exit", True))
        tell(f"The audit waits at {address}")
        tell("Its files stay on this machine and are removed when you end it with Ctrl-C.")
        if opens_browser:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        server.run([own])
