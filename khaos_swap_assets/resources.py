"""Making the parts that assets are given, from the environment.

Belongs here: the one resource of the code location. Stays out: what the parts do. Nothing is opened before an asset
asks for it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from khaos_swap_assets import heartbeat
from khaos_swap_assets.adapters import clock
from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.policy import load_policy
from khaos_swap_assets.adapters.settings import Settings, SwapSettings, load_settings
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.store import mark, writers
from khaos_swap_assets.adapters.store.pool import Pool
from khaos_swap_assets.belonging import require_one_merchant
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.khaos.client import KhaosClient
    from khaos_swap_assets.adapters.store.seal import Sealer
    from khaos_swap_assets.adapters.storefront.client import StorefrontClient
    from khaos_swap_assets.adapters.swap.client import SwapClient
    from khaos_swap_assets.domain.exceptions.catalogue import Problem

APPLICATION = "dagster"
STATEMENT_MS, RECYCLE_SECONDS, OVERFLOW = 600_000, 2, 5
YOUNG_OBJECTS = 50_000


def toolbox_from_environment(application: str = APPLICATION) -> Toolbox:
    """The parts as the environment configures them; ``application`` names the connections. Raises ``SettingsError``."""
    settings = load_settings()
    if not settings.database_url.get_secret_value():
        raise SettingsError("KHAOS_SWAP_DATABASE_URL is empty: start with khaos-swap up, which sets it")
    parts = _Parts(settings, application)
    return Toolbox(
        settings=settings,
        open_store=parts.open_store,
        open_swap=cache(parts.open_swap),
        open_khaos=cache(parts.open_khaos),
        open_sealer=cache(parts.open_sealer),
        clock=clock.from_environment(),
        alert=parts.alert,
        policy=load_policy(settings.policy_file),
        open_storefront=cache(parts.open_storefront),
        open_swap_of=parts.open_swap_of,
        open_storefront_of=parts.open_storefront_of,
    )


class _Parts:
    """Opens each part when it is first asked for; imports wait until then too."""

    def __init__(self, settings: Settings, application: str) -> None:
        self._settings = settings
        self._application = application
        self._of_stores: dict[tuple[str, int], Any] = {}

    def open_store(self) -> psycopg.Connection[Any]:
        return _connect(self._settings, self._application)

    def open_swap(self) -> SwapClient:
        from khaos_swap_assets.adapters.swap import client

        return client.connect(self._settings.swap)

    def open_swap_of(self, settings: SwapSettings) -> SwapClient:
        """One client for a store, so that its rate holds whatever asks it."""
        from khaos_swap_assets.adapters.swap import client

        key = (f"swap {settings.store}", settings.retries)
        if key not in self._of_stores:
            self._of_stores[key] = client.connect(settings)
        return cast("SwapClient", self._of_stores[key])

    def open_khaos(self) -> KhaosClient:
        from khaos_swap_assets.adapters.khaos import client

        return client.connect(self._settings.khaos)

    def open_storefront(self) -> StorefrontClient:
        from khaos_swap_assets.adapters.storefront import client

        return client.connect(self._settings.storefront)

    def open_storefront_of(self, settings: StorefrontSettings) -> StorefrontClient:
        """The same for the storefront of a store."""
        from khaos_swap_assets.adapters.storefront import client

        key = (f"storefront {settings.store}", settings.retries)
        if key not in self._of_stores:
            self._of_stores[key] = client.connect(settings)
        return cast("StorefrontClient", self._of_stores[key])

    def open_sealer(self) -> Sealer:
        from khaos_swap_assets.adapters.store.seal import Sealer

        return Sealer(self._settings.seal_key)

    def alert(self, problems: list[Problem]) -> None:
        from khaos_swap_assets.adapters.alerts import send_problems

        send_problems(self._settings, problems)


@contextmanager
def settled_in(instance: dg.DagsterInstance) -> Iterator[None]:
    """A run in this process: it keeps connections to Dagster's database while it lasts, and none of them afterwards.

    Dagster opens a connection for each of hundreds of questions of a run, unless it is told that many will follow. One
    that is older than two seconds is not asked again, so that a run outlives a server that is started anew.
    """
    set_apart()
    parts = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    storages = [vars(one) for one in parts if one is not None]
    before = [storage.get("_engine") for storage in storages]
    instance.optimize_for_webserver(STATEMENT_MS, RECYCLE_SECONDS, OVERFLOW)
    try:
        yield
    finally:
        for storage, engine in zip(storages, before, strict=True):
            if (pooled := storage.get("_engine")) is not engine and pooled is not None:
                storage["_engine"] = engine
                pooled.dispose()


def set_apart() -> None:
    """Take whatever is loaded from the garbage collector, once a process: looking through it is a fifth of a sync.

    What a sync makes lives as long as its step, so it is looked through less often too.
    """
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)


def _connect(settings: Settings, application: str) -> psycopg.Connection[Any]:
    from khaos_swap_assets.adapters.store import database

    return database.connect(settings.database_url.get_secret_value(), application=application)


class ToolboxResource(dg.ConfigurableResource[Toolbox]):
    """Settings, store, vendors and clock, all read from the environment when a run begins: no secret is a field here.

    ``application`` is the name by which the database server knows the connections.
    """

    application: str = APPLICATION

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Toolbox]:
        """One toolbox a run, which must be this merchant's, gives signs of life until it ends and shares connections.

        Raises ``SettingsError``, ``StoreError``.
        """
        if context.run is None or context.instance is None:
            yield toolbox_from_environment(self.application)
            return
        run_id = context.run.run_id
        application = writers.APPLICATION.format(run_id=run_id)
        made = toolbox_from_environment(application)
        with settled_in(context.instance), closing(Pool(partial(_connect, made.settings, application))) as pool:
            tools = replace(made, open_store=pool.transaction)
            with tools.store() as conn:
                marked = mark.find_merchant(conn)
            require_one_merchant(context.run, context.instance, tools.settings.merchant, marked)
            with heartbeat.beating(tools, run_id) as known:
                yield known
