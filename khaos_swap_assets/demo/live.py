"""The demo with its UI: both sandboxes live, the gateway and Dagster, until somebody ends it.

Belongs here: starting everything in one folder that a second start takes over, and saying what to look at. Stays out:
the folder's rules and settings (``environment``), order and ending of processes (``supervisor``).
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.store import mark
from khaos_swap_assets.demo import environment, people
from khaos_swap_assets.demo.environment import DAGSTER, OURS, Place
from khaos_swap_assets.demo.once import month_before
from khaos_swap_assets.running import dagster_parts, processes, supervisor
from khaos_swap_assets.running.database import Ground
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets.running.processes import Listen
from khaos_swap_assets.running.watching import Watcher
from khaos_swap_assets.sandbox.generator import POST_FROM_DAY

FOLDER = Path(".khaos-swap-demo")
DATES_FILE = "dates.json"
ENVIRONMENT_FILE = "environment.json"
SANDBOX_PORT, GATEWAY_PORT = 8800, 8700
RETURNS = 120
POLLED = ("KHAOS_SWAP_KHAOS_POLL_MINUTES", "KHAOS_SWAP_KHAOS_STOCK_MINUTES", "KHAOS_SWAP_OPEN_REREAD_MINUTES")
EVERY, LOOKS = 180, 6
MEMBERS_FILE = "KHAOS_SWAP_DOOR_MEMBERS_FILE"
Say = Callable[[str], None]

GUIDE = """
Khaos Swap demo is up after {seconds:.0f} s. Everything here is invented; nothing leaves this machine.

  The desk            {ui}                   one click signs you in as one of these:
    {people}

  Dagster UI          {ui}/dagster
    lineage           {ui}/dagster/asset-groups
    runs              {ui}/dagster/runs         the sensor new_returns launches them by itself
    sensors           {ui}/dagster/automation
    checks            {ui}/dagster/assets/reconciliation/returns?view=checks
    month end         {ui}/dagster/assets/reconciliation/month_end
    open exceptions   {ui}/dagster/assets/reconciliation/exceptions
  Gateway             {gateway}/docs        webhooks, inspections, the Khaos channel's endpoints
  Sandbox, both sides {sandbox}/docs        GET /admin/truth says what trouble was planted

In another terminal, here: `{program} --demo exceptions list`,
`{program} --demo postings list`, `{program} --demo preflight`.

Red checks are real: trouble was planted in the sandbox. The first minutes take in what is there already. After that a
new return arrives every {every} s, what is due is looked for every {looks} s, and a page that you read stays as it is
in between. Faster: demo --every 20.
Data is kept in {folder} for the next start; `make clean` removes it. Stop with Ctrl-C.
"""


@dataclass(frozen=True)
class Visit:
    """One live demo: where its data is, the port of its UI (0 = any free one), and the world of a first start.

    A new return arrives ``every`` so many seconds, and runs look for work ``LOOKS`` times in between.
    """

    folder: Path = FOLDER
    port: int = 3000
    returns: int = RETURNS
    seed: int = 1
    storefront: bool = False
    every: int = EVERY

    @property
    def seconds_between_looks(self) -> int:
        """So that a page comes to rest between two looks."""
        return max(1, self.every // LOOKS)

    @property
    def pace(self) -> dict[str, str]:
        """The settings by which runs follow that pace: what is polled is polled once for each new return."""
        polled = dict.fromkeys(POLLED, str(max(1, self.every // 60)))
        return polled | {"KHAOS_SWAP_SENSOR_SECONDS": str(self.seconds_between_looks)}


def play_live(visit: Visit, say: Say) -> int:
    """Stay up until SIGINT or SIGTERM; gives the exit code.

    Raises ``HouseError`` for a taken port or a folder in use, ``SettingsError`` for a folder that is not the demo's.
    """
    began = monotonic()
    environment.forget_outside()
    ui = Listen("127.0.0.1", visit.port or processes.free_port(), "PORT=, e.g. make demo PORT=3001")
    processes.require_free(ui)
    mark.ensure_folder(visit.folder, "demo")
    with processes.only_house(visit.folder):
        say("starting the demo's PostgreSQL")
        place = environment.open_place(visit.folder, durable=True, sandbox_port=SANDBOX_PORT, gateway_port=GATEWAY_PORT)
        ground = Ground(place.postgres.url(OURS), place.folder, place.postgres)
        try:
            ground.take()
            return _play(visit, place, ground, ui, lambda: _greet(place, visit, ui.port, began, say), say)
        finally:
            ground.leave()


def _play(visit: Visit, place: Place, ground: Ground, ui: Listen, greet: Callable[[], int], say: Say) -> int:
    post_from = _post_from(place.folder)
    env = environment.settings_of(
        place, period_start=month_before(post_from), post_from=post_from, is_live=True, storefront=visit.storefront
    )
    env |= visit.pace
    env |= {MEMBERS_FILE: str(people.write_members(place.folder))}
    _note_environment(place.folder, env)
    orphans = Orphans(place.postgres.url(DAGSTER), env, place.folder)
    children = [
        environment.sandbox(place, _world(place, visit)),
        environment.gateway(place, env),
        *dagster_parts.dagster_children(Path(env["DAGSTER_HOME"]), ui.host, ui.port, env, orphans),
    ]
    watcher = Watcher(ground, say, chores=[orphans.close_lost])
    return supervisor.run(children, folder=place.folder, stop_last=lambda: None, watcher=watcher, work=greet, say=say)


def _greet(place: Place, visit: Visit, port: int, began: float, say: Say) -> int:
    say(_guide(place, visit, port, monotonic() - began))
    threading.Event().wait()
    return 0


def environment_of(folder: Path) -> dict[str, str]:
    """The environment of the demo that last ran in a folder. Raises ``SettingsError`` when none did."""
    file = folder / ENVIRONMENT_FILE
    if not file.exists():
        raise SettingsError(f"{folder} holds no demo: run make demo first, and leave it running")
    found: dict[str, str] = json.loads(file.read_text())
    return found


def _note_environment(folder: Path, env: dict[str, str]) -> None:
    file = folder / ENVIRONMENT_FILE
    file.write_text(json.dumps(env, indent=1))
    file.chmod(0o600)


def _world(place: Place, visit: Visit) -> list[str]:
    """How the sandbox is told; a world that is there already is taken as it is."""
    store = place.folder / "sandbox.sqlite"
    shop = ["--storefront"] if visit.storefront else []
    numbers = ["--returns", str(visit.returns), "--seed", str(visit.seed), "--every", str(visit.every)]
    return ["--live", "--store", str(store), *numbers, *shop]


def _post_from(folder: Path) -> date:
    """The day from which refunds are posted: decided at the first start, since the world's month stays what it was."""
    file = folder / DATES_FILE
    if not file.exists():
        chosen = month_before(environment.wall_now().date()).replace(day=POST_FROM_DAY)
        file.write_text(json.dumps({"post_from": chosen.isoformat()}))
    return date.fromisoformat(json.loads(file.read_text())["post_from"])


def _guide(place: Place, visit: Visit, port: int, seconds: float) -> str:
    return GUIDE.format(
        ui=f"http://127.0.0.1:{port}",
        gateway=place.gateway_url,
        sandbox=place.sandbox_url,
        folder=place.folder,
        people=people.in_words(),
        seconds=seconds,
        every=visit.every,
        looks=visit.seconds_between_looks,
        program=_program(),
    )


def _program() -> str:
    """How this program is called from the working folder, where no virtual environment is active."""
    program = Path(sys.executable).with_name("khaos-swap")
    return str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else "khaos-swap"
