"""Runs the sandbox: ``python -m khaos_swap_assets.sandbox --port 8800 --gateway http://127.0.0.1:8700``.

With ``--hand-posted FOLDER`` it serves nothing: it writes a month that staff posted by hand as files, and ends.
Belongs here: the command line. Stays out: everything else. It binds to 127.0.0.1 and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import uvicorn

from khaos_swap_assets.sandbox import (
    adjusted,
    audit_files,
    foreseen,
    generator,
    goods,
    hand_month,
    history,
    pack_stories,
    storefront_trouble,
)
from khaos_swap_assets.sandbox.app import Credentials, create_app
from khaos_swap_assets.sandbox.history_file import HistoryError
from khaos_swap_assets.sandbox.persistence import Keeper
from khaos_swap_assets.sandbox.rounds import TRICKLE_SECONDS
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import World

KEEP_ALIVE_SECONDS = 60
"""Longer than a caller keeps an idle line: one that both give up at the same moment would lose a request."""
CREDENTIALS = "SANDBOX_CREDENTIALS"
"""JSON object of the environment: fields of ``Credentials``, swap_api_key, swap_webhook_secret, storefront_token,
storefront_webhook_secret; further_stores: name -> [its key, its webhook secret]."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make or load the world and serve it until stopped."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if bool(options.history) != bool(options.month):
        parser.error("--history and --month belong together")
    if options.hand_posted:
        return _write_by_hand(options, parser)
    if not options.gateway:
        parser.error("--gateway is needed, or --hand-posted")
    _require_free(options.port, parser)
    keeper = Keeper(options.store)
    world = keeper.load()
    if world is None:
        try:
            world = _new_world(options)
        except HistoryError as error:
            parser.error(str(error))
        _add_chosen(world, options)
        keeper.save_all(world)
    state = _state(world, secrets := json.loads(os.environ.get(CREDENTIALS, "{}")))
    named = {
        name: value for name, value in secrets.items() if not name.startswith(("swap_", "storefront_", "further_"))
    }
    keys = secrets.get("further_stores", {})
    app = create_app(
        state,
        further=[state.of_store(name, *keys[name]) for name in world.further_stores],
        gateway_url=options.gateway,
        credentials=Credentials(**named),
        keep=keeper.save,
        is_live=options.live,
        every=timedelta(seconds=options.every),
        stock_files=options.stock_files,
    )
    return uvicorn.run(
        app, host="127.0.0.1", port=options.port, log_level="warning", timeout_keep_alive=KEEP_ALIVE_SECONDS
    )


def _add_chosen(world: World, options: argparse.Namespace) -> None:
    """What a month holds on request."""
    if options.goods:
        goods.add(world)
    if options.packs:
        pack_stories.add(world)
    if options.credit_first:
        adjusted.add(world)
    if options.storefront:
        storefront_trouble.connect(world, is_live=options.live)


def _write_by_hand(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Write the month and print the command that audits it."""
    month = hand_month.build(options.seed, options.returns, options.now or generator.DEFAULT_NOW)
    try:
        files = audit_files.write(month, options.hand_posted)
    except OSError as error:
        parser.error(f"--hand-posted {options.hand_posted} cannot be written: {error.strerror or error}")
    audit = " ".join(["khaos-swap audit", *(f"--{name} {value}" for name, value in files.items())])
    truth = options.hand_posted / "truth.json"
    sys.stdout.write(f"Written, with the truth about every note in {truth}. Audit it with:\n{audit}\n")


def _require_free(port: int, parser: argparse.ArgumentParser) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "ports are 1 to 65535"
            parser.error(f"--port {port} cannot be used ({reason}): stop the program that has it or choose another")


class _Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """End with exit 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="khaos-swap sandbox", description="Stand-ins for Swap and Khaos")
    parser.add_argument("--port", type=int, default=8800, help="port on 127.0.0.1")
    parser.add_argument("--gateway", help="URL of the gateway that Khaos and the warehouse call")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same world")
    parser.add_argument("--returns", type=int, default=500, help="returns of the invented month")
    parser.add_argument("--further-store", choices=sorted(generator.FURTHER_STORES), help="the month of another store")
    parser.add_argument("--now", type=datetime.fromisoformat, help="the clock at the start, ISO with zone")
    parser.add_argument("--history", type=Path, help="Parquet file of real trading data instead of an invented month")
    parser.add_argument("--month", help="YYYY-MM of the history to play")
    parser.add_argument("--storefront", action="store_true", help="connect the shop: money moves, and goes wrong")
    parser.add_argument("--goods", action="store_true", help="add returns of which the customer keeps goods")
    parser.add_argument("--packs", action="store_true", help="add packs that are sold, and what comes back of them")
    parser.add_argument("--credit-first", action="store_true", help="add goods that staff adjust after their credit")
    parser.add_argument("--stock-files", type=Path, help="folder of files that a clerk imports on the stock screen")
    parser.add_argument("--store", type=Path, help="file that keeps the world between runs")
    parser.add_argument("--hand-posted", type=Path, help="write a month posted by hand as files of an audit, and end")
    parser.add_argument("--live", action="store_true", help="follow the wall clock, one round a second")
    parser.add_argument("--every", type=int, default=TRICKLE_SECONDS, help="live: seconds between two new returns")
    return parser


def _new_world(options: argparse.Namespace) -> World:
    if options.history:
        return history.load(options.history, options.month)
    now = options.now or (datetime.now(UTC).replace(microsecond=0) if options.live else generator.DEFAULT_NOW)
    world = generator.build(options.seed, options.returns, now)
    if options.further_store:
        generator.add_store(world, options.further_store, options.returns)
    foreseen.add(world)
    return world


def _state(world: World, secrets: dict[str, str]) -> State:
    state = State(world)
    state.api_key = secrets.get("swap_api_key", state.api_key)
    state.store_token = secrets.get("storefront_token", state.store_token)
    state.shop_secret = secrets.get("storefront_webhook_secret", state.shop_secret)
    state.webhook_secret = secrets.get("swap_webhook_secret", state.webhook_secret)
    return state


if __name__ == "__main__":
    main()
