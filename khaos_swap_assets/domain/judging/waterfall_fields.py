"""Fields of a refund that say why it is more or less than its goods, as pieces of legs.

Belongs here: which field speaks for which leg, and which fields together come to an amount exactly. Stays out: the
lines of both sides and the legs (``waterfall``). Money is pence of one currency. Source: contracts/swap.md §7, §8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from khaos_swap_assets.domain.judging.waterfall_facts import RefundFacts

LegName = Literal[
    "goods", "quantity", "tax", "delivery", "discount", "fee", "tender", "exchange", "fx", "rounding", "unexplained"
]

_MOST_FIELDS = 12
_OUTCOMES: dict[LegName, frozenset[str]] = {
    "tender": frozenset({"Store Credit", "Shop Later Credit"}),
    "exchange": frozenset({"Exchange", "Shop Now Credit"}),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Pence of a leg that a field gives evidence for."""

    name: LegName
    pence: int
    evidence: str

    def mirrored(self, *, is_excused: bool) -> Piece:
        """The same on the note's side: it cancels where a note may follow it, else goods were not credited."""
        if is_excused:
            return Piece(self.name, -self.pence, self.evidence)
        return Piece("goods", -self.pence, f"note: without the part of {self.evidence}")


def refund_fields(refund: RefundFacts) -> Iterator[Piece]:
    """What makes the refund differ from its goods, as legs: a fee withheld leaves the credit above the refund."""
    exchange = refund.exchange_pence - refund.additional_payment_pence
    yield Piece("fee", refund.fee_pence, "refund: handling_fee")
    if not refund.fee_pence:
        yield Piece("fee", refund.postage_pence, "refund: postage_fee of its labels")
    yield Piece("tender", refund.gift_card_pence, "refund: gift card")
    yield Piece("tender", refund.store_credit_pence, "refund: store credit value")
    yield Piece("exchange", exchange, "refund: exchange items less additional payment")
    yield from _outcome_fields(
        refund, {"tender": refund.gift_card_pence or refund.store_credit_pence, "exchange": exchange}
    )
    yield Piece("tax", -refund.taxes_on_top_pence, "refund: refunded_non_inclusive_taxes")
    yield Piece("tax", -refund.duties_pence, "refund: refunded_duties")
    yield Piece("fx", -refund.fx_loss_pence, "refund: rate of the refund beside that of the sale")


def mirrored_fields(refund: RefundFacts) -> Iterator[Piece]:
    """The fields as a note may follow them: a fee kept (U-12 A), store credit that nobody decided on (U-13).

    A note is for the whole of the goods where a gift card had paid a part (U-14) and where others went out (U-15);
    goods of one value are exchanged without a note.
    """
    swapped = sum(line.value_pence for line in refund.lines if line.outcome in _OUTCOMES["exchange"])
    is_even = swapped == refund.exchange_pence and not refund.additional_payment_pence
    fields = list(refund_fields(refund))
    whole = {"refund: gift card"} | {piece.evidence for piece in fields if piece.name == "exchange" and not is_even}
    for piece in fields:
        yield piece.mirrored(is_excused=piece.evidence not in whole)


def paid_apart(refund: RefundFacts, fields: Sequence[Piece], pence: int) -> tuple[Piece, ...]:
    """Why the money is not the goods: what Swap says of the refund; only where that fails, that other money moved."""
    unmoved = Piece("goods", refund.unmoved_pence, "refund: the money that moved beside Swap's refund value")
    return accounted(fields, pence) or accounted([unmoved, *fields], pence)


def _outcome_fields(refund: RefundFacts, known: Mapping[str, int]) -> Iterator[Piece]:
    """Lines of another outcome than money, where no field of the header has their value."""
    for name, outcomes in _OUTCOMES.items():
        pence = sum(line.value_pence for line in refund.lines if line.outcome in outcomes)
        if pence != known[name]:
            yield Piece(name, pence, f"refund: lines of outcome {', '.join(sorted(outcomes))}")


def silent_delivery(refund: RefundFacts, delivery: Iterable[Piece]) -> Iterator[Piece]:
    """Refunded delivery, for which Swap has no field (swap.md §8): the note's, or its order's, to the penny."""
    if noted := sum(piece.pence for piece in delivery):
        yield Piece("delivery", -noted, "refund: above its goods by as much")
    else:
        yield Piece("delivery", -refund.order_delivery_pence, "refund: above its goods by the delivery of its order")


def accounted(fields: Sequence[Piece], pence: int, slack: int = 0) -> tuple[Piece, ...]:
    """The fewest fields that come to the pence exactly (else nearest within the slack); none where none do."""
    able = [piece for piece in fields if piece.pence][:_MOST_FIELDS]
    found: tuple[int, tuple[Piece, ...]] | None = None
    for size in range(len(able) + 1):
        for some in combinations(able, size):
            off = abs(pence - sum(piece.pence for piece in some))
            if off == 0:
                return some
            if off <= slack and (found is None or off < found[0]):
                found = (off, some)
    return found[1] if found else ()
