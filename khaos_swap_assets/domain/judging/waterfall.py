"""The penny waterfall: why a refund and its Credit Notes differ, leg by leg.

Belongs here: the legs of one pair, each named only with evidence, adding up to the gap exactly. Stays out: which note
belongs to which refund (``linking.passes``, ``linking.attribution``) and what both sides say (``waterfall_facts``).

Every leg is in terms of gap = credited less refunded. A field explains a difference only where it accounts for it to
the penny; what no field accounts for is ``unexplained`` and never spread over others. Money is whole pence of one
currency. Source: FINANCE_RULES U-14 to U-16, U-28, contracts/swap.md §8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from khaos_swap_assets.domain.judging.waterfall_facts import (
    CreditFacts,
    CreditLine,
    LineSums,
    RefundedLine,
    RefundFacts,
    compared_lines,
    sums_of,
)
from khaos_swap_assets.domain.judging.waterfall_fields import (
    LegName,
    Piece,
    accounted,
    mirrored_fields,
    paid_apart,
    refund_fields,
    silent_delivery,
)
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.policy.decisions import NOTHING_DECIDED, CreditNotePolicy
from khaos_swap_assets.domain.sums import grouped

Verdict = Literal["fine", "policy", "error"]

LEGS: tuple[LegName, ...] = get_args(LegName)
_FINE = frozenset({"tender", "exchange", "fx", "rounding"})


@dataclass(frozen=True, slots=True)
class Leg:
    """One cause of a gap: pence of either sign, the fields that say so, and whether it is as it should be."""

    name: LegName
    pence: int
    evidence: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A gap and its legs in the order of ``LEGS``, those of zero left out; they add up to it."""

    gap_pence: int
    legs: tuple[Leg, ...]

    def pence(self, name: LegName) -> int:
        """Pence of one leg, 0 where it has none."""
        return sum(leg.pence for leg in self.legs if leg.name == name)

    @property
    def told(self) -> str:
        """Each leg with the fields that say so, as one text."""
        return "; ".join(f"{leg.name}: {', '.join(leg.evidence)}" for leg in self.legs)

    def explained(self, currency: str) -> str:
        """Each leg with its amount and the fields that say so, for a person."""
        return ", ".join(
            f"{leg.name} {format_money(leg.pence, currency)} ({'; '.join(leg.evidence)})" for leg in self.legs
        )


def explain(refund: RefundFacts, credit: CreditFacts, policy: CreditNotePolicy | None = None) -> Waterfall:
    """Explain the gap between a refund and all its notes, to the penny; a side that is missing is all goods."""
    gap = credit.gross_pence - refund.refund_pence
    if not credit.gross_pence:
        card = Piece("tender", refund.gift_card_pence, "refund: gift card")
        return Waterfall(gap, tuple(_legs([card, Piece("goods", gap - card.pence, "no Credit Note")], policy)))
    pieces = [piece for piece in _pieces(refund, credit, policy or NOTHING_DECIDED) if piece.pence]
    rest = gap - sum(piece.pence for piece in pieces)
    last = Piece("unexplained", rest, "no field accounts for it")
    if not refund.refund_pence:
        last = Piece("goods", rest, "no refund")
    return Waterfall(gap, tuple(_legs([*pieces, last], policy)))


def _legs(pieces: Iterable[Piece], policy: CreditNotePolicy | None) -> Iterator[Leg]:
    by_name = grouped((piece.name, piece) for piece in pieces)
    for name in LEGS:
        own = by_name.get(name, [])
        if pence := sum(piece.pence for piece in own):
            evidence = tuple(dict.fromkeys(piece.evidence for piece in own))
            yield Leg(name, pence, evidence, _verdict(name, pence, policy or NOTHING_DECIDED))


def _verdict(name: LegName, pence: int, policy: CreditNotePolicy) -> Verdict:
    if name == "fee" and pence > 0 and policy.label_fee.choice == "charge_service":
        return "policy"
    return "fine" if name in _FINE else "error"


def _pieces(refund: RefundFacts, credit: CreditFacts, policy: CreditNotePolicy) -> Iterator[Piece]:
    lines = compared_lines(refund, credit)
    fields = list(refund_fields(refund))
    delivery = list(_delivery(credit, policy))
    yield from delivery
    if not lines:
        target = credit.gross_pence - refund.refund_pence - sum(piece.pence for piece in delivery)
        yield from paid_apart(refund, fields, target)
        return
    goods_pence = sum(line.value_pence for line in lines)
    yield from paid_apart(refund, [*fields, *silent_delivery(refund, delivery)], goods_pence - refund.refund_pence)
    is_told = bool(credit.lines) or credit.gross_pence == credit.delivery_pence
    by_line = list(_line_pieces(lines, credit, policy)) if is_told else []
    yield from by_line
    noted = credit.gross_pence - sum(piece.pence for piece in (*delivery, *by_line))
    mirrored = list(mirrored_fields(refund))
    yield from _value_pieces(lines, credit, noted - goods_pence, mirrored, policy)


