"""Credit Notes that staff typed by hand, with the slips that people make, and the truth about each.

Belongs here: what is typed for a return, well and badly. Stays out: which returns there are (``hand_month``) and files
(``audit_files``). The truth is written down with the note. A slip that nothing in Khaos could tell from the right note
(another return of the same order, the same value) is never made: nobody could know. Money is whole pence of the
note's currency.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from khaos_swap_assets.sandbox.maker import Maker, unit_list_pence
from khaos_swap_assets.sandbox.world import NoteLine, Order, Rma

RMA_DIGITS = len("RMA-2026-")
TYPED_OFF = (1, -1, 27, 100, 900, -90)


@dataclass(frozen=True)
class Typed:
    """One note as it truly is: how it was typed, and for which returns (RMAs; none: for no return at all)."""

    note_code: str
    slip: str
    rmas: tuple[str, ...]


@dataclass
class HandNote:
    """A note in the making; ``off`` are the pence by which it is not what was refunded, by cause."""

    rmas: list[Rma]
    urn: str
    reference: str
    currency: str
    at: datetime
    lines: list[NoteLine]
    delivery_pence: int = 0
    off: Counter[str] = field(default_factory=Counter)

    @property
    def gross_pence(self) -> int:
        """Goods and delivery."""
        return sum(line.gross_pence for line in self.lines) + self.delivery_pence


class Hand:
    """Whoever types: ``typed`` is the truth of each note, ``off`` that of each return (RMA), pence by cause."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker
        self.typed: list[Typed] = []
        self.off: dict[str, Counter[str]] = {}
        orders = maker.world.orders.values()
        self._order_of = {line.line_item_id: order for order in orders for line in order.lines}

    @property
    def rng(self) -> Random:
        """The random numbers of the month."""
        return self.maker.rng

    def order_of(self, rma: Rma) -> Order:
        """The order whose goods came back."""
        return self._order_of[rma.lines[0].line_item_id]

    def draft(self, rma: Rma) -> HandNote:
        """The note as it should be: the goods at what was paid; a fee that was withheld stays credited."""
        order = self.order_of(rma)
        lines = [NoteLine(one.sku, one.quantity, one.cost_pence, 0, so_code=order.so_code) for one in rma.lines]
        at = (rma.processed_at or rma.closed_at or self.maker.month_start) + timedelta(days=self.rng.randrange(2))
        made = HandNote(
            rmas=[rma], urn=order.urn, reference=rma.rma_number, currency=order.currency, at=at, lines=lines
        )
        made.off["fee"] += made.gross_pence - rma.refund_pence
        return made

    def list_pence(self, draft: HandNote, line: NoteLine) -> int:
        """What the units of a line would have cost without the discount."""
        order = self.order_of(draft.rmas[0])
        sold = next(one for one in order.lines if one.stock_code == line.stock_code)
        return unit_list_pence(self.maker.world, order, sold) * line.quantity

    def is_twin(self, reference: str, draft: HandNote) -> bool:
        """True for a reference of another return that only the reference itself tells from the right one."""
        other, rma = self.maker.world.rmas.get(reference), draft.rmas[0]
        return other is not None and self.order_of(other) is self.order_of(rma) and _goods(other) == _goods(rma)

    def post(self, slip: str, drafts: list[HandNote]) -> None:
        """Put the notes into the world, and the truth about them beside."""
        for draft in drafts:
            for line in draft.lines:
                line.net_pence = self.maker.net(line.stock_code, line.gross_pence)
            note = self.maker.note(draft.urn, draft.reference, draft.currency, draft.at, draft.lines)
            note.delivery_gross_pence = draft.delivery_pence
            rmas = tuple(rma.rma_number for rma in draft.rmas)
            self.typed.append(Typed(note.code, slip, rmas))
            if len(rmas) == 1:
                self.off.setdefault(rmas[0], Counter()).update(draft.off)


Slip = Callable[[Hand, HandNote], list[HandNote]]


def _goods(rma: Rma) -> int:
    return sum(line.cost_pence for line in rma.lines)


def clean(_hand: Hand, draft: HandNote) -> list[HandNote]:
    """As it should be."""
    return [draft]


def mistyped(hand: Hand, draft: HandNote) -> list[HandNote]:
    """A reference that is no return's: a letter for a digit, one digit lost, letters turned round."""
    ref = draft.reference
    draft.reference = hand.rng.choice((f"{ref[:-2]}O{ref[-1]}", ref[:-1], ref.replace("RMA", "RAM")))
    return [draft]


def untidy(hand: Hand, draft: HandNote) -> list[HandNote]:
    """The right reference in other words."""
    ref = draft.reference
    draft.reference = hand.rng.choice((ref.lower(), ref.replace("-", " "), f"Return {ref}", f" {ref}"))
    return [draft]


def transposed(hand: Hand, draft: HandNote) -> list[HandNote]:
    """Two digits turned round: mostly another return's reference."""
    ref, at = draft.reference, RMA_DIGITS + hand.rng.randrange(1, 4)
    typed = ref[:at] + ref[at + 1] + ref[at] + ref[at + 2 :]
    if typed == ref or hand.is_twin(typed, draft):
        return mistyped(hand, draft)
    draft.reference = typed
    return [draft]


