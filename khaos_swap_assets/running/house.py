"""``khaos-swap up --merchants FOLDER``: one Dagster for many merchants, each in processes of its own.

Belongs here: what all share (webserver, daemon, Dagster's database), and who comes and goes. Stays out: a merchant's
own processes (``merchant``), reading a file (``merchants``). The house compares the files and hands none of them on:
each merchant's process reads its own and sees no other's.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import PREFIX, Settings
from khaos_swap_assets.adapters.settings_checks import STARTED_BY, unknown
from khaos_swap_assets.adapters.store import database, embedded
from khaos_swap_assets.adapters.store.tenancy import Beside, SharedTenancy
from khaos_swap_assets.running import dagster_parts, installation, logs, merchants, processes, supervisor, up
from khaos_swap_assets.running.guests import Guests
from khaos_swap_assets.running.installation import Database
from khaos_swap_assets.running.parts import WITH_PLACE, Part
from khaos_swap_assets.running.processes import Child, Listen
from khaos_swap_assets.running.watching import Tell, Watcher

LOOK_SECONDS = 1.0
STOP_SECONDS = 20
FOLDER = "merchants"
OWN = frozenset(f"{PREFIX}{name}" for name in ("DATABASE_URL", "ALERT_URLS", "LOG_MEGABYTES", "LOG_FILES"))
Stamps = Mapping[Path, tuple[int, int, int]]


def start(folder: Path, say: up.Say, part: Part = "all") -> int:
    """Stay up until a signal comes; gives the exit code. ``part`` is what of the house this machine has.

    Raises ``SettingsError`` before anything is started where no merchant is there, or two have alike what they may not,
    ``HouseError`` or ``StoreError`` where a later start may help.
    """
    settings, folder, is_core = ready_settings(part), folder.resolve(), part in WITH_PLACE
    require_merchants(folder)
    ui = up.ui_address(settings)
    if is_core:
        processes.require_free(ui)
    with (
        up.alerted(settings) as alert,
        up.inhabited(settings, lambda: opened(settings), say, alert, SharedTenancy if is_core else Beside) as (
            shared,
            ground,
        ),
    ):
        data_dir = settings.data_dir.resolve()
        home = dagster_parts.prepare_dagster_home(data_dir, is_of_many=True, are_sent=settings.runs.are_sent)
        env = {"DAGSTER_HOME": str(home), f"{PREFIX}DAGSTER_URL": _sqlalchemy(settings, shared), **_broker(settings)}
        forget_settings()
        hands_on = {**env, installation.SHARED: shared.url}
        embedded = shared.server is not None
        there = Merchants(folder, data_dir, hands_on, say=say, alert=alert, is_embedded=embedded, part=part)
        there.wanted()
        say(f"Khaos Swap for the merchants of {folder}{'' if part == 'all' else f', {part} only'}")
        if is_core:
            say(f"  Dagster UI  {ui.url('')}\n              for this machine only: it asks nobody for a password")
        told = dagster_parts.shared_environment(home, env)
        return supervisor.run(
            _shared_children(settings, told, shared.url) if is_core else [],
            folder=data_dir,
            stop_last=lambda: None,
            watcher=Watcher(ground, say, alert),
            say=say,
            rotation=logs.Rotation(settings.log_megabytes, settings.log_files),
            guests=Guests(there.wanted, data_dir, say, alert),
        )


def _shared_children(settings: Settings, env: Mapping[str, str], dagster_database: str) -> list[Child]:
    shown = {**env, f"{PREFIX}WEBSERVER_PUBLIC_URL": settings.webserver_public_url}
    return [dagster_parts.webserver(up.ui_address(settings), shown), dagster_parts.daemon(env, dagster_database)]


def require_merchants(folder: Path) -> None:
    """Raise ``SettingsError`` where no merchant is there, or two have alike what they may not, naming both files.

    A file with a fault of its own stops nobody else: it is told once the others run.
    """
    found, faults = merchants.read_all(merchants.files(folder))
    if alike := merchants.clashes(found):
        raise SettingsError("\n".join(alike))
    if not found:
        raise SettingsError("\n".join([*faults, f"{folder}: holds no merchant: write a file NAME.env for each"]))


def _broker(settings: Settings) -> dict[str, str]:
    """What a merchant's processes are told of the sending of runs."""
    if not settings.runs.are_sent:
        return {}
    return {
        f"{PREFIX}RUNS_BROKER_URL": settings.runs.broker_url.get_secret_value(),
        f"{PREFIX}RUNS_AT_ONCE": str(settings.runs.at_once),
    }


