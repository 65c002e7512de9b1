"""Bodies that the Khaos channel pushes to us: Stock Codes, levels and order states.

Belongs here: ``StockUpload`` and ``StockStatusUpload`` made into records, each unreadable row into a fault; a body that
is unreadable as a whole is a fault of its kind of push. Stays out: receiving them (``gateway``) and what follows from
them (``stages``). Source: contracts/khaos.md §8.4-§8.6.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeVar

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.adapters.khaos import wire
from khaos_swap_assets.adapters.khaos.records import StockLevel
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault, Rows
from khaos_swap_assets.domain.money.amounts import half_up
from khaos_swap_assets.domain.records.packs import PackItem
from khaos_swap_assets.domain.records.stock_codes import StockCode

TOO_LONG = "no item has an id of this length"
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PushedStock:
    """Items of one push, ids of items that Khaos deleted, and rows that could not be read.

    ``packs`` by the id of the pack: (id of the component, units, its proportion of the value); a pack that a push does
    not tell of stays as it is known (khaos.md §8.5).
    """

    items: list[StockCode]
    deleted_ids: list[str]
    faults: list[KhaosRowFault]
    packs: dict[str, tuple[PackItem, ...]] = field(default_factory=dict)


def read_stock_push(body: Mapping[str, Any]) -> PushedStock:
    """Read a ``StockUpload``."""
    items, faults = _read(body, "StockUpload", "Items", _item)
    deleted = body.get("Deleted")
    given = [str(one) for one in deleted if isinstance(one, str | int)] if isinstance(deleted, list) else []
    faults += [KhaosRowFault(texts.subject(one), TOO_LONG) for one in given if len(one) > texts.LONGEST_KEY]
    packs, unread = _packs(body)
    ids = [one for one in given if len(one) <= texts.LONGEST_KEY]
    return PushedStock(items, ids, [*faults, *unread], packs)


def _packs(body: Mapping[str, Any]) -> tuple[dict[str, tuple[PackItem, ...]], list[KhaosRowFault]]:
    """Packs of the relationships, which stand beside the items or within one; "None" is a pack no longer."""
    items = _listed(body.get("Items"))
    nested = [(one, item.get("StockID")) for item in items for one in _listed(item.get("Relationships"))]
    packs: dict[str, tuple[PackItem, ...]] = {}
    faults: list[KhaosRowFault] = []
    for raw, owner in [*((one, None) for one in _listed(body.get("Relationships"))), *nested]:
        if "PackItems" not in raw and raw.get("PackType") != "None":
            continue
        try:
            key = _required({"StockID": raw.get("StockID") or owner}, "StockID")
            parts = raw.get("PackItems") or []
            if not isinstance(parts, list):
                raise ValueError("PackItems: is no list")
            packs[key] = tuple(_pack_item(_object(one, "PackItems")) for one in parts)
        except (ValueError, ArithmeticError) as error:
            faults.append(KhaosRowFault(texts.subject(f"pack {_said(raw.get('StockID') or owner)}"), str(error)))
    return packs, faults


def _listed(value: object) -> list[Mapping[str, Any]]:
    found = value if isinstance(value, list) else [value]
    return [one for one in found if isinstance(one, Mapping)]


def _pack_item(raw: Mapping[str, Any]) -> PackItem:
    proportion = _text(raw.get("ValueProportion"))
    units = wire.to_quantity(_required(raw, "Quantity"))
    if units < 1:
        raise ValueError("Quantity: a component of no unit")
    return _required(raw, "LinkedStockID"), units, wire.to_decimal(proportion) if proportion.strip() else None


def _pence(raw: Mapping[str, Any], name: str, side: Literal["Gross", "Net"]) -> int | None:
    """One side of a price; the other tells nothing, since no rate is pushed."""
    price = raw.get(name)
    try:
        value = wire.to_decimal(_text(price.get(side))) if isinstance(price, Mapping) else None
    except ValueError:
        return None
    return half_up(*(Fraction(value) * 100).as_integer_ratio()) if value is not None and value > 0 else None


def read_level_push(body: Mapping[str, Any]) -> Rows[StockLevel]:
    """Read a ``StockStatusUpload``; an item without a level is not stock controlled and says nothing."""
    levels, faults = _read(body, "StockStatusUpload", "Statuses", _level)
    return [level for level in levels if level is not None], faults


def order_push_faults(body: Mapping[str, Any]) -> list[KhaosRowFault]:
    """What is wrong with an ``OrderStatusUpload`` as a whole; its rows only say that an order is worth reading."""
    return _read(body, "OrderStatusUpload", "Statuses", lambda _: None)[1]


def _read(body: Mapping[str, Any], event: str, member: str, parse: Callable[[Mapping[str, Any]], Row]) -> Rows[Row]:
    found = body.get(member)
    if not isinstance(found, list):
        return [], [KhaosRowFault(event, f"the push holds no list {member}")]
    rows: list[Row] = []
    faults: list[KhaosRowFault] = []
    for raw in found:
        try:
            rows.append(parse(_object(raw, member)))
        except (ValueError, ArithmeticError) as error:
            faults.append(KhaosRowFault(_subject(raw), str(error)))
    return rows, faults


def _item(raw: Mapping[str, Any]) -> StockCode:
    options = _object(raw.get("Options") or {}, "Options")
    barcodes = raw.get("Barcodes")
    if not isinstance(barcodes, list | None):
        raise ValueError("Barcodes: is no list")
    found = [_text(one.get("Barcode")).strip() for one in barcodes or () if isinstance(one, Mapping)]
    return StockCode(
        stock_code=_required(raw, "StockCode"),
        stock_id=_required(raw, "StockID"),
        description=texts.words(_said(raw.get("ShortDescription") or raw.get("StockDescription"))),
        other_ref=_text(raw.get("OtherRef")).strip(),
        barcodes=tuple(dict.fromkeys(code for code in found if code)),
        is_discontinued=_flag(options, "Discontinued", otherwise=False),
        is_stock_controlled=_flag(options, "StockControlled", otherwise=True),
        sell_pence=_pence(raw, "SellPrice", "Gross"),
        buy_pence=_pence(raw, "BuyPrice", "Net"),
        is_run_to_zero=_flag(options, "RunToZero", otherwise=False),
    )


def _level(raw: Mapping[str, Any]) -> StockLevel | None:
    levels, potential = (_object(raw.get(name) or {}, name) for name in ("Levels", "RelationshipPotential"))
    available = levels.get("Available", potential.get("FromChildren"))
    code, site = _required(raw, "StockCode"), _required(raw, "SiteID")
    if available is None:
        return None
    return StockLevel(code, wire.to_quantity(site), wire.to_quantity(_text(available)))


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: is no object")
    return value


def _required(raw: Mapping[str, Any], name: str) -> str:
    found = _text(raw.get(name))
    if not found.strip():
        raise ValueError(f"{name} is missing")
    return found


def _text(value: object) -> str:
    """Text as it is; a number as its digits. Raises ``ValueError`` for what is too long for a code, or damaged."""
    return texts.key(_said(value))


def _said(value: object) -> str:
    return "" if value is None or isinstance(value, bool | list | Mapping) else str(value)


def _flag(raw: Mapping[str, Any], name: str, *, otherwise: bool) -> bool:
    value = raw.get(name)
    return otherwise if value is None else wire.to_bool(str(value))


def _subject(raw: object) -> str:
    named = texts.subject(_said(raw.get("StockCode"))) if isinstance(raw, Mapping) else ""
    return named if named.strip() else f"push {_hash(raw)}"


def _hash(raw: object) -> str:
    return hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:16]
