"""The processes that Dagster needs, and the files that it reads: its settings, and where each code server listens.

Belongs here: the children of Dagster and ``DAGSTER_HOME``. Stays out: keeping them running (``supervisor``).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from khaos_swap_assets.running import celery_parts, health, processes
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets.running.processes import Child, Listen

MODULE = "khaos_swap_assets.started"
LOCATION = "khaos_swap"
DAGSTER = (sys.executable, "-m", "dagster")
QUEUE_OF_MANY: Mapping[str, Any] = {
    "max_concurrent_runs": 16,
    "tag_concurrency_limits": [{"key": "merchant", "limit": 3, "value": {"applyLimitPerUniqueValue": True}}],
}
"""Runs at once of all merchants, and of one: one whose vendor is slow leaves the others their places."""
LOOKS_OF_MANY: Mapping[str, Any] = {"use_threads": True, "num_workers": 16}
"""Looks at once of all merchants' sensors, or schedules: one that waits for a vendor holds up no other."""


def prepare_dagster_home(data_dir: Path, *, is_of_many: bool = False, are_sent: bool = False) -> Path:
    """Write ``dagster.yaml`` into the folder ``dagster_home``, from which Dagster reads it; gives that folder.

    ``is_of_many`` is a Dagster that several merchants share; with ``are_sent`` its runs go to other machines.
    """
    home = data_dir.resolve() / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    text = resources.files("khaos_swap_assets").joinpath("dagster.yaml").read_text()
    (home / "dagster.yaml").write_text(_of_many(text, are_sent=are_sent) if is_of_many else text)
    return home


def _of_many(text: str, *, are_sent: bool) -> str:
    import yaml

    found = yaml.safe_load(text)
    found["concurrency"]["runs"] = dict(QUEUE_OF_MANY)
    if are_sent:
        found["run_launcher"] = celery_parts.launcher()
        found["run_monitoring"] |= celery_parts.MONITORING
    return str(yaml.safe_dump(found | {"sensors": dict(LOOKS_OF_MANY), "schedules": dict(LOOKS_OF_MANY)}))


def write_workspace(dagster_home: Path, servers: Mapping[str, Listen]) -> Path:
    """Say in ``workspace.yaml`` where each code location is served; the file is whole at every moment."""
    import yaml

    entries = [
        {"grpc_server": {"host": one.host, "port": one.port, "location_name": name}} for name, one in servers.items()
    ]
    workspace = dagster_home / "workspace.yaml"
    fresh = workspace.with_suffix(".new")
    fresh.write_text(yaml.safe_dump({"load_from": entries}, sort_keys=False))
    return fresh.replace(workspace)


def dagster_children(
    dagster_home: Path, host: str, port: int, env: Mapping[str, str], orphans: Orphans, *, module: str = MODULE
) -> list[Child]:
    """The processes of Dagster: one code server that the two others share, the web UI, the daemon.

    ``env`` must hold ``KHAOS_SWAP_DAGSTER_URL`` beside the settings that the definitions read.
    """
    code = Listen("127.0.0.1", processes.free_port())
    write_workspace(dagster_home, {LOCATION: code})
    shared = shared_environment(dagster_home, env)
    return [
        code_server(code, LOCATION, shared, orphans, module=module),
        webserver(Listen(host, port, "KHAOS_SWAP_WEBSERVER_PORT"), shared),
        daemon(shared, orphans.url),
    ]


def shared_environment(dagster_home: Path, env: Mapping[str, str]) -> dict[str, str]:
    """What every process of Dagster is told."""
    return {"DAGSTER_HOME": str(dagster_home), "DAGSTER_DISABLE_TELEMETRY": "yes", **env}


def code_server(
    listens: Listen, location: str, env: Mapping[str, str], orphans: Orphans | None, *, module: str = MODULE
) -> Child:
    """The process that knows the definitions and starts the runs; it takes its runs with it.

    So what they left, the ``orphans``, is closed before each start; runs that are worked on elsewhere go on.
    """
    serve = ["api", "grpc", "-m", module, "-h", listens.host, "-p", str(listens.port), "--location-name", location]
    return Child(
        "code-server",
        [*DAGSTER, *serve, "--use-python-environment-entry-point"],
        env,
        listens=listens,
        before=orphans.close_all if orphans else None,
        alive=partial(health.code_server_answers, listens),
        hang_seconds=30,
    )


def run_worker(merchant: str, at_once: int, env: Mapping[str, str]) -> Child:
    """The process that works on a merchant's runs, which another machine sends to its queue."""
    argv = [sys.executable, "-m", "khaos_swap_assets.running.run_worker", merchant, str(at_once)]
    return Child("run-worker", argv, env, stop_seconds=15)


def webserver(listens: Listen, env: Mapping[str, str]) -> Child:
    """Dagster's UI."""
    shown = {**env, "KHAOS_SWAP_WEBSERVER_HOST": listens.host, "KHAOS_SWAP_WEBSERVER_PORT": str(listens.port)}
    argv = [sys.executable, "-m", "khaos_swap_assets.ui"]
    alive = partial(processes.answers, listens.url("/server_info"))
    return Child("webserver", argv, shown, listens=listens, alive=alive)


def daemon(env: Mapping[str, str], dagster_database_url: str) -> Child:
    """The process that looks at sensors and schedules and starts what is queued."""
    workspace = Path(env["DAGSTER_HOME"]) / "workspace.yaml"
    argv = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(workspace)]
    return Child("daemon", argv, env, alive=partial(health.daemon_beats, dagster_database_url), hang_seconds=180)
