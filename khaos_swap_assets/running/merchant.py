"""``python -m khaos_swap_assets.running.merchant FILE``: the processes of one merchant of a house of many.

Belongs here: its settings, its gateway, its code server, its worker and its database, all with its environment alone;
which of them, says the machine's part. Stays out:
Dagster's own processes, which all share (``house``), and which files there are (``merchants``). It ends without
touching another merchant, and the house starts it again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from khaos_swap_assets.adapters import private
from khaos_swap_assets.adapters.errors import HouseError, KhaosSwapError, SettingsError
from khaos_swap_assets.adapters.settings import PREFIX, Settings, load_settings
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.adapters.store.tenancy import Beside, Tenancy
from khaos_swap_assets.running import dagster_parts, installation, logs, merchants, processes, supervisor, up
from khaos_swap_assets.running.health import FailuresSeen
from khaos_swap_assets.running.installation import Database
from khaos_swap_assets.running.lost import Lost
from khaos_swap_assets.running.merchants import Merchant
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets.running.parts import WITH_PLACE, Part
from khaos_swap_assets.running.processes import Child, Listen
from khaos_swap_assets.running.watching import Tell, Watcher


def start(merchant: Merchant, port: int, say: up.Say, *, is_embedded: bool, part: Part = "all") -> int:
    """Stay up until a signal comes, the code server on this port; gives the exit code. Raises as ``up.start``.

    ``is_embedded`` gives a merchant without a database one of the house's own server.
    """
    settings = settings_for(merchant, is_embedded=is_embedded)

    def opened() -> Database:
        if not merchant.get("DATABASE_URL"):
            installation.set_up(settings.database_url.get_secret_value())
        return installation.open_database(settings)

    kind = Tenancy if part in WITH_PLACE else Beside
    with up.alerted(settings) as alert, up.inhabited(settings, opened, say, alert, kind) as (found, ground):
        if part in ("all", "gateways"):
            processes.require_free(up.gateway_address(settings))
        children, chores = _parts(settings, found.url, port, alert, part)
        watcher = Watcher(ground, say, alert, chores)
        return supervisor.run(
            children,
            folder=settings.data_dir,
            stop_last=lambda: None,
            watcher=watcher,
            say=say,
            rotation=logs.Rotation(settings.log_megabytes, settings.log_files),
        )


def _parts(
    settings: Settings, url: str, port: int, alert: Tell, part: Part
) -> tuple[list[Child], list[Callable[[], None]]]:
    """The merchant's processes on a machine that has this part, and what is to be done beside them."""
    home, dagster = os.environ["DAGSTER_HOME"], f"{PREFIX}DAGSTER_URL"
    env = {**up.environment(settings, url, home), dagster: os.environ[dagster]}
    told = dagster_parts.shared_environment(Path(home), env)
    if part == "workers":
        return [dagster_parts.run_worker(settings.merchant, settings.runs.at_once, told)], []
    gateway = up.gateway_child(settings, env)
    if part == "gateways":
        return [gateway], []
    orphans = Orphans(installation.dagster_database(url), env, settings.data_dir, settings.merchant)
    serves, are_sent = Listen("127.0.0.1", port), settings.runs.are_sent
    code = dagster_parts.code_server(serves, settings.merchant, told, None if are_sent else orphans)
    chores = [Lost(url, orphans).look if are_sent else orphans.close_lost, FailuresSeen(url, alert).look]
    return [code, *([gateway] if part == "all" else [])], chores


def settings_for(merchant: Merchant, *, is_embedded: bool) -> Settings:
    """The merchant's settings, which become this process's environment and that of all that it starts.

    Where the house's own server is embedded, a merchant without a database has one there. Raises ``SettingsError`` with
    every fault.
    """
    take_on(merchant, is_embedded=is_embedded)
    return up.ready(load_settings())


def take_on(merchant: Merchant, *, is_embedded: bool) -> None:
    """Make the merchant's settings this process's environment. Raises ``SettingsError`` where it has no database."""
    os.environ.update({**merchant.values, f"{PREFIX}MERCHANT": merchant.name})
    if not merchant.get("DATABASE_URL"):
        if not is_embedded:
            raise SettingsError(f"{PREFIX}DATABASE_URL: is required where the house has a database of its own")
        if merchant.get("MODE") not in ("", "audit"):
            raise SettingsError(f"{PREFIX}DATABASE_URL: is required when {PREFIX}MODE is {merchant.get('MODE')}")
        shared = os.environ[installation.SHARED]
        os.environ[f"{PREFIX}DATABASE_URL"] = database.sibling_url(shared, f"merchant_{merchant.name}")


def main(arguments: Sequence[str]) -> int:
    """Serve one merchant until told to stop; a wrong setting is one line each and exit code 2."""
    private.keep_private()
    parser = argparse.ArgumentParser(prog="merchant")
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--as-of", type=int, required=True, help="when the file that was taken up was written, ns")
    parser.add_argument("--embedded", action="store_true")
    parser.add_argument("--part", choices=get_args(Part), default="all")
    asked = parser.parse_args(arguments)
    try:
        merchant = merchants.read(asked.file)
        if asked.file.stat().st_mtime_ns != asked.as_of:
            raise HouseError("it changed and was not taken up: the house says why")
        return start(merchant, asked.port, _say, is_embedded=asked.embedded, part=asked.part)
    except KhaosSwapError as error:
        _say(f"{asked.file}: " + "; ".join(str(error).splitlines()))
        return error.exit_code


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