def ready_settings(part: Part = "all") -> Settings:
    """What all share. Raises ``SettingsError`` for every setting that is a merchant's own, none, or missing."""
    settings = installation.settings_here()
    known = OWN | merchants.OF_THE_HOUSE
    given = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    misspelt = unknown(dict.fromkeys(given, ""))
    strange = [name for name in given if not any(line.startswith(f"{name}:") for line in misspelt)]
    faults = [*misspelt, *(f"{name}: is a merchant's own: set it in the merchant's file" for name in strange)]
    if (settings.runs.are_sent or part != "all") and not settings.database_url.get_secret_value():
        faults.append(f"{PREFIX}DATABASE_URL: is required where other machines take part: they reach no embedded one")
    if part == "workers" and not settings.runs.are_sent:
        faults.append(f"{PREFIX}RUNS_BROKER_URL: is required for workers, who get their runs by it")
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def enter(name: str, merchants: int) -> bool:
    """Make this process one that serves a merchant of the house that is set up here; whether its server is embedded.

    ``merchants`` is how many the house has. Raises ``SettingsError``, and ``StoreError`` where the house never ran.
    """
    settings = ready_settings()
    shared = reached(settings)
    forget_settings()
    folder = str(settings.data_dir.resolve() / FOLDER / name)
    of_the_house = {installation.SHARED: shared.url, installation.HOUSE_OF: str(merchants), **_broker(settings)}
    os.environ.update({**of_the_house, STARTED_BY: "hand", f"{PREFIX}DATA_DIR": folder})
    return shared.server is not None


def reached(settings: Settings) -> Database:
    """Dagster's database, left as it is. Raises ``StoreError`` where the house never ran."""
    installation.require_embedded(settings)
    return _place(settings)


def opened(settings: Settings) -> Database:
    """Dagster's database, made where it is missing. Raises ``StoreError``."""
    shared = _place(settings)
    database.ensure(shared.url)
    with database.reported(shared.url), database.connect(shared.url, application="setup") as connection:
        database.require_writable(connection, shared.url)
    return shared


def _place(settings: Settings) -> Database:
    """It lies beside the one that the settings name, else in the embedded server, which is started."""
    if url := settings.database_url.get_secret_value():
        return Database(installation.dagster_database(url))
    server = embedded.start(settings.data_dir / "postgres")
    return Database(installation.dagster_database(server.url(installation.DATABASE)), server)


def _sqlalchemy(settings: Settings, shared: Database) -> str:
    given = settings.database_url.get_secret_value()
    return database.dagster_url(given or database.sibling_url(shared.url, installation.DATABASE))


def forget_settings() -> None:
    """Nothing of ours is handed on but what a process is told by name."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]


@dataclass
class Merchants:
    """Who is wanted, by the folder as it is now: looked at once a second, taken up when two looks agree.

    A file that cannot be used, or that has alike what it may not with one that was here before it, is told and left
    out; where it was here it stays as it was. A folder that is empty or away takes nobody down.
    """

    folder: Path
    data_dir: Path
    env: Mapping[str, str]
    say: up.Say
    alert: Tell
    is_embedded: bool
    part: Part = "all"
    _next: float = 0.0
    _seen: Stamps = field(default_factory=dict)
    _taken: Stamps = field(default_factory=dict)
    _ports: dict[str, int] = field(default_factory=dict)
    _children: dict[Path, Child] = field(default_factory=dict)
    _known: dict[Path, tuple[merchants.Merchant, int]] = field(default_factory=dict)

    def wanted(self) -> Mapping[str, Child]:
        """The process of each merchant, by its name."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LOOK_SECONDS
            stamps = self._stamps()
            is_settled = stamps == self._seen or not self._taken
            self._seen = stamps
            if stamps and is_settled and stamps != self._taken:
                self._take_up(stamps)
        return {child.name: child for child in self._children.values()}

    def _stamps(self) -> Stamps:
        try:
            found = {path: path.stat() for path in merchants.files(self.folder)}
        except (SettingsError, OSError):
            return {}
        return {path: (one.st_mtime_ns, one.st_size, one.st_mode) for path, one in found.items()}

    def _take_up(self, stamps: Stamps) -> None:
        self._taken = stamps
        self._known = {path: one for path, one in self._known.items() if path in stamps}
        for path in sorted(stamps, key=lambda one: one not in self._known):
            try:
                self._accept(merchants.read(path), stamps[path][0])
            except SettingsError as error:
                self._tell(str(error))
        self._children = {path: self._child(*known) for path, known in self._known.items()}
        servers = {one.name: Listen("127.0.0.1", self._ports[one.name], "") for one, _ in self._known.values()}
        dagster_parts.write_workspace(Path(self.env["DAGSTER_HOME"]), servers)

    def _accept(self, merchant: merchants.Merchant, as_of: int) -> None:
        """Raises ``SettingsError`` where somebody who is here has alike what may not be."""
        others = [one for path, (one, _) in self._known.items() if path != merchant.path]
        if alike := [line for one in others for line in merchants.clash(one, merchant)]:
            raise SettingsError("\n".join(alike))
        self._known[merchant.path] = merchant, as_of
        self._ports.setdefault(merchant.name, 0)
        self._ports[merchant.name] = self._ports[merchant.name] or processes.free_port()

    def _child(self, merchant: merchants.Merchant, as_of: int) -> Child:
        argv = [sys.executable, "-m", "khaos_swap_assets.running.merchant", str(merchant.path)]
        options = ["--port", str(self._ports[merchant.name]), "--as-of", str(as_of), "--part", self.part]
        env = {**self.env, f"{PREFIX}DATA_DIR": str(self.data_dir / FOLDER / merchant.name)}
        flag = ["--embedded"] if self.is_embedded else []
        return Child(f"merchant-{merchant.name}", [*argv, *options, *flag], env, stop_seconds=STOP_SECONDS)

    def _tell(self, fault: str) -> None:
        self.say(fault)
        self.alert("a merchant's file is left out", fault)
