"""Suggestions, which act on nothing, and why a Credit Note has no return.

Belongs here: the nearest return of a note without a certain link, the clause that keeps them apart, and the least
change that would link them. Stays out: what is certain (``linking.passes``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from khaos_swap_assets.domain.linking.evidence import PairEvidence, Tables
from khaos_swap_assets.domain.linking.records import Link, NoteRecord, PassName, ReturnRecord, Units, WhyNot
from khaos_swap_assets.domain.linking.windows import REFUND
from khaos_swap_assets.domain.money.amounts import format_money

MOST_ALIKE = 50
Linked = Mapping[str, tuple[PassName, tuple[str, ...]]]

# What each pass asks for, in the order of the passes; the first with the fewest faults is the nearest.
_PASSES: tuple[tuple[PassName, tuple[str, ...]], ...] = (
    ("reference", ("reference", "value")),
    ("order_value", ("order", "value")),
    ("customer_codes_value_date", ("customer", "units", "value", "window")),
    ("codes_value", ("units", "value")),
)


@dataclass(frozen=True, slots=True)
class _Near:
    """One candidate of a note."""

    return_id: str
    evidence: PairEvidence

    @property
    def clauses(self) -> dict[str, bool | None]:
        """Every clause under the name that people read."""
        seen = self.evidence
        names = ("order", "customer", "currency", "value", "codes", "units", "date", "window")
        return {"reference": seen.is_named, **{name: getattr(seen, name) for name in names}}

    @property
    def score(self) -> int:
        """How much speaks for the pair; a clause that differs counts against it."""
        weights = {"reference": 4, "order": 4, "value": 3, "units": 3, "customer": 2, "window": 1}
        clauses = self.clauses
        against = sum(clauses[name] is False for name in ("order", "customer", "codes"))
        return sum(weight for name, weight in weights.items() if clauses[name]) - 2 * against

    def faults(self, wanted: tuple[str, ...]) -> list[str]:
        """Clauses of a pass that do not hold, and those that speak against any pass."""
        clauses = self.clauses
        missing = [name for name in wanted if clauses[name] is not True]
        others = ("currency", "date", "order", "codes", "customer")
        return missing + [name for name in others if clauses[name] is False and name not in missing]

    def nearest_pass(self, *, is_certain: bool) -> tuple[PassName, list[str]]:
        """The pass with the fewest faults, and they; ``codes_value`` is no way to certainty."""
        passes = [(name, self.faults(wanted)) for name, wanted in _PASSES if not (is_certain and name == "codes_value")]
        return min(passes, key=lambda found: len(found[1]))


def suggestions(tables: Tables, linked: Linked, doubtful: Collection[str]) -> Iterator[Link]:
    """One return for each open note that nothing comes near, and that is no other note's nearest too."""
    taken = {one for _, returns in linked.values() for one in returns}
    found: dict[str, _Near] = {}
    for code in tables.notes:
        if code not in linked and code not in doubtful and (best := _best(tables, code)):
            found[code] = best
    wanted = Counter(best.return_id for best in found.values())
    for code, best in found.items():
        name, faults = best.nearest_pass(is_certain=False)
        is_free = best.return_id not in taken and best.return_id not in doubtful
        if is_free and wanted[best.return_id] == 1 and len(faults) < 2:
            yield Link(code, best.return_id, name, "suggested")


def reasons(tables: Tables, linked: Linked, doubtful: Collection[str]) -> Iterator[WhyNot]:
    """Why each note without a certain link has none; nothing for a note that nothing is near."""
    taken = {one: code for code, (_, returns) in sorted(linked.items()) for one in returns}
    for code in tables.notes:
        if code not in linked and (near := _candidates(tables, code)):
            yield _reason(tables, code, near[0], taken.get(near[0].return_id, ""), is_doubtful=code in doubtful)


def _reason(tables: Tables, code: str, near: _Near, taken_by: str, *, is_doubtful: bool) -> WhyNot:
    note, record = tables.notes[code], tables.returns[near.return_id]
    _, faults = near.nearest_pass(is_certain=True)
    clause, change = ", ".join(faults), "; ".join(_change(clause, note, record) for clause in faults)
    if taken_by:
        clause, change = "taken", f"{record.rma} has Credit Note {taken_by}; take that link back"
    elif is_doubtful or not faults:
        clause, change = "unique", f"Associated Ref {record.rma} and its order would decide"
    return WhyNot(note_code=code, return_id=near.return_id, clause=clause, change=change, score=near.score)


def _best(tables: Tables, code: str) -> _Near | None:
    """The one candidate above all others."""
    near = _candidates(tables, code)
    is_clear = near and near[0].evidence.is_possible and (len(near) == 1 or near[0].score > near[1].score)
    return near[0] if is_clear else None


def _candidates(tables: Tables, code: str) -> list[_Near]:
    """Candidates, the nearest first, ties by return id; a crowd that is alike tells nothing and is left out."""
    alike = tables.returns_alike(code, is_owned=False)
    ids = {*tables.returns_near(code), *(alike if len(alike) <= MOST_ALIKE else ())}
    near = [_Near(one, tables.evidence(code, one)) for one in ids]
    return sorted((one for one in near if one.score > 0), key=lambda one: (-one.score, one.return_id))


def _change(clause: str, note: NoteRecord, record: ReturnRecord) -> str:
    days = f"{REFUND.before} days before to {REFUND.after} days after {record.refunded_on or 'the refund'}"
    asked, given = format_money(record.value_pence, record.currency), format_money(note.value_pence, note.currency)
    texts = {
        "reference": f"Associated Ref {record.rma} instead of {note.ref or 'none'}",
        "order": f"order {record.order_ref or '(not known)'} instead of {note.order_ref or 'none'}",
        "customer": f"customer {record.customer or '(not known)'} instead of {note.customer or 'none'}",
        "currency": f"currency {record.currency} instead of {note.currency}",
        "value": f"value {asked} instead of {given}",
        "codes": f"Stock Codes {_told(record.codes)} instead of {_told(note.codes)}",
        "units": f"Stock Codes {_told(record.codes)} instead of {_told(note.codes)}",
        "date": f"a date from {record.opened_on} on instead of {note.created_on}",
        "window": f"a date {days} instead of {note.created_on or 'none'}",
    }
    return texts[clause]


def _told(codes: Units) -> str:
    return ", ".join(f"{quantity} x {code}" for code, quantity in sorted(codes)) or "none"
