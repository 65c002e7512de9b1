"""Where returned goods went: the disposition of each unit, which the customer keeps, and what a stock level proves.

Belongs here: reading conditions and what Swap marks as kept, settling lines from inspections, and judging two levels.
Stays out: moving stock, reading levels, and where Swap writes it (``adapters.swap.kept``). The warehouse is the truth
for the condition of goods. Swap marks items, so a return may mix both; a missing parcel alone proves nothing. Source:
DESIGN §1, §4.6, contracts/swap.md §4, §7.3, §7.4, §8.2, §14.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from khaos_swap_assets.domain.goods.conditions import APPROVED, AS_DEFAULT, ConditionMap, plain
from khaos_swap_assets.domain.goods.conditions import Inspection as Inspection
from khaos_swap_assets.domain.records.returns import REFUND, ReturnLine

Keeping = Literal["kept", "unclear"]
AT_REST = frozenset({"", "pre-transit"})


@dataclass(frozen=True, slots=True)
class KeptWords:
    """The spellings, case folded, of a delivery status and of a tag that say that goods are kept."""

    statuses: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    @classmethod
    def of(cls, statuses: str, tags: str) -> KeptWords:
        """The words of two comma lists."""
        return cls(words(statuses), words(tags))


@dataclass(frozen=True, slots=True)
class SwapMarks:
    """What Swap says of a return: all words case folded. ``rows``: tags by product id.

    ``labelled`` are rows that a return label was made for; ``tells_labels`` where Swap lists the labels at all,
    ``has_blank_label`` where one names no row. ``has_arrived``: a parcel was delivered.
    """

    delivery_status: str
    tags: frozenset[str]
    rows: Mapping[str, frozenset[str]]
    labelled: frozenset[str] = frozenset()
    tells_labels: bool = False
    has_blank_label: bool = False
    has_arrived: bool = False


def words(text: str) -> frozenset[str]:
    """The words of a comma list, case folded and without the spaces around them."""
    return frozenset(word for part in text.split(",") if (word := part.strip().casefold()))


def keeping(told: SwapMarks, spellings: KeptWords) -> dict[str, Keeping]:
    """By product id: rows that the customer keeps, and marked rows of which nobody can tell; all others come back.

    A row's own tag speaks for the row, unless a label or the only parcel contradicts it. A mark of the whole return
    speaks for the rows without a label, or for all where nothing travels.
    """
    tagged = {row for row, tags in told.rows.items() if tags & spellings.tags}
    is_marked = told.delivery_status in spellings.statuses or bool(told.tags & spellings.tags)
    if not (tagged or is_marked):
        return {}
    is_moving = told.delivery_status not in spellings.statuses | AT_REST
    travels = is_moving or told.has_arrived or told.has_blank_label
    if tagged:
        return _by_row(told, spellings, tagged, travels=travels)
    if told.labelled:
        kept = set(told.rows) - told.labelled
        return dict.fromkeys(sorted(kept), "kept") if kept else dict.fromkeys(sorted(told.rows), "unclear")
    is_known = told.delivery_status in spellings.statuses or told.tells_labels or len(told.rows) == 1
    return dict.fromkeys(sorted(told.rows), "unclear" if travels or not is_known else "kept")


def _by_row(told: SwapMarks, spellings: KeptWords, tagged: set[str], *, travels: bool) -> dict[str, Keeping]:
    """Rows with a tag of their own; where the status says that nothing travels, the others cannot be told."""
    is_against = tagged == set(told.rows) and travels
    found: dict[str, Keeping] = {
        row: "unclear" if row in told.labelled or is_against else "kept" for row in sorted(tagged)
    }
    if told.delivery_status in spellings.statuses:
        found |= dict.fromkeys(sorted(set(told.rows) - tagged - told.labelled), "unclear")
    return found


SELLABLE = "sellable"
DAMAGED = "damaged"
B_GRADE = "b_grade"
WRITTEN_OFF = "written_off"
MISSING = "missing"
KEPT = "kept"
DISPOSITIONS = (SELLABLE, DAMAGED, B_GRADE, WRITTEN_OFF, MISSING, KEPT)

_BY_FATE = {"available": SELLABLE, "non_saleable": DAMAGED} | {one: one for one in (B_GRADE, WRITTEN_OFF, MISSING)}
BENCH_CONDITIONS = ("Sellable", "Damaged", "No-Value", "Missing", "Wrong-Item")
"""What the bench offers, in Swap's words; the last one settles nothing and is told."""

