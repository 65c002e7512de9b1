"""One exception, open or closed, with all that its row says.

Belongs here: reading it for the page of one case. Stays out: lists (``desk_lists``) and its evidence
(``stages.casework``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One exception; ``closed_at`` is None while it is open. Money is pence of ``currency``, times UTC."""

    exception_id: int
    kind: str
    subject: str
    owner: str
    severity: str
    return_id: str
    rma: str
    sku: str
    credit_note_code: str
    message: str
    suggestion: str
    money_at_risk_pence: int
    currency: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str
    close_reason: str


_SELECT = (
    "SELECT exception_id, kind, subject, owner, severity, return_id, rma, sku, credit_note_code, message, "
    "suggestion, money_at_risk_pence, currency, opened_at, closed_at, closed_by, close_reason "
    "FROM recon.exceptions WHERE exception_id "
)


def case(conn: psycopg.Connection[Any], exception_id: int) -> CaseRow | None:
    """The exception of this number; None where there is none."""
    with conn.cursor(row_factory=class_row(CaseRow)) as cursor:
        return cursor.execute(f"{_SELECT} = %s".encode(), (exception_id,)).fetchone()


def cases(conn: psycopg.Connection[Any], numbers: Sequence[int]) -> dict[int, CaseRow]:
    """The exceptions of these numbers; what else would change them waits for the end of the transaction."""
    with conn.cursor(row_factory=class_row(CaseRow)) as cursor:
        query = f"{_SELECT} = ANY(%s) ORDER BY exception_id FOR UPDATE"
        return {row.exception_id: row for row in cursor.execute(query.encode(), (list(numbers),))}
