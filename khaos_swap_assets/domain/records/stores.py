"""Several stores of one merchant: how what a store numbers is told from the same number of another.

Belongs here: the names of stores within ids, and which orders of Khaos a store's orders can be. Stays out: reading a
store (``adapters.swap``, ``adapters.storefront``). The first store's ids are as Swap writes them; those of any other
begin with its name, so that nothing of two stores is ever equal. Source: contracts/swap.md §1.2 (no id is said to be
unique over stores), contracts/khaos.md §3 (Order Ref. Format; unique for a website at most).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from khaos_swap_assets.domain.records.orders import order_names, order_ref
from khaos_swap_assets.domain.records.returns import Return

SEPARATOR = ":"
NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
"""What a store may be called; the first one's name is for people alone and stands in no id."""


def qualified(store: str, text: str) -> str:
    """An id of a store as we keep it: ``outlet:20417``; the first store (empty) has its own as they are."""
    return f"{store}{SEPARATOR}{text}" if store and text else text


def bare(store: str, text: str) -> str:
    """An id as its store writes it."""
    return text.removeprefix(f"{store}{SEPARATOR}") if store else text


def owner(stores: Collection[str], text: str) -> str:
    """The one of these stores with whose name an id begins; empty for none."""
    store, separator, _ = text.partition(SEPARATOR)
    return store if separator and store in stores else ""


def spoken(stores: Collection[str], text: str) -> str:
    """An id as people write it: without the store, where it begins with one of these."""
    return bare(owner(stores, text), text)


@dataclass(frozen=True, slots=True)
class OrderNaming:
    """How the orders of one store are called in Khaos: its Order Ref. Format, and the forms of its order names.

    ``{0}`` of ``ref_format`` is the order's name, that of each of ``names`` a whole number; no names: any may be one.
    """

    store: str = ""
    ref_format: str = "{0}"
    strips_hash: bool = True
    names: tuple[str, ...] = ()

    def ref(self, order_name: str) -> str:
        """The Associated Ref of an order of this store; empty for a blank name."""
        return order_ref(bare(self.store, order_name), ref_format=self.ref_format, strips_hash=self.strips_hash)

    def may_hold(self, ref: str) -> bool:
        """Whether an order of this store can have this Associated Ref."""
        head, tail = self.ref_format.split("{0}")
        plain = (name.removeprefix("#") if self.strips_hash else name for name in self.names)
        forms = "|".join(re.escape(name).replace(r"\{0\}", "[0-9]+") for name in plain)
        return bool(re.fullmatch(f"{re.escape(head)}(?:{forms or '.+'}){re.escape(tail)}", ref, re.DOTALL))


class OrderNamings:
    """The naming of every store of a merchant, the first store's first."""

    def __init__(self, namings: Iterable[OrderNaming] = (OrderNaming(),)) -> None:
        self._of = {one.store: one for one in namings}

    def ref(self, order_name: str) -> str:
        """The Associated Ref of an order, told by its store; empty for a blank name, or where ``is_doubtful``."""
        return "" if self.is_doubtful(order_name) else self._naming(order_name).ref(order_name)

    def refs(self, return_: Return) -> tuple[str, ...]:
        """The orders that a return names, as Associated Refs, sorted; see ``orders.order_names``."""
        return tuple(sorted({self.ref(name) for name in order_names(return_)} - {""}))

    def is_doubtful(self, order_name: str) -> bool:
        """True where the reference of this order may be that of another store's order: nothing may act on it."""
        own = self._naming(order_name)
        ref = own.ref(order_name)
        if not ref or len(self._of) == 1:
            return False
        return [one.store for one in self._of.values() if one.may_hold(ref)] != [own.store]

    def is_doubtful_of(self, return_: Return) -> bool:
        """True where one of the orders that a return names is doubtful."""
        return any(self.is_doubtful(name) for name in order_names(return_))

    def _naming(self, order_name: str) -> OrderNaming:
        return self._of[owner(self._of.keys(), order_name)]
