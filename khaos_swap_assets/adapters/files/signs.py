"""Signs of a file: credits and refunds are positive here, whichever way the file writes them.

Belongs here: finding the convention of a file, turning whole documents, and what does not add up. Stays out: how a
single negative is written (``forms``). Source: FINANCE_RULES U-12 A (a fee withheld stands on the note as a negative).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from khaos_swap_assets.adapters.files.columns import Columns, Documents, Numbers, values_of
from khaos_swap_assets.adapters.files.tables import Table

POSITIVE, NEGATIVE, BOTH = "positive", "negative", "both"
MOST_NAMED = 5


def credits_positive(table: Table[Any]) -> None:
    """Turn each Credit Note that is written negative; negative lines of a positive note stay, as fees withheld.

    One that mirrors a positive note line by line takes it back: neither credits anything.
    A note whose lines add up to nothing, or whose delivery has another sign than the note, is a fault of its lines.
    """
    if _is_plainly_positive(table.rows):
        table.signs = POSITIVE
        return
    notes: defaultdict[str, list[Any]] = defaultdict(list)
    for row in table.rows:
        notes[row.credit_note_code].append(row)
    if reversed_ := _reversed(notes):
        gone = {*reversed_, *reversed_.values()}
        table.rows = [row for row in table.rows if row.credit_note_code not in gone]
        notes = defaultdict(list, {code: rows for code, rows in notes.items() if code not in gone})
        told = ", ".join(f"{code} takes back {of}" for code, of in list(reversed_.items())[:MOST_NAMED])
        table.notices.append(f"{len(reversed_):,} Credit Notes are taken back by a negative one; none counts: {told}")
    totals = {code: _credited(rows) for code, rows in notes.items()}
    turned = [code for code, total in totals.items() if total < 0]
    positive = sum(total > 0 for total in totals.values())
    table.signs = NEGATIVE if turned and not positive else BOTH if turned else POSITIVE
    wrong = {code: reason for code, rows in notes.items() if (reason := _apart(rows, totals[code]))}
    if turned:
        is_turned, table.turned = frozenset(turned), len(turned)
        table.rows = [_turned(row) if row.credit_note_code in is_turned else row for row in table.rows]
        table.notices.append(_told(turned, positive))
    if wrong:
        _reject(table, "credit_note_code", "gross", wrong)


def credited(notes: Documents) -> Numbers:
    """What each Credit Note in columns credits with its delivery in pence."""
    columns = notes.rows.columns
    goods = np.where(columns["stock_code"].flags(bool), columns["gross_pence"].numbers, 0)
    return notes.sums(goods) + notes.most("delivery_pence")


def _is_plainly_positive(rows: Sequence[Any]) -> bool:
    """Whether all notes in columns credit something, and none takes its delivery off."""
    if not isinstance(rows, Columns) or min(one or 0 for one in values_of(rows, "delivery_pence")) < 0:
        return False
    return bool((credited(Documents(rows, "credit_note_code")) > 0).all())


def _reversed(notes: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """Negative notes by the positive one that each mirrors: the same reference or order, customer, goods and value."""
    positive: defaultdict[object, list[str]] = defaultdict(list)
    negative: list[tuple[str, object]] = []
    for code, rows in sorted(notes.items()):
        sign = 1 if _credited(list(rows)) > 0 else -1
        lines = tuple(sorted((row.stock_code, abs(row.quantity), sign * row.gross_pence) for row in rows))
        first = rows[0]
        key = (first.associated_ref, first.order_ref, first.customer_ref, first.currency, lines)
        if sign > 0:
            positive[key].append(code)
        elif first.associated_ref or first.order_ref:
            negative.append((code, key))
    return {code: positive[key].pop(0) for code, key in negative if positive[key]}


def _credited(rows: list[Any]) -> int:
    return sum(int(row.gross_pence) for row in rows if row.stock_code) + _delivery(rows)


def _delivery(rows: list[Any]) -> int:
    return max((int(row.delivery_pence or 0) for row in rows), key=abs, default=0)


def _apart(rows: list[Any], total: int) -> str:
    if total == 0 and any(row.gross_pence for row in rows if row.stock_code):
        return "adds up to nothing with the other lines of its note: their signs contradict each other"
    return "has another sign than the delivery of its note" if _delivery(rows) * total < 0 else ""


def _turned(row: Any) -> Any:
    return row._replace(
        quantity=-row.quantity if row.quantity < 0 else row.quantity,
        gross_pence=-row.gross_pence,
        net_pence=None if row.net_pence is None else -row.net_pence,
        delivery_pence=None if row.delivery_pence is None else -row.delivery_pence,
    )


def _told(turned: list[str], positive: int) -> str:
    if not positive:
        return "Credit Notes are written negative: read as credits"
    some = ", ".join(turned[:MOST_NAMED]) + (" …" if len(turned) > MOST_NAMED else "")
    return (
        f"{len(turned):,} Credit Notes are written negative and {positive:,} positive; all are read as credits: {some}"
    )


def refunds_positive(table: Table[Any]) -> None:
    """Read refunds as positive where the file writes all of them negative; a mixture needs a column ``kind``."""
    negative = [row for row in table.rows if row.amount_pence < 0]
    table.signs = NEGATIVE if negative else POSITIVE
    if not negative:
        return
    if any(row.amount_pence > 0 for row in table.rows) and "kind" not in table.columns:
        lines = {row.line for row in negative}
        table.rows = [row for row in table.rows if row.line not in lines]
        for row in negative:
            told = (
                "is negative, and others are positive: a column kind (refund, sale) must say which of them are refunds"
            )
            table.reject(row.line, "amount", f"{row.amount_pence} pence", told)
        return
    table.turned = len(negative)
    table.rows = [row._replace(amount_pence=abs(row.amount_pence)) for row in table.rows]
    table.notices.append("refunds are written negative: read as money to the customer")


def _reject(table: Table[Any], group: str, column: str, wrong: dict[str, str]) -> None:
    kept = []
    for row in table.rows:
        if reason := wrong.get(getattr(row, group)):
            table.reject(row.line, column, f"{row.gross_pence} pence", reason)
        else:
            kept.append(row)
    table.rows = kept
