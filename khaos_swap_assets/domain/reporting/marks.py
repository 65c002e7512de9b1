"""Three words with three marks: matched, witnessed, signed.

Belongs here: what each says of a month, and how far it holds. Stays out: which returns these are
(``adapters.store.monthly``). Money is pence of the currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from khaos_swap_assets.domain.money.amounts import format_money

MATCHED, WITNESSED, SIGNED = "= matched", "◉ witnessed", "✎ signed"


@dataclass(frozen=True, slots=True)
class Marked:
    """Of a month's returns in one currency: how many are matched or witnessed, and their refunds."""

    mark: str
    currency: str
    returns: int
    refund_pence: int


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed a month's figures in one currency, on which London day, and what they were."""

    currency: str
    signed_by: str
    signed_on: date
    refund_pence: int
    issued_pence: int

    @property
    def words(self) -> str:
        """The signature for a person."""
        amounts = (format_money(pence, self.currency) for pence in (self.refund_pence, self.issued_pence))
        return "by {} on {}: {} refunded, {} issued".format(self.signed_by, self.signed_on, *amounts)


MEANING = {
    MATCHED: "the Credit Notes come to the refund, or what is left is accounted for",
    WITNESSED: "matched, the note is seen issued in Khaos and the money seen moving in the storefront",
    SIGNED: "a named person put their name under these figures",
}


def mark_rows(marked: Iterable[Marked], signatures: Sequence[Signature]) -> list[dict[str, str | int]]:
    """Each mark with what it means and how far it holds."""
    rows: list[dict[str, str | int]] = [
        {"mark": one.mark, "means": MEANING[one.mark], "returns": one.returns, "holds": _money(one)} for one in marked
    ]
    for words in [one.words for one in signatures] or ["nobody yet"]:
        rows.append({"mark": SIGNED, "means": MEANING[SIGNED], "returns": "", "holds": words})
    return rows


def _money(one: Marked) -> str:
    return format_money(one.refund_pence, one.currency)


def signed_words(signatures: Sequence[Signature]) -> str:
    """Who signed; empty where nobody did."""
    people = " and ".join(sorted({f"{one.signed_by} on {one.signed_on}" for one in signatures}))
    return f"{SIGNED} by {people}" if people else ""
