"""What of Swap proves that a closed return was paid, and what its closed returns carry of that.

Belongs here: the rule by which closing dates a refund, and the numbers on which it is chosen. Stays out: how Swap
spells the marker (``adapters.swap``), money that a storefront shows (``refunds.money_shown``), and when a return
without proof is trouble (``judging.money_conditions``).
Source: contracts/swap.md §2.3, §7.2, §14, FINANCE_RULES U-1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from khaos_swap_assets.domain.records.returns import Return

Rule = Literal["processed", "closed"]
WORDS = ("Yes", "True", "Processed")
NUMBERS_DAYS = 90
SETTING = "KHAOS_SWAP_REFUND_PROOF"
CLOSED_IN_FORCE = (
    f"`{SETTING}=closed` is in force: where Swap says neither that a return was processed nor that it was not, the "
    "date on which it was closed counts as the refund, also where staff closed it without paying."
)


@dataclass(frozen=True, slots=True)
class Proof:
    """``words`` of the marker prove a payment, whatever their case; ``by`` says whether an empty one does too."""

    by: Rule = "processed"
    words: tuple[str, ...] = WORDS

    @property
    def told(self) -> str:
        """The rule in one line, the same for rules that say the same."""
        return f"{self.by}: {', '.join(sorted({word.casefold() for word in self.words}))}"

    def dates_by_closing(self, word: str) -> bool:
        """True where the day of closing is the day of the refund, by what stands in the marker in place of a date."""
        return word.casefold() in {one.casefold() for one in self.words} if word else self.by == "closed"

    def on(self, return_: Return) -> Return:
        """The return as this rule sees it."""
        return replace(return_, is_closing_proof=self.dates_by_closing(return_.processed_word))


@dataclass(frozen=True, slots=True)
class Carried:
    """What closed returns with a value carry: a date of processing, which words (with their count), or nothing."""

    dated: int = 0
    words: Mapping[str, int] = field(default_factory=dict)
    empty: int = 0

    @property
    def closed(self) -> int:
        """All of them."""
        return self.dated + sum(self.words.values()) + self.empty

    def unproven(self, proof: Proof) -> int:
        """How many of them a rule takes as not paid."""
        words = sum(count for word, count in self.words.items() if not proof.dates_by_closing(word))
        return words + (0 if proof.dates_by_closing("") else self.empty)

    def advice(self, proof: Proof) -> str:
        """What the numbers say against the rule in force; empty where they agree with it."""
        is_filled = self.closed > self.empty
        if proof.by == "closed" and is_filled and self.empty:
            return f"this Swap fills the field, so those with nothing may never have been paid: set {SETTING}=processed"
        if proof.by == "processed" and self.closed and not is_filled:
            return f"none is proven; only if this Swap never fills the field, {SETTING}=closed takes each as paid"
        strange = ", ".join(repr(word) for word in sorted(self.words) if not proof.dates_by_closing(word))
        return f"{strange}: no proof; {SETTING}_WORDS lists the words that are" if strange else ""

    def __str__(self) -> str:
        words = "".join(f", {count} the word {word!r}" for word, count in sorted(self.words.items()))
        dated = f"{self.dated} carry a date of processing"
        return f"of {self.closed} closed returns with a value {dated}{words}, {self.empty} nothing"


def carried(returns: Iterable[Return]) -> Carried:
    """Count what those of the returns carry that are closed with a value."""
    closed = [one for one in returns if one.is_closed_with_value]
    words = Counter(one.processed_word for one in closed if not one.processed_at)
    empty = words.pop("", 0)
    return Carried(len(closed) - words.total() - empty, dict(words), empty)
