"""Returns of a large JSON text in which nothing is odd, as columns: paid on a day, for goods alone, in one currency.

Belongs here: telling them, and their columns. Stays out: what a field means (``adapters.swap.wire`` and ``values``, by
which each different value is read once), any other return (``returns_file``), and what they are beside their Credit
Notes (``in_step``). Money is minor units of the return's currency, days are London's as ordinals.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import chain, compress, repeat
from typing import Any
from zoneinfo import ZoneInfo

from khaos_swap_assets.adapters.settings import SwapSettings
from khaos_swap_assets.adapters.swap.dates import NOTHING
from khaos_swap_assets.adapters.swap.extras import Extras, read_extras
from khaos_swap_assets.adapters.swap.values import JsonRow
from khaos_swap_assets.adapters.swap.wire import REFUND_VALUE, STORE_CREDIT_VALUE, parse_line, parse_return
from khaos_swap_assets.audit.returns_json import Element
from khaos_swap_assets.audit.returns_table import V1_HOOK_NAMES, V1_NAMES
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.returns import CLOSED, PROCESSED, REFUND

NAMES, FURTHER_NAMES = ("return_id", "rma_number", "shopify_order_name"), ("order_id", "shopify_return_id")
DAYS = (
    *(PROCESSED, "date_created"),
    *("date_updated", "date_closed", "delivered_date", "submission_date", "submitted_at"),
)
REPEATED = (
    *("return_status", "customer_currency", "store_id", "delivery_status", "quality_control_status", "type_string"),
    *(STORE_CREDIT_VALUE, "total_additional_payment", "handling_fee"),
)
"""Fields that say the same on many returns."""
OF_LINE = (
    *("item_count", "cost", "currency", "return_type"),
    *("refunded_non_inclusive_taxes", "refunded_non_inclusive_duties", "refunded_duties"),
)
NAMES_OF_LINE = ("product_id", "sku", "shopify_line_item_id")
SAID = frozenset({str, type(None)})
OTHER_NAMES = frozenset({*V1_NAMES, *V1_HOOK_NAMES})
MOST_KNOWN, MOST_LINES = 200_000, 100
SETTINGS = SwapSettings.model_construct()
ZONE = ZoneInfo(SETTINGS.date_zone)
_TEXT = r"[!-~](?:[ -~]{0,98}[!-~])?"
_NAMES = re.compile("\n".join([_TEXT] * 5), re.ASCII)
_TEXTS = re.compile(f"{_TEXT}(?:\n{_TEXT})*", re.ASCII)


class OddError(ValueError):
    """A return that needs a closer look."""


class PlainReturns:
    """Columns: of each return its number in the file, its line, its place in the text …; ``skus`` and on are of lines.

    ``codes`` gives the place of each SKU, ``counts`` how many lines a return has.
    """

    def __init__(self) -> None:
        self.numbers, self.at_lines, self.places, self.pence = (array("q") for _ in range(4))
        self.paid_on, self.opened_on, self.counts = (array("q") for _ in range(3))
        self.ids, self.rmas, self.orders, self.currencies = (list[str]() for _ in range(4))
        self.skus, self.units, self.costs = self._lines = tuple(array("q") for _ in range(3))
        self.codes: dict[str, int] = {}
        places, names = (self.numbers, self.at_lines, self.places), (self.ids, self.rmas, self.orders, self.currencies)
        self._heads: tuple[Any, ...] = (*places, *names, self.pence, self.paid_on, self.opened_on, self.counts)

    def __len__(self) -> int:
        return len(self.ids)

    def once(self, others: Collection[str]) -> tuple[PlainReturns, list[tuple[int, int, int]]]:
        """Those of an id that no other return has, and number, line and place of the rest."""
        counts = Counter(self.ids)
        is_one = [counts[one] == 1 and one not in others for one in self.ids]
        if all(is_one):
            return self, []
        found, of_lines = PlainReturns(), list(chain.from_iterable(map(repeat, is_one, self.counts)))
        found.codes = self.codes
        for kept, columns, own in ((is_one, self._heads, found._heads), (of_lines, self._lines, found._lines)):
            for column, one in zip(columns, own, strict=True):
                one.extend(compress(column, kept))
        rest = zip(self.numbers, self.at_lines, self.places, strict=True)
        return found, [places for places, is_kept in zip(rest, is_one, strict=True) if not is_kept]

    def add(self, head: tuple[Any, ...], lines: Sequence[tuple[str, int, int]]) -> None:
        """One more: its values in the order of the columns, and SKU, units and pence of its lines."""
        for column, value in zip(self._heads, (*head, len(lines)), strict=True):
            column.append(value)
        for sku, units, cost in lines:
            self.skus.append(self.codes.setdefault(sku, len(self.codes)))
            self.units.append(units)
            self.costs.append(cost)


class PlainReader:
    """Puts plain returns into columns; what is the same on several is read once, by the readers of any return."""

    def __init__(self) -> None:
        self.found = PlainReturns()
        known = lru_cache(MOST_KNOWN, typed=True)
        self._day, self._is_quiet, self._pence, self._line = known(_day), known(_is_quiet), known(_pence), known(_line)

    def take(self, element: Element, number: int) -> bool:
        """Add the return of an element; False for one that needs a closer look."""
        raw = element.value
        if element.at < 0 or not isinstance(raw, dict):
            return False
        try:
            self._add(raw, element, number)
        except (OddError, TypeError, AttributeError):
            return False
        return True

    def _add(self, raw: dict[str, Any], element: Element, number: int) -> None:
        get: Callable[[str], Any] = raw.get
        currency, types, names = get("customer_currency") or "", get("type"), list(map(get, NAMES))
        if not _NAMES.fullmatch("\n".join([*names, *_texts(map(get, FURTHER_NAMES))])) or get("exchange_items"):
            raise OddError
        if not raw.keys().isdisjoint(OTHER_NAMES) or not NOTHING.isdisjoint(map(str.lower, names)):
            raise OddError
        if not self._is_quiet(*map(get, REPEATED), *(types if isinstance(types, list) else ())):
            raise OddError
        pence, _ = (self._pence(currency, value) for value in (get(REFUND_VALUE), get("total")))
        paid, opened, *_ = map(self._day, map(get, DAYS))
        lines = self._lines_of(get("products"), names[2], currency)
        if not (paid and opened) or sum([cost for _, _, cost in lines]) != pence:
            raise OddError
        self.found.add((number, element.line, element.at, *names, currency, pence, paid, opened), lines)

    def _lines_of(self, products: Any, order: str, currency: str) -> list[tuple[str, int, int]]:
        """SKU, units and pence of each line."""
        if not isinstance(products, list) or not 0 < len(products) <= MOST_LINES:
            raise OddError
        names = [_texts(map(one.get, NAMES_OF_LINE)) for one in products]
        ids = {one[0].lower() for one in names}
        if len(ids) < len(names) or not NOTHING.isdisjoint(ids):
            raise OddError
        if not _TEXTS.fullmatch("\n".join(chain.from_iterable(names))):
            raise OddError
        for one in products:
            is_said = isinstance(one.get("sku"), str) and type(one.get("main_reason_text")) in SAID
            if not is_said or one.get("original_order_name") not in (None, "", order):
                raise OddError
        return [(one["sku"], *self._line(currency, *map(one.get, OF_LINE))) for one in products]


def _day(value: object) -> int:
    faults: list[str] = []
    moment = JsonRow({"day": value}, faults).moment("day", ZONE)
    if faults:
        raise OddError
    return london_date(moment).toordinal() if moment else 0


def _pence(currency: str, value: object) -> int:
    faults: list[str] = []
    pence = JsonRow({"amount": value}, faults).pence("amount", currency)
    if faults:
        raise OddError
    return pence


def _is_quiet(*values: Any) -> bool:
    """Whether what a return says beside its names, days and lines is what every paid return of goods says."""
    faults: list[str] = []
    raw, types = dict(zip(REPEATED, values, strict=False)), list(values[len(REPEATED) :])
    settings = SwapSettings.model_construct(store_id=str(raw["store_id"] or "").strip())
    record = parse_return(
        {**raw, "type": types, "return_id": "-1", "rma_number": "-1", "products": []}, settings, faults
    )
    money = (record.store_credit_pence, record.additional_payment_pence, record.handling_fee_pence)
    is_same = record.currency == raw["customer_currency"] and all(isinstance(one, str) for one in types)
    return not faults and record.status == CLOSED and not any(money) and is_same


def _line(currency: str, *values: object) -> tuple[int, int]:
    """Units and pence of a line."""
    faults: list[str] = []
    raw = {"product_id": "-1", **dict(zip(OF_LINE, values, strict=True))}
    line = parse_line(JsonRow(raw, faults), "-1", currency, SETTINGS)
    is_plain = line.outcome == REFUND and line.currency == currency
    if faults or not is_plain or line.cost_pence <= 0 or read_extras({"products": [raw]}, currency) != Extras():
        raise OddError
    return line.quantity, line.cost_pence


def _texts(values: Iterable[Any]) -> list[str]:
    """Text as it is and a number as its digits; a stand-in for nothing."""
    return [one or "-1" if type(one) in SAID else _digits(one) for one in values]


def _digits(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise OddError