def _delivery(credit: CreditFacts, policy: CreditNotePolicy) -> Iterator[Piece]:
    code = policy.delivery.stock_code
    yield Piece("delivery", credit.delivery_pence, "note: delivery")
    for line in credit.lines:
        if code and line.stock_code == code:
            yield Piece("delivery", line.gross_pence or 0, f"note: line {code}")


def _line_pieces(lines: Sequence[RefundedLine], credit: CreditFacts, policy: CreditNotePolicy) -> Iterator[Piece]:
    """Codes of one side only, and units more or fewer at the refunded price, as far as that brings values nearer."""
    noted, returned = _both(lines, credit, policy)
    for code in sorted({*noted, *returned}):
        has, asked = noted.get(code), returned.get(code)
        if asked is None and has is not None:
            yield Piece("goods", has.pence or 0, f"note: line {code}, not returned")
        elif has is None and asked is not None:
            yield Piece("goods", -(asked.pence or 0), f"refund: line {code}, not on the note")
        elif has and asked and asked.quantity and has.quantity != asked.quantity:
            apart = (has.pence or 0) - (asked.pence or 0)
            pence = (asked.pence or 0) * (has.quantity - asked.quantity) // asked.quantity
            if has.pence is None or abs(apart - pence) < abs(apart):
                yield Piece("quantity", pence, f"{code}: {has.quantity} on the note, {asked.quantity} returned")


def _both(
    lines: Sequence[RefundedLine], credit: CreditFacts, policy: CreditNotePolicy
) -> tuple[dict[str, LineSums], dict[str, LineSums]]:
    code = policy.delivery.stock_code
    noted = sums_of((one.stock_code, one.quantity, one.gross_pence) for one in credit.lines if one.stock_code != code)
    return noted, sums_of((one.stock_code, one.quantity, one.value_pence) for one in lines)


def _value_pieces(
    lines: Sequence[RefundedLine], credit: CreditFacts, pence: int, mirrored: Sequence[Piece], policy: CreditNotePolicy
) -> Iterator[Piece]:
    """Why the same units are at another value: fields followed, list or net price, rounding, else a price typed."""
    noted, returned = _both(lines, credit, policy)
    slack = sum(map(_rounding_of, credit.lines)) + _shares(noted, returned)
    found = accounted([*mirrored, *_price_fields(lines, credit, noted)], pence, slack)
    yield from found
    rest = pence - sum(piece.pence for piece in found)
    if 0 < abs(rest) <= slack:
        yield Piece("rounding", rest, "prices of a unit in whole pence")
    elif rest and (code := _delivery_of_no_value(credit, policy)):
        yield Piece("delivery", rest, f"note: line {code}, of which Khaos tells no value")
    elif rest and noted:
        yield Piece("goods", rest, _other_price(noted, returned))


def _delivery_of_no_value(credit: CreditFacts, policy: CreditNotePolicy) -> str:
    code = policy.delivery.stock_code
    return code if any(line.stock_code == code and line.gross_pence is None for line in credit.lines) else ""


def _shares(noted: Mapping[str, LineSums], returned: Mapping[str, LineSums]) -> int:
    """A penny for each Stock Code of which only a share is noted, at a price that has no whole penny a unit."""
    both = [(noted[code], asked) for code, asked in returned.items() if code in noted and asked.quantity]
    parts = [asked for has, asked in both if has.quantity != asked.quantity]
    return sum(1 for asked in parts if (asked.pence or 0) % asked.quantity)


def _other_price(noted: Mapping[str, LineSums], returned: Mapping[str, LineSums]) -> str:
    """Which goods stand on the notes at a value that they were not refunded at."""
    strange = [code for code, has in noted.items() if has.pence is None and code not in returned]
    if strange:
        return f"note: line {', '.join(strange)}, not returned"
    told = {code: has.pence for code, has in noted.items() if code in returned}
    apart = [code for code, pence in told.items() if pence not in (None, returned[code].pence)]
    return f"note: price of {', '.join(apart or told or noted)}; refund: cost of the same goods"


def _price_fields(lines: Sequence[RefundedLine], credit: CreditFacts, noted: Mapping[str, LineSums]) -> Iterator[Piece]:
    """What the sale says of prices; the discount of a line that the notes show at what was paid explains nothing."""
    held = [line for line in lines if line.stock_code in noted or not credit.lines]
    paid = sums_of((line.stock_code, line.quantity, line.value_pence) for line in held)
    apart = [line for line in held if noted.get(line.stock_code) != paid[line.stock_code]]
    for line in apart if len(apart) <= 3 else ():
        yield Piece("discount", _discount(line), f"sale: discount of {line.stock_code}")
    if len(apart) != 1:
        yield Piece("discount", sum(map(_discount, apart)), "sale: discount of all lines")
    vat = sum(Amount.of(line.value_pence, line.vat_percent).vat_pence for line in held if line.vat_percent)
    yield Piece("tax", -vat, "sale: VAT rate; the note holds net prices")


def _discount(line: RefundedLine) -> int:
    return max((line.list_pence or 0) - line.value_pence, 0)


def _rounding_of(line: CreditLine) -> int:
    """The most that rounding can move a line: half a penny a unit."""
    is_even = line.gross_pence is not None and line.gross_pence % max(line.quantity, 1) == 0
    return line.quantity // 2 if line.quantity > 1 and is_even else 0
