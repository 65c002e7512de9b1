"""Stock Codes and levels as Khaos writes them.

Belongs here: ``STOCK_ITEMS`` and ``STOCK_STATUS`` documents, the list of changed codes and the list of sites, made
into records. Stays out: calls (``client``) and value spelling (``wire``). Source: contracts/khaos.md §7.1-§7.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from lxml import etree

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos import wire
from khaos_swap_assets.adapters.khaos.envelope import Value
from khaos_swap_assets.adapters.khaos.records import StockLevel
from khaos_swap_assets.adapters.khaos.wire import Rows
from khaos_swap_assets.domain.money.amounts import half_up
from khaos_swap_assets.domain.records.stock_codes import StockCode

_PACK = "3"
_NOT_CONTROLLED = "5"


def read_stock(root: etree._Element | None) -> Rows[StockCode]:
    """Every item of a ``STOCK_ITEMS`` document, children of a parent beside it; the last of equal codes wins."""
    elements = [] if root is None else list(_items(root))
    rows, faults = wire.read_rows(elements, _stock_code, "STOCK_CODE", "STOCK_ID")
    return list({row.stock_code: row for row in rows}.values()), faults


def _items(root: etree._Element) -> Iterator[etree._Element]:
    """Items in document order: a parent, then its leaves, which inherit what they leave out."""
    for item in root.iterfind("STOCK_ITEM"):
        yield item
        for child in item.iterfind("SCS//SCS_ITEM"):
            yield _inheriting(child, item)


def _inheriting(child: etree._Element, parent: etree._Element) -> etree._Element:
    for tag in ("DISCONTINUED", "RUN_TO_ZERO", "VAT_RATE"):
        if child.find(tag) is None and (found := parent.find(tag)) is not None:
            etree.SubElement(child, tag).text = found.text
    for tag in ("SELL_PRICE", "BUY_PRICE"):
        own, above = child.find(tag), parent.find(tag)
        if own is not None and above is not None and own.get("IS_NET") is None and above.get("IS_NET") is not None:
            own.set("IS_NET", above.get("IS_NET", ""))
    return child


def _stock_code(item: etree._Element) -> StockCode:
    return StockCode(
        stock_code=wire.code(item, "STOCK_CODE"),
        stock_id=wire.required(item, "STOCK_ID"),
        description=wire.words(item, "STOCK_DESC") or wire.words(item, "DESCRIPTION"),
        other_ref=wire.text(item, "ASSOCIATED_REF"),
        barcodes=tuple(dict.fromkeys(code for code in map(_own_text, item.iterfind("BARCODES/BARCODE")) if code)),
        is_discontinued=wire.flag(item, "DISCONTINUED"),
        is_stock_controlled=wire.flag(item, "STOCK_CONTROLLED", default=True),
        pack_components=tuple(_component(link) for link in _links(item) if wire.text(link, "LINK_TYPE") == _PACK),
        sell_pence=_pence(item, "SELL_PRICE", is_net=False),
        buy_pence=_pence(item, "BUY_PRICE", is_net=True),
        is_run_to_zero=wire.flag(item, "RUN_TO_ZERO"),
        variants=tuple(wire.code(leaf, "STOCK_CODE") for leaf in item.iterfind("SCS//SCS_ITEM")),
    )


def _pence(item: etree._Element, tag: str, *, is_net: bool) -> int | None:
    """A price without or with VAT; one that cannot be read tells nothing, and never holds the item."""
    price = item.find(tag)
    try:
        value, rate = wire.number(item, tag), wire.number(item, "VAT_RATE")
    except ValueError:
        return None
    if price is None or value is None or value <= 0:
        return None
    is_given_net = (price.get("IS_NET") or "0").strip() == "-1"
    if is_given_net == is_net:
        return half_up(*(Fraction(value) * 100).as_integer_ratio())
    if rate is None:
        return None
    gross = 100 + Fraction(rate)
    return half_up(*(Fraction(value) * (10_000 / gross if is_net else gross)).as_integer_ratio())


def _own_text(element: etree._Element) -> str:
    return texts.key((element.text or "").strip())


def _links(item: etree._Element) -> Iterator[etree._Element]:
    return item.iterfind("LINKED_ITEMS/LINK_ITEM")


def _component(link: etree._Element) -> tuple[str, int]:
    return wire.code(link, "STOCK_CODE"), wire.quantity(link, "LINK_VALUE")


def read_levels(root: etree._Element | None, site_id: int) -> Rows[StockLevel]:
    """Levels of the stock-controlled items of a ``STOCK_STATUS`` document, all of site ``site_id``."""
    items = [] if root is None else [item for item in root.iterfind("STOCK_ITEM") if _is_controlled(item)]
    return wire.read_rows(items, lambda item: _level(item, site_id), "@CODE", "@ID")


def _is_controlled(item: etree._Element) -> bool:
    return wire.words(item, "STATUS") != _NOT_CONTROLLED


def _level(item: etree._Element, site_id: int) -> StockLevel:
    return StockLevel(wire.code(item, "@CODE"), site_id, wire.quantity(item, "LEVEL"))


def changed_codes(value: Value) -> list[str]:
    """Codes of a ``GetStockList`` or ``ImportStockStatus`` answer, each once.

    Raises ``PermanentError`` when it is shorter than it says.
    """
    codes = [str(row.get("StockCode", "")) for row in listed(value, "GetStockList")]
    return list(dict.fromkeys(code for code in codes if code.strip()))


def sites(value: Value) -> dict[int, str]:
    """Site names by id, of a ``GetSiteList`` answer. Raises ``PermanentError`` when it is not as promised."""
    try:
        return {
            wire.to_quantity(str(row["SiteID"])): texts.words(str(row.get("SiteName", "")))
            for row in listed(value, "GetSiteList")
        }
    except (KeyError, ValueError):
        raise PermanentError("GetSiteList: a site has no usable id") from None


def listed(value: Value, method: str) -> list[dict[str, Value]]:
    """The structs under ``List``; raises ``PermanentError`` when they are not as many as ``Count`` says."""
    rows = value.get("List", "") if isinstance(value, dict) else value
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    count = value.get("Count", "") if isinstance(value, dict) else ""
    if isinstance(rows, str) and rows.strip():
        raise PermanentError(f"{method}: the answer holds no list")
    if isinstance(count, str) and count.strip() not in ("", str(len(found))):
        raise PermanentError(f"{method}: the answer says {count.strip()} rows and holds {len(found)}")
    return found
