"""What the warehouse found, what the merchant makes of each condition, and where Swap's quality control contradicts it.

Belongs here: the record of a finding, the fates, those of Swap's own words, the rules that no mapping may break, and
Swap's word of a whole return. Stays out: whose decision a mapping is (``policy.decisions``) and counting units
(``goods.dispositions``). A word that nobody mapped is a person's: nothing is guessed. Swap's quality control is of all
units together, and an open set; Missing it says by itself when nobody reported anything for 48 hours.
Source: contracts/swap.md §4, §7.4, contracts/khaos.md §11.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from khaos_swap_assets.domain.records.stock_codes import LONGEST_CODE

APPROVED, NOT_APPROVED, TIMED_OUT = "approved", "notapproved", "missing"


@lru_cache(maxsize=1_000)
def plain(text: str) -> str:
    """A word without case, spaces and hyphens, none of which counts."""
    return "".join(character for character in text.casefold() if character.isalnum())


@dataclass(frozen=True, slots=True)
class FoundUnits:
    """Units of a return by what the warehouse said; ``open``: not looked at, ``other``: B-grade and written off."""

    sellable: int
    damaged: int
    missing: int
    strange: int
    open: int
    other: int = 0


def disputed(quality_control_status: str, found: FoundUnits) -> str:
    """What is wrong, or for a person to read, in Swap's word beside what was found; empty where they agree."""
    word, said = plain(quality_control_status), f"Swap's quality control says {quality_control_status!r}"
    others = found.damaged + found.missing + found.strange
    if word == APPROVED and others:
        return f"{said}, and the warehouse found {_counted(found)}"
    if word == NOT_APPROVED and found.sellable and not (others or found.other or found.open):
        return f"{said}, and the warehouse found every unit sellable"
    is_all_found = not (found.missing or found.open) and bool(found.sellable + others + found.other)
    if word == TIMED_OUT and is_all_found:
        return f"{said}, and the warehouse found {_counted(found)}"
    if found.open and word not in {"", "pending", APPROVED, TIMED_OUT}:
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


Fate = Literal["available", "non_saleable", "b_grade", "written_off", "missing", "wait", "person"]
FATE_WORDS: Mapping[str, str] = {
    "available": "saleable stock",
    "non_saleable": "goods that may not be sold",
    "b_grade": "its B-grade Stock Code",
    "written_off": "written off",
    "missing": "missing",
    "wait": "not looked at yet",
    "person": "a person decides",
}
PENDING, MISSING = "Pending", "Missing"
NOT_HERE = ("missing", "written_off", "person")
DEFAULTS: Mapping[str, Fate] = {
    "Sellable": "available",
    "Damaged": "non_saleable",
    "No-Value": "non_saleable",
    MISSING: "missing",
    PENDING: "wait",
    "B-grade": "person",
    "Wrong-Item": "person",
    "Not Expected": "person",
    "Qty Mismatch": "person",
}
"""Each word of Swap's, and B-grade, where the merchant says nothing of it."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Units of a line (or SKU) that the warehouse found in one condition; ``corrects``: the id whose place it takes."""

    inspection_id: str
    rma: str
    sku: str
    line_item_id: str
    condition: str
    quantity: int
    inspected_at: datetime
    inspected_by: str = ""
    corrects: str = ""

    @property
    def source(self) -> str:
        """Who told it: the file of the warehouse, the bench of the desk, or a system of the warehouse."""
        word = self.inspection_id.partition("-")[0]
        return word if word in ("file", "bench") else ""


@dataclass(frozen=True, slots=True)
class ConditionMap:
    """Fates by plain word; case, spaces and hyphens of a condition do not count."""

    fates: Mapping[str, Fate]

    @classmethod
    def of(cls, given: Mapping[str, Fate]) -> ConditionMap:
        """The defaults with what the merchant says of some words."""
        return cls({plain(word): fate for word, fate in (*DEFAULTS.items(), *given.items())})

    def fate_of(self, condition: str) -> Fate:
        """What becomes of units in this condition."""
        return self.fates.get(plain(condition), "person")


AS_DEFAULT = ConditionMap.of({})


def faults_of(given: Mapping[str, Fate]) -> Iterator[str]:
    """What is wrong with a mapping: words that are one, and goods that could be sold as what they are not."""
    known, seen = {plain(word): word for word in DEFAULTS}, dict[str, str]()
    for word, fate in given.items():
        name = plain(word)
        if not name:
            yield f"{word!r} is no word"
        elif name in seen:
            yield f"{word!r} and {seen[name]!r} are one condition"
        seen[name] = word
        if fate == "available" and name in known and known[name] != "Sellable":
            yield f"{word!r} never goes to the saleable stock"
        if known.get(name) == MISSING and fate not in NOT_HERE:
            yield f"{word!r} units are nowhere: they are missing, written off or a person's"
        if (fate == "wait") != (known.get(name) == PENDING) and (fate, known.get(name)) != ("person", PENDING):
            yield f"{PENDING} alone may wait, or be a person's; {word!r} may not be {fate!r}"


def b_grade_faults(codes: Mapping[str, str], suffix: str) -> Iterator[str]:
    """What is wrong with the B-grade codes of a mapping."""
    for code, graded in codes.items():
        if code == graded:
            yield f"{code!r} cannot be its own B-grade"
    for text in (*codes.values(), suffix):
        if text != text.strip() or "#" in text or len(text) > LONGEST_CODE:
            yield f"{text!r} cannot be (the end of) a Stock Code"
    if "" in codes.values():
        yield "a B-grade code is empty"
