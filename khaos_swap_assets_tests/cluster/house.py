"""The cluster: every machine with what runs on it, its merchants and their vendors.

Belongs here: what is where, starting and ending it. Stays out: what is done to it (``prove.cluster``).
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from khaos_swap_assets.adapters.store import database, mark, migrate
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.demo.environment import NO_CAP, SANDBOX_CHOICES
from khaos_swap_assets.demo.once import month_before
from khaos_swap_assets.running.processes import answers
from khaos_swap_assets.sandbox.generator import POST_FROM_DAY, STORE_ID
from khaos_swap_assets_tests.cluster import net, services
from khaos_swap_assets_tests.cluster.net import Machine, Net
from khaos_swap_assets_tests.running import ask_dagster, until

NAMES = ("felwood", "oakham", "ashdown", "elmore", "firley", "hazelby", "larchmont", "rowanby", "thornley", "yewdale")
MACHINES = {
    "db": 10,
    "redis": 11,
    "core": 12,
    "door": 13,
    "gate1": 21,
    "gate2": 22,
    "work1": 31,
    "work2": 32,
    "out": 50,
}
GATES, WORKERS = ("gate1", "gate2"), ("work1", "work2")
GATEWAY, VENDOR, SCREEN = 8701, 8801, 3000
PROGRAM = [sys.executable, "-m", "khaos_swap_assets.cli.commands"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How large a cluster is: merchants, returns of each at the start, seconds between two new ones, runs at once.

    ``cores`` is what each worker machine may use, 0 all; a vendor answers after ``answer_ms``, asked each ``minutes``.
    """

    merchants: int = 6
    returns: int = 100
    every: int = 20
    at_once: int = 2
    cores: float = 0
    answer_ms: int = 0
    minutes: int = 1


def missing() -> str:
    """Why there can be no cluster here; empty where there can."""
    return services.missing() or net.missing()