LevelVerdict = Literal["confirmed", "cannot_tell", "failed"]


@dataclass(frozen=True, slots=True)
class Strange:
    """Units that an inspection spoke of and that settle nothing; ``product_id`` is empty where no line fits."""

    product_id: str
    sku: str
    condition: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SettledUnits:
    """Each line (by product id): units by disposition, and units without one. ``excess`` are units beyond a line.

    ``unclear`` are those leftovers of which nobody can tell whether they come back at all, ``disputed`` those of which
    two sources of the warehouse say different things.
    """

    dispositions: Mapping[str, Mapping[str, int]]
    leftovers: Mapping[str, int]
    strange: tuple[Strange, ...] = ()
    excess: tuple[Strange, ...] = ()
    unclear: Mapping[str, int] = field(default_factory=dict)
    disputed: Mapping[str, int] = field(default_factory=dict)


def disposition_of(condition: str, conditions: ConditionMap = AS_DEFAULT) -> str:
    """Disposition of units in a condition; empty where it settles nothing."""
    return _BY_FATE.get(conditions.fate_of(condition), "")


def lines_of(lines: Iterable[ReturnLine], inspection: Inspection) -> list[ReturnLine]:
    """The lines that an inspection may be of: those of its line item, else those of its SKU."""
    known = list(lines)
    by_id = [line for line in known if line.line_item_id and line.line_item_id == inspection.line_item_id]
    return by_id or [line for line in known if line.sku and line.sku == inspection.sku]


def settle(
    lines: Sequence[ReturnLine],
    inspections: Iterable[Inspection],
    quality_control_status: str,
    keeping: Mapping[str, Keeping] | None = None,
    conditions: ConditionMap = AS_DEFAULT,
) -> SettledUnits:
    """Settle the units of a return's lines; the order of lines and inspections does not matter.

    An inspection goes to the line of its line item id, else to the lines of its SKU; several add up, the earlier
    inspected first, and units beyond the line are ``excess``; where another source had said otherwise of the same
    units, those settle nothing any more. Rows of one line item are filled with Refund rows first.
    Swap's own status settles only units that no inspection spoke of, and only as Approved: Swap says Missing by itself,
    which is no word of the warehouse. What the customer keeps (``keeping``) is never missing; goods that the warehouse
    has in its hands came back, whatever Swap marks.
    """
    book = _Units(lines, keeping or {})
    spoken = sorted(inspections, key=lambda found: (found.inspected_at, found.inspection_id))
    for inspection in spoken:
        if disposition := disposition_of(inspection.condition, conditions):
            book.settle(inspection, disposition)
    for inspection in spoken:
        if conditions.fate_of(inspection.condition) == "person":
            book.wonder(inspection)
    book.fill(book.kept, KEPT)
    if plain(quality_control_status) == APPROVED:
        book.fill(book.free.keys() - book.unclear, SELLABLE)
    return book.settlement()


