"""What makes returns that are still to come fail: one cause, however many returns it holds.

Belongs here: the record of a cause, the words about it, and which causes are an exception of data management's own.
Stays out: what a SKU is (``records.stock_codes``), which order a return is about (``records.orders``), and how causes
are found (``adapters.store.return_causes``). Every return that a cause holds has its own exception with its money: that
of a cause has none, so that no penny counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from khaos_swap_assets.domain.exceptions.catalogue import KINDS, Problem
from khaos_swap_assets.domain.money.amounts import count_words
from khaos_swap_assets.domain.records.stock_codes import never_a_stock_code

About = Literal["SKU", "pack", "VAT code", "order", "customer"]
KIND = "code_will_fail"
CODES: Sequence[About] = get_args(About)[:3]
"""What data management corrects; orders and customers have an exception of each return, with an owner of their own."""
SOLD_DAYS = 90
"""So long after its sale a return of it is likely."""
MOST_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnCause:
    """One thing to mend. ``kind`` is that of the catalogue which holds each of its returns, or would.

    ``rmas`` are the first of its open ``returns``, ``sold`` units of it were sold lately, ``listed`` variants carry it.
    """

    about: About
    code: str
    kind: str
    suggestion: str = ""
    returns: int = 0
    rmas: tuple[str, ...] = ()
    sold: int = 0
    listed: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """Which cause it is."""
        return self.about, self.code, self.kind

    @property
    def name(self) -> str:
        """The cause as people name it: a SKU by itself."""
        code = self.code or "(empty)"
        return code if self.about == "SKU" and self.code else f"{self.about} {code}"

    @property
    def owner(self) -> str:
        """Whose turn it is."""
        return KINDS[self.kind].owner

    @property
    def why(self) -> str:
        """What is wrong with it, in a clause."""
        if self.about == "VAT code":
            return "no rate of VAT is known for it, so the VAT of these returns cannot be compared"
        words = KINDS[self.kind].words.replace("sku", "SKU")
        return words + never_a_stock_code(self.code) if self.kind == "sku_unknown" else words

    @property
    def holds(self) -> str:
        """What will fail: the returns by name, units sold, variants listed."""
        more = f" and {self.returns - len(self.rmas)} more" if self.returns > len(self.rmas) else ""
        told = (
            (self.returns, f"{count_words(self.returns, 'open return')} will fail: {', '.join(self.rmas)}{more}"),
            (self.sold, f"{count_words(self.sold, 'unit')} of it sold in the last {SOLD_DAYS} days"),
            (self.listed, f"the shop lists {count_words(self.listed, 'variant')} with it"),
        )
        return "; ".join(words for count, words in told if count)

    @property
    def problem(self) -> Problem:
        """Its exception."""
        sku = self.code if self.about == "SKU" else ""
        return Problem(KIND, self.name, f"{self.holds}. {self.name}: {self.why}", sku=sku, suggestion=self.suggestion)


def problems_of(causes: Sequence[ReturnCause]) -> list[Problem]:
    """The exceptions of those that are a wrong code."""
    return [one.problem for one in causes if one.about in CODES]


def summary(returns: int, causes: Sequence[ReturnCause]) -> str:
    """The whole in a sentence: ``31 open returns will fail, 4 causes: fix A, B``."""
    if not causes:
        return "no open return will fail"
    codes = [one.name for one in causes if one.about in CODES]
    more = f" and {len(codes) - MOST_NAMED} more" if len(codes) > MOST_NAMED else ""
    fix = f": fix {', '.join(codes[:MOST_NAMED])}{more}" if codes else ""
    return f"{count_words(returns, 'open return')} will fail, {count_words(len(causes), 'cause')}{fix}"
