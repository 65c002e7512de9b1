"""The demo without a UI: one trading month, played to its end, counted, and judged against the sandbox's truth.

Belongs here: starting and ending everything for one play. Stays out: the play (``rounds``) and its counting
(``outcome``).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from khaos_swap_assets.demo import environment
from khaos_swap_assets.demo.environment import Place
from khaos_swap_assets.running import supervisor
from khaos_swap_assets.sandbox.generator import DEFAULT_NOW, FURTHER_STORES, POST_FROM_DAY

SUMMARISED = (
    "returns",
    "return_lines",
    "matched_lines",
    "drafts",
    "credit_notes_confirmed",
    "stock_moves_confirmed",
    "duplicates",
)
TOLD_BY_SETTINGS = {
    "cost_basis": "KHAOS_SWAP_SWAP_COST_BASIS",
    "source_pointer": "KHAOS_SWAP_KHAOS_SOURCE_POINTER",
}


@dataclass(frozen=True)
class Wish:
    """What to play: an invented month by seed and size, or a month of real history; switches of the sandbox.

    ``credit_first``: the merchant credits at once, and the goods follow as adjustments, by ``stock_route`` if any.
    ``packs``: packs are sold too, and a whole one goes to Khaos as its ``header`` or its ``components``.
    With ``stores`` of two the same merchant has an outlet too, whose Swap answers nothing at first.
    """

    returns: int = 500
    seed: int = 1
    history: Path | None = None
    month: str = ""
    switches: tuple[str, ...] = ()
    storefront: bool = False
    goods: bool = False
    packs: str = ""
    credit_first: bool = False
    stock_route: str = ""
    stores: int = 1

    @property
    def down(self) -> str:
        """The store that answers nothing at first."""
        return next(iter(FURTHER_STORES)) if self.stores > 1 else ""

    @property
    def sandbox_arguments(self) -> list[str]:
        """How the sandbox is told."""
        if self.history:
            return ["--history", str(self.history.resolve()), "--month", self.month]
        chosen = {"--storefront": self.storefront, "--goods": self.goods, "--packs": bool(self.packs),
                  "--credit-first": self.credit_first}  # fmt: skip
        more = [option for option, is_chosen in chosen.items() if is_chosen]
        further = ["--further-store", self.down] if self.down else []
        return ["--returns", str(self.returns), "--seed", str(self.seed), *more, *further]

    @property
    def own_settings(self) -> dict[str, str]:
        """What we must be told of the sandbox's choices: no answer of a vendor's shows it."""
        chosen = dict(pair.split("=", 1) for pair in self.switches)
        proof = {"KHAOS_SWAP_REFUND_PROOF": "closed"} if chosen.get("rma_processed") == "none" else {}
        packs = {"KHAOS_SWAP_KHAOS_PACKS_RETURNED_AS": self.packs} if self.packs else {}
        legs = {"KHAOS_SWAP_LEGS_POLICY": "credit_first"} if self.credit_first else {}
        return (
            proof
            | packs
            | legs
            | {variable: chosen[name] for name, variable in TOLD_BY_SETTINGS.items() if name in chosen}
        )

    @property
    def post_from(self) -> date:
        """The day from which refunds are posted."""
        if self.history:
            return datetime.strptime(f"{self.month}-01", "%Y-%m-%d").date()  # noqa: DTZ007
        return month_before(DEFAULT_NOW.date()).replace(day=POST_FROM_DAY)


def month_before(day: date) -> date:
    """The first day of the month before."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def play_once(wish: Wish) -> int:
    """Play, print a summary to stderr and one JSON object to stdout; exits as ``exit_code`` says."""
    environment.forget_outside()
    folder = Path(tempfile.mkdtemp(prefix="khaos-swap-once-"))
    try:
        place = environment.open_place(folder, durable=False)
        env = environment.settings_of(
            place,
            period_start=month_before(wish.post_from),
            post_from=wish.post_from,
            is_live=False,
            storefront=wish.storefront and not wish.history,
        )
        env |= wish.own_settings | (environment.further_store(place) if wish.down else {})
        told = wish.sandbox_arguments
        if wish.stock_route:
            env |= environment.stock_route(wish.stock_route, files := place.folder / "stock-files")
            told += ["--stock-files", str(files)] if wish.stock_route == "file" else []
        os.environ.update(env)
        children = [environment.sandbox(place, told), environment.gateway(place, env)]
        return supervisor.run(
            children, folder=place.folder, stop_last=place.postgres.stop, work=lambda: _play(place, wish), say=_tell
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _play(place: Place, wish: Wish) -> int:
    import dagster as dg

    from khaos_swap_assets import resources
    from khaos_swap_assets.definitions import build
    from khaos_swap_assets.demo.outcome import outcome
    from khaos_swap_assets.demo.rounds import Play

    if wish.switches:
        chosen = dict(pair.split("=", 1) for pair in wish.switches)
        httpx.post(f"{place.sandbox_url}/admin/switches", json=chosen).raise_for_status()
    tools = resources.toolbox_from_environment()
    with dg.DagsterInstance.get() as instance:
        made = build(tools.settings)
        play = Play(place=place, tools=tools, definitions=made, instance=instance, say=_tell, down=wish.down)
        played = play.run()
    ledger, truth = (httpx.get(f"{place.sandbox_url}/admin/{door}", timeout=60).json() for door in ("ledger", "truth"))
    with tools.store() as conn:
        result = outcome(conn, ledger, truth, played, tools.settings.store_names if wish.down else {})
    _summarise(result)
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    return exit_code(wish, result)


def exit_code(wish: Wish, result: dict[str, Any]) -> int:
    """1 where an invariant of the ledger is broken, or what was planted in an invented month is not what was found.

    A real month, or vendors that misbehave by switches, may show more or less than was planted: it is told alone.
    """
    is_exact = not wish.history and not wish.switches
    return int(bool(result["broken_invariants"] or (is_exact and (result["missed"] or result["false_alarms"]))))


def _summarise(result: dict[str, Any]) -> None:
    _tell("")
    for name in SUMMARISED:
        _tell_figure(name.replace("_", " "), result[name], "")
    missed, checks = len(result["missed"]), result["checks"]
    found = f"{missed} planted ones missed" if missed else "planted, all found"
    _tell_figure("exceptions", sum(result["exceptions"].values()), found)
    for name in ("missed", "false_alarms", "broken_invariants"):
        for line in result[name]:
            _tell(f"  {name}: {line}")
    _tell_figure("checks green", checks["passed"], f"{checks['failed']} red (they name real trouble)")
    for name, figures in result.get("by_store", {}).items():
        _tell(
            f"  {name}: {', '.join(f'{figure} {words.replace(chr(95), chr(32))}' for words, figure in figures.items())}"
        )
    _tell_figure("seconds", result["seconds"]["total"], "")


def _tell_figure(name: str, figure: float, remark: str) -> None:
    _tell(f"  {name:<26}{figure:>8}   {remark}".rstrip())


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
