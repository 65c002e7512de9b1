"""Returns that are plainly in step with their Credit Note: told by columns before anything is linked or judged.

Belongs here: that nothing else may touch a return whose columns are equal, its order, its customer or its content.
Stays out: that they are equal (``step_pairs``) and every rule (``domain.linking``, ``domain.judging``): what is not
equal, not alone or only perhaps touched goes there, and a law holds the outputs of both ways to be the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.columns import NOWHERE, Columns, Flags, Numbers
from khaos_swap_assets.adapters.files.signs import credited
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.step_pairs import Pairs, frame
from khaos_swap_assets.domain.linking.evidence import MOST_OF_A_CUSTOMER
from khaos_swap_assets.domain.linking.reasons import MOST_ALIKE
from khaos_swap_assets.domain.linking.typed_references import may_name, texts_of
from khaos_swap_assets.domain.records.decisions import PersonDecision
from khaos_swap_assets.domain.records.orders import order_names

Hashes = np.ndarray[Any, np.dtype[np.uint64]]


class InStep(NamedTuple):
    """A return and its note that are in step; ``has_vat`` where its gap is known to be 0."""

    rma: str
    return_id: str
    order_ref: str
    note_code: str
    currency: str
    pence: int
    paid_on: date
    made_on: date
    has_vat: bool


def apart(inputs: Inputs, made: Sequence[PersonDecision] = ()) -> tuple[list[InStep], Inputs]:
    """What is plainly in step by RMA, and the files without it; nothing where they are small, odd, or tell payments."""
    notes, orders = inputs.credit_notes.rows, inputs.sales_orders.rows
    if inputs.refunds is not None or not inputs.returned.plain:
        return [], inputs
    if not (isinstance(notes, Columns) and isinstance(orders, Columns)):
        return [], inputs
    pairs = Pairs(inputs, notes, orders)
    found = _Untouched(pairs, made).of(pairs.equal())
    return _told(pairs, found), _rest(pairs, found)


def _told(pairs: Pairs, found: Flags) -> list[InStep]:
    plain, made, note_of, order_of = pairs.plain, pairs.made.tolist(), pairs.note_of.tolist(), pairs.order_of.tolist()
    days = {day: date.fromordinal(day) for day in {*plain.paid_on, *made} - {NOWHERE}}
    told = (
        InStep(
            rma=plain.rmas[one],
            return_id=plain.ids[one],
            order_ref=pairs.orders.names[order_of[one]],
            note_code=pairs.notes.names[note_of[one]],
            currency=plain.currencies[one],
            pence=plain.pence[one],
            paid_on=days[plain.paid_on[one]],
            made_on=days[made[one]],
            has_vat=bool(pairs.has_vat[one]),
        )
        for one in np.flatnonzero(found).tolist()
    )
    return sorted(told, key=attrgetter("rma"))


def _rest(pairs: Pairs, found: Flags) -> Inputs:
    """The files without these returns and their notes, whose orders are named as before."""
    inputs, notes = pairs.inputs, pairs.notes
    is_gone = np.zeros(notes.count, np.bool_)
    is_gone[pairs.note_of[found]] = True
    rows = notes.rows.at(np.flatnonzero(~is_gone[notes.of_row]))
    return replace(
        inputs,
        returns=replace(inputs.returns, rows=pairs.returns.without(found)),
        credit_notes=replace(inputs.credit_notes, rows=rows),
        known_names=inputs.order_names,
    )


class _Untouched:
    """What stands beside the pairs: every other return and note by what it may touch, and what people decided."""

    def __init__(self, pairs: Pairs, made: Sequence[PersonDecision]) -> None:
        self._pairs, self._plain = pairs, pairs.plain
        self._customer_of = pairs.order_customer[pairs.order_of]
        self._contents, self._noted = _contents(pairs), _noted(pairs)
        self._strays = documents.notes(pairs.notes.rows.at(np.flatnonzero(~pairs.is_tied[pairs.notes.of_row])))
        self._orders = np.zeros(pairs.orders.count + 1, np.bool_)
        self._orders[[*self._orders_of_strays(), *self._orders_of_others(), NOWHERE]] = True
        told = (one.subject for one in made), (one.object for one in made)
        self._words = {word for text in chain(*told) for word in (text, text.partition("/")[0])}

    def of(self, is_equal: Flags) -> Flags:
        """Those of the returns that nothing else may touch.

        A firm pair of an order of its own is linked whatever else its customer has; one that no reference ties, where
        no note beside it holds the same. All else may be anything.
        """
        pairs, firm = self._pairs, self._pairs.firm & self._alone() & ~self._decided()
        firm &= ~self._named(firm)
        firm &= pairs.is_named | ~self._holds(firm, ~pairs.is_tied)
        is_touched = self._touched_customers(firm)[self._customer_of]
        found = is_equal & firm & ~is_touched
        return found & ~self._holds(found, self._open_notes(firm & ~is_touched))

    def _orders_of_strays(self) -> Iterator[int]:
        names, place = self._pairs.inputs.order_names, self._pairs.orders.place
        for note in self._strays:
            yield place.get(note.order_ref, place.get(names.ref_of(note.order_ref or note.associated_ref), NOWHERE))

    def _orders_of_others(self) -> Iterator[int]:
        place, ref_of = self._pairs.orders.place, self._pairs.inputs.order_names.naming.ref
        for row in self._pairs.returns.others:
            yield from (place.get(ref_of(name), NOWHERE) for name in order_names(row.record))

    def _decided(self) -> Flags:
        """Returns of which a person's decision names anything."""
        words, plain, pairs = self._words, self._plain, self._pairs
        found = np.zeros(len(plain), np.bool_)
        if words:
            texts = zip(plain.rmas, plain.ids, plain.orders, map(pairs.note_code, range(len(plain))), strict=True)
            found |= np.fromiter((not words.isdisjoint(some) for some in texts), np.bool_)
            skus = np.fromiter((sku in words for sku in plain.codes), np.bool_)[np.asarray(plain.skus)]
            found |= np.bincount(pairs.number_of_line[skus], minlength=len(plain)) > 0
        return found

    def _alone(self) -> Flags:
        """Returns with an order of their own, of a customer who has not too many to tell them by."""
        pairs = self._pairs
        returns, notes = (
            np.bincount(of + 1, minlength=len(self._orders))[1:] for of in (pairs.order_of, pairs.note_order)
        )
        some, others = (
            np.bincount(of + 1, minlength=pairs.customers + 1)[1:] for of in (self._customer_of, pairs.note_customer)
        )
        is_own = (returns[pairs.order_of] == 1) & (notes[pairs.order_of] == 1) & ~self._orders[pairs.order_of]
        is_few = np.maximum(some, others)[self._customer_of] <= MOST_OF_A_CUSTOMER
        found: Flags = is_own & is_few
        return found

    def _touched_customers(self, firm: Flags) -> Flags:
        """Customers of orders and notes of which anything is not firm."""
        pairs = self._pairs
        orders = self._orders[:-1].copy()
        orders[pairs.order_of[~firm & (pairs.order_of >= 0)]] = True
        touched = np.zeros(pairs.customers + 1, np.bool_)
        touched[pairs.note_customer[self._open_notes(firm)]] = True
        rows = pairs.orders.rows.columns["customer_ref"].places
        touched[rows[orders[pairs.orders.of_row]]] = True
        return touched

    def _open_notes(self, found: Flags) -> Flags:
        """The notes of all other returns, and of none."""
        is_open = np.ones(self._pairs.notes.count, np.bool_)
        is_open[self._pairs.note_of[found]] = False
        return is_open

    def _named(self, found: Flags) -> Flags:
        """Returns that the reference of another note may name."""
        named, rmas = self._pairs.named, self._plain.rmas
        is_named = np.zeros(len(rmas), np.bool_)
        texts = {text for note in self._strays for text in texts_of(note.associated_ref)}
        is_named[[named[text] for text in texts if text in named]] = True
        names = may_name(texts - named.keys())
        is_named |= np.fromiter((is_one and names(rma) for is_one, rma in zip(found, rmas, strict=True)), np.bool_)
        return is_named

    def _holds(self, found: Flags, is_open: Flags) -> Flags:
        """Those that hold what one of these notes credits; of a crowd as many as make it one."""
        alike = np.zeros(len(self._plain), np.bool_)
        for own in self._contents:
            is_alike = np.flatnonzero(found & np.isin(own, self._noted[is_open]))
            alike[is_alike[_turns(own[is_alike]) <= MOST_ALIKE]] = True
        return alike


