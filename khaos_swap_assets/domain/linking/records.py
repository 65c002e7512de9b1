"""What matching reads and what it answers.

Belongs here: plain records of a return and of a Credit Note as a person or a file shows them, and links between the
two. Stays out: which links are made (``linking.passes``).

Money is whole minor units of the currency, dates are London days, an empty text or None is "not known".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from typing import Literal

from khaos_swap_assets.domain.records.matches import CodedRow
from khaos_swap_assets.domain.records.stock_codes import SkuMatch, renamed_to
from khaos_swap_assets.domain.sums import grouped

PassName = Literal[
    "person",
    "reference",
    "order_value",
    "customer_codes_value_date",
    "one_to_many",
    "many_to_one",
    "order_codes",
    "codes_value",
]
Certainty = Literal["certain", "suggested"]
Units = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ReturnRecord:
    """One refunded return. ``codes`` are (Stock Code, units); ``order_ref`` is written as Khaos writes it.

    ``references`` are further references under which a note may name it (the RMA always counts). ``opened_on``: the
    return did not exist before that day. A customer who is no person (a marketplace account) must be passed empty.
    ``other_pence`` are values that a note of it may rightly have too (the goods before a fee, or with a gift card);
    ``other_codes`` are goods that came back for another outcome than money. ``unknown_codes`` are those of all these
    codes that are SKUs and no Stock Code: (SKU, the Stock Code that it was renamed to, empty where nothing tells that).
    """

    return_id: str
    rma: str
    value_pence: int
    currency: str = ""
    order_ref: str = ""
    customer: str = ""
    codes: Units = ()
    refunded_on: date | None = None
    opened_on: date | None = None
    references: frozenset[str] = frozenset()
    other_pence: frozenset[int] = frozenset()
    other_codes: Units = ()
    unknown_codes: tuple[tuple[str, str], ...] = ()

    @property
    def values(self) -> tuple[int, ...]:
        """Every value that a note of it may have, the refund first."""
        return tuple(dict.fromkeys(pence for pence in (self.value_pence, *sorted(self.other_pence)) if pence > 0))

    @property
    def names(self) -> frozenset[str]:
        """Every text that names this return."""
        return frozenset(name for name in (self.rma.strip(), *self.references) if name)


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """One Credit Note; ``ref`` is what was typed as its reference, ``value_pence`` its gross with delivery.

    ``lines`` are (Stock Code, units, gross) of each line, empty where that is not known. ``unknown_codes`` are those of
    its codes that are no Stock Code, as of a return: the file went through a spreadsheet.
    """

    code: str
    value_pence: int
    ref: str = ""
    currency: str = ""
    order_ref: str = ""
    customer: str = ""
    codes: Units = ()
    created_on: date | None = None
    lines: tuple[tuple[str, int, int], ...] = ()
    unknown_codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """A Credit Note belongs to a return, the pass that says so, and whether it may be relied on."""

    note_code: str
    return_id: str
    matched_by: PassName
    certainty: Certainty


@dataclass(frozen=True, slots=True, order=True)
class Ambiguity:
    """These notes fit these returns in more than one way, by this pass; none of them is linked for certain."""

    matched_by: PassName
    note_codes: tuple[str, ...]
    return_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class WhyNot:
    """Why a note is not its nearest return's: the failed clause, the least change to pass, and what speaks for it."""

    note_code: str
    return_id: str
    clause: str
    change: str
    score: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Matching:
    """The answer: links, ambiguities and reasons, each sorted; a note without a nearest return has no reason."""

    links: tuple[Link, ...]
    ambiguities: tuple[Ambiguity, ...] = ()
    reasons: tuple[WhyNot, ...] = ()

    @property
    def certain(self) -> tuple[Link, ...]:
        """The links that may be relied on."""
        return tuple(link for link in self.links if link.certainty == "certain")


def unknown_codes(lines: Iterable[CodedRow | SkuMatch]) -> tuple[tuple[str, str], ...]:
    """The SKUs that are no Stock Code, each with what it was renamed to; where none was read yet, there are none."""
    strange = (line for line in lines if line.sku and line.problem and not line.stock_code)
    return tuple((one.sku, renamed_to(one.problem, one.suggestion, one.suggestion_rule)) for one in strange)


def credited_by_return(
    links: Iterable[Link], notes: Mapping[str, NoteRecord], returns: Mapping[str, ReturnRecord]
) -> dict[str, int]:
    """Pence that the linked notes credit to each return; every note is given out exactly once.

    A note for several returns gives each its own lines where Stock Codes tell them apart, else its value; what is left
    over or short stays with the last of them.
    """
    credited: Counter[str] = Counter()
    for note_code, return_ids in grouped((link.note_code, link.return_id) for link in links).items():
        records = [returns[one] for one in sorted(return_ids)]
        shares = _by_lines(notes[note_code], records) or _shares(notes[note_code].value_pence, records)
        for return_id, pence in zip(sorted(return_ids), shares, strict=True):
            credited[return_id] += pence
    return dict(credited)


def _by_lines(note: NoteRecord, records: Sequence[ReturnRecord]) -> Sequence[int]:
    """What the lines of each return sum to; empty where they do not say, or are not the whole note."""
    shares = [0] * len(records)
    for code in dict.fromkeys(code for code, _, _ in note.lines):
        lines = [(units, pence) for held, units, pence in note.lines if held == code]
        asked = [sum(units for held, units in record.codes if held == code) for record in records]
        parts = _parts(lines, asked)
        shares = [share + part for share, part in zip(shares, parts, strict=True)]
    return shares if all(shares) and sum(shares) == note.value_pence else ()


def _parts(lines: Sequence[tuple[int, int]], asked: Sequence[int]) -> Sequence[int]:
    """Pence of one Stock Code for each return: all for the only one, else by units where all cost the same."""
    if sum(1 for units in asked if units) == 1:
        return [sum(pence for _, pence in lines) if units else 0 for units in asked]
    prices = {pence // units if units and pence % units == 0 else None for units, pence in lines}
    price = prices.pop() if len(prices) == 1 else None
    is_whole = sum(units for units, _ in lines) == sum(asked)
    return [price * units for units in asked] if price is not None and is_whole else [0] * len(asked)


def _shares(pence: int, records: Sequence[ReturnRecord]) -> Sequence[int]:
    """Values of the returns that add up to the note; where none do, their refunds and the rest for the last."""
    found = (some for some in product(*(record.values for record in records)) if sum(some) == pence)
    firsts = [record.value_pence for record in records[:-1]]
    return next(found, (*firsts, pence - sum(firsts)))
