"""To which return a row of the warehouse's file belongs: exactly one open line, or a question to a person.

Belongs here: the rule, and the id that makes a row the same however often it is brought. Stays out: reading the file
(``adapters.files``) and the store. A row names an order, not a return, so nothing is guessed: no open line, several of
them, or more units than wait are questions. Source: contracts/swap.md §4, §14.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.records.stores import bare as of_store


@dataclass(frozen=True, slots=True)
class BenchRow:
    """What a row says: ``quantity`` units of a SKU of an order in one condition; ``rma`` where it names one."""

    line: int
    order_ref: str
    rma: str
    sku: str
    condition: str
    quantity: int
    inspected_at: datetime | None = None
    inspected_by: str = ""


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of a return that goods are awaited for: ``waiting`` units of it were not inspected."""

    return_id: str
    rma: str
    order_name: str
    line_item_id: str
    sku: str
    waiting: int
    store: str = ""

    def is_of(self, rma: str) -> bool:
        """Whether a row may mean this return: it names none, or this one, with its store or without."""
        return rma in ("", self.rma, of_store(self.store, self.rma))


def bare(order_ref: str) -> str:
    """An order's name without the sign that some write before it."""
    return order_ref.strip().removeprefix("#")


def numbered(rows: Iterable[BenchRow]) -> Iterator[tuple[str, BenchRow]]:
    """Each row with its id: what it says, and which of the rows of its file that say the same it is."""
    seen: Counter[str] = Counter()
    for row in rows:
        said = (bare(row.order_ref), row.rma, row.sku, row.condition, row.quantity, row.inspected_at, row.inspected_by)
        content = "\x1f".join(map(str, said))
        seen[content] += 1
        yield f"file-{hashlib.sha256(f'{seen[content]}-{content}'.encode()).hexdigest()[:32]}", row


def tie(
    rows: Iterable[tuple[str, BenchRow]], lines: Mapping[tuple[str, str], Sequence[OpenLine]], by: str, now: datetime
) -> Iterator[tuple[BenchRow, Inspection | str]]:
    """Each row with the inspection that it is, or the question that it asks.

    ``lines`` are open ones by bare order and SKU, for rows in their order; ``by`` and ``now`` are what a row omits.
    """
    taken: Counter[OpenLine] = Counter()
    for key, row in rows:
        found = [one for one in lines.get((bare(row.order_ref), row.sku), ()) if one.is_of(row.rma)]
        waiting = [one for one in found if one.waiting > taken[one]]
        if len(waiting) != 1 or row.quantity > waiting[0].waiting - taken[waiting[0]]:
            yield row, _question(row, found, waiting, taken)
            continue
        taken[waiting[0]] += row.quantity
        inspection = Inspection(
            inspection_id=key,
            rma=waiting[0].rma,
            sku=row.sku,
            line_item_id=waiting[0].line_item_id,
            condition=row.condition,
            quantity=row.quantity,
            inspected_at=row.inspected_at or now,
            inspected_by=row.inspected_by or by,
        )
        yield row, inspection


def _question(
    row: BenchRow, found: Sequence[OpenLine], waiting: Sequence[OpenLine], taken: Mapping[OpenLine, int]
) -> str:
    of = f"order {row.order_ref}" + (f" and return {row.rma}" if row.rma else "")
    if not found:
        return f"no return of {of} holds this SKU"
    if not waiting:
        return f"every unit of it in {', '.join(sorted({one.rma for one in found}))} was inspected before"
    if len(waiting) > 1:
        return f"{len(waiting)} lines of {', '.join(sorted({one.rma for one in waiting}))} wait for it: which?"
    left = waiting[0].waiting - taken[waiting[0]]
    return f"{row.quantity} were found and {left} of {waiting[0].rma} wait: is it more than the return says?"
