"""What every asset is given: settings, the store, both vendors' clients and the clock, as plain objects.

Belongs here: the one resource of the code location. Stays out: how the parts are made (``resources``), so that an
asset can be called as a function with parts of a test's choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import KhaosSwapError, SettingsError
from khaos_swap_assets.adapters.store import Conn
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import KhaosClient
    from khaos_swap_assets.adapters.settings import Settings, SwapSettings
    from khaos_swap_assets.adapters.settings_money import StorefrontSettings
    from khaos_swap_assets.adapters.store.seal import Sealer
    from khaos_swap_assets.adapters.store.writers import Token
    from khaos_swap_assets.adapters.storefront.client import StorefrontClient
    from khaos_swap_assets.adapters.swap.client import SwapClient
    from khaos_swap_assets.domain.exceptions.catalogue import Problem


def _not_connected() -> StorefrontClient:
    raise SettingsError("no storefront is connected: set KHAOS_SWAP_STOREFRONT_URL")


def _open_swap(settings: SwapSettings) -> SwapClient:
    from khaos_swap_assets.adapters.swap import client

    return client.connect(settings)


def _open_storefront(settings: StorefrontSettings) -> StorefrontClient:
    from khaos_swap_assets.adapters.storefront import client

    return client.connect(settings)


@dataclass(frozen=True)
class Toolbox:
    """``clock`` gives UTC, ``policy`` is what finance decided on Credit Notes.

    Clients are opened when first needed, so that a check costs no connection to a vendor; those of a further store are
    opened by its own settings. ``token`` is the fencing token of a run: no transaction begins once it does not count.
    ``is_writer``: of all runs this one may write to Khaos now.
    """

    settings: Settings
    open_store: Callable[[], AbstractContextManager[Conn]]
    open_swap: Callable[[], SwapClient]
    open_khaos: Callable[[], KhaosClient]
    open_sealer: Callable[[], Sealer]
    clock: Callable[[], datetime]
    alert: Callable[[list[Problem]], None] = field(default=lambda _: None)
    policy: CreditNotePolicy = field(default_factory=CreditNotePolicy)
    open_storefront: Callable[[], StorefrontClient] = field(default=_not_connected)
    open_swap_of: Callable[[SwapSettings], SwapClient] = field(default=_open_swap)
    open_storefront_of: Callable[[StorefrontSettings], StorefrontClient] = field(default=_open_storefront)
    token: Token | None = None
    is_writer: bool = False

    def by_store(self) -> list[Toolbox]:
        """These parts as each store has them, the first store's first."""
        return [self, *(self.of(one) for one in self.settings.by_store[1:])]

    def of(self, settings: Settings) -> Toolbox:
        """The same parts with other settings, and the clients that these describe."""
        return replace(
            self,
            settings=settings,
            open_swap=lambda: self.open_swap_of(settings.swap),
            open_storefront=lambda: self.open_storefront_of(settings.storefront),
        )

    @contextmanager
    def store(self) -> Iterator[Conn]:
        """A connection whose transaction commits at the end of the block and rolls back on any error.

        Raises ``StoreError`` with one clear line for what the server says of itself, ``FencedError`` for a run that
        was cut off.
        """
        from khaos_swap_assets.adapters.store import database, writers

        url = self.settings.database_url.get_secret_value()
        with database.reported(url), self.open_store() as connection, connection.transaction():
            if self.token is not None:
                writers.require(connection, self.token)
            yield connection

    @contextmanager
    def writing_to_khaos(self) -> Iterator[Toolbox]:
        """These parts as the one writer to this Khaos for the block; who was it is fenced. Raises as ``store``."""
        from khaos_swap_assets.adapters.store import writers

        if self.token is None:
            yield self
            return
        with self.store() as conn:
            writers.take_khaos(conn, self.token)
        try:
            yield replace(self, is_writer=True)
        finally:
            with suppress(KhaosSwapError), self.store() as conn:
                writers.leave_khaos(conn, self.token)

    def khaos_to_write(self) -> KhaosClient:
        """Khaos, for the one writer towards it: a run that is not must not get this far."""
        assert self.token is None or self.is_writer, "a run writes to Khaos only within writing_to_khaos"
        return self.open_khaos()

    def now(self) -> datetime:
        """The present moment in UTC."""
        return self.clock()