@dataclass
class Cluster:
    """A running cluster."""

    folder: Path
    size: Size
    net: Net
    password: str = field(default_factory=lambda: secrets.token_hex(12))

    def __getitem__(self, name: str) -> Machine:
        return self.net.machines[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Its merchants."""
        return NAMES[: self.size.merchants]

    def url(self, name: str) -> str:
        """The database of a merchant, or ``house`` for that of the house."""
        return f"postgresql://{services.USER}:{self.password}@{self['db'].address}:5432/{name}"

    def vendor(self, name: str, path: str, **sent: Any) -> Any:
        """Ask the admin door of a merchant's vendors; with ``sent`` it is told something."""
        url = f"http://{self['out'].address}:{VENDOR + self.names.index(name)}/admin/{path}"
        answer = httpx.post(url, json=sent, timeout=60) if sent else httpx.get(url, timeout=60)
        return answer.raise_for_status().json()

    def ask_dagster(self, query: str, **variables: Any) -> Any:
        """The data of an answer of Dagster's."""
        return ask_dagster(f"http://{self['core'].address}:{SCREEN + 1}", query, **variables)

    def rows(self, place: str, query: str, **asked: Any) -> list[tuple[Any, ...]]:
        """What a merchant's database says, or ``house_dagster``."""
        with psycopg.connect(self.url(place), connect_timeout=5) as conn:
            return conn.execute(query.encode(), asked).fetchall()

    def start(self, say: Say) -> None:
        """Everything, in the order in which it needs each other."""
        services.postgres(self["db"], self.password)
        services.redis(self["redis"], self.password)
        assert until(self._is_database_up, 60), "PostgreSQL did not come up"
        self._set_up(say)
        for name in self.names:
            self._sandbox(name)
        self.before_vendors()
        doors = [
            services.door(port, self["door"].address, [self[one].address for one in GATES]) for port in self._ports()
        ]
        services.haproxy(self["door"], "haproxy", doors)
        for name in GATES:
            self.start_part(name)
        for name in WORKERS:
            self.start_part(name)
        self.start_part("core")

    def before_vendors(self, *, dead: str = "") -> None:
        """The way to the vendors, anew; the Khaos of ``dead`` answers nobody from then on."""
        parts = [
            services.vendor(VENDOR + n, self["out"].address, answer_ms=self.size.answer_ms, is_dead=name == dead)
            for n, name in enumerate(self.names)
        ]
        services.haproxy(self["out"], "haproxy", parts)

    def start_part(self, name: str) -> None:
        """Our program on this machine, as its service starts it."""
        machine = self[name]
        part = {"core": "core", **dict.fromkeys(GATES, "gateways")}.get(name, "workers")
        if part != "gateways":
            near = [services.near(VENDOR + n, self["out"].address) for n in range(self.size.merchants)]
            near += [services.screen(SCREEN, machine.address)] if part == "core" else []
            services.haproxy(machine, "haproxy", near)
        env = {
            "KHAOS_SWAP_DATABASE_URL": self.url("house"),
            "KHAOS_SWAP_DATA_DIR": str(machine.folder / "data"),
            "KHAOS_SWAP_RUNS_BROKER_URL": f"redis://:{self.password}@{self['redis'].address}:6379/0",
            "KHAOS_SWAP_RUNS_AT_ONCE": str(self.size.at_once),
            "KHAOS_SWAP_WEBSERVER_PORT": str(SCREEN),
        }
        argv = [*PROGRAM, "up", "--merchants", str(self.folder / "merchants"), "--only", part]
        machine.run("house", argv, env, cores=self.size.cores if part == "workers" else 0)

    def restart(self, name: str) -> None:
        """What a service manager does after a fall."""
        if name == "redis":
            services.redis(self["redis"], self.password)
        elif name == "db":
            services.postgres(self["db"], self.password)
        else:
            self.start_part(name)

    def is_up(self) -> bool:
        """Whether each merchant's gateways answer and a sync of it has gone well."""
        return all(self.is_served(name) and self.synced_since(name, 0) for name in self.names)

    def is_served(self, name: str) -> bool:
        """Whether a merchant's gateway answers at the door."""
        return answers(f"http://{self['door'].address}:{GATEWAY + self.names.index(name)}/readyz")

    def synced_since(self, name: str, moment: float) -> bool:
        """Whether a sync of the merchant that began since then has gone well."""
        with suppress(psycopg.Error):
            return bool(self.rows("house_dagster", SYNCED, name=name, moment=moment)[0][0])
        return False

    def what_is_where(self) -> str:
        """A table for whoever started it."""
        told = {
            "db": "PostgreSQL", "redis": "Redis", "core": "Dagster: UI, daemon, code servers",
            "door": "HAProxy before the gateways",
            **dict.fromkeys(GATES, "a gateway a merchant"), **dict.fromkeys(WORKERS, "a worker a merchant"),
            "out": "stand-ins for Swap and Khaos, a pair a merchant",
        }  # fmt: skip
        lines = [f"  ks-{name:<7}{self[name].address:<14}{what}" for name, what in told.items()]
        ports = ", ".join(f"{name} {port}" for name, port in zip(self.names, self._ports(), strict=True))
        return "\n".join([
            "machine    address       what", *lines,
            f"Dagster UI       http://{self['core'].address}:{SCREEN + 1}",
            f"gateways         http://{self['door'].address}:PORT/docs, {ports}",
            f"merchants' files {self.folder}/merchants; logs in {self.folder}/MACHINE/data/logs",
            "cut one off      ip link set ks-work1 down   (and up)",
            "kill one         ip netns pids ks-work1 | xargs kill -9",
        ])  # fmt: skip

    def _ports(self) -> list[int]:
        return [GATEWAY + n for n in range(self.size.merchants)]

    def _is_database_up(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _set_up(self, say: Say) -> None:
        for name in ("house", "house_dagster", *self.names):
            database.ensure(self.url(name))
        (self.folder / "merchants").mkdir(mode=0o700)
        for name in self.names:
            say(f"{name}: tables")
            migrate.upgrade(self.url(name))
            with database.connect(self.url(name), application="cluster") as conn:
                mark.ensure(conn, "live")
            file = self.folder / "merchants" / f"{name}.env"
            file.write_text("".join(f"{key}={value}\n" for key, value in self._settings(name).items()))
            file.chmod(0o600)

    def _settings(self, name: str) -> dict[str, str]:
        number, today = self.names.index(name), datetime.now(UTC).date()
        first, gate, minutes = month_before(today), GATEWAY + number, str(self.size.minutes)
        own = {
            "DATABASE_URL": self.url(name),
            "MODE": "post",
            "POST_FROM": first.replace(day=POST_FROM_DAY).isoformat(),
            "PERIOD_START": month_before(first).isoformat(),
            "SWAP_URL": f"http://127.0.0.1:{VENDOR + number}/returns-api",
            "SWAP_STORE_ID": STORE_ID,
            "SWAP_REQUESTS_PER_SECOND": "100",
            "SWAP_WIDE_SWEEP_DAYS": "120",
            "OPEN_REREAD_MINUTES": minutes,
            "KHAOS_URL": f"http://127.0.0.1:{VENDOR + number}/LiveSoap/KhaosSBX.exe",
            "KHAOS_CHANNEL_USER": "khaos-channel",
            "KHAOS_STOCK_MINUTES": minutes,
            "KHAOS_POLL_MINUTES": minutes,
            "KHAOS_ORDER_BUDGET": "5000",
            "SEAL_KEY": Sealer.new_key(),
            "GATEWAY_HOST": "0.0.0.0",
            "GATEWAY_PORT": str(gate),
            "GATEWAY_SENDER_RATE": "10000",
            "GATEWAY_TRUSTED_PROXIES": self["door"].address,
            "GATEWAY_PUBLIC_URL": f"http://{self['door'].address}:{gate}",
            "DAILY_DOCUMENT_CAP": NO_CAP,
            "DAILY_VALUE_CAP_POUNDS": NO_CAP,
            "PAGE_DOCUMENTS": "1000",
            "LEVEL_HOURS": "0",
            "SENSOR_SECONDS": "5",
            **self._secrets(name),
        }
        return {**SANDBOX_CHOICES, **{f"KHAOS_SWAP_{key}": value for key, value in own.items()}}

    def _secrets(self, name: str) -> dict[str, str]:
        parts = ("SWAP_API_KEY", "SWAP_WEBHOOK_SECRET", "KHAOS_CHANNEL_PASSWORD", "INSPECTION_TOKEN")
        return {part: f"{part.lower().replace('_', '-')}-of-{name}-{self.password}" for part in parts}

    def _sandbox(self, name: str) -> None:
        number, own = self.names.index(name), self._secrets(name)
        known = {
            "swap_api_key": own["SWAP_API_KEY"],
            "swap_webhook_secret": own["SWAP_WEBHOOK_SECRET"],
            "channel_password": own["KHAOS_CHANNEL_PASSWORD"],
            "inspection_token": own["INSPECTION_TOKEN"],
        }
        size: Mapping[str, object] = {
            "--port": VENDOR + number,
            "--gateway": f"http://{self['door'].address}:{GATEWAY + number}",
            "--seed": number + 1,
            "--returns": self.size.returns,
            "--every": self.size.every,
            "--store": self["out"].folder / f"{name}.sqlite",
        }
        words = [str(word) for pair in size.items() for word in pair]
        argv = [sys.executable, "-m", "khaos_swap_assets.sandbox", "--live", *words]
        self["out"].run(name, argv, {"SANDBOX_CREDENTIALS": json.dumps(known)})


SYNCED = """
    SELECT count(*) FROM runs WHERE pipeline_name = 'sync' AND status = 'SUCCESS' AND start_time > %(moment)s
    AND EXISTS (SELECT FROM run_tags t WHERE t.run_id = runs.run_id AND t.key = 'merchant' AND t.value = %(name)s)
"""


@contextmanager
def running(folder: Path, size: Size, say: Say) -> Iterator[Cluster]:
    """A cluster until the end of the block; the folder must be new. Whatever a killed one left is taken away first."""
    net.clear()
    cluster = Cluster(folder, size, Net(folder))
    try:
        for name, number in MACHINES.items():
            cluster.net.add(name, number)
        cluster.start(say)
        yield cluster
    finally:
        cluster.net.close()


def wait(cluster: Cluster, seconds: float, say: Say) -> bool:
    """Wait until it is up; whether it is."""
    began = time.monotonic()
    is_up = bool(until(cluster.is_up, seconds, every=2))
    say(f"{'up' if is_up else 'not up'} after {time.monotonic() - began:.0f} s")
    return is_up
