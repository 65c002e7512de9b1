"""Amounts of Swap's raw JSON beside the refund: goods sent in exchange, taxes and duties on top, fees of labels.

Belongs here: reading them as whole pence, none negative. Stays out: the refund and its rows (``wire``). What is missing
or cannot be read explains nothing, so that it never holds a return by itself. Source: contracts/swap.md §2.4, §2.5, §8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from khaos_swap_assets.adapters.swap.values import MOST_PENCE, without_noise
from khaos_swap_assets.domain.money.amounts import to_pence

TAXES_ON_TOP, DUTIES_ON_TOP = "refunded_non_inclusive_taxes", "refunded_non_inclusive_duties"
DUTIES = "refunded_duties"


@dataclass(frozen=True, slots=True)
class Extras:
    """Pence of one return: value of its exchange items less their discount, and what was refunded on top.

    ``duties_pence`` are all duties, ``duties_on_top_pence`` those beside the prices;
    ``postage_pence`` is the fee of all its labels.
    """

    exchange_pence: int = 0
    taxes_on_top_pence: int = 0
    duties_pence: int = 0
    duties_on_top_pence: int = 0
    postage_pence: int = 0


def read_extras(raw: Mapping[str, Any], currency: str) -> Extras:
    """The extras of a return as Swap sent it, or of those of its members alone that hold them."""
    products = _rows(raw.get("products"))
    return Extras(
        exchange_pence=_sum(_exchanged(item, currency) for item in _rows(raw.get("exchange_items"))),
        taxes_on_top_pence=_sum(_pence(product.get(TAXES_ON_TOP), currency) for product in products),
        duties_pence=_sum(_pence(product.get(DUTIES), currency) for product in products),
        duties_on_top_pence=_sum(_pence(product.get(DUTIES_ON_TOP), currency) for product in products),
        postage_pence=_sum(_pence(label.get("postage_fee"), currency) for label in _rows(raw.get("return_shipments"))),
    )


def _sum(amounts: Iterable[int]) -> int:
    """Their sum; one that no return can have explains nothing."""
    total = sum(amounts)
    return total if abs(total) < MOST_PENCE else 0


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _exchanged(item: Mapping[str, Any], currency: str) -> int:
    quantity = item.get("quantity")
    if not isinstance(quantity, int):
        return 0
    return _pence(item.get("price"), currency) * quantity - _pence(item.get("discount"), currency)


def _pence(value: Any, currency: str) -> int:
    try:
        return max(to_pence(without_noise(value), currency), 0)
    except (ValueError, TypeError):
        return 0
