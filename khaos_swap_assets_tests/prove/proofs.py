"""The proofs: each shows one claim and returns its figures with ``holds`` and ``faults``.

Belongs here: what is shown and at which sizes. Stays out: how a play is run (``plays``) and how the figures are written
(``__main__``). Plays run one after another: their time is one of the figures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from khaos_swap_assets.sandbox.state import SWAP_SWITCHES
from khaos_swap_assets.sandbox.switches import ALL_SWITCHES, KHAOS_SWITCHES
from khaos_swap_assets_tests.prove.audit_proofs import AUDIT_PROOFS
from khaos_swap_assets_tests.prove.chaos import chaos
from khaos_swap_assets_tests.prove.cluster import CLUSTER_PROOFS
from khaos_swap_assets_tests.prove.flow_page import flow_page
from khaos_swap_assets_tests.prove.gateway_proofs import GATEWAY_PROOFS
from khaos_swap_assets_tests.prove.large_store import large_store
from khaos_swap_assets_tests.prove.note_dialects import note_dialects
from khaos_swap_assets_tests.prove.odd_history import odd_history
from khaos_swap_assets_tests.prove.odd_prices import odd_prices
from khaos_swap_assets_tests.prove.plays import ROOT, Played, faults_of, play
from khaos_swap_assets_tests.prove.tests_at_size import run_tests

SEEDS = range(1, 21)
SIZES = {5: 800, 7: 2_000, 12: 1_200, 16: 500, 20: 2_000}
LONGEST_ONCE_SECONDS = 60
HISTORIES = 2_000
EXAMPLES = 1_000
LAWS = ("reconciliation", "waterfall")
HISTORY = Path("../shared/data/online_retail_2009-12_2010-12.parquet")
MONTHS = ("2009-12", *(f"2010-{month:02d}" for month in range(1, 13)))
UNSEEN = frozenset({"slow_seconds", "retry_after", "kept_shown", "pack_orders", "pack_notes"})
"""Switches that show only beside something else: an armed fault, goods that customers keep, packs that are sold."""

OUTAGES = {
    "Swap answers 500": {"swap_500": -1},
    "Swap answers 429": {"swap_429": -1},
    "Swap's answers are cut off": {"swap_truncated": -1},
    "Khaos answers 500": {"khaos_500": -1},
    "Khaos's answers are cut off": {"khaos_truncated": -1},
}
GOES_ON = frozenset({"Swap's answers are cut off"})
STUMBLES = (
    "swap_page_drift",
    "swap_duplicate",
    "swap_webhook_lost",
    "swap_webhook_repeated",
    "channel_lost_acknowledgement",
    "channel_response_lost",
    "channel_duplicate_pull",
    "channel_specific_ids",
)
"""Faults that must leave no trace: no run fails, nothing is missed, nothing twice."""

Figures = dict[str, Any]


def planted() -> Figures:
    """Every planted trouble is found and nothing else, nothing twice: seeds 1 to 20, from 200 to 2,000 returns."""
    return _all_good(play(returns=size_of(seed), seed=seed) for seed in SEEDS)


def planted_with_the_money() -> Figures:
    """The same with the shop connected: its own trouble too, seeds 1 to 3, 60 and 200 returns."""
    return _all_good(play(returns=returns, seed=seed, storefront=True) for returns in (60, 200) for seed in (1, 2, 3))


def kept_goods() -> Figures:
    """Goods that customers keep, whole returns and mixed, however Swap shows them: seeds 1 to 10 each."""
    ways = SWAP_SWITCHES["kept_shown"]
    wishes = ((way, seed) for way in ways for seed in range(1, 11))
    return _all_good(play(returns=20, seed=seed, goods=True, switches=[f"kept_shown={way}"]) for way, seed in wishes)


def packs() -> Figures:
    """Packs that are sold and come back, whole or in part, however Khaos lists them: seeds 1 to 10, either setting."""
    notes, sales = KHAOS_SWITCHES["pack_notes"], KHAOS_SWITCHES["pack_orders"]
    references, pushes = KHAOS_SWITCHES["note_reference"], KHAOS_SWITCHES["stock_push"]
    wishes = [
        (way, seed, [f"pack_notes={listed}", f"pack_orders={sales[seed % 2]}", f"stock_push={pushes[seed // 2 % 2]}",
                     f"note_reference={references[seed % 3]}"])
        for way in ("header", "components")
        for listed in notes
        for seed in range(1, 11)
    ]  # fmt: skip
    return _all_good(play(returns=20, seed=seed, packs=way, switches=chosen) for way, seed, chosen in wishes)


def credit_first() -> Figures:
    """A merchant who credits first: every unit that lies on no shelf is a task, none else is; seeds 1 to 10."""
    ways: tuple[list[str], ...] = ([], ["stock_moves=issue", "notes_issued=later"])
    wishes = ((seed, ways[seed % 2]) for seed in range(1, 11))
    return _all_good(play(returns=60, seed=seed, credit_first=True, switches=chosen) for seed, chosen in wishes)


def size_of(seed: int) -> int:
    """How many returns a seed is played with: most small, since trouble of each kind is planted at every size."""
    return SIZES.get(seed, 200 + 20 * (seed % 11))


def switches() -> Figures:
    """The same under each value of each switch of the sandbox that is not its default."""
    return _all_good(play(returns=200, seed=1, switches=[choice]) for choice in choices())


def choices() -> list[str]:
    """Every ``name=value`` that differs from the sandbox's default and shows without a fault."""
    return [f"{name}={value}" for name, values in ALL_SWITCHES.items() if name not in UNSEEN for value in values[1:]]


