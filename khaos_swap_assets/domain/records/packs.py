"""Stock Codes that are sold as a pack of others.

Belongs here: what a pack holds, and when two lists of goods are the same once packs are opened. Stays out: how a pack
is matched or booked. Source: contracts/khaos.md §7.1 (pack links).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from khaos_swap_assets.domain.sums import added

Goods = tuple[tuple[str, int], ...]
PackItem = tuple[str, int, Decimal | None]
"""A component as Khaos pushes it: its stock id, units in one pack, its proportion of the pack's value if told."""


units = added
"""Units by Stock Code, of (Stock Code, units)."""


class CatalogueRow(Protocol):
    """A row of the catalogue; ``pack_components`` are (Stock Code, units), empty where it is no pack."""

    @property
    def stock_code(self) -> str:
        """Its Stock Code."""

    @property
    def pack_components(self) -> Goods:
        """What it holds."""


def goods_of(codes: Iterable[tuple[str, int]]) -> Goods:
    """Goods as sorted (Stock Code, units), each code once."""
    return tuple(sorted(units(codes).items()))


class Packs:
    """The packs of a catalogue; ``weights`` by Stock Code of a pack: how its components share its price."""

    def __init__(self, items: Iterable[CatalogueRow] = (), weights: Mapping[str, Sequence[int]] | None = None) -> None:
        self._parts = {item.stock_code: item.pack_components for item in items if item.pack_components}
        self._weights = weights or {}

    def parts(self, code: str) -> Goods:
        """(Stock Code, units in one pack) of its components; nothing where it is no pack."""
        return self._parts.get(code, ())

    def weights(self, code: str) -> Sequence[int]:
        """How its components share its price, in their order; nothing where nobody can tell."""
        return self._weights.get(code, ())

    def is_unpriced(self, code: str) -> bool:
        """True for a pack of which nobody can tell how its components share its price."""
        return bool(self.parts(code)) and not self.weights(code)

    def opened(self, codes: Iterable[tuple[str, int]]) -> Goods:
        """(Stock Code, units) with the components in place of each pack."""
        return tuple(
            (part, count * quantity) for code, quantity in codes for part, count in self.parts(code) or ((code, 1),)
        )

    def noted(self, lines: Iterable[tuple[str, int]]) -> Goods:
        """The goods of a note, packs opened; components that Khaos lists beside their pack are the pack's own."""
        goods = tuple(lines)
        packs = tuple(line for line in goods if self.parts(line[0]))
        beside, own = units(tuple(line for line in goods if not self.parts(line[0]))), units(self.opened(packs))
        if packs and all(beside[code] >= quantity for code, quantity in own.items()):
            beside.subtract(own)
            goods = (*packs, *((code, quantity) for code, quantity in beside.items() if quantity))
        return self.opened(goods)

    def opened_units(self, noted: Iterable[tuple[str, int]], returned: Iterable[tuple[str, int]]) -> int:
        """Units of the goods, packs opened, where a note holds what was returned only so; else 0."""
        note, goods = tuple(noted), tuple(returned)
        is_opened = units(note) != units(goods) and self.is_of(note, goods)
        return sum(count for _, count in self.opened(goods)) if is_opened else 0

    def is_of(self, noted: Iterable[tuple[str, int]], asked: Iterable[tuple[str, int]]) -> bool:
        """True when a note holds exactly what was asked for, packs closed or opened."""
        note, goods = tuple(noted), tuple(asked)
        return units(note) == units(goods) or units(self.noted(note)) == units(self.opened(goods))

    def share_goods(self, left: Goods, right: Goods) -> bool:
        """True when both hold a Stock Code in common, packs closed or opened."""
        return not self._codes(left).isdisjoint(self._codes(right))

    def _codes(self, goods: Goods) -> set[str]:
        return {code for code, _ in (*goods, *self.opened(goods))}


def weights_of(parts: Goods, proportions: Sequence[Decimal], prices: Mapping[str, int]) -> list[int]:
    """By ``ValueProportion`` where all are told, else by the components' own prices; nothing where neither is known."""
    if len(proportions) == len(parts) and min(proportions, default=Decimal(-1)) >= 0 and sum(proportions) > 0:
        return [int(proportion * 1_000_000) for proportion in proportions]
    own = [prices.get(code, 0) * units for code, units in parts]
    return own if own and min(own) > 0 else []


NO_PACKS = Packs()