def elsewhere(hand: Hand, draft: HandNote) -> list[HandNote]:
    """The reference of another return, by preference one of the same customer."""
    others = [one for one in hand.maker.world.rmas.values() if not hand.is_twin(one.rma_number, draft)]
    alike = [one for one in others if one.urn == draft.urn]
    draft.reference = hand.rng.choice(hand.rng.choice((others, alike or others))).rma_number
    return [draft]


def left_out(hand: Hand, draft: HandNote) -> list[HandNote]:
    """No reference, and sometimes no order either."""
    draft.reference = ""
    if hand.rng.random() < 0.3:
        draft.lines = [replace(line, so_code="") for line in draft.lines]
    return [draft]


def split(hand: Hand, draft: HandNote) -> list[HandNote]:
    """Two notes for one return: line by line, or one line in two amounts; the second may lack the reference."""
    first, second = draft.lines[:1], draft.lines[1:]
    if not second:
        line = first[0]
        part = line.gross_pence * hand.rng.randrange(20, 80) // 100
        second = [replace(line, quantity=max(line.quantity - 1, 1), gross_pence=line.gross_pence - part)]
        first = [replace(line, quantity=1, gross_pence=part)]
    reference = hand.rng.choice((draft.reference, draft.reference, ""))
    return [replace(draft, lines=first), replace(draft, lines=second, reference=reference, off=Counter())]


def doubled(hand: Hand, draft: HandNote) -> list[HandNote]:
    """Two people typed the same note."""
    again = replace(draft, lines=[replace(line) for line in draft.lines], off=Counter(again=draft.gross_pence))
    again.at += timedelta(days=hand.rng.randrange(3))
    return [draft, again]


def wrong_amount(hand: Hand, draft: HandNote) -> list[HandNote]:
    """A slip of the keyboard in the amount of a line, which is not just what its discount was."""
    discount = hand.list_pence(draft, draft.lines[0]) - draft.lines[0].gross_pence
    off = hand.rng.choice([pence for pence in TYPED_OFF if pence != discount])
    draft.lines[0].gross_pence += off
    draft.off["typed"] += off
    return [draft]


def wrong_units(_hand: Hand, draft: HandNote) -> list[HandNote]:
    """One unit more than came back."""
    line = draft.lines[0]
    each = line.gross_pence // line.quantity
    line.quantity, line.gross_pence = line.quantity + 1, line.gross_pence + each
    draft.off["quantity"] += each
    return [draft]


def list_price(hand: Hand, draft: HandNote) -> list[HandNote]:
    """Credited before the discount."""
    return _repriced(hand, draft, "discount", lambda line: hand.list_pence(draft, line))


def net_price(hand: Hand, draft: HandNote) -> list[HandNote]:
    """Net prices typed where gross ones belong."""
    return _repriced(hand, draft, "tax", lambda line: hand.maker.net(line.stock_code, line.gross_pence))


def _repriced(hand: Hand, draft: HandNote, cause: str, price: Callable[[NoteLine], int]) -> list[HandNote]:
    """Every line at another price; where that is no other, a slip of the keyboard instead."""
    before = draft.gross_pence
    for line in draft.lines:
        line.gross_pence = price(line)
    draft.off[cause] += draft.gross_pence - before
    return [draft] if draft.off[cause] else wrong_amount(hand, draft)


def with_delivery(hand: Hand, draft: HandNote) -> list[HandNote]:
    """The delivery of the order credited too, which was not refunded."""
    draft.delivery_pence = hand.order_of(draft.rmas[0]).delivery_gross_pence
    draft.off["delivery"] += draft.delivery_pence
    return [draft] if draft.delivery_pence else wrong_amount(hand, draft)


def wrong_customer(hand: Hand, draft: HandNote) -> list[HandNote]:
    """On the account of somebody else."""
    draft.urn = hand.rng.choice([urn for urn in hand.maker.world.customers if urn != draft.urn])
    return [draft]


def forgotten(_hand: Hand, _draft: HandNote) -> list[HandNote]:
    """No note at all."""
    return []


def merged(hand: Hand, draft: HandNote, other: HandNote) -> HandNote:
    """One note for two returns of a customer, which names one of them, both or none."""
    refs = (draft.reference, "", f"{draft.reference}, {other.reference}", f"{draft.reference} & {other.reference}")
    both = replace(draft, rmas=draft.rmas + other.rmas, lines=draft.lines + other.lines)
    return replace(both, at=max(draft.at, other.at), reference=hand.rng.choice(refs))


SLIPS: Mapping[str, tuple[int, Slip]] = {
    slip.__name__: (weight, slip)
    for weight, slip in (
        (55, clean),
        (5, untidy),
        (6, mistyped),
        (5, transposed),
        (5, elsewhere),
        (5, left_out),
        (5, split),
        (3, doubled),
        (5, wrong_amount),
        (3, wrong_units),
        (3, list_price),
        (3, net_price),
        (4, with_delivery),
        (5, wrong_customer),
        (5, forgotten),
    )
}
"""Each slip of one note for one return, with its weight."""
