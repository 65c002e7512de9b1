"""``python -m khaos_swap_assets.running.merchant FILE``: the processes of one merchant of a house of many.

Belongs here: its settings, its gateway, its code server and its database, all with its environment alone. Stays out:
Dagster's own processes, which all share (``house``), and which files there are (``merchants``). It ends without
touching another merchant, and the house starts it again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from khaos_swap_assets.adapters import private
from khaos_swap_assets.adapters.errors import HouseError, KhaosSwapError, SettingsError
from khaos_swap_assets.adapters.settings import PREFIX, Settings, load_settings
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.running import dagster_parts, installation, logs, merchants, processes, supervisor, up
from khaos_swap_assets.running.health import FailuresSeen
from khaos_swap_assets.running.installation import Database
from khaos_swap_assets.running.merchants import Merchant
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets.running.processes import Child, Listen
from khaos_swap_assets.running.watching import Watcher


def start(merchant: Merchant, port: int, say: up.Say, *, is_embedded: bool) -> int:
    """Stay up until a signal comes, the code server on this port; gives the exit code. Raises as ``up.start``.

    ``is_embedded`` gives a merchant without a database one of the house's own server.
    """
    settings = settings_for(merchant, is_embedded=is_embedded)

    def opened() -> Database:
        if not merchant.get("DATABASE_URL"):
            installation.set_up(settings.database_url.get_secret_value())
        return installation.open_database(settings)

    with up.alerted(settings) as alert:
        processes.require_free(up.gateway_address(settings))
        with up.inhabited(settings, opened, say, alert) as (found, ground):
            children, chores = _parts(settings, found.url, port)
            watcher = Watcher(ground, say, alert, [*chores, FailuresSeen(found.url, alert).look])
            return supervisor.run(
                children,
                folder=settings.data_dir,
                stop_last=lambda: None,
                watcher=watcher,
                say=say,
                rotation=logs.Rotation(settings.log_megabytes, settings.log_files),
            )


def _parts(settings: Settings, url: str, port: int) -> tuple[list[Child], list[Callable[[], None]]]:
    """The merchant's processes, and what is to be done beside them."""
    home, dagster = os.environ["DAGSTER_HOME"], f"{PREFIX}DAGSTER_URL"
    env = {**up.environment(settings, url, home), dagster: os.environ[dagster]}
    orphans = Orphans(installation.dagster_database(url), env, settings.data_dir, settings.merchant)
    serves = Listen("127.0.0.1", port, "no setting: start again")
    told = dagster_parts.shared_environment(Path(home), env)
    code = dagster_parts.code_server(serves, settings.merchant, told, orphans)
    return [code, up.gateway_child(settings, env)], [orphans.close_lost]


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
    asked = parser.parse_args(arguments)
    try:
        merchant = merchants.read(asked.file)
        if asked.file.stat().st_mtime_ns != asked.as_of:
            raise HouseError("it changed and was not taken up: the house says why")
        return start(merchant, asked.port, _say, is_embedded=asked.embedded)
    except KhaosSwapError as error:
        _say(f"{asked.file}: " + "; ".join(str(error).splitlines()))
        return error.exit_code


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
