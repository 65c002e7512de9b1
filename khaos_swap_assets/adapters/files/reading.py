"""Reading a file as a table: recognised, read record by record, settled; and what it shows of its own form.

Belongs here: the order of these steps and the questions about headings. Stays out: each step (``recognising``,
``rows``, ``forms``) and what the columns are (``layouts``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.files.cell_values import Forms, UndetectedError, value_of
from khaos_swap_assets.adapters.files.containers import sources, unpacked
from khaos_swap_assets.adapters.files.faults import shown, storable
from khaos_swap_assets.adapters.files.forms import ORDERS, POINT, DayOrder, day_order, decimal_of
from khaos_swap_assets.adapters.files.headings import Near, near_misses
from khaos_swap_assets.adapters.files.recognising import Chosen, choose, has_headings, reading_of
from khaos_swap_assets.adapters.files.records import UnreadableError
from khaos_swap_assets.adapters.files.rows import RowReader
from khaos_swap_assets.adapters.files.tables import Asked, Layout, Report, Row, Table, silent

STRETCH = 1_000
MOST_SHOWN = 30
SAMPLE, LONGEST = 200, 200


def read_table(path: Path, layout: Layout[Row], report: Report = silent, asked: Asked | None = None) -> Table[Row]:
    """Read a file of any form; whatever is wrong is in the faults of the result."""
    table: Table[Row] = Table(storable(path.name))
    with telling(table, path), unpacked(path) as inner:
        _read(inner, layout, table, report, asked or Asked())
    return table


@contextmanager
def telling(table: Table[Any], path: Path) -> Iterator[None]:
    """What keeps a file from being read at all becomes a fault of its table."""
    try:
        yield
    except OSError as error:
        table.file = storable(str(path))
        table.fault(0, "", "", f"cannot be read: {error.strerror or type(error).__name__}")
    except UnreadableError as error:
        table.fault(0, "", "", str(error))


def _read(path: Path, layout: Layout[Row], table: Table[Row], report: Report, asked: Asked) -> None:
    chosen = choose(found := sources(path), layout.kind, layout.names, asked.reading)
    if not asked.reading and (known := next((one for one in asked.others if has_headings(chosen, one)), None)):
        asked = replace(asked, reading=known)
        chosen = choose(found, layout.kind, layout.names, known)
    table.worth = layout.worth
    table.encoding, table.separator = chosen.source.encoding, chosen.source.separator
    _tell_columns(chosen, layout, table, asked)
    forms = _said(asked)
    if table.is_whole:
        forms = _rows(chosen, layout, table, forms, report)
        if layout.settle:
            layout.settle(table)
    proofs = {name: f"line {one.line} {one.proof}" for name, one in forms.orders.items() if one.proof}
    dates = {name: order for name in forms.orders if (order := forms.order_of(name))}
    table.reading = replace(
        reading_of(chosen),
        decimal=forms.decimal,
        dates=dates,
        proofs=proofs or (asked.reading.proofs if asked.reading else {}),
        signs=table.signs,
    )
    table.notices += [
        f"{name} is {ORDERS[one.order]}, as line {one.line} shows: {one.proof}"
        for name, one in forms.orders.items()
        if one.order and one.line
    ]
    report(1.0)


def _said(asked: Asked) -> Forms:
    """The forms that a map or a person names; without them a file is read in the plain form first."""
    said = asked.reading
    if not said or not said.is_whole:
        return Forms(asked.dates)
    return Forms(asked.dates, said.decimal, {name: DayOrder(order) for name, order in said.dates.items()})


def _rows(chosen: Chosen, layout: Layout[Row], table: Table[Row], forms: Forms, report: Report) -> Forms:
    """Read all rows in the plain form; where a cell has another, look at all cells first and begin anew."""
    try:
        _each_row(chosen, layout, table, forms, report)
    except UndetectedError:
        forms = _detected(chosen, layout, forms.said)
        table.begin_anew()
        _each_row(chosen, layout, table, forms, report)
    return forms


def _each_row(chosen: Chosen, layout: Layout[Row], table: Table[Row], forms: Forms, report: Report) -> None:
    reader = RowReader(layout, chosen, forms)
    if (whole := reader.whole()) is not None:
        table.rows, table.given = whole, len(whole)
        return
    for record in takewhile(lambda one: one.line < chosen.header.line, chosen.source.records()):
        table.given += 1
        reader.above(record, table)
    following = below(chosen)
    while stretch := list(islice(following, STRETCH)):
        reader.take_all(stretch, table)
        report(stretch[-1].share)
    table.rows = reader.kept
    reader.end(table)


def below(chosen: Chosen) -> Iterator[Any]:
    """The records under the line of the headings."""
    return (record for record in chosen.source.records() if record.line > chosen.header.line)


def _detected(chosen: Chosen, layout: Layout[Any], said: str) -> Forms:
    """How the file writes its numbers, and each of its columns its days, from all cells."""
    places = chosen.headed.places
    numbers = [places[one.name] for one in layout.columns if one.name in places and one.is_number]
    texts = {record.cells[place] for record in below(chosen) for place in numbers if place < len(record.cells)}
    orders: dict[str, DayOrder] = {}
    for column in layout.columns:
        if column.is_day and column.name in places:
            place = places[column.name]
            orders[column.name] = day_order(
                (record.line, record.cells[place]) for record in below(chosen) if place < len(record.cells)
            )
    return Forms(said, decimal_of(text.strip().removesuffix("%") for text in texts), orders)


def _tell_columns(chosen: Chosen, layout: Layout[Row], table: Table[Row], asked: Asked) -> None:
    """What the headings say: missing and doubled columns as faults, near misses as questions."""
    headed = chosen.headed
    missing = {name: is_required for name, is_required in layout.names.items() if name not in headed.places}
    settled = asked.reading.columns if asked.reading else {}
    nears = near_misses(headed, layout.kind, missing, lambda place: _samples(chosen, place), _fits(layout), settled)
    by_column = {near.column: near for near in nears}
    for name, is_required in missing.items():
        if is_required:
            table.fault(0, name, "", _missing(chosen, name, by_column.get(name), table.file))
    for name in headed.doubled:
        table.fault(0, name, "", "comes twice: keep one of the two headings, or rename the other")
    table.columns = frozenset(headed.places) & frozenset(layout.names)
    table.ignored_columns = tuple(storable(name[:40]) for name in headed.ignored)
    table.nears = tuple(nears)
    table.notices += [f"read as {headed.known.name}"] if headed.known else []
    table.notices += headed.known.tells if headed.known else ()
    if "refund_id" in missing:
        table.notices.append("refunds have no id: one that stands in the file twice counts twice")


def _missing(chosen: Chosen, name: str, near: Near | None, file: str) -> str:
    if near:
        samples = ", ".join(map(shown, near.samples))
        said = json.dumps({file: {near.heading: name}}, ensure_ascii=False) if len(near.heading) <= LONGEST else ""
        return f"is missing. Is it {shown(near.heading)} ({samples})? Then say --map{f' with {said}' if said else ''}"
    headings = ", ".join(shown(one) for one in chosen.headed.headings[:MOST_SHOWN])
    return f"is missing; the columns are: {headings}. Name the one that is meant in --map (--map-out writes a draft)"


def _samples(chosen: Chosen, place: int) -> list[str]:
    return [record.cells[place] for record in islice(below(chosen), SAMPLE) if place < len(record.cells)]


def _fits(layout: Layout[Any]) -> Any:
    columns = {column.name: column for column in layout.columns}

    def fits(name: str, text: str) -> bool:
        try:
            value_of(columns[name], text, "", Forms("uk", POINT))
        except (ValueError, UndetectedError):
            return False
        return True

    return fits
