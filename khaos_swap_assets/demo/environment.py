"""The demo's own world: folder, database, ports, settings; nothing of the environment it was started in.

Belongs here: making a place where the demo cannot reach anything real. Stays out: what the demo does (``once``,
``live``). Every ``KHAOS_SWAP_*`` and ``DAGSTER_HOME`` of the outer environment is ignored, so is ``.env``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from khaos_swap_assets.adapters import clock
from khaos_swap_assets.adapters.settings_stores import variable
from khaos_swap_assets.adapters.store import database, embedded, mark, migrate
from khaos_swap_assets.gateway.security import DEMO_SECRETS, DEMO_STORE_SECRETS
from khaos_swap_assets.running import processes
from khaos_swap_assets.running.dagster_parts import prepare_dagster_home
from khaos_swap_assets.running.processes import Child, Listen
from khaos_swap_assets.sandbox.generator import FURTHER_STORES, STORE_ID
from khaos_swap_assets.sandbox.maker import ORDER_REF_FORMATS

OURS, DAGSTER = "khaos_swap", "khaos_swap_dagster"
CLOCK_FILE = "clock"
SHOP_SECRET = "KHAOS_SWAP_STOREFRONT_WEBHOOK_SECRET"  # noqa: S105 (the name of the setting)
NO_CAP = "1000000"
SANDBOX_CHOICES = {
    "KHAOS_SWAP_ORDER_REF_FORMAT": ORDER_REF_FORMATS[""],
    "KHAOS_SWAP_GENERIC_CUSTOMERS": "Amazo-*",
    "KHAOS_SWAP_KHAOS_REASON_KEPT": "4",
}
"""What the sandbox's merchant has set up in Khaos."""


@dataclass(frozen=True)
class Place:
    """Where one demo lives: its folder, its running database, and the ports of its children on 127.0.0.1."""

    folder: Path
    postgres: embedded.EmbeddedPostgres
    sandbox_port: int
    gateway_port: int

    @property
    def sandbox_url(self) -> str:
        """The stand-ins for Swap and Khaos."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def gateway_url(self) -> str:
        """Our gateway."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def clock_file(self) -> Path:
        """Where the demo's clock stands."""
        return self.folder / CLOCK_FILE


def forget_outside() -> None:
    """Drop every setting of the outer environment, so that no demo can reach what it names."""
    for name in [name for name in os.environ if name.startswith("KHAOS_SWAP_") or name == "DAGSTER_HOME"]:
        del os.environ[name]


def open_place(
    folder: Path, *, durable: bool, sandbox_port: int | None = None, gateway_port: int | None = None
) -> Place:
    """Mark the folder, start and migrate its database, and choose the ports, the named ones where they are free.

    Raises ``SettingsError`` for a folder that is not the demo's.
    """
    mark.ensure_folder(folder, "demo")
    postgres = embedded.start(folder / "postgres", durable=durable)
    for name in (OURS, DAGSTER):
        database.ensure(postgres.url(name))
    migrate.upgrade(postgres.url(OURS))
    with database.connect(postgres.url(OURS), application="demo") as connection:
        mark.ensure(connection, "demo")
    sandbox, gateway = (processes.free_port(usual=port) for port in (sandbox_port, gateway_port))
    return Place(folder.resolve(), postgres, sandbox, gateway)


STOCK_SAMPLE = """\
Stock Code,Location,Adjust By,Reason,Reference
{stock_code},{place=MAIN},{adjust_by},RETURN,{rmas}
{damaged_stock_code},{place=HOLD},{adjust_by},DAMAGED,{rmas}
"""
PAYOUTS = {"KHAOS_SWAP_STOREFRONT_PAYOUTS": "true", "KHAOS_SWAP_STOREFRONT_PAYOUT_MINUTES": "60"}


