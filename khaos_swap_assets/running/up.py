"""``khaos-swap up``: the gateway and Dagster against the real vendors, until somebody ends it.

Belongs here: what must hold before the start, and which processes there are. Stays out: order, restarts and signals
(``supervisor``), the database (``installation``).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from khaos_swap_assets.adapters.alerts import Bell
from khaos_swap_assets.adapters.errors import KhaosSwapError, SettingsError, StoreAwayError
from khaos_swap_assets.adapters.settings import PREFIX, Settings
from khaos_swap_assets.adapters.settings_checks import require_live
from khaos_swap_assets.adapters.store import mark
from khaos_swap_assets.adapters.store.tenancy import Tenancy
from khaos_swap_assets.running import dagster_parts, installation, logs, processes, supervisor
from khaos_swap_assets.running.database import Ground
from khaos_swap_assets.running.health import FailuresSeen
from khaos_swap_assets.running.installation import Database
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets.running.processes import Child, Listen
from khaos_swap_assets.running.watching import ALERT_AFTER_SECONDS, LONGEST_PAUSE_SECONDS, Tell, Watcher

ALERTS = "alerts.json"
FIRST_PAUSE_SECONDS = 1.0
Say = Callable[[str], None]
Found = TypeVar("Found")


def start(say: Say) -> int:
    """Stay up until SIGINT or SIGTERM; gives the exit code. Whatever ends it otherwise is an alert first.

    Raises ``SettingsError`` before anything is started, ``HouseError`` or ``StoreError`` where a later start may help.
    """
    settings = ready_settings()
    with alerted(settings) as alert:
        for listens in (gateway_address(settings), ui_address(settings)):
            processes.require_free(listens)
        with inhabited(settings, lambda: installation.open_database(settings), say, alert) as (database, ground):
            return _run(settings, database, ground, say, alert)


@contextmanager
def alerted(settings: Settings) -> Iterator[Tell]:
    """How the house tells whoever is named for alerts; an error that ends the block is told before it goes on."""
    bell = Bell(settings, settings.data_dir / ALERTS)
    try:
        yield bell.ring
    except Exception as error:
        told = str(error) if isinstance(error, KhaosSwapError) else f"{type(error).__name__}; its log says where"
        bell.ring("it ended", told)
        raise


@contextmanager
def inhabited(
    settings: Settings,
    open_it: Callable[[], Database],
    say: Say,
    alert: Tell,
    kind: type[Tenancy] = Tenancy,
) -> Iterator[tuple[Database, Ground]]:
    """Have the folder and the database to ourselves until the end of the block; the database is waited for.

    Raises ``HouseError`` where either is another's, ``SettingsError``, ``StoreError``.
    """
    mark.ensure_folder(settings.data_dir, "live")
    with processes.only_house(settings.data_dir):
        database = patiently(open_it, say, alert)
        ground = Ground(database.url, settings.data_dir, database.server, kind)
        try:
            patiently(ground.take, say, alert)
            yield database, ground
        finally:
            ground.leave()


def patiently(do: Callable[[], Found], say: Say, alert: Tell, sleep: Callable[[float], None] = time.sleep) -> Found:
    """What is done as soon as the database is there: it is waited for with growing pauses, as long as it takes."""
    pause, waited = FIRST_PAUSE_SECONDS, 0.0
    while True:
        try:
            return do()
        except StoreAwayError as error:
            say(f"{error}; trying again in {pause:.0f} s")
            if waited > ALERT_AFTER_SECONDS:
                alert("the database is away", str(error))
        sleep(pause)
        waited += pause
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def ready_settings() -> Settings:
    """Settings that a live installation can start with. Raises ``SettingsError`` with every fault."""
    settings = ready(installation.settings_here())
    if settings.runs.are_sent:
        raise SettingsError(f"{PREFIX}RUNS_BROKER_URL: is for up --merchants, where runs are worked on elsewhere")
    return settings


def ready(settings: Settings) -> Settings:
    """The settings, if a live installation can start with them. Raises ``SettingsError`` with every fault."""
    from khaos_swap_assets.gateway.security import refuse_demo_secrets

    require_live(settings, os.environ)
    refuse_demo_secrets(settings, "live")
    return settings


def _run(settings: Settings, database: Database, ground: Ground, say: Say, alert: Tell) -> int:
    folder = settings.data_dir.resolve()
    home = dagster_parts.prepare_dagster_home(folder)
    env = environment(settings, database.url, str(home))
    orphans = Orphans(installation.dagster_database(database.url), env, folder)
    ui = ui_address(settings)
    children = [gateway_child(settings, env), *dagster_parts.dagster_children(home, ui.host, ui.port, env, orphans)]
    for line in told(settings, database):
        say(line)
    watcher = Watcher(ground, say, alert, [orphans.close_lost, FailuresSeen(database.url, alert).look])
    rotation = logs.Rotation(settings.log_megabytes, settings.log_files)
    return supervisor.run(children, folder=folder, stop_last=lambda: None, watcher=watcher, say=say, rotation=rotation)


def environment(settings: Settings, url: str, dagster_home: str) -> Mapping[str, str]:
    """What the processes are told beside the settings of our own environment; they work in a folder of their own."""
    from khaos_swap_assets.adapters.store import database

    files = {
        "DATA_DIR": settings.data_dir,
        "KHAOS_CA_FILE": settings.khaos.ca_file,
        "POLICY_FILE": settings.policy_file,
        "DOOR_MEMBERS_FILE": settings.door.members_file,
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
    argv = [sys.executable, "-m", "khaos_swap_assets.gateway"]
    alive = partial(processes.answers, listens.url("/healthz"))
    return Child("gateway", argv, env, listens=listens, ready=listens.url("/readyz"), alive=alive)


def gateway_address(settings: Settings) -> Listen:
    """Where the gateway listens, and the setting that moves it."""
    return Listen(settings.gateway_host, settings.gateway_port, f"{PREFIX}GATEWAY_PORT")


def ui_address(settings: Settings) -> Listen:
    """Where Dagster's UI listens, and the setting that moves it."""
    return Listen(settings.webserver_host, settings.webserver_port, f"{PREFIX}WEBSERVER_PORT")


def _who(settings: Settings) -> str:
    if settings.door.members_file:
        return f"with Dagster's pages, for the members of {settings.door.members_file}"
    return "for this machine only: it asks nobody for a password"


def told(settings: Settings, database: Database) -> list[str]:
    """What is where, for whoever started it."""
    where = f"embedded, in {settings.data_dir.resolve()}" if database.server else "by KHAOS_SWAP_DATABASE_URL"
    return [
        f"Khaos Swap in mode {settings.mode}"
        + (
            f", posting refunds since {settings.post_from}"
            if settings.mode != "audit"
            else ": nothing is written to anyone"
        ),
        f"  {'desk' if settings.door.members_file else 'Dagster UI':<12}{ui_address(settings).url('')}",
        f"              {_who(settings)}",
        f"  gateway     http://{settings.gateway_host}:{settings.gateway_port}/docs",
        f"  database    {where}",
    ]
