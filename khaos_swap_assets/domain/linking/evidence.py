"""What a Credit Note and a return say about each other, clause by clause.

Belongs here: the clauses of one pair, which passes a pair satisfies, and the tables that find pairs. Stays out: what
is decided when several pairs compete (``linking.passes``).

A clause is True when both sides agree, False when they differ, None when one of them does not say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from khaos_swap_assets.domain.linking.records import NoteRecord, ReturnRecord, Units
from khaos_swap_assets.domain.linking.typed_references import References
from khaos_swap_assets.domain.linking.windows import REFUND
from khaos_swap_assets.domain.records.packs import units

MOST_OF_A_CUSTOMER = 200
Record = TypeVar("Record")
Renamed = Literal["", "told", "guessed"]


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """The clauses of one pair. ``codes``: the note holds no Stock Code that did not come back; ``units``: equal units.

    ``is_named``: the note's reference names this return and no other. ``window``: made near the refund. ``renamed``:
    the goods agree only once codes that are no Stock Code are read as others: ``told`` where other names or spellings
    say which, ``guessed`` where nothing does; ``codes`` and ``units`` are then not known.
    """

    is_named: bool
    order: bool | None
    customer: bool | None
    currency: bool | None
    value: bool
    codes: bool | None
    units: bool | None
    date: bool | None
    window: bool | None
    renamed: Renamed = ""

    @property
    def is_possible(self) -> bool:
        """False when currency or date speak against the pair: nothing else can outweigh them."""
        return self.currency is not False and self.date is not False

    @property
    def is_alike(self) -> bool:
        """True when the pair fits by what it holds: value, Stock Codes, and the order or the customer."""
        is_owned = self.order is True or (self.customer is True and (self.units is True or self.renamed != ""))
        fits = self.value and self.codes is not False and self.order is not False
        return self.is_possible and fits and is_owned

    @property
    def fits_reference(self) -> bool:
        """Pass ``reference``: named, the same value, and nothing of weight against it."""
        is_same_person = self.customer is not False or self.order is True
        is_sound = self.order is not False and self.codes is not False and (not self.renamed or self.is_owned)
        return self.is_named and self.value and self.is_possible and is_sound and is_same_person

    @property
    def is_owned(self) -> bool:
        """True when order or customer agree, and neither differs."""
        return True in (self.order, self.customer) and False not in (self.order, self.customer)

    @property
    def fits_order_value(self) -> bool:
        """Pass ``order_value``."""
        is_sound = self.codes is not False and self.customer is not False and self.renamed != "guessed"
        return self.order is True and self.value and self.is_possible and is_sound

    @property
    def fits_customer(self) -> bool:
        """Pass ``customer_codes_value_date``."""
        is_content = self.units is True and self.value and self.window is True
        return self.customer is True and is_content and self.is_possible and self.order is not False

    @property
    def fits_reference_apart(self) -> bool:
        """Named, of the same order or customer, at another value; goods that both say are some that came back."""
        is_same = self.codes is not False and (not self.renamed or (self.renamed == "told" and self.order is True))
        return self.is_named and self.is_possible and self.is_owned and is_same

    @property
    def is_of_content(self) -> bool:
        """True when value and goods speak for the pair, whoever's it is."""
        return self.value and self.codes is not False and self.is_possible

    @property
    def is_of_order(self) -> bool:
        """True when order and units agree."""
        return self.order is True and self.units is True

    @property
    def fits_order_codes(self) -> bool:
        """Pass ``order_codes``: the same units of the same order and customer, at another value."""
        return self.is_of_order and self.customer is True and self.is_possible


@dataclass(frozen=True, slots=True)
class Tables:
    """Notes and returns by everything that finds them; lists are sorted, so the order of the input is forgotten."""

    notes: dict[str, NoteRecord]
    returns: dict[str, ReturnRecord]
    named: dict[str, frozenset[str]]
    named_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    returns_by: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    notes_by: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def evidence(self, note_code: str, return_id: str) -> PairEvidence:
        """The clauses of a pair."""
        is_named = self.named[note_code] == {return_id}
        return compare(self.notes[note_code], self.returns[return_id], is_named=is_named)

    def returns_of_order(self, note_code: str) -> Sequence[str]:
        """Returns of the order that the note names."""
        return self._of(self.returns_by, "order", self.notes[note_code].order_ref)

    def returns_alike(self, note_code: str, *, is_owned: bool) -> Sequence[str]:
        """Returns of the same units and value, of the same customer where ``is_owned``."""
        note = self.notes[note_code]
        kind = _owned(note.customer) if is_owned else "content"
        return self._of(self.returns_by, kind, _content(note.codes, note.value_pence)) if kind else ()

    def notes_near(self, return_id: str) -> list[str]:
        """Notes of the return's order or customer, and those that name it."""
        record = self.returns[return_id]
        order = self._of(self.notes_by, "order", record.order_ref)
        customer = self._of(self.notes_by, "customer", record.customer)
        return sorted({*order, *customer, *self.named_by.get(return_id, ())})

    def returns_near(self, note_code: str) -> list[str]:
        """Returns of the note's order or customer, and those that it names."""
        customer = self._of(self.returns_by, "customer", self.notes[note_code].customer)
        return sorted({*self.returns_of_order(note_code), *customer, *self.named[note_code]})

    @staticmethod
    def _of(table: dict[tuple[str, str], list[str]], kind: str, key: str) -> Sequence[str]:
        """What a key finds; nothing where a customer has too many to tell a person by it."""
        found = table.get((kind, key), ()) if key else ()
        return () if kind == "customer" and len(found) > MOST_OF_A_CUSTOMER else found