def settings_of(
    place: Place, *, period_start: date, post_from: date, is_live: bool, storefront: bool
) -> dict[str, str]:
    """The whole environment of the demo's processes; secrets are the public ones that nothing live accepts."""
    shop = {"KHAOS_SWAP_STOREFRONT_URL": f"{place.sandbox_url}/shop", **PAYOUTS} if storefront else {SHOP_SECRET: ""}
    pinned = {} if is_live else {clock.VARIABLE: str(place.clock_file)}
    return {
        **DEMO_SECRETS,
        **pinned,
        **shop,
        **SANDBOX_CHOICES,
        "KHAOS_SWAP_STOREFRONT_POLL_MINUTES": "0",
        "KHAOS_SWAP_LEVEL_HOURS": "0",
        "KHAOS_SWAP_STARTED_BY": "demo",
        "KHAOS_SWAP_MODE": "post",
        "KHAOS_SWAP_POST_FROM": post_from.isoformat(),
        "KHAOS_SWAP_PERIOD_START": period_start.isoformat(),
        "KHAOS_SWAP_DATA_DIR": str(place.folder),
        "KHAOS_SWAP_DATABASE_URL": place.postgres.url(OURS),
        "KHAOS_SWAP_DAGSTER_URL": database.dagster_url(place.postgres.url(OURS)),
        "KHAOS_SWAP_SWAP_URL": f"{place.sandbox_url}/returns-api",
        "KHAOS_SWAP_SWAP_STORE_ID": STORE_ID,
        "KHAOS_SWAP_SWAP_REQUESTS_PER_SECOND": "100",
        "KHAOS_SWAP_SWAP_WIDE_SWEEP_DAYS": "120",
        "KHAOS_SWAP_OPEN_REREAD_MINUTES": "1",
        "KHAOS_SWAP_KHAOS_URL": f"{place.sandbox_url}/LiveSoap/KhaosSBX.exe",
        "KHAOS_SWAP_KHAOS_CHANNEL_USER": "khaos-channel",
        "KHAOS_SWAP_KHAOS_STOCK_MINUTES": "0",
        "KHAOS_SWAP_KHAOS_POLL_MINUTES": "0",
        "KHAOS_SWAP_KHAOS_ORDER_BUDGET": "5000",
        "KHAOS_SWAP_GATEWAY_PORT": str(place.gateway_port),
        "KHAOS_SWAP_GATEWAY_SENDER_RATE": "10000",
        "KHAOS_SWAP_GATEWAY_PUBLIC_URL": place.gateway_url,
        "KHAOS_SWAP_GATEWAY_METRICS_FROM": "127.0.0.1",
        "KHAOS_SWAP_DAILY_DOCUMENT_CAP": NO_CAP,
        "KHAOS_SWAP_DAILY_VALUE_CAP_POUNDS": NO_CAP,
        "KHAOS_SWAP_PAGE_DOCUMENTS": "1000",
        "KHAOS_SWAP_SENSOR_SECONDS": "1",
        "DAGSTER_HOME": str(prepare_dagster_home(place.folder)),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }


def stock_route(route: str, files: Path) -> dict[str, str]:
    """The settings of a route that carries stock; the sample is of the sandbox's import screen."""
    files.mkdir(exist_ok=True)
    sample = files.with_suffix(".csv")
    sample.write_text(STOCK_SAMPLE, encoding="utf-8")
    chosen = {"ROUTE": route, "FILE_SAMPLE": str(sample), "FILE_FOLDER": str(files), "FILE_MINUTES": "1"}
    return {f"KHAOS_SWAP_STOCK_{name}": value for name, value in chosen.items()}


def further_store(place: Place) -> dict[str, str]:
    """The settings of the second store of the same merchant."""
    ((name, store_id),) = FURTHER_STORES.items()
    own = {
        "SWAP_STORE_ID": store_id,
        "SWAP_URL": f"{place.sandbox_url}/{name}/returns-api",
        "ORDER_REF_FORMAT": ORDER_REF_FORMATS[name],
        **DEMO_STORE_SECRETS,
    }
    return {"KHAOS_SWAP_STORES": name} | {variable(name, what): value for what, value in own.items()}


def sandbox(place: Place, arguments: list[str]) -> Child:
    """The process of both vendors' stand-ins."""
    argv = [
        sys.executable,
        "-m",
        "khaos_swap_assets.sandbox",
        "--port",
        str(place.sandbox_port),
        "--gateway",
        place.gateway_url,
        *arguments,
    ]
    secrets: dict[str, object] = {
        "further_stores": {name: tuple(DEMO_STORE_SECRETS.values()) for name in FURTHER_STORES},
        "swap_api_key": DEMO_SECRETS["KHAOS_SWAP_SWAP_API_KEY"],
        "swap_webhook_secret": DEMO_SECRETS["KHAOS_SWAP_SWAP_WEBHOOK_SECRET"],
        "channel_password": DEMO_SECRETS["KHAOS_SWAP_KHAOS_CHANNEL_PASSWORD"],
        "storefront_webhook_secret": DEMO_SECRETS[SHOP_SECRET],
        "storefront_token": DEMO_SECRETS["KHAOS_SWAP_STOREFRONT_ACCESS_TOKEN"],
        "inspection_token": DEMO_SECRETS["KHAOS_SWAP_INSPECTION_TOKEN"],
    }
    listens = Listen("127.0.0.1", place.sandbox_port)
    return Child(
        "sandbox",
        argv,
        {"SANDBOX_CREDENTIALS": json.dumps(secrets)},
        listens=listens,
        ready=f"{place.sandbox_url}/admin/clock",
    )


def gateway(place: Place, env: Mapping[str, str]) -> Child:
    """The process of our gateway."""
    argv = [sys.executable, "-m", "khaos_swap_assets.gateway"]
    listens = Listen("127.0.0.1", place.gateway_port, "KHAOS_SWAP_GATEWAY_PORT")
    alive = partial(processes.answers, listens.url("/healthz"))
    return Child("gateway", argv, env, listens=listens, ready=listens.url("/readyz"), alive=alive)


def wall_now() -> datetime:
    """The machine's clock, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
