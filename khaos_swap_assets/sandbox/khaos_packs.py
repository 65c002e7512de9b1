"""What the sandbox's Khaos makes of packs: how orders and notes list them, and what they hold.

Belongs here: the switches of contracts/khaos.md §7.1, whose behaviour is unknown, and opening a pack. Stays out: which
packs a month sells and which come back (``pack_stories``). ``goods`` are (Stock Code, units).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from khaos_swap_assets.sandbox.world import Note, NoteLine, Order, StockItem, WorldLine

SWITCHES: Mapping[str, tuple[str, ...]] = {
    "pack_orders": ("header", "with_parts"),
    "pack_notes": ("header", "with_parts", "parts"),
}
"""A pack is listed by itself, with its components beside it at no price, or by its components alone."""

Goods = Iterable[tuple[str, int]]
Items = Mapping[str, StockItem]


def is_pack(items: Items, code: str) -> bool:
    """Whether a Stock Code is a pack."""
    return code in items and bool(items[code].parts)


def opened(items: Items, goods: Goods) -> Iterator[tuple[str, int]]:
    """The goods with the components in place of each pack."""
    for code, units in goods:
        parts = items[code].parts if code in items else []
        yield from [(part.stock_code, part.quantity * units) for part in parts] or [(code, units)]


def sold_lines(items: Items, order: Order, way: str) -> list[WorldLine]:
    """The lines of an order as Khaos lists them."""
    found: list[WorldLine] = []
    for line in order.lines:
        found.append(line)
        if way == "with_parts" and is_pack(items, line.stock_code):
            inside = opened(items, [(line.stock_code, line.quantity)])
            found += [
                WorldLine(stock_code=code, quantity=units, gross_pence=0, vat_percent=line.vat_percent, line_item_id="")
                for code, units in inside
            ]
    return found


def note_lines(items: Items, note: Note, way: str) -> list[NoteLine]:
    """The lines of a note as Khaos lists them; by its components alone, the first carries the price of a pack."""
    found: list[NoteLine] = []
    for line in note.lines:
        is_opened = way != "header" and is_pack(items, line.stock_code)
        if not is_opened or way == "with_parts":
            found.append(line)
        if is_opened:
            inside = list(opened(items, [(line.stock_code, line.quantity)]))
            rows = [replace(line, stock_code=code, quantity=n, gross_pence=0, net_pence=0) for code, n in inside]
            if way == "parts":
                rows[0] = replace(rows[0], gross_pence=line.gross_pence, net_pence=line.net_pence)
            found += rows
    return found


def shares(total_pence: int, weights: Sequence[int]) -> list[int]:
    """What each component costs of its pack: pennies left over go to the largest remainders, the earlier first."""
    whole = sum(weights)
    found = [total_pence * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: (-(total_pence * weights[at] % whole), at))
    for at in order[: total_pence - sum(found)]:
        found[at] += 1
    return found