def tables(notes: Iterable[NoteRecord], returns: Iterable[ReturnRecord]) -> Tables:
    """Build the tables. Raises ``ValueError`` when two notes share a code or two returns an id."""
    by_code = _once(((note.code, note) for note in notes), "Credit Note")
    by_id = _once(((record.return_id, record) for record in returns), "return")
    references = References({return_id: record.names for return_id, record in by_id.items()})
    built = Tables(by_code, by_id, {code: references.named(note.ref) for code, note in by_code.items()})
    for return_id, record in by_id.items():
        _file(built.returns_by, return_id, record.order_ref, record.customer, _contents(record))
    for code, note in by_code.items():
        _file(built.notes_by, code, note.order_ref, note.customer, [_content(note.codes, note.value_pence)])
        for return_id in sorted(built.named[code]):
            built.named_by[return_id].append(code)
    return built


def _once(pairs: Iterable[tuple[str, Record]], what: str) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for key, record in sorted(pairs, key=lambda pair: pair[0]):
        if key in found:
            raise ValueError(f"{what} {key!r} is given twice")
        found[key] = record
    return found


def _file(
    table: dict[tuple[str, str], list[str]], key: str, order_ref: str, customer: str, contents: Iterable[str]
) -> None:
    keys = [("order", order_ref), ("customer", customer)]
    keys += [(kind, content) for content in contents for kind in ("content", _owned(customer))]
    for kind, value in keys:
        if kind and value:
            table[kind, value].append(key)


def _contents(record: ReturnRecord) -> list[str]:
    """Every content that a note of the return may have; renamed codes under both names."""
    goods = [record.codes, (*record.codes, *record.other_codes)] if record.other_codes else [record.codes]
    goods += [read(some, record.unknown_codes) for some in goods] if record.unknown_codes else []
    return [_content(codes, pence) for codes in goods for pence in record.values]


def _owned(customer: str) -> str:
    return f"content of {customer}" if customer else ""


def _content(codes: Units, pence: int) -> str:
    return f"{sorted(units(codes).items())} {pence}" if codes else ""


def compare(note: NoteRecord, record: ReturnRecord, *, is_named: bool) -> PairEvidence:
    """The clauses of one pair; a return without value agrees with no value."""
    returned = units(record.codes)
    whole = returned + units(record.other_codes)
    noted = _goods(note, returned, whole)
    is_known = bool(noted and returned)
    is_apart = is_known and not noted.keys() <= whole.keys()
    renamed: Renamed = _renamed(note, record, returned) or _renamed(note, record, whole) if is_apart else ""
    return PairEvidence(
        is_named=is_named,
        order=_same(note.order_ref, record.order_ref),
        customer=_same(note.customer, record.customer),
        currency=_same(note.currency, record.currency),
        value=note.value_pence in record.values,
        codes=not is_apart if is_known and not renamed else None,
        units=noted in (returned, whole) if is_known and not renamed else None,
        date=note.created_on >= record.opened_on if note.created_on and record.opened_on else None,
        window=REFUND.holds(note.created_on, record.refunded_on) if note.created_on and record.refunded_on else None,
        renamed=renamed,
    )


def _goods(note: NoteRecord, returned: Counter[str], whole: Counter[str]) -> Counter[str]:
    """Units on a note; where it holds all goods of the return, without a free line and what no catalogue knows."""
    noted = units(note.codes)
    if not note.unknown_codes and all(pence for _, _, pence in note.lines):
        return noted
    free = {code for code, _, _ in note.lines} - {code for code, _, pence in note.lines if pence}
    services = ({code for code, name in note.unknown_codes if not name} | free) - whole.keys()
    goods = Counter({code: quantity for code, quantity in noted.items() if code not in services})
    return goods if services and returned and returned <= goods else noted


def _renamed(note: NoteRecord, record: ReturnRecord, returned: Counter[str]) -> Renamed:
    """Whether the goods are the same once what is no Stock Code is read as something else."""
    if not (note.unknown_codes or record.unknown_codes):
        return ""
    noted = units(note.codes)
    left = units(read(tuple(noted.items()), note.unknown_codes))
    right = units(read(tuple(returned.items()), record.unknown_codes))
    if left.keys() <= right.keys():
        return "told"
    extra, spare = left - right, right - left
    strange = {code for code, name in (*note.unknown_codes, *record.unknown_codes) if not name}
    is_open = extra.keys() <= strange or spare.keys() <= strange
    return "guessed" if extra.total() == spare.total() and is_open else ""


def read(codes: Units, unknown: Iterable[tuple[str, str]]) -> Units:
    """The goods with the Stock Code in place of each SKU that was renamed to it."""
    names = {code: name for code, name in unknown if name}
    return tuple((names.get(code, code), quantity) for code, quantity in codes)


def _same(left: str, right: str) -> bool | None:
    return left == right if left and right else None
