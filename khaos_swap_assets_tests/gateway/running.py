"""A gateway on a real port of this machine, for tests that must speak to the server itself.

Belongs here: starting and stopping one inside this process. Stays out: a gateway in processes of its own
(``benchmarks.gateway_load``).
"""

from __future__ import annotations

import socket
from typing import Any

import httpx

from khaos_swap_assets.adapters.http import public_authorities
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.gateway import lines
from khaos_swap_assets.gateway.app import create_app
from khaos_swap_assets_tests.gateway.conftest import NOW, configure
from khaos_swap_assets_tests.running import serving


class Running:
    """A server in a thread of this process, and lines to it."""

    def __init__(self, url: str, *, proxies: str = "", **changes: Any) -> None:
        app = create_app(
            connect=lambda: store.connect(url, application="running gateway"),
            settings=configure(**({"gateway_sender_rate": 100_000} | changes)),
            clock=lambda: NOW,
        )
        self._serving = serving(app, ws="none", http=lines.TimedConnection, forwarded_allow_ips=proxies)
        # A line for each request: the server may close one, and whoever speaks into that hears nothing.
        alone = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(timeout=20, trust_env=False, verify=public_authorities(), limits=alone)

    def __enter__(self) -> Running:
        self.port = self._serving.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._client.close()
        self._serving.__exit__(*error)

    def line(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def say(self, raw: bytes) -> bytes:
        """Send raw bytes and read until the server closes or answers one message."""
        with self.line() as line:
            line.sendall(raw)
            line.settimeout(10)
            try:
                return line.recv(65536)
            except (TimeoutError, ConnectionResetError):
                return b""

    def post(self, content: Any, path: str = "/webhooks/swap", **more: Any) -> httpx.Response:
        return self._client.post(f"http://127.0.0.1:{self.port}{path}", content=content, **more)
