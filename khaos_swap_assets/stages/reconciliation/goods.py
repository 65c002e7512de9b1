"""The goods of a month: where they are and what they are worth, what is to be proposed, and what is on no shelf yet.

Belongs here: the tables of the month end about goods. Stays out: the figures (``reporting.returned_goods``) and
reading them (``adapters.store.goods_value``). Source: FINANCE_RULES U-27.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import goods_value, write_offs
from khaos_swap_assets.domain.goods.custody import NOT_SHELVED, PLACES
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_date, month_bounds
from khaos_swap_assets.domain.reporting.returned_goods import (
    PROPOSED,
    WHERE,
    GoodsTotal,
    WriteOffsBeside,
    beside_write_offs,
    returned_goods,
)
from khaos_swap_assets.domain.reporting.tables import markdown_table
from khaos_swap_assets.stages.reconciliation.month_end import HOME

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.store.goods_value import WaitingUnits

EXPECTED = ("in_transit", "received", "inspected")
"""Where goods are that are expected back: what was looked at and is in no condition that settles it is not."""


def goods_tables(conn: psycopg.Connection, period: str, now: datetime) -> dict[str, str]:
    """The tables about the goods of a month, as Markdown by their name."""
    rows = goods_value.returned_in_month(conn, period)
    totals = returned_goods(rows)
    ends = month_bounds(period)[1]
    waiting = goods_value.waiting_at(conn, ends, london_date(min(now, ends - timedelta(seconds=1))))
    return {
        "returned_goods": _where_they_are(totals),
        "stock_proposed": _proposed(totals),
        "write_offs": _write_offs(beside_write_offs(rows, write_offs.in_month(conn, period))),
        "not_on_a_shelf": _not_on_a_shelf(waiting),
        "open_to_buy": _open_to_buy(waiting),
    }


def _where_they_are(totals: Sequence[GoodsTotal]) -> str:
    """Where each unit is, at its cost when sold and at Khaos's value; the last row is all that was sold of them."""
    if not totals:
        return "Nothing came back.\n"
    names = [name for name in GoodsTotal.__dataclass_fields__ if name != "where"]
    whole = GoodsTotal("sold", *(sum(getattr(one, name) for one in totals) for name in names))
    rows = [
        (WHERE.get(one.where, "sold: all of them"), one.units, *_values(one), format_money(one.apart_pence, HOME))
        for one in (*totals, whole)
    ]
    return markdown_table(("where they are", "units", "cost when sold", "Khaos's value", "costs moved since"), rows)


def _proposed(totals: Iterable[GoodsTotal]) -> str:
    """What finance is to write down, write off or claim; nothing of it is posted."""
    rows = [(PROPOSED[one.where], one.units, *_values(one)) for one in totals if one.where in PROPOSED]
    header = ("proposed, nothing is posted", "units", "cost when sold", "Khaos's value")
    return markdown_table(header, rows) if rows else "Nothing is to be written down, written off or claimed.\n"


def _write_offs(found: Iterable[WriteOffsBeside]) -> str:
    """What was proposed beside Khaos's Write Off Report, by Stock Code."""
    rows = [
        (
            one.stock_code,
            *(units or "" for units in (one.matched, one.not_seen, one.unknown)),
            ", ".join(
                format_money(part.cost_pence, part.currency) if part.is_cost_known else "not known" for part in one.told
            ),
        )
        for one in found
    ]
    header = ("Stock Code", "proposed and written off", "not seen", "of no return known here", "written off at")
    return markdown_table(header, rows) if rows else "Nothing was proposed, and no write-off was brought.\n"


def _values(one: GoodsTotal) -> tuple[str, str]:
    return (
        _known(one.sold_pence, one.units, one.without_sold),
        _known(one.khaos_pence, one.units, one.without_khaos),
    )


def _known(pence: int, units: int, without: int) -> str:
    """A value with the units of which it is not known."""
    if not without:
        return format_money(pence, HOME)
    return "not known" if without == units else f"{format_money(pence, HOME)}, {without} not known"


def _not_on_a_shelf(waiting: Iterable[WaitingUnits]) -> str:
    """What had come in and was on no shelf when the month ended, by place and by how long ago it came."""
    rows = [
        (
            PLACES[one.place],
            one.age,
            one.units,
            format_money(one.refund_pence, one.currency),
            _known(one.cost_pence, one.units, one.without_cost),
        )
        for one in waiting
        if one.place in NOT_SHELVED
    ]
    header = ("where", "came in", "units", "refunded at", "Khaos's value")
    return markdown_table(header, rows) if rows else "All that had come in was on a shelf.\n"


def _open_to_buy(waiting: Iterable[WaitingUnits]) -> str:
    """Goods that were expected back when the month ended; those of codes that are not ordered again stand apart."""
    found: dict[tuple[str, bool], list[int]] = {}
    for one in waiting:
        total = found.setdefault((one.place, one.is_ending), [0, 0, 0])
        for at, figure in enumerate((one.cost_pence, one.units, one.without_cost)):
            total[at] += figure
    rows = [
        (PLACES[place], "not ordered again" if is_ending else "", found[place, is_ending][1],
         _known(*found[place, is_ending]))
        for place in EXPECTED for is_ending in (False, True) if (place, is_ending) in found
    ]  # fmt: skip
    header = ("expected back", "Stock Code", "units", "Khaos's value")
    return markdown_table(header, rows) if rows else "Nothing was expected back.\n"