def _contents(pairs: Pairs) -> list[Hashes]:
    """Goods and value of each return, without its delivery and with it."""
    plain, delivery = pairs.plain, pairs.delivery[pairs.order_of]
    goods = _hashed(pairs.number_of_line, pairs.code_of_line, np.asarray(plain.units), len(plain))
    return [_with_value(goods, np.asarray(plain.pence) + extra) for extra in (np.zeros_like(delivery), delivery)]


def _noted(pairs: Pairs) -> Hashes:
    """Goods and value of each note."""
    columns, codes = pairs.notes.rows.columns, pairs.code_of_note_row
    units = columns["quantity"].numbers
    is_goods = (columns["gross_pence"].numbers >= 0) & (units != 0) & (codes >= 0)
    rows = frame(note=pairs.notes.of_row, code=codes, units=units)[is_goods]
    note, code, summed = rows.groupby(["note", "code"], as_index=False, sort=False).sum().to_numpy().T
    return _with_value(_hashed(note, code, summed, pairs.notes.count), credited(pairs.notes))


def _hashed(documents_of: Numbers, codes: Numbers, units: Numbers, count: int) -> Hashes:
    """One number for the goods of each document, the same in whatever order they stand."""
    from pandas.util import hash_array

    found = np.zeros(count, np.uint64)
    np.add.at(found, documents_of, hash_array((codes << 32) + units))
    return found


def _with_value(goods: Hashes, pence: Numbers) -> Hashes:
    from pandas.util import hash_array

    return goods + hash_array(pence)


def _turns(keys: Hashes) -> Numbers:
    """How many equal keys stand before each."""
    from pandas import Series

    return np.asarray(Series(keys).groupby(keys).cumcount(), np.int64)
