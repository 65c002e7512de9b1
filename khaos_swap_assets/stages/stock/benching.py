"""The bench: a return as whoever opens the parcel sees it, line by line with what was found of each.

Belongs here: finding the return, and laying its findings beside its lines. Stays out: keeping a finding
(``importing``), what units still wait (``adapters.store.inspections``) and the page (``desk.bench_page``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import inspections, returns
from khaos_swap_assets.adapters.swap import names
from khaos_swap_assets.domain.goods.bench_rows import OpenLine
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.records.returns import Return, ReturnLine


@dataclass(frozen=True, slots=True)
class BenchLine:
    """Units of one line: ``quantity`` of the return, ``waiting`` of them not inspected, and what was found."""

    sku: str
    line_item_id: str
    name: str
    quantity: int
    waiting: int
    found: tuple[Inspection, ...]


@dataclass(frozen=True, slots=True)
class BenchReturn:
    """A return at the bench; ``beside`` are findings of goods that are on none of its lines."""

    rma: str
    order_name: str
    status: str
    lines: tuple[BenchLine, ...]
    beside: tuple[Inspection, ...]


def returns_at_the_bench(conn: psycopg.Connection[Any], word: str) -> list[BenchReturn]:
    """The returns that an RMA or the name of an order means."""
    ids = inspections.returns_named(conn, word)
    loaded, told = returns.load(conn, ids), returns.parts(conn, ids, [names.MEMBER])
    waiting = inspections.open_lines(conn, [one.order_name for one in loaded.values()])
    found = inspections.of_rmas(conn, [one.rma for one in loaded.values()])
    still = {(one.rma, one.line_item_id, one.sku): one for some in waiting.values() for one in some}
    return [
        _at_the_bench(one, names.read_names(told.get(key, {})), still, [row for row in found if row.rma == one.rma])
        for key, one in loaded.items()
    ]


def _at_the_bench(
    record: Return,
    named: dict[str, str],
    still: dict[tuple[str, str, str], OpenLine],
    found: Sequence[Inspection],
) -> BenchReturn:
    lines = list(_lines(record, named, still, found))
    placed = {one.inspection_id for line in lines for one in line.found}
    beside = tuple(one for one in found if one.inspection_id not in placed)
    return BenchReturn(
        rma=record.rma, order_name=record.order_name, status=record.status, lines=tuple(lines), beside=beside
    )


def _lines(
    record: Return,
    named: dict[str, str],
    still: dict[tuple[str, str, str], OpenLine],
    found: Sequence[Inspection],
) -> Iterator[BenchLine]:
    """Rows of one line item are one line; a finding without a line item is of the first line of its SKU."""
    groups: dict[tuple[str, str], list[ReturnLine]] = {}
    for row in record.lines:
        groups.setdefault((row.line_item_id, row.sku), []).append(row)
    left = list(found)
    for (line_item_id, sku), rows in groups.items():
        own = [one for one in left if _is_of(one, line_item_id, sku)]
        left = [one for one in left if one not in own]
        open_line = still.get((record.rma, line_item_id, sku))
        yield BenchLine(
            sku=sku,
            line_item_id=line_item_id,
            name=next((named[row.product_id] for row in rows if named.get(row.product_id)), sku or "(no SKU)"),
            quantity=sum(row.quantity for row in rows),
            waiting=max(open_line.waiting, 0) if open_line else 0,
            found=tuple(own),
        )


def _is_of(found: Inspection, line_item_id: str, sku: str) -> bool:
    return found.line_item_id == line_item_id if found.line_item_id else bool(sku) and found.sku == sku
