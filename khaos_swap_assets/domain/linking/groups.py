"""Merged and split Credit Notes: one note for several returns, or several notes for one.

Belongs here: the bounded search for groups whose values and units add up. Stays out: what is done with a group
(``linking.passes``). A search past its bounds finds nothing: no answer is better than the wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain, combinations, product

from khaos_swap_assets.domain.linking.evidence import Tables, read
from khaos_swap_assets.domain.linking.payouts import MOST_CANDIDATES, MOST_MEMBERS
from khaos_swap_assets.domain.linking.records import NoteRecord, ReturnRecord, Units
from khaos_swap_assets.domain.records.packs import units

Group = tuple[str, ...]


def returns_of(tables: Tables, note_code: str) -> list[Group]:
    """Groups of two to four returns that one note credits together, to the penny and to the unit.

    Without equal units a group counts only when the reference names all of it. A member that neither reference nor
    order point at must add goods of its own: more of the same may be a slip of the quantity. Empty past 12 candidates.
    """
    note, names = tables.notes[note_code], tables.named[note_code]
    values = {one: tables.returns[one].values for one in tables.returns_near(note_code)}
    able = [one for one in values if _is_below(values[one], note.value_pence) and _may_share(tables, note_code, one)]
    pointed = {one for one in able if one in names or tables.evidence(note_code, one).order is True}

    def holds(group: Group) -> bool:
        if names and not names <= set(group):
            return False
        is_whole = units(chain(*(_goods(tables.returns[one]) for one in group))) == units(_goods(note))
        return names == set(group) or (is_whole and _adds_goods(tables, group, pointed))

    return list(_groups(able, values, (note.value_pence,), holds))


def _is_below(values: Sequence[int], pence: int) -> bool:
    return any(value < pence for value in values)


def _adds_goods(tables: Tables, group: Group, pointed: Collection[str]) -> bool:
    """True when every member that nothing points at holds goods that no other member does."""
    goods = {one: units(_goods(tables.returns[one])).keys() for one in group}
    pairs = ((one, other) for one in group for other in group if one != other and one not in pointed)
    return all(goods[one].isdisjoint(goods[other]) for one, other in pairs)


def notes_of(tables: Tables, return_id: str, linked: Collection[str]) -> list[Group]:
    """Groups of two to four notes, none of them ``linked``, that credit one return.

    Else as ``returns_of``; equal units are not needed either where all notes are of the return's order and goods.
    """
    record = tables.returns[return_id]
    values = {code: (tables.notes[code].value_pence,) for code in tables.notes_near(return_id)}
    able = [
        code
        for code in values
        if 0 < values[code][0] < max(record.values, default=0)
        and code not in linked
        and tables.named[code] <= {return_id}
        and _may_share(tables, code, return_id)
    ]

    def is_of_order(code: str) -> bool:
        evidence = tables.evidence(code, return_id)
        return evidence.order is True and evidence.codes is True

    def holds(group: Group) -> bool:
        is_told = all(tables.named[code] == {return_id} for code in group) or all(map(is_of_order, group))
        return is_told or units(chain(*(_goods(tables.notes[code]) for code in group))) == units(_goods(record))

    return list(_groups(able, values, record.values, holds))


def _may_share(tables: Tables, note_code: str, return_id: str) -> bool:
    """True when nothing speaks against a note being part of a return's credit, or the reverse."""
    evidence = tables.evidence(note_code, return_id)
    is_named = return_id in tables.named[note_code]
    is_owned = is_named or evidence.order is True or (evidence.customer is True and evidence.window is True)
    shares = set(units(_goods(tables.notes[note_code]))) & set(units(_goods(tables.returns[return_id])))
    is_content = bool(shares) or not tables.notes[note_code].codes
    is_same_person = evidence.customer is not False or (is_named and evidence.order is True)
    return evidence.is_possible and is_owned and is_content and is_same_person


def _goods(record: NoteRecord | ReturnRecord) -> Units:
    return read(record.codes, record.unknown_codes) if record.unknown_codes else record.codes


def _groups(
    able: Sequence[str], values: Mapping[str, Sequence[int]], totals: Collection[int], holds: Callable[[Group], bool]
) -> Iterator[Group]:
    if len(able) > MOST_CANDIDATES:
        return
    for size in range(2, min(MOST_MEMBERS, len(able)) + 1):
        for group in combinations(able, size):
            is_sum = any(sum(some) in totals for some in product(*(values[one] for one in group)))
            if is_sum and holds(group):
                yield group
