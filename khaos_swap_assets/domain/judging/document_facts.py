"""What is known about one document or one line of goods when its return is judged.

Belongs here: frozen records of documents of ours, of Credit Notes in Khaos, of lines and of stock moves, what follows
from them alone, and what all notes of one order credit beyond what was sold and paid, however they were made: no note
is too small to count. Stays out: the return itself (``judging.facts``) and what the facts mean (``judging.conditions``,
``judging.goods_conditions``). Money is minor units of its currency, times UTC. Source: FINANCE_RULES U-26.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.goods.dispositions import B_GRADE, DAMAGED, SELLABLE, WRITTEN_OFF
from khaos_swap_assets.domain.money.tax import Rate
from khaos_swap_assets.domain.records.matches import CodedRow
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.domain.records.packs import Packs, units
from khaos_swap_assets.domain.records.returns import ReturnLine
from khaos_swap_assets.domain.sums import grouped


@dataclass(frozen=True, slots=True)
class PostingFacts:
    """One document of ours. ``refusal`` is what Khaos answered when it refused; empty when a person ended it.

    ``beyond_pence`` of its value was no refund of money: store credit, an exchange, a gift card, a charged fee.
    """

    reference: str
    state: str
    value_pence: int
    handed_out_at: datetime | None = None
    witnessed_pence: int | None = None
    refusal: str = ""
    has_rival_notes: bool = False
    beyond_pence: int = 0


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """One Credit Note with the return it is attributed to, if any, and the open credit of its customer.

    ``note`` is a return's share: where others share it, ``whole_pence`` is all of it, and one of them is its teller.
    ``values`` are the gross of its lines if told, ``is_issue_known`` whether its stage is, ``is_suggested`` whether a
    return waits for it, but for a detail. ``rival_rmas`` are those between which nobody can tell, or that it may credit
    together; ``nearest`` says what keeps it from that one, ``suggestion`` what would not. ``unallocated_pence`` is None
    when never read. ``opened_units``: its units, packs opened, where it fits only so. ``held_codes`` are those of the
    whole note where its lines do not say, ``unknown_codes`` those that are no Stock Code, with what each stands for.
    """

    note: CreditNote
    return_id: str = ""
    rma: str = ""
    unallocated_pence: int | None = None
    rival_rmas: tuple[str, ...] = ()
    is_merged: bool = False
    nearest: str = ""
    suggestion: str = ""
    seen_from: date | None = None
    whole_pence: int | None = None
    is_teller: bool = True
    values: tuple[int | None, ...] = ()
    is_issue_known: bool = True
    is_suggested: bool = False
    opened_units: int = 0
    held_codes: tuple[str, ...] = ()
    unknown_codes: tuple[tuple[str, str], ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """The Stock Codes that it holds."""
        return frozenset(code for code, _ in self.note.lines) or frozenset(self.held_codes)


def share_of(note: CreditNote, pence: int, due_pence: int) -> CreditNote:
    """A return's share of a note for several: which goods it holds nobody tells, nor their VAT.

    The delivery is in the share that is above what is due by just that.
    """
    delivery = note.delivery_gross_pence if pence - due_pence == note.delivery_gross_pence else 0
    return replace(note, gross_pence=pence, net_pence=None, delivery_gross_pence=delivery, lines=())


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts(CodedRow):
    """One row of a return as it is judged.

    ``kept_posted_quantity`` units were credited as kept, and ``is_posted`` says that an earlier document returned this
    row. ``sold_pence`` is what its units cost on the Sales Order, ``list_pence`` before any discount, and
    ``vat_percent`` their rate there; None where that is not known.
    """

    currency: str = "GBP"
    kept_posted_quantity: int = 0
    is_posted: bool = False
    sold_pence: int | None = None
    vat_percent: Rate | None = None
    list_pence: int | None = None

    @property
    def row(self) -> ReturnLine:
        """The row of Swap that it is, as far as its policy asks."""
        return ReturnLine(
            return_id="",
            product_id=self.product_id,
            line_item_id="",
            original_order_name="",
            sku=self.sku,
            quantity=self.quantity,
            cost_pence=self.cost_pence,
            currency=self.currency,
            outcome=self.outcome,
        )

    @property
    def uninspected_quantity(self) -> int:
        """Units that are to come back and that nobody has looked at."""
        seen = sum(self.dispositions.values()) + self.strange_quantity + self.disputed_quantity
        return max(self.quantity - seen - self.unclear_quantity, 0)

    @property
    def came_back_quantity(self) -> int:
        """Units that were credited as kept and that the warehouse has now."""
        found = [self.dispositions.get(word, 0) for word in (SELLABLE, DAMAGED, B_GRADE, WRITTEN_OFF)]
        return min(self.kept_posted_quantity, sum(found))

    @property
    def unsettled_quantity(self) -> int:
        """Units without a disposition, looked at or not; as long as there are any the return is not drafted."""
        return self.uninspected_quantity + self.strange_quantity + self.disputed_quantity

    def value_of(self, units: int) -> int:
        """What ``units`` of this line are worth, rounded down to whole pence."""
        return self.cost_pence * units // self.quantity if self.quantity else 0


@dataclass(frozen=True, slots=True)
class MoveFacts:
    """One stock move and what the levels said: ``state`` is due, offered, confirmed, cannot_tell or failed."""

    stock_code: str
    disposition: str
    quantity: int
    state: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class OverCredit:
    """Stock Codes of which more units are credited than were sold, and the pence beyond what was paid."""

    codes: tuple[str, ...] = ()
    pence: int = 0


NOTHING = OverCredit()


def over_credits(
    credited: Iterable[tuple[str, CreditNote]], orders: Mapping[str, SalesOrder], packs: Packs
) -> dict[str, OverCredit]:
    """By return id, what its notes add beyond its order; of (return id, note or its share), the oldest counts first.

    A note alone is never more than its return's own gap. Notes of which nobody tells the goods count by their value;
    what is on no line of the order is no unit of it.
    """
    in_turn = sorted(credited, key=lambda one: (one[1].created_on or date.max, one[1].credit_note_code, one[0]))
    by_order = grouped((orders[one[0]].associated_ref, one) for one in in_turn if one[0] in orders)
    found: dict[str, OverCredit] = {}
    for some in by_order.values():
        if len(some) > 1:
            found |= _of_order(some, orders[some[0][0]], packs)
    return found


def _of_order(turns: Sequence[tuple[str, CreditNote]], order: SalesOrder, packs: Packs) -> dict[str, OverCredit]:
    sold, paid = units(packs.opened(order.sold.items())), _paid(order, [note for _, note in turns], packs)
    noted: Counter[str] = Counter()
    pence, found = 0, dict[str, OverCredit]()
    for at, (return_id, note) in enumerate(turns):
        before = max(pence - paid, 0)
        pence += note.gross_pence
        goods = units(packs.noted(note.lines))
        noted += goods
        if at:
            codes = {code for code in goods if code in sold and noted[code] > sold[code]}
            known, more = found.get(return_id, NOTHING), max(pence - paid, 0) - before
            found[return_id] = OverCredit(tuple(sorted({*known.codes, *codes})), known.pence + more)
    return {return_id: over for return_id, over in found.items() if over != NOTHING}


def _paid(order: SalesOrder, notes: Sequence[CreditNote], packs: Packs) -> int:
    """What was paid for the goods on these notes, with the delivery; for all where a note tells no goods."""
    codes = {code for note in notes for code, _ in packs.opened(note.lines)}
    is_told = all(note.lines for note in notes)
    held = [one for one in order.lines if not is_told or codes & dict(packs.opened([(one.stock_code, 1)])).keys()]
    return sum(line.gross_pence for line in held) + order.delivery_gross_pence
