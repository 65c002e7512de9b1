"""The lines of a draft: what each matched line becomes, to the penny and by where its units went.

Belongs here: the record of a line of a document, and the way to it from a matched line. Stays out: whether there is a
draft at all (``documents.credit_notes``). Source: DESIGN §4.6, FINANCE_RULES U-8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from khaos_swap_assets.domain.goods.dispositions import B_GRADE, DISPOSITIONS, KEPT, WRITTEN_OFF
from khaos_swap_assets.domain.money.amounts import spread, unit_values
from khaos_swap_assets.domain.policy.settlement import Settlement
from khaos_swap_assets.domain.records.matches import MatchedLine
from khaos_swap_assets.domain.records.packs import NO_PACKS, Packs

Policy = Literal["disposition", "credit_first"]


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line of the return document: ``quantity`` units at ``unit_gross_pence`` each, with where the goods went.

    ``disposition`` is empty under the policy ``credit_first``: the document moves no stock, a later leg does. What the
    customer keeps is ``kept`` under either policy.
    """

    product_id: str
    stock_code: str
    quantity: int
    unit_gross_pence: int
    disposition: str

    @property
    def gross_pence(self) -> int:
        """The value of the line."""
        return self.quantity * self.unit_gross_pence

    @property
    def moves_goods(self) -> bool:
        """True where the document itself says where its goods go: kept, B-grade and written off it moves none."""
        return self.disposition not in {"", KEPT, B_GRADE, WRITTEN_OFF}


def pieces(
    settled: Settlement, matches: Mapping[str, MatchedLine], policy: Policy, packs: Packs = NO_PACKS
) -> Iterator[DraftLine]:
    """Rows less what was withheld, packs opened, then the parts on a Stock Code of their own, which move no goods."""
    for line, pence in (share for credit in settled.credits for share in credit.shares):
        for piece in _split(matches[line.product_id], pence, policy):
            yield from _opened(piece, packs)
    for part in settled.parts:
        yield DraftLine(part.outcome, part.stock_code, 1, part.pence, disposition="")


def _split(match: MatchedLine, value_pence: int, policy: Policy) -> Iterator[DraftLine]:
    """Lines of one product row whose pence divide by their quantity, one or two for each disposition."""
    words = [word for word in DISPOSITIONS for _ in range(match.dispositions.get(word, 0))]
    if policy == "credit_first":
        words = [word if word == KEPT else "" for word in words]
        words += [""] * (match.quantity - len(words))
    units = Counter(zip(words, unit_values(value_pence, match.quantity), strict=True))
    for (word, unit_pence), quantity in units.items():
        yield DraftLine(match.product_id, match.stock_code or "", quantity, unit_pence, disposition=word)


def _opened(line: DraftLine, packs: Packs) -> Iterator[DraftLine]:
    """The line, or those of its components: they add up to it, go where it went, and their pence divide too."""
    parts = packs.parts(line.stock_code)
    if not parts:
        yield line
        return
    shares = spread(line.gross_pence, packs.weights(line.stock_code))
    for (code, units), share in zip(parts, shares, strict=True):
        for unit_pence, quantity in Counter(unit_values(share, units * line.quantity)).items():
            yield replace(line, stock_code=code, quantity=quantity, unit_gross_pence=unit_pence)
