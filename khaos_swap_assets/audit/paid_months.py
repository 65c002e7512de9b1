"""A row of the audit over the months of its payments, where the refunds file shows several.

Belongs here: what of a row each month holds. Stays out: how a return falls to months (``reporting.month_parts``), the
row itself (``engine``) and its one period, which is that of the last payment. Money is minor units of the row's
currency. Source: FINANCE_RULES U-2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from khaos_swap_assets.adapters.files.documents import Note
from khaos_swap_assets.audit.cases import Case
from khaos_swap_assets.audit.rows import Row, RowMonth
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.reporting.month_parts import NotePart, PaidPart, Whole, month_parts


def by_payment(row: Row, case: Case, notes: Sequence[Note]) -> Row:
    """The row with its months, where money of several months paid it and every payment has a day; else as it is."""
    payments = case.paid.payments if case.paid else ()
    if None in {day for day, _ in payments} or len({(day.year, day.month) for day, _ in payments if day}) < 2:
        return row
    whole = Whole(row.refund_pence, tuple(row.legs[leg] for leg in LEGS), lambda _: None, has_vat_gap=False, status="")
    parts = month_parts(whole, [PaidPart(day, pence) for day, pence in payments if day], _note_parts(row, notes))
    opened = [abs(sum(part.legs)) if row.is_unreconciled else 0 for part in parts]
    return replace(
        row,
        months=tuple(
            RowMonth(part.period, part.refund_pence, part.credited_pence, open_pence)
            for part, open_pence in zip(parts, opened, strict=True)
        ),
    )


def _note_parts(row: Row, notes: Sequence[Note]) -> list[NotePart]:
    """The notes of a row; one that credits other returns too counts here with what is this one's."""
    if sum(note.gross_pence for note in notes) == row.credited_pence:
        return [NotePart(note.code, note.created_on, note.gross_pence, None, is_issued=True) for note in notes]
    days = [note.created_on or date.max for note in notes]
    return [NotePart("", max(days, default=None), row.credited_pence, None, is_issued=True)]
