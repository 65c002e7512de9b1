"""Stock Codes, and which one a SKU is.

Belongs here: the record of a Stock Code, the exact match of a SKU, and suggestions for a person. Stays out: reading
the catalogue. Only an exact match acts; a suggestion never posts. Source: contracts/khaos.md §7.1, DESIGN §7.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StockCode:
    """One catalogue item: ``stock_code`` may be renamed in Khaos, ``stock_id`` never is (khaos.md §3)."""

    stock_code: str
    stock_id: str
    description: str = ""
    other_ref: str = ""
    barcodes: tuple[str, ...] = ()
    is_discontinued: bool = False
    is_stock_controlled: bool = True
    pack_components: tuple[tuple[str, int], ...] = ()
