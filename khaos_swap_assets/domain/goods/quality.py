"""Swap's quality control of a whole return, in words, and where it contradicts what the warehouse found.

Belongs here: its words that mean something to us, and the contradictions. Stays out: what a unit becomes
(``goods.dispositions``). Swap's word is of all units together, and an open set; Missing it says by itself when nobody
reported anything for 48 hours. Source: contracts/swap.md §4, §7.4.
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_YET = frozenset({"", "pending"})
APPROVED, NOT_APPROVED, TIMED_OUT = "approved", "notapproved", "missing"


def plain(text: str) -> str:
    """A word without case, spaces and hyphens, none of which counts."""
    return "".join(character for character in text.casefold() if character.isalnum())


@dataclass(frozen=True, slots=True)
class FoundUnits:
    """Units of a whole return by what the warehouse said of them; ``open`` are those that nobody looked at.

    ``other`` are B-grade and written-off units, which a shop may approve or not.
    """

    sellable: int
    damaged: int
    missing: int
    strange: int
    open: int
    other: int = 0


def disputed(quality_control_status: str, found: FoundUnits) -> str:
    """What is wrong between Swap's word about a whole return and what the warehouse found; empty where they agree.

    A word that settles nothing, as long as units are open, is a question too: a person has to read it.
    """
    word, said = plain(quality_control_status), f"Swap's quality control says {quality_control_status!r}"
    others = found.damaged + found.missing + found.strange
    if word == APPROVED and others:
        return f"{said}, and the warehouse found {_counted(found)}"
    if word == NOT_APPROVED and found.sellable and not (others or found.other or found.open):
        return f"{said}, and the warehouse found every unit sellable"
    is_all_found = not (found.missing or found.open) and bool(found.sellable + others + found.other)
    if word == TIMED_OUT and is_all_found:
        return f"{said}, and the warehouse found {_counted(found)}"
    if found.open and word not in {*NOT_YET, APPROVED, TIMED_OUT}:
        return f"{said}, which tells no condition of the {found.open} units that the warehouse has not reported"
    return ""


def is_timed_out(quality_control_status: str) -> bool:
    """True where Swap calls the goods missing, which it does by itself 48 hours after nobody reported anything."""
    return plain(quality_control_status) == TIMED_OUT


def _counted(found: FoundUnits) -> str:
    counts = {
        "sellable": found.sellable,
        "damaged": found.damaged,
        "missing": found.missing,
        "not what was sold": found.strange,
        "B-grade or written off": found.other,
    }
    return ", ".join(f"{units} {word}" for word, units in counts.items() if units)
