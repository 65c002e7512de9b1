"""``khaos-swap up``: the gateway and Dagster against the real vendors, until somebody ends it.

Belongs here: what must hold before the start, and which processes there are. Stays out: order, restarts and signals
(``supervisor``), the database (``installation``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from khaos_swap_assets import installation, processes, supervisor
from khaos_swap_assets.adapters.settings import PREFIX, Settings
from khaos_swap_assets.adapters.settings_checks import require_live
from khaos_swap_assets.installation import Database
from khaos_swap_assets.orphans import close_orphaned_runs
from khaos_swap_assets.processes import Child, Listen

Say = Callable[[str], None]


def start(say: Say) -> int:
    """Stay up until SIGINT or SIGTERM; gives the exit code.

    Raises ``SettingsError`` or ``StoreError`` before anything is started.
    """
    from khaos_swap_assets.adapters.store import mark

    settings = ready_settings()
    for listens in (gateway_address(settings), _ui_address(settings)):
        processes.require_free(listens)
    mark.ensure_folder(settings.data_dir, "live")
    database = installation.open_database(settings)
    try:
        with installation.only_house(database.url):
            return _run(settings, database, say)
    finally:
        database.let_go()


def ready_settings() -> Settings:
    """Settings that a live installation can start with. Raises ``SettingsError`` with every fault."""
    from khaos_swap_assets.gateway.security import refuse_demo_secrets

    settings = installation.settings_here()
    require_live(settings, os.environ)
    refuse_demo_secrets(settings, "live")
    return settings


def _run(settings: Settings, database: Database, say: Say) -> int:
    folder = settings.data_dir.resolve()
    home = supervisor.prepare_dagster_home(folder)
    env = environment(settings, database.url, str(home))
    close_orphaned_runs(installation.dagster_database(database.url), env)
    ui = _ui_address(settings)
    children = [gateway_child(settings, env), *supervisor.dagster_children(folder, home, ui.host, ui.port, env)]
    for line in told(settings, database):
        say(line)
    return supervisor.run(children, folder=folder, stop_last=lambda: None, say=say)


def environment(settings: Settings, url: str, dagster_home: str) -> Mapping[str, str]:
    """What the processes are told beside the settings of our own environment; they work in a folder of their own."""
    from khaos_swap_assets.adapters.store import database

    files = {
        "DATA_DIR": settings.data_dir,
        "KHAOS_CA_FILE": settings.khaos.ca_file,
        "POLICY_FILE": settings.policy_file,
    }
    return {
        **{f"{PREFIX}{name}": str(path.absolute()) for name, path in files.items() if path},
        f"{PREFIX}STARTED_BY": "up",
        f"{PREFIX}DATABASE_URL": url,
        f"{PREFIX}DAGSTER_URL": database.dagster_url(url),
        "DAGSTER_HOME": dagster_home,
    }


def gateway_child(settings: Settings, env: Mapping[str, str]) -> Child:
    """The process of the gateway, ready when its database answers."""
    listens = gateway_address(settings)
    host = "127.0.0.1" if listens.host in ("0.0.0.0", "::") else listens.host  # noqa: S104 (compared, not bound)
    url = f"http://{_in_url(host)}:{listens.port}/readyz"
    return Child("gateway", [sys.executable, "-m", "khaos_swap_assets.gateway"], env, listens=listens, ready=url)


def gateway_address(settings: Settings) -> Listen:
    """Where the gateway listens, and the setting that moves it."""
    return Listen(settings.gateway_host, settings.gateway_port, f"{PREFIX}GATEWAY_PORT")


def _ui_address(settings: Settings) -> Listen:
    return Listen(settings.webserver_host, settings.webserver_port, f"{PREFIX}WEBSERVER_PORT")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def told(settings: Settings, database: Database) -> list[str]:
    """What is where, for whoever started it."""
    where = f"embedded, in {settings.data_dir.resolve()}" if database.is_embedded else "by KHAOS_SWAP_DATABASE_URL"
    return [
        f"Khaos Swap in mode {settings.mode}"
        + (
            f", posting refunds since {settings.post_from}"
            if settings.mode != "audit"
            else ": nothing is written to anyone"
        ),
        f"  Dagster UI  http://{_in_url(settings.webserver_host)}:{settings.webserver_port}",
        "              for this machine only: it asks nobody for a password",
        f"  gateway     http://{settings.gateway_host}:{settings.gateway_port}/docs",
        f"  database    {where}",
    ]
