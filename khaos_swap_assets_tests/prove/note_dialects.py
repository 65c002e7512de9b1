"""Every way in which Khaos may show its Credit Notes: items in the list, by code, or in no way; our reference or not.

Belongs here: the plays of the matrix and what each must not be. Stays out: how a play is run (``plays``).
"""

from __future__ import annotations

from itertools import product
from typing import Any

from khaos_swap_assets.sandbox.switches import KHAOS_SWITCHES
from khaos_swap_assets_tests.prove.plays import Played, faults_of, play

SEEDS = range(1, 11)
RETURNS = 60
Figures = dict[str, Any]


def note_dialects() -> Figures:
    """Each way of items x reference, seeds 1 to 10: nothing undue, doubled, missed or falsely alarmed.

    With items by either way every clean return is credited and confirmed without a person.
    """
    ways = product(KHAOS_SWITCHES["note_items"], KHAOS_SWITCHES["note_reference"])
    return together([one_dialect(items, shown, seed) for items, shown in ways for seed in SEEDS])


def one_dialect(items: str, shown: str, seed: int) -> Played:
    """One play; its switches name the dialect."""
    return play(returns=RETURNS, seed=seed, switches=[f"note_items={items}", f"note_reference={shown}"])


def together(played: list[Played]) -> Figures:
    """The figures of all plays and whether the claim holds."""
    faults = [fault for one in played for fault in dialect_faults(one)]
    told = [{**one.brief, "clean": one.result.get("clean")} for one in played]
    return {"holds": not faults, "faults": faults, "plays": told}


def dialect_faults(played: Played) -> list[str]:
    """What is wrong with a play.

    Where no items are shown a gap that only they explain may stay unexplained, and a person may be asked about one in
    four; else every clean return is settled without one.
    """
    clean, found = played.result.get("clean", {"due": 0, "settled": 0}), faults_of(played)
    needed = clean["due"]
    if "note_items=none" in played.wish["switches"]:
        found, needed = [fault for fault in found if ": unexplained: " not in fault], needed * 3 / 4
    is_touched = clean["settled"] < needed or not clean["due"]
    return found + [f"{played.wish}: {clean['settled']} of {clean['due']} clean returns are settled"] * is_touched
