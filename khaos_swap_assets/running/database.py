"""What a house stands on: its database, looked at while it runs, and started again where it is the embedded one.

Belongs here: one look. Stays out: what follows from it (``watching``), the lock's SQL (``adapters.store.tenancy``).
"""

from __future__ import annotations

import platform
from pathlib import Path

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store.embedded import EmbeddedPostgres
from khaos_swap_assets.adapters.store.tenancy import Tenancy


class Ground:
    """The database of one house. Call only from the process that has the house's folder to itself."""

    def __init__(self, url: str, folder: Path, server: EmbeddedPostgres | None, kind: type[Tenancy] = Tenancy) -> None:
        self._server = server
        self._tenancy = kind(url, f"{platform.node()}:{folder.resolve()}")

    def take(self) -> None:
        """Take the database's place for a house. Raises ``HouseError``, ``StoreError``."""
        self._tenancy.take()

    def look(self) -> bool:
        """See that the database answers and that its place is still ours; whether either had to be had again.

        Raises ``StoreError`` when the database is away, ``HouseError`` when another house has the place.
        """
        try:
            return self._tenancy.keep()
        except StoreError:
            if self._server is None or not self._server.revive():
                raise
            return self._tenancy.keep()

    def leave(self) -> None:
        """Give the place up; then the embedded server stops where nobody else holds it."""
        self._tenancy.leave()
        if self._server is not None:
            self._server.stop()