def same_counts() -> Figures:
    """The same seed gives the same counts, twice, under the defaults and under random order."""
    pairs = [[play(returns=200, seed=3, switches=chosen) for _ in range(2)] for chosen in ([], ["sort=random"])]
    differing = [
        f"{first.wish}: {name} differs"
        for first, second in pairs
        for name in first.counts
        if first.counts[name] != second.counts.get(name)
    ]
    return _all_good([one for pair in pairs for one in pair], differing)


def outages() -> Figures:
    """An outage of a vendor in the middle: that run fails red, the next completes it, nothing twice.

    A page of Swap's list that is no whole page is a refused list: that run goes on, incomplete, and the feed is held.
    """
    played = {name: play(returns=200, seed=2, outage=faults) for name, faults in OUTAGES.items()}
    faults = []
    for name, one in played.items():
        failed = 0 if name in GOES_ON else 1
        if one.outage.get("failed_runs") != failed:
            faults.append(f"{name}: {one.outage.get('failed_runs')} runs failed, {failed} were to")
        faults += faults_of(one, failed_runs=failed)
    told = {name: one.outage.get("sensor_said") for name, one in played.items()}
    return _figures(list(played.values()), faults) | {"sensor_said": told}


def stumbles() -> Figures:
    """Small faults of both vendors leave no trace."""
    return _all_good(play(returns=200, seed=2, faults={name: 2}) for name in STUMBLES)


def without_webhooks() -> Figures:
    """With Swap's events switched off the sweep alone ends in the same ledger, postings, gaps and exceptions."""
    heard, deaf = (play(returns=200, seed=3, faults=faults) for faults in ({}, {"swap_webhook_lost": -1}))
    differing = [f"another {name} without webhooks" for name in heard.end if heard.end[name] != deaf.end.get(name)]
    return _all_good([heard, deaf], differing if heard.end else ["the play did not tell its end"])


def once_500() -> Figures:
    """``demo --once`` with 500 returns within a minute."""
    one = play(returns=500, seed=1)
    slow = [f"{one.seconds} s, {LONGEST_ONCE_SECONDS} are allowed"] if one.seconds > LONGEST_ONCE_SECONDS else []
    return _all_good([one], slow) | {"seconds": one.seconds, "seconds_by_stage": one.result.get("seconds")}


def history_months() -> Figures:
    """Every month of the real history runs through; what was found in each."""
    path = (ROOT / HISTORY).resolve()
    if not path.exists():
        return {"holds": None, "faults": [], "skipped": f"{path} is not there"}
    return _all_good(play(history=str(path), month=month) for month in MONTHS)


def random_histories() -> Figures:
    """2,000 random histories of the posting engine keep every invariant; each of its faults is found."""
    done = run_tests("stages/credit_notes/test_histories.py", KHAOS_SWAP_HISTORIES=HISTORIES)
    return {**done, "histories": HISTORIES}


def stock_histories() -> Figures:
    """2,000 random histories of each route of stock: no unit goes in twice, no damaged one among the others."""
    done = run_tests("stages/stock/test_route_histories.py", KHAOS_SWAP_HISTORIES=2 * HISTORIES)
    return {**done, "histories": 2 * HISTORIES}


def laws() -> Figures:
    """The laws of allocating, reconciling and explaining hold for 1,000 examples each; the tests try 50."""
    done = [run_tests(f"domain/test_{name}.py", KHAOS_SWAP_EXAMPLES=EXAMPLES) for name in LAWS]
    faults = [fault for one in done for fault in one["faults"]]
    return {"holds": not faults, "faults": faults, "tests": sum(one["tests"] for one in done), "examples": EXAMPLES}


def benchmarks() -> Figures:
    """Every benchmark reaches its aim."""
    done = subprocess.run([sys.executable, "benchmarks/run.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    faults = [f"{line['benchmark']} misses its aim" for line in lines if not line.get("is_met", True)]
    if done.returncode and not faults:
        faults = done.stderr.strip().splitlines()[-3:]
    return {"holds": not faults, "faults": faults, "lines": lines}


PROOFS: dict[str, Callable[[], Figures]] = {
    proof.__name__: proof
    for proof in (
        once_500,
        switches,
        outages,
        stumbles,
        without_webhooks,
        same_counts,
        history_months,
        odd_history,
        random_histories,
        stock_histories,
        laws,
        odd_prices,
        note_dialects,
        planted,
        planted_with_the_money,
        chaos,
        kept_goods,
        packs,
        credit_first,
        flow_page,
        large_store,
        benchmarks,
        *AUDIT_PROOFS,
        *GATEWAY_PROOFS,
        *CLUSTER_PROOFS,
    )
}


def _all_good(played: Iterable[Played], more: Iterable[str] = ()) -> Figures:
    all_played = list(played)
    return _figures(all_played, [*(line for one in all_played for line in faults_of(one)), *more])


def _figures(played: list[Played], faults: list[str]) -> Figures:
    return {"holds": not faults, "faults": faults, "plays": [one.brief for one in played]}
