"""How Khaos writes the order names of Swap, read from the two files themselves.

Belongs here: finding the one prefix under which most orders are found, and which order a Credit Note means. Stays out:
the naming itself (``records.stores``). In an installation this is the setting KHAOS_SWAP_ORDER_REF_FORMAT.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

from khaos_swap_assets.adapters.files.columns import pairs_of
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.domain.records.orders import plain_name
from khaos_swap_assets.domain.records.stores import OrderNaming

SAMPLE = 2_000
LEAST_SHARE = 0.5


def naming_of(names: Iterable[str], refs: Collection[str], credited: Collection[str] = ()) -> OrderNaming:
    """The form by which most of the names are found among the orders; names as they are, where nothing finds more.

    A prefix counts only when it finds half of a sample of the names. Where not one order was given, the orders that
    were ``credited`` count. Order of the input does not matter.
    """
    sample = sorted({name.strip() for name in names if name.strip()})[:SAMPLE]
    forms = [OrderNaming(), OrderNaming(strips_hash=False), *_prefixed(sample, refs)]
    hits = [sum(form.ref(name) in refs for name in sample) for form in forms]
    if credited and not any(hits):
        return naming_of(sample, credited)
    best = hits.index(max(hits))
    return forms[best] if best < 2 or hits[best] >= LEAST_SHARE * len(sample) else forms[0]


class OrderNames:
    """Every way to name an order: its reference, the shop's name for it, its Sales Order code."""

    def __init__(self, rows: Sequence[OrderRow], naming: OrderNaming) -> None:
        self.naming, self._rows = naming, rows
        self._currencies: dict[str, str] = dict(pairs_of(rows, "order_ref", "currency"))

    @cached_property
    def _loose(self) -> dict[str, str]:
        """The order of each spelling of a name; empty where it is of several."""
        found: dict[str, str] = {}
        for ref, so_code in pairs_of(self._rows, "order_ref", "so_code"):
            for name in {ref, so_code} - {""}:
                plain = plain_name(name)
                found[plain] = ref if found.get(plain, ref) == ref else ""
        return found

    def ref_of(self, text: str) -> str:
        """The reference of the one order that a text names, else empty."""
        if not text:
            return ""
        forms = (text, self.naming.ref(text))
        if named := next((one for one in forms if one in self._currencies), ""):
            return named
        loose = {self._loose[name] for one in forms if (name := plain_name(one)) in self._loose}
        return loose.pop() if len(loose) == 1 else ""

    def currency_of(self, ref: str) -> str:
        """The currency of an order, empty for one that is not known."""
        return self._currencies.get(ref, "")


def _prefixed(sample: Iterable[str], refs: Collection[str]) -> list[OrderNaming]:
    """The commonest prefix before the names, without their hash, if there is one."""
    plain = {name.removeprefix("#") for name in sample} - {""}
    lengths = {len(name) for name in plain}
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for ref in refs:
        for length in lengths:
            if len(ref) > length and (name := ref[len(ref) - length :]) in plain:
                seen[ref[: len(ref) - length]][name] += 1
    if not seen:
        return []
    best = min(seen, key=lambda prefix: (-len(seen[prefix]), prefix))
    return [] if "{" in best or "}" in best else [OrderNaming(ref_format=best + "{0}")]
