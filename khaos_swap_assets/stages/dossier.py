"""What the store knows of some returns: each part is loaded once, in bulk, when a stage first asks for it.

Belongs here: loading it, what codes are, and the note that is still due by it. Stays out: what a stage makes of it, and
the money that the storefront saw (``storefront.money``). Parts are by return id; a dossier lives in one transaction,
and what is written after a part was loaded is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from itertools import chain
from typing import TypeVar

from khaos_swap_assets.adapters.store import (
    Conn,
    catalogue,
    decisions,
    drafts,
    matches,
    notes,
    orders,
    returns,
    stock,
    stock_adjustments,
)
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.credit_notes import CreditNote, sale_of
from khaos_swap_assets.domain.documents.postings import Posting
from khaos_swap_assets.domain.linking.records import unknown_codes
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement import Settlement, settle
from khaos_swap_assets.domain.policy.settlement_case import Posted
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.records.stock_codes import Catalogue, SkuMatch, match_sku
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages import known

Part = TypeVar("Part")


def _part(load: Callable[[Conn, list[str]], Part]) -> cached_property[Part]:
    return cached_property(lambda dossier: load(dossier._conn, dossier.ids))


class Dossier:
    """The parts that the store knows of these returns; a return that has nothing of a part is not in it."""

    records = _part(returns.load)
    """As Swap says."""
    decided = _part(decisions.values)
    """What a person decided on the value of each."""
    outside = _part(decisions.outside)
    """Those of which a person settled something outside the books, whatever became of the figures."""
    heads = _part(matches.returns)
    """What each was matched to."""
    lines = _part(matches.lines)
    """The lines of each as matched."""
    notes = _part(notes.of_returns)
    """The notes linked to each, with the pass that linked it."""
    handed_out = _part(drafts.handed_out)
    """The drafts of each that left for Khaos, whatever became of them, by ordinal."""
    drafts = _part(drafts.of_returns)  # from here on the name of the module is hidden by it
    """All drafts of each."""
    moves = _part(stock.of_returns)
    """The stock moves of each."""
    adjustments = _part(stock_adjustments.of_returns)
    """The stock adjustments that people were asked to make for each."""

    def __init__(self, conn: Conn, return_ids: Iterable[str]) -> None:
        self.ids, self._conn = list(return_ids), conn

    @cached_property
    def orders(self) -> dict[str, SalesOrder]:
        """The order that each is about."""
        sold = orders.by_code(self._conn, self.so_codes)
        return {key: sold[head.so_code] for key, head in self.heads.items() if head.so_code in sold}

    @property
    def so_codes(self) -> list[str]:
        """The codes of these orders."""
        return sorted({head.so_code for head in self.heads.values() if head.so_code})

    @property
    def codes(self) -> set[str]:
        """The Stock Codes of the lines, and those that their units become."""
        rows = chain.from_iterable(self.lines.values())
        return {code for row in rows for code in (row.stock_code, row.graded_code) if code}

    @cached_property
    def postings(self) -> dict[str, list[Posting]]:
        """Our documents of each that were not withdrawn, by ordinal."""
        return grouped((one.return_id, one) for one in SqlPostings(self._conn).of_returns(self.ids))

    @cached_property
    def taken(self) -> dict[str, dict[str, int]]:
        """By order code, what each of its returns takes out of it, in pence."""
        return matches.taken_from(self._conn, self.so_codes)

    def room_pence(self, record: Return, policy: CreditNotePolicy, already: Iterable[Posted]) -> int:
        """What was paid for the order, less what its other returns take and what this one was credited.

        The others are asked for only where finance credits part payments.
        """
        order = self.orders.get(record.return_id)
        if order is None:
            return 0
        others = self.taken.get(order.so_code, {}) if policy.part_payment.choice != "task" else {}
        taken = sum(pence for return_id, pence in others.items() if return_id != record.return_id)
        return order.gross_pence - taken - sum(one.value_pence for one in already)

    def settled(self, record: Return, policy: CreditNotePolicy, already: Sequence[Posted]) -> Settlement:
        """The note that is still due for a return, whoever makes it, by the policy of its day."""
        lines, order = self.lines.get(record.return_id, ()), self.orders.get(record.return_id)
        sale = sale_of(record, lines, order, self.room_pence(record, policy, already))
        return settle(record, policy, already=already, sale=sale)


def match_skus(conn: Conn, skus: Iterable[str], *, is_guessed: bool = True) -> dict[str, SkuMatch]:
    """What each of these codes is; without ``is_guessed`` nothing is said of one that only resembles a Stock Code.

    One that Khaos tells nothing of, since the catalogue or its record cannot be read, has no problem either.
    """
    asked = sorted(set(skus))
    told = decisions.same_codes(conn, asked)
    exact = {item.stock_code: item for item in catalogue.exact(conn, sorted({*asked, *told.values()}))}
    missing = [sku for sku in asked if sku not in exact]
    every = partial(catalogue.codes, conn) if is_guessed else tuple[str, ...]
    items, untold = Catalogue(exact, partial(catalogue.alike, conn, missing), every), known.untold(conn, missing)
    return {sku: SkuMatch(sku, None) if sku in untold else match_sku(sku, items, told.get(sku, "")) for sku in asked}


def unknown_codes_of(conn: Conn, noted: Iterable[CreditNote]) -> dict[str, tuple[tuple[str, str], ...]]:
    """By note: its codes that are no Stock Code, as after a spreadsheet, each with what it stands for."""
    codes = {note.credit_note_code: {code for code, _ in note.lines} for note in noted}
    skus = match_skus(conn, chain.from_iterable(codes.values()), is_guessed=False)
    return {note: unknown_codes(skus[code] for code in sorted(some)) for note, some in codes.items()}


def policy_of(record: Return, policy: CreditNotePolicy) -> CreditNotePolicy:
    """The decisions as they held on the London day of the refund; before it, as they are."""
    return policy.on(london_date(record.refunded_at)) if record.refunded_at else policy


def posted_of(saved: Iterable[SavedDraft]) -> list[Posted]:
    """What a further document has to know of these."""
    return [one.draft.posted for one in saved if one.draft]
