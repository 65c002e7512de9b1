"""The door as the settings and the environment say.

Belongs here: putting the parts together over the real database and Dagster. Stays out: serving it (``ui``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from khaos_swap_assets.adapters import clock
from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.members import roster_of
from khaos_swap_assets.adapters.policy import load_policy
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database, mark, migrate
from khaos_swap_assets.adapters.store.pool import Pool
from khaos_swap_assets.desk.reach import DeskReach
from khaos_swap_assets.desk.routes import desk_routes
from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.door.app import STATEMENT_SECONDS, door_app
from khaos_swap_assets.door.gate import DAGSTER
from khaos_swap_assets.ui.webserver import dagster_app


@contextmanager
def opened(settings: Settings, workspace: Path) -> Iterator[ASGIApp]:
    """The door over the database of the settings. Raises ``SettingsError``, or ``StoreError`` without a usable one.

    One click opens a database that carries the demo's mark, and no other.
    """
    url = settings.database_url.get_secret_value()
    if not url:
        raise SettingsError("KHAOS_SWAP_DATABASE_URL is empty: start the UI with khaos-swap up, which sets it")

    def connect() -> psycopg.Connection[Any]:
        return database.connect(url, application="door", statement_seconds=STATEMENT_SECONDS)

    migrate.check(url)
    with connect() as conn:
        is_demo = mark.find(conn) == "demo"
    pool = Pool(connect)
    reach = DeskReach(
        store=pool.transaction,
        settings=settings,
        policy=load_policy(settings.policy_file),
        waiver_limits=settings.desk.waiver_limits,
        clock=clock.wall,
    )
    with dagster_app(workspace, DAGSTER, _may_run) as dagster, closing(pool):
        yield door_app(
            dagster,
            desk_routes(reach),
            connect=connect,
            roster=roster_of(settings),
            settings=settings,
            clock=clock.wall,
            is_demo=is_demo,
        )


def _may_run(connection: HTTPConnection) -> bool:
    member: Member | None = connection.scope.get("state", {}).get("member")
    return member is not None and member.may("run")
