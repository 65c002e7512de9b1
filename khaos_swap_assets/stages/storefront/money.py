"""What the storefront says of a batch of returns: the one way in which every stage learns whether money moved.

Belongs here: gathering returns and refunds that share orders, and the returns with the dates of their money. Stays out:
the links (``linking.refund_links``) and reading the storefront (``sync``).
Where no storefront is connected, Swap's word stands and nothing is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, decisions, refunds, returns, worklist
from khaos_swap_assets.adapters.store.refunds import Orders
from khaos_swap_assets.adapters.storefront.wire import tail
from khaos_swap_assets.domain.judging.money_conditions import PAID_OUTSIDE
from khaos_swap_assets.domain.linking.refund_links import link
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.records.stores import bare, qualified
from khaos_swap_assets.domain.refunds.money_shown import Claimant, Links, Money, as_money_says, is_owed
from khaos_swap_assets.domain.refunds.payments import PaymentKinds, Refund
from khaos_swap_assets.stages import isolating, marks

SEEN_FROM = "storefront/seen_from"
"""The watermark of the first reading: refunds made since then are all in sight."""

MOST_STEPS = 6


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Returns as the money says, what it says of each, and those returns as Swap says."""

    records: dict[str, Return]
    money: Mapping[str, Money] = field(default_factory=dict)
    as_swap_says: Mapping[str, Return] = field(default_factory=dict)

    def part(self, return_id: str, ordinal: int) -> Return:
        """The return as one of its Credit Notes sees it: a later part payment counts on its own day (U-2)."""
        record = self.records[return_id]
        return replace(record, processed_at=record.closed_at) if ordinal > 1 and return_id in self.money else record


def load(conn: Conn, settings: Settings, records: dict[str, Return]) -> Witnessed:
    """These returns, read as Swap says, with the dates of their money where their store's storefront is connected."""
    connected = settings.connected
    seen = {key: one for key, one in records.items() if one.store in connected}
    if not seen:
        return Witnessed(records)
    links = link_orders(conn, seen, kinds=settings.storefront.kinds).links
    seen_from = {store: worklist.reached(conn, marks.of(SEEN_FROM, store)) for store in connected}
    said = {key: one for key, one in seen.items() if is_owed(one)}
    money = {
        key: links.money[key]
        for key, one in said.items()  # silence says something only where the storefront must have spoken
        if links.money[key].state != "unpaid" or _is_in_sight(one, seen_from[one.store])
    }
    outside = [key for key, one in money.items() if one.outside_pence]
    proved = decisions.waived_returns(conn, PAID_OUTSIDE, outside) if outside else set()
    money |= {key: replace(money[key], is_proved=True) for key in proved}
    paid = {
        key: as_money_says(one, money.get(key), is_in_sight=_is_in_sight(one, seen_from[one.store]))
        for key, one in seen.items()
    }
    return Witnessed(records | paid, money, said)


def load_each(conn: Conn, settings: Settings, return_ids: Sequence[str], faults: isolating.Faults) -> Witnessed:
    """``load``, without the returns on which it fails: they are among the faults."""
    found = isolating.halving(conn, faults, return_ids, lambda ids: [load(conn, settings, returns.load(conn, ids))])
    return Witnessed(
        {key: record for one in found for key, record in one.records.items()},
        {key: paid for one in found for key, paid in one.money.items()},
        {key: said for one in found for key, said in one.as_swap_says.items()},
    )


def _is_in_sight(record: Return, seen_from: datetime | None) -> bool:
    """True unless the refund is older than all that was ever read; before the first reading nothing may be posted."""
    return seen_from is None or record.done_at is None or record.done_at >= seen_from


@dataclass(frozen=True, slots=True)
class Linked:
    """The links of some orders, with every return and refund that took part in them."""

    links: Links
    returns: Mapping[str, Return]
    refunds: Collection[Refund]


def link_orders(
    conn: Conn, records: Mapping[str, Return], found: Collection[Refund] = (), *, kinds: PaymentKinds
) -> Linked:
    """The links of these returns and refunds, with every other that shares an order with one of them."""
    known = dict(records)
    seen = {one.refund_id: one for one in found}
    refs = _refs(conn, known)
    reach = _orders_of(known, refs) | Orders.of(seen.values())
    for _ in range(MOST_STEPS):
        seen |= {one.refund_id: one for one in refunds.of_orders(conn, reach)}
        paid_on = Orders.of(seen.values())
        fresh = set(refunds.returns_of(conn, reach | paid_on)) - known.keys()
        known |= returns.load(conn, sorted(fresh)) if fresh else {}
        refs |= _refs(conn, {key: known[key] for key in fresh}) if fresh else {}
        further = reach | _orders_of({key: known[key] for key in fresh}, refs)
        if further == reach:
            break
        reach = further
    seen = {key: one.by(kinds) for key, one in seen.items()}
    links = link((Claimant(one, refs.get(key, "")) for key, one in known.items()), seen.values())
    return Linked(links, known, seen.values())


def _refs(conn: Conn, known: Mapping[str, Return]) -> dict[str, str]:
    """Swap's number of the storefront's return; which of two spellings it has is unknown (contracts/swap.md §2.3)."""
    found = ((key, known[key].store, ref) for key, ref in refunds.return_refs(conn, list(known)).items())
    return {key: qualified(store, tail(bare(store, ref))) for key, store, ref in found}


def _orders_of(records: Mapping[str, Return], refs: Mapping[str, str]) -> Orders:
    names = {name for one in records.values() for name in Claimant(one).order_names}
    ids = {one.order_id for one in records.values()} - {""}
    return Orders(frozenset(ids), frozenset(names), frozenset(refs[key] for key in records if refs.get(key)))
