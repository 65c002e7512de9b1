"""A document of ours beside the Credit Note that came of it, line by line, and its state in plain words.

Belongs here: what was planned and what Khaos shows. Stays out: which note it is (``stages.credit_notes.engine``) and
whether a difference is trouble (``judging``). Khaos shows units of a line and the value of a note, never the value of a
line: so units are compared at the planned price, and the rest of the value is a row of its own. Source:
contracts/khaos.md §7.4, §8.7.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Posting, State, contents_of_note

STATE_WORDS: Mapping[State, str] = {
    "planned": "planned; Khaos has not fetched it yet",
    "in_doubt": "handed to Khaos; its Credit Note is not seen there yet",
    "confirmed": "confirmed; its Credit Note was seen in Khaos",
    "refused": "refused; it has no Credit Note and gets none",
    "withdrawn": "withdrawn before Khaos fetched it; it has no Credit Note and gets none",
}
DELIVERY = "delivery"
REST = "prices, rest"


@dataclass(frozen=True, slots=True)
class LineDifference:
    """One Stock Code (or ``DELIVERY``, ``REST``) as planned and as Khaos shows it; None is what nobody tells.

    ``difference_pence`` is what Khaos shows less what was planned, of a Stock Code at the planned price.
    """

    line: str
    difference_pence: int | None
    planned_units: int | None = None
    planned_pence: int | None = None
    shown_units: int | None = None


def lines_beside(posting: Posting, note: CreditNote | None) -> list[LineDifference]:
    """Every line of a posting beside its Credit Note; the differences add up to that of the two values, where known."""
    units, pence = dict(posting.contents), _planned_pence(posting)
    shown = dict(contents_of_note(note)) if note else {}
    lines = [
        _line(code, units.get(code, 0), pence.get(code), shown.get(code, 0) if shown else None)
        for code in sorted({*units, *shown})
    ]
    return [*lines, *(_without_line(posting, note, lines) if note else ())]


def _planned_pence(posting: Posting) -> dict[str, int]:
    """The planned value of each Stock Code; empty where the draft is not known any more."""
    found: Counter[str] = Counter()
    for line in json.loads(posting.drafted)["lines"] if posting.drafted else ():
        found[line["stock_code"]] += line["quantity"] * line["unit_gross_pence"]
    return dict(found)


def _line(code: str, units: int, pence: int | None, shown: int | None) -> LineDifference:
    difference = None if shown is None or pence is None else pence * shown // units - pence
    return LineDifference(code, difference, planned_units=units, planned_pence=pence, shown_units=shown)


def _without_line(posting: Posting, note: CreditNote, lines: list[LineDifference]) -> Iterator[LineDifference]:
    told = sum(one.difference_pence or 0 for one in lines) + note.delivery_gross_pence
    for name, pence in ((DELIVERY, note.delivery_gross_pence), (REST, note.gross_pence - posting.value_pence - told)):
        if pence:
            yield LineDifference(name, pence)
