"""Making the parts that assets are given, from the environment.

Belongs here: the one resource of the code location. Stays out: what the parts do. Nothing is opened before an asset
asks for it.
"""

from __future__ import annotations

from functools import cache

import dagster as dg

from khaos_swap_assets.adapters import clock
from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import load_settings
from khaos_swap_assets.stages.toolbox import Toolbox


def toolbox_from_environment() -> Toolbox:
    """The parts as the environment configures them. Raises ``SettingsError``."""
    settings = load_settings()
    url = settings.database_url.get_secret_value()
    if not url:
        raise SettingsError("KHAOS_SWAP_DATABASE_URL is empty: start with khaos-swap up, which sets it")

    def open_store():  # type: ignore[no-untyped-def]
        from khaos_swap_assets.adapters.store import database

        return database.connect(url, application="dagster")

    def open_swap():  # type: ignore[no-untyped-def]
        from khaos_swap_assets.adapters.swap import client

        return client.connect(settings.swap)

    def open_khaos():  # type: ignore[no-untyped-def]
        from khaos_swap_assets.adapters.khaos import client

        return client.connect(settings.khaos)

    def open_sealer():  # type: ignore[no-untyped-def]
        from khaos_swap_assets.adapters.store.seal import Sealer

        return Sealer(settings.seal_key)

    def alert(problems):  # type: ignore[no-untyped-def]
        from khaos_swap_assets.adapters.alerts import send_problems

        send_problems(settings, problems)

    return Toolbox(settings, open_store, cache(open_swap), cache(open_khaos), cache(open_sealer), clock.from_environment(), alert)


@dg.resource(description="Settings, store, vendors and clock")
def toolbox(_: dg.InitResourceContext) -> Toolbox:
    """One toolbox a run."""
    return toolbox_from_environment()
