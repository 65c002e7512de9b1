"""What every asset is given: settings, the store, both vendors' clients and the clock, as plain objects.

Belongs here: the one resource of the code location. Stays out: how the parts are made (``resources``), so that an
asset can be called as a function with parts of a test's choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.khaos.client import KhaosClient
    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.store.seal import Sealer
    from khaos_swap_assets.adapters.storefront.client import StorefrontClient
    from khaos_swap_assets.adapters.swap.client import SwapClient
    from khaos_swap_assets.domain.exceptions.catalogue import Problem


def _not_connected() -> StorefrontClient:
    raise SettingsError("no storefront is connected: set KHAOS_SWAP_STOREFRONT_URL")


@dataclass(frozen=True)
class Toolbox:
    """``clock`` gives UTC, ``policy`` is what finance decided on Credit Notes.

    Clients are opened when first needed, so that a check costs no connection to a vendor.
    """

    settings: Settings
    open_store: Callable[[], psycopg.Connection]
    open_swap: Callable[[], SwapClient]
    open_khaos: Callable[[], KhaosClient]
    open_sealer: Callable[[], Sealer]
    clock: Callable[[], datetime]
    alert: Callable[[list[Problem]], None] = field(default=lambda _: None)
    policy: CreditNotePolicy = field(default_factory=CreditNotePolicy)
    open_storefront: Callable[[], StorefrontClient] = field(default=_not_connected)

    @contextmanager
    def store(self) -> Iterator[psycopg.Connection]:
        """A connection whose transaction commits at the end of the block and rolls back on any error.

        Raises ``StoreError`` with one clear line for what the server says of itself.
        """
        from khaos_swap_assets.adapters.store import database

        url = self.settings.database_url.get_secret_value()
        with database.reported(url), closing(self.open_store()) as connection, connection.transaction():
            yield connection

    def now(self) -> datetime:
        """The present moment in UTC."""
        return self.clock()
