"""What the warehouse found, and what the merchant makes of each condition in which goods come back: one fate a word.

Belongs here: the record of a finding, the fates, those of Swap's own words, and the rules that no mapping may break.
Stays out: whose decision a mapping is (``policy.decisions``) and counting units (``goods.dispositions``). A word that
nobody mapped is a person's: nothing is guessed. Source: contracts/swap.md §4, contracts/khaos.md §11.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from khaos_swap_assets.domain.goods.quality import plain

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
SELLABLE_WORD = "Sellable"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the warehouse found: ``quantity`` units of one line (or of a SKU) in one condition.

    ``corrects`` is the id of the inspection whose place it takes; empty where it takes none.
    """

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
        if fate == "available" and name in known and known[name] != SELLABLE_WORD:
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


LONGEST_CODE = 50