class _Units:
    """Counts units while a return is settled. ``doubted`` units stay unsettled: an inspection found them strange."""

    def __init__(self, lines: Sequence[ReturnLine], keeping: Mapping[str, Keeping]) -> None:
        self.kept = {key for key, found in keeping.items() if found == "kept"}
        self.unclear = keeping.keys() - self.kept
        self._lines = sorted(
            lines, key=lambda one: (one.product_id in self.kept, one.outcome != REFUND, one.product_id)
        )
        self._settled = {line.product_id: dict.fromkeys(DISPOSITIONS, 0) for line in self._lines}
        self.free = {line.product_id: max(line.quantity, 0) for line in self._lines}
        self._doubted = dict.fromkeys(self.free, 0)
        self._strange: list[Strange] = []
        self._excess: list[Strange] = []
        self._disputed: Counter[str] = Counter()
        self._told: Counter[tuple[str, str, str]] = Counter()

    def settle(self, inspection: Inspection, disposition: str) -> None:
        def take(line: ReturnLine, units: int) -> None:
            if disposition == MISSING and line.product_id in self.kept:
                return
            self._settled[line.product_id][disposition] += units
            self._told[line.product_id, disposition, inspection.source] += units
            self.free[line.product_id] -= units

        if rest := self._contest(inspection, disposition, self._share_out(inspection, take)):
            fitting = self._fitting(inspection)
            home = fitting[0].product_id if fitting else ""
            self._excess.append(Strange(home, inspection.sku, inspection.condition, rest))

    def wonder(self, inspection: Inspection) -> None:
        def doubt(line: ReturnLine, units: int) -> None:
            self.free[line.product_id] -= units
            self._doubted[line.product_id] += units
            self._strange.append(Strange(line.product_id, line.sku, inspection.condition, units))

        rest = self._contest(inspection, "", self._share_out(inspection, doubt))
        if not self._fitting(inspection):
            self._strange.append(Strange("", inspection.sku, inspection.condition, rest))

    def fill(self, product_ids: Iterable[str], disposition: str) -> None:
        for product_id in self.free.keys() & set(product_ids):
            self._settled[product_id][disposition] += self.free[product_id]
            self.free[product_id] = 0

    def settlement(self) -> SettledUnits:
        return SettledUnits(
            dispositions={
                key: {word: units for word, units in counts.items() if units} for key, counts in self._settled.items()
            },
            leftovers={key: units + self._doubted[key] + self._disputed[key] for key, units in self.free.items()},
            strange=tuple(self._strange),
            excess=tuple(self._excess),
            unclear={key: units for key, units in self.free.items() if units and key in self.unclear},
            disputed=dict(self._disputed),
        )

    def _fitting(self, inspection: Inspection) -> list[ReturnLine]:
        return lines_of(self._lines, inspection)

    def _contest(self, inspection: Inspection, disposition: str, rest: int) -> int:
        """Take back what another source settled otherwise of the same lines; the units that are left."""
        own = {line.product_id for line in self._fitting(inspection)}
        for key, told in list(self._told.items()):
            if rest and key[0] in own and key[1] != disposition and key[2] != inspection.source:
                units = min(rest, told)
                self._settled[key[0]][key[1]] -= units
                self._told[key] -= units
                self._disputed[key[0]] += units
                rest -= units
        return rest

    def _share_out(self, inspection: Inspection, give: Callable[[ReturnLine, int], None]) -> int:
        rest = inspection.quantity
        for line in self._fitting(inspection):
            if units := min(rest, self.free[line.product_id]):
                give(line, units)
                rest -= units
        return rest


def judge_level(
    before: int | None,
    after: int | None,
    moved: int,
    other_movements: bool,
    *,
    if_wrong: int = 0,
    raised: int | None = None,
) -> LevelVerdict:
    """Judge two observed levels of one Stock Code at one site: did it rise by the ``moved`` units it should have?

    ``if_wrong`` is the change that wrong handling would show: none for sellable goods, the units themselves for damaged
    goods that should not have come (``moved`` 0). Any other change, or a level that was not seen, proves nothing. Nor
    does another movement between the two observations, but for one case: where all others together raised it by no
    more than ``raised`` units, and sales can only lower it, a level that rose by all that and these units holds them.
    """
    if before is None or after is None or moved == if_wrong:
        return "cannot_tell"
    change = after - before
    if other_movements:
        is_in_it = raised is not None and change == max(moved, if_wrong) + raised
        return "cannot_tell" if not is_in_it else "confirmed" if moved > if_wrong else "failed"
    return "confirmed" if change == moved else "failed" if change == if_wrong else "cannot_tell"
