"""Plain returns beside the one Credit Note and the one Sales Order that they name, told by columns.

Belongs here: that what the three say is equal: names, currency, goods, units, pence, VAT and days. Stays out: what else
may touch them (``in_step``) and every rule: a VAT and a window are those of ``domain``, asked once for each different
value. Money is minor units, days are London's as ordinals, -1 is a place that is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sized
from datetime import date
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.columns import NOWHERE, Columns, Documents, Flags, Numbers
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.domain.linking.windows import INVOICE, REFUND
from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.records.stock_codes import Catalogue, match_sku

if TYPE_CHECKING:
    from pandas import DataFrame, Series

UNNAMED = -2


class Pairs:
    """Each plain return (by its number here) with the place of the order and of the note that it is tied to."""

    def __init__(self, inputs: Inputs, notes: Columns[Any], orders: Columns[Any]) -> None:
        self.inputs, self.returns, self.plain = inputs, inputs.returned, inputs.returned.plain
        self.orders, self.notes = Documents(orders, "order_ref"), Documents(notes, "credit_note_code")
        self.codes = {code: place for place, code in enumerate(orders.columns["stock_code"].values)}
        self.named = self._named()
        ref_of, place_of = inputs.order_names.naming.ref, self.orders.place.get
        self.order_of = _numbers(place_of(ref_of(name), NOWHERE) for name in self.plain.orders)
        self.note_order = self.notes.told("order_ref", lambda text: place_of(text, NOWHERE))
        named = self.notes.told("associated_ref", lambda text: self.named.get(text, NOWHERE) if text else UNNAMED)
        self.note_return = np.where(named == UNNAMED, self._return_of_order()[self.note_order], named)
        customers = {name: place for place, name in enumerate(orders.columns["customer_ref"].values) if name}
        self.order_customer = self.orders.told("customer_ref", lambda name: customers.get(name, NOWHERE))
        self.note_customer = self.notes.told("customer_ref", lambda name: customers.get(name, NOWHERE))
        self.customers = len(orders.columns["customer_ref"].values)
        self.is_tied = self._is_tied()
        self.note_of = np.full(len(self.plain), NOWHERE, np.int64)
        self.note_of[self.note_return[self.is_tied]] = np.flatnonzero(self.is_tied)
        self.is_named = (self.note_of >= 0) & (named >= 0)[self.note_of]

    def _return_of_order(self) -> Numbers:
        """The one return of each order."""
        counts = np.bincount(self.order_of + 1, minlength=self.orders.count + 1)
        found = np.full(self.orders.count + 1, NOWHERE, np.int64)
        found[self.order_of] = np.where(counts[self.order_of + 1] == 1, np.arange(len(self.plain)), NOWHERE)
        found[NOWHERE] = NOWHERE
        return found

    def _named(self) -> dict[str, int]:
        """The return of each RMA that one alone has."""
        counts = Counter(chain(self.plain.rmas, {row.record.rma for row in self.returns.others}))
        return {rma: number for number, rma in enumerate(self.plain.rmas) if counts[rma] == 1}

    def _is_tied(self) -> Flags:
        """Notes that name a return, or nothing but its order, and are of its order, customer and currency."""
        order = self.order_of[self.note_return]
        is_known = (self.note_return >= 0) & (self.note_order >= 0) & (self.note_customer >= 0)
        is_same = (self.note_order == order) & (self.note_customer == self.order_customer[order])
        kinds = {code: place for place, code in enumerate(dict.fromkeys(self.plain.currencies))}
        money = _numbers(map(kinds.__getitem__, self.plain.currencies))[self.note_return]
        noted, sold = (one.told("currency", lambda code: kinds.get(code, NOWHERE)) for one in (self.notes, self.orders))
        found: Flags = is_known & is_same & (noted == money) & (sold[order] == money)
        return found

    @cached_property
    def _noted_lines(self) -> DataFrame:
        """Returned lines that the note holds too."""
        return self._lines().merge(self._noted(), on=["number", "code", "units", "pence"])

    @cached_property
    def firm(self) -> Flags:
        """Returns whose note holds the same goods at the same value, and was made after they began."""
        counts = np.asarray(self.plain.counts)
        is_whole = np.bincount(self._noted_lines["number"], minlength=len(counts)) == counts
        is_alone = np.bincount(self.notes.of_row)[self.note_of] == counts
        has_delivery = self.notes.any(self.notes.rows.columns["delivery_pence"].numbers != 0)[self.note_of]
        is_later = self.made >= np.asarray(self.plain.opened_on)
        found: Flags = (self.note_of >= 0) & is_whole & is_alone & ~has_delivery & is_later
        return found

    @cached_property
    def made(self) -> Numbers:
        """The day of the note of each return."""
        found: Numbers = self.notes.told("created_on", _ordinal)[self.note_of]
        return found

    def equal(self) -> Flags:
        """Those of them that name each other, and of which VAT, days and order say the same."""
        sold = self._sold()
        both = self._noted_lines.merge(sold.drop_duplicates(["order", "code"], keep=False), how="left")
        is_price = (both["units"] <= both["sold"]) & (both["pence"] * both["sold"] == both["paid"] * both["units"])
        both = both[is_price | ~_keys(both, self.codes).isin(set(_keys(sold, self.codes)))]
        is_sold = np.bincount(both["number"], minlength=len(self.plain)) == np.asarray(self.plain.counts)
        self.has_vat, is_taxed = self._taxed(both)
        found: Flags = self.firm & self.is_named & is_sold & is_taxed & self._fits_days()
        return found

    def note_code(self, number: int) -> str:
        """The Credit Note of a return, empty where there is none."""
        at = self.note_of[number]
        return str(self.notes.names[at]) if at >= 0 else ""

    @cached_property
    def number_of_line(self) -> Numbers:
        """The number of the return of each returned line."""
        return np.repeat(np.arange(len(self.plain)), np.asarray(self.plain.counts))

    @cached_property
    def code_of_line(self) -> Numbers:
        """The Stock Code of each returned line."""
        found: Numbers = self._places(self.plain.codes)[np.asarray(self.plain.skus)]
        return found

    @cached_property
    def code_of_note_row(self) -> Numbers:
        """The Stock Code of each row of a note."""
        codes = self.notes.rows.columns["stock_code"]
        return self._places(codes.values)[codes.places]

    @cached_property
    def delivery(self) -> Numbers:
        """What the delivery of each order cost."""
        return self.orders.most("delivery_pence")

    def _places(self, codes: Iterable[str]) -> Numbers:
        return _numbers(self.codes.get(code, NOWHERE) for code in codes)

    def _lines(self) -> DataFrame:
        """Returned lines of Stock Codes that are sold as they are, each once on its return."""
        plain, number = self.plain, self.number_of_line
        found = frame(
            number=number,
            order=self.order_of[number],
            code=self._sound_codes()[np.asarray(plain.skus)],
            units=np.asarray(plain.units),
            pence=np.asarray(plain.costs),
        )
        return _once_each(found[(self.note_of[number] >= 0)].query("code >= 0"), "number")

    def _sound_codes(self) -> Numbers:
        """The place of each SKU that is a Stock Code in use and no part of a pack."""
        rows = self.inputs.stock_codes.rows
        packs = [row for row in rows if row.pack_components]
        packed = {code for row in packs for code in (row.stock_code, *(part for part, _ in row.pack_components))}
        catalogue = Catalogue.of(documents.stock_codes(rows))

        def place(sku: str) -> int:
            is_sound = catalogue.exact(sku) and sku not in packed and not match_sku(sku, catalogue).problem
            return self.codes.get(sku, NOWHERE) if is_sound else NOWHERE

        return _numbers(map(place, self.plain.codes))

    def _noted(self) -> DataFrame:
        """The lines of the tied notes, by the number of their return."""
        columns = self.notes.rows.columns
        found = frame(
            number=np.where(self.is_tied, self.note_return, NOWHERE)[self.notes.of_row],
            code=self.code_of_note_row,
            units=columns["quantity"].numbers,
            pence=columns["gross_pence"].numbers,
            net=columns["net_pence"].numbers,
            has_net=columns["net_pence"].flags(lambda net: net is not None),
        )
        return _once_each(found.query("number >= 0"), "number")

    def _sold(self) -> DataFrame:
        """The lines of the orders of tied returns."""
        columns, is_asked = self.orders.rows.columns, np.zeros(self.orders.count, np.bool_)
        is_asked[self.order_of[self.note_of >= 0]] = True
        at = np.flatnonzero(is_asked[self.orders.of_row])
        units, prices, discounts = (
            columns[name].numbers[at] for name in ("quantity", "unit_price_pence", "discount_pence")
        )
        return frame(
            order=self.orders.of_row[at],
            code=columns["stock_code"].places[at],
            sold=units,
            paid=units * prices - discounts,
            rate=columns["vat_percent"].places[at],
        )

    def _taxed(self, both: DataFrame) -> tuple[Flags, Flags]:
        """Returns whose VAT is known, and those whose note has just the VAT of the sale, or nobody knows it."""
        rates, count = [*self.orders.rows.columns["vat_percent"].values, None], len(self.plain)
        both = both.assign(rate=both["rate"].fillna(NOWHERE).astype(int))
        pairs = both[["pence", "rate"]].drop_duplicates()
        told = zip(pairs["pence"].tolist(), (rates[rate] for rate in pairs["rate"]), strict=True)
        vat = [Amount.of(pence, rate).vat_pence if rate is not None else 0 for pence, rate in told]
        gaps = both.merge(pairs.assign(vat=np.array(vat, np.int64)))
        is_known = gaps["has_net"] & np.array([rate is not None for rate in rates])[gaps["rate"]]
        apart = np.zeros(count, np.int64)
        np.add.at(apart, gaps["number"], gaps["pence"] - gaps["net"] - gaps["vat"])
        has_vat = np.bincount(gaps["number"][~is_known], minlength=count) == 0
        return has_vat, ~has_vat | (apart == 0)

    def _fits_days(self) -> Flags:
        """Returns whose order was invoiced before the note, which was made near the refund and in its month."""
        plain, has_invoices = self.plain, "invoiced_on" in self.inputs.sales_orders.columns
        invoiced = self.orders.told("invoiced_on", _ordinal if has_invoices else lambda day: 1)[self.order_of]
        is_one = self.orders.told("so_code", len)[self.order_of] >= 0
        days = np.stack([self.made, np.asarray(plain.paid_on), invoiced])
        kinds, kind_of = np.unique(days, axis=1, return_inverse=True)
        fits = np.array([_fit(*map(int, kind)) for kind in kinds.T], np.bool_)[kind_of]
        return is_one & fits


def frame(**columns: Any) -> DataFrame:
    """A frame of these columns."""
    import pandas as pd

    return pd.DataFrame(columns)


def _keys(lines: DataFrame, codes: Sized) -> Series[int]:
    return lines["order"] * len(codes) + lines["code"]


def _fit(made: int, paid: int, invoiced: int) -> bool:
    if min(made, paid, invoiced) < 0:
        return False
    made_on, paid_on, invoiced_on = map(date.fromordinal, (made, paid, invoiced))
    is_one_month = (made_on.year, made_on.month) == (paid_on.year, paid_on.month)
    return is_one_month and REFUND.holds(made_on, paid_on) and INVOICE.holds(made_on, invoiced_on)


def _ordinal(day: date | None) -> int:
    return day.toordinal() if day else NOWHERE


def _numbers(values: Iterable[int]) -> Numbers:
    return np.fromiter(values, np.int64)


def _once_each(lines: DataFrame, group: str) -> DataFrame:
    """Lines of a code that stands once in its document."""
    return lines[~lines.duplicated([group, "code"], keep=False)]
