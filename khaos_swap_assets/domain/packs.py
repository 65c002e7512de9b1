"""Stock Codes that are sold as a pack of others.

Belongs here: what a pack holds, and when two lists of goods are the same once packs are opened. Stays out: how a pack
is matched or booked. Source: contracts/khaos.md §7.1 (pack links).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from khaos_swap_assets.domain.matching_evidence import units

Goods = tuple[tuple[str, int], ...]


class Item(Protocol):
    """A row of the catalogue; ``pack_components`` are (Stock Code, units), empty where it is no pack."""

    @property
    def stock_code(self) -> str:
        """Its Stock Code."""

    @property
    def pack_components(self) -> Goods:
        """What it holds."""


class Packs:
    """The packs of a catalogue."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._parts = {item.stock_code: item.pack_components for item in items if item.pack_components}

    def opened(self, codes: Iterable[tuple[str, int]]) -> Goods:
        """(Stock Code, units) with the components in place of each pack."""
        return tuple(part for code, quantity in codes for part in self._of(code, quantity))

    def are_same_opened(self, left: Iterable[tuple[str, int]], right: Iterable[tuple[str, int]]) -> bool:
        """True when both hold the same goods only once packs are opened."""
        noted, returned = tuple(left), tuple(right)
        is_same = units(self.opened(noted)) == units(self.opened(returned))
        return is_same and units(noted) != units(returned)

    def share_goods(self, left: Goods, right: Goods) -> bool:
        """True when both hold a Stock Code in common, packs closed or opened."""
        return not self._codes(left).isdisjoint(self._codes(right))

    def _codes(self, goods: Goods) -> set[str]:
        return {code for code, _ in (*goods, *self.opened(goods))}

    def _of(self, code: str, quantity: int) -> Goods:
        return tuple((part, units * quantity) for part, units in self._parts.get(code, ((code, 1),)))


NO_PACKS = Packs()
