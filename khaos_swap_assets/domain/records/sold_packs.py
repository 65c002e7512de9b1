"""A Sales Order with its packs opened: what each component cost, and what all returns may take back.

Belongs here: the share of a component in the price of its pack, which sold line a returned row is of, and the caps in
units of components. Stays out: what a pack holds (``records.packs``). Money is whole pence of the order's currency.
Source: contracts/khaos.md §7.1, §8.5, FINANCE_RULES U-7, U-8, U-26.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from khaos_swap_assets.domain.money.amounts import spread
from khaos_swap_assets.domain.records.orders import (
    OrderLine,
    SalesOrder,
    UnitClaim,
    caps_of,
    over_refunds,
    over_returns,
    turn_of,
)
from khaos_swap_assets.domain.records.packs import Packs, units
from khaos_swap_assets.domain.sums import added, grouped


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order, or a component of one that sold ``pack``; not ``is_priced`` where its share is not known."""

    line: OrderLine
    pack: str = ""
    is_priced: bool = True

    @property
    def words(self) -> str:
        """It, for a person."""
        return f"line {self.line.line_no}, {f'in pack {self.pack}' if self.pack else 'sold alone'}"


def opened(order: SalesOrder, packs: Packs, codes: Collection[str]) -> list[SoldLine]:
    """The sold lines of these Stock Codes, alone and in packs, whose price their components share by largest remainder.

    Components that Khaos lists beside their pack, at no price, are the pack's own and not sold twice.
    """
    children = units(
        (code, count * line.quantity) for line in order.lines for code, count in packs.parts(line.stock_code)
    )
    found: list[SoldLine] = []
    for line in order.lines:
        if packs.parts(line.stock_code):
            found += (part for part in _parts(line, packs) if part.line.stock_code in codes)
        elif line.stock_code not in codes:
            continue
        elif line.gross_pence or not line.quantity or children[line.stock_code] < line.quantity:
            found.append(SoldLine(line))
        else:
            children[line.stock_code] -= line.quantity
    return found


def _parts(line: OrderLine, packs: Packs) -> Iterator[SoldLine]:
    parts, weights = packs.parts(line.stock_code), packs.weights(line.stock_code)
    shares = spread(line.gross_pence, weights) if weights else [line.gross_pence] * len(parts)
    for (code, count), share in zip(parts, shares, strict=True):
        part = replace(line, stock_code=code, quantity=count * line.quantity, gross_pence=share)
        yield SoldLine(part, line.stock_code, is_priced=bool(weights))


def candidates(order: SalesOrder, packs: Packs, code: str, line_item_id: str) -> list[SoldLine]:
    """The sold lines that a returned row of this Stock Code may be of; the one that its line item names, if any."""
    whole = [SoldLine(line) for line in order.lines if line.stock_code == code] if packs.parts(code) else []
    able = whole or opened(order, packs, {code})
    return [sold for sold in able if line_item_id and sold.line.import_ref == line_item_id] or able


def named_line(order: SalesOrder, stock_code: str, line_item_id: str) -> int:
    """The number of the one sold line of this Stock Code that a returned row names, 0 where it names none."""
    lines = [one for one in order.lines if one.stock_code == stock_code and one.import_ref == line_item_id]
    return lines[0].line_no if line_item_id and len(lines) == 1 else 0


def chosen(able: Sequence[SoldLine], quantity: int, cost_pence: int) -> list[SoldLine]:
    """The one whose price it is exactly; where several or none are, all of them count together."""
    fitting = [sold for sold in able if sold.is_priced and _is_price(sold.line, quantity, cost_pence)]
    return fitting if len(fitting) == 1 else list(able)


def is_one_price(told: Sequence[SoldLine]) -> bool:
    """Whether nobody has to choose between these: one line, or rows of one pack that differ by a penny a unit at most.

    Khaos shows units that have no whole pennies each as rows of two prices (khaos.md §10).
    """
    prices = {one.line.gross_pence // one.line.quantity for one in told if one.line.quantity}
    is_alike = len({one.pack for one in told}) == 1 and bool(prices) and max(prices) - min(prices) <= 1
    return is_alike and all(one.is_priced for one in told)


def _is_price(line: OrderLine, quantity: int, cost_pence: int) -> bool:
    return quantity <= line.quantity and abs(line.gross_pence * quantity - cost_pence * line.quantity) < line.quantity


def over_sold(claims: Sequence[UnitClaim], order: SalesOrder, packs: Packs) -> dict[tuple[str, str], int]:
    """(return id, Stock Code as returned) of each return that takes back more units, or more money, than was sold.

    With the pence beyond what was paid, 0 where only units are too many or the pence are not known. Units are those of
    components. Of goods in packs the money counts together, so that no penny of rounding between them names anybody.
    """
    split = [part for claim in claims for part in _opened_claim(claim, packs)]
    lines = opened(order, packs, {part.stock_code for part in split})
    whole = replace(order, lines=tuple(sold.line for sold in lines))
    pool = {sold.line.stock_code for sold in lines if sold.pack}
    found = dict.fromkeys(over_returns(split, whole.sold), 0)
    found |= over_refunds([claim for claim in split if claim.stock_code not in pool], whole)
    found |= _over_pool([claim for claim in split if claim.stock_code in pool], whole)
    as_returned = grouped(
        ((claim.return_id, part.stock_code), claim.stock_code)
        for claim in claims
        for part in _opened_claim(claim, packs)
    )
    return dict(
        added(
            ((key[0], code), 0 if at else pence)
            for key, pence in found.items()
            for at, code in enumerate(sorted(set(as_returned[key])))
        )
    )


def _opened_claim(claim: UnitClaim, packs: Packs) -> Iterator[UnitClaim]:
    """A claim on a pack as claims on its components; its pence stay together, on the first of them."""
    pence = claim.pence
    for code, count in packs.parts(claim.stock_code) or ((claim.stock_code, 1),):
        yield replace(claim, stock_code=code, quantity=count * claim.quantity, pence=pence)
        pence = 0


def _over_pool(claims: Iterable[UnitClaim], order: SalesOrder) -> dict[tuple[str, str], int]:
    caps = caps_of(order.lines)
    taken: Counter[str] = Counter()
    pence = before = 0
    found: dict[tuple[str, str], int] = {}
    for some in grouped((turn_of(claim)[:3], claim) for claim in sorted(claims, key=turn_of)).values():
        for claim in some:
            taken[claim.stock_code] += claim.quantity
            pence += claim.pence
        allowed = sum(caps[code][min(count, len(caps[code]) - 1)] for code, count in taken.items())
        if pence > allowed + before:
            first, *others = dict.fromkeys((claim.return_id, claim.stock_code) for claim in some)
            found |= {first: pence - allowed - before, **dict.fromkeys(others, 0)}
        before = max(pence - allowed, 0)
    return found
