"""The queues as people read them: a page of open exceptions in the order of risk, what a word finds, and the sums.

Belongs here: these reads of ``recon.exceptions``. Stays out: the rule of the order (``domain.desk.queues``), what one
exception is about (``stages.casework``) and how it is shown (``desk``). A page begins after the last row of the one
before, never at a count, so the thousandth costs what the first does. Money is pence, times UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import stores

Place = tuple[datetime, int]
"""Where a row stands in a queue: ``urgent_at`` and id."""
MOST_RETURNS = 5_000
"""Of so many returns of a word at most the exceptions are looked up: a common SKU is no question about one case."""


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which open exceptions; an empty part asks for nothing. ``period`` is a month that their return is in.

    ``hands`` is who took them. ``shows``: those that wait now, those that are put off, or both. ``store`` is the store
    of their return, empty for the first one, None for any.
    """

    owner: str = ""
    kind: str = ""
    period: str = ""
    hands: str = ""
    shows: Literal["now", "put off", "both"] = "both"
    store: str | None = None


@dataclass(frozen=True, slots=True)
class QueueRow:
    """An open exception in a list; ``hands`` is who took it, if anybody did."""

    exception_id: int
    kind: str
    subject: str
    owner: str
    severity: str
    return_id: str
    rma: str
    message: str
    money_at_risk_pence: int
    currency: str
    opened_at: datetime
    urgent_at: datetime
    hands: str

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.urgent_at, self.exception_id


@dataclass(frozen=True, slots=True)
class OwnerSum:
    """What is open of an owner in one currency, what of it is an error, and since when the oldest waits."""

    owner: str
    currency: str
    count: int
    errors: int
    pence: int
    error_pence: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class FoundReturn:
    """A return that a word found."""

    return_id: str
    rma: str
    order_name: str
    status: str
    refund_pence: int
    currency: str


_COLUMNS = (
    "e.exception_id, e.kind, e.subject, e.owner, e.severity, e.return_id, e.rma, e.message, e.money_at_risk_pence, "
    "e.currency, e.opened_at, e.urgent_at, coalesce((SELECT d.told FROM recon.decisions d "
    "WHERE d.decision = 'assigned' AND d.ended_at IS NULL AND d.exception_id = e.exception_id), '') AS hands"
)
_TAKEN = (
    "e.exception_id IN (SELECT d.exception_id FROM recon.decisions d WHERE d.decision = 'assigned' "
    "AND d.ended_at IS NULL AND d.told = %(hands)s)"
)
_PUT_OFF = (
    "EXISTS (SELECT 1 FROM recon.decisions d WHERE d.decision = 'snoozed' AND d.ended_at IS NULL "
    "AND d.exception_id = e.exception_id AND d.until_at > %(now)s AND d.money_at_risk_pence = e.money_at_risk_pence)"
)
_SHOWN = {"now": f"NOT {_PUT_OFF}", "put off": _PUT_OFF}
_OF_STORE = "EXISTS (SELECT 1 FROM swap.returns s WHERE s.return_id = e.return_id AND s.store = %(store)s)"
_OF_MONTH = (
    "(e.return_id IN (SELECT return_id FROM recon.reconciliation WHERE period = %(period)s) "
    "OR e.return_id IN (SELECT return_id FROM recon.month_parts WHERE period = %(period)s))"
)
"""Two questions, so that a page asks row by row in its order until it is full; as one, all of it is sorted first."""


def _where(wanted: QueueFilter) -> str:
    """Only what is asked for, so that each list has its own index."""
    parts = {"owner": "e.owner = %(owner)s", "kind": "e.kind = %(kind)s", "period": _OF_MONTH, "hands": _TAKEN}
    asked = [text for name, text in parts.items() if getattr(wanted, name)]
    asked += [_OF_STORE] if wanted.store is not None else []
    return " AND ".join(["e.closed_at IS NULL", *asked, *([_SHOWN[wanted.shows]] if wanted.shows in _SHOWN else [])])


def page_query(wanted: QueueFilter, *, is_first: bool) -> str:
    """The statement of a page, with the parameters of ``page``."""
    after = "" if is_first else " AND (e.urgent_at, e.exception_id) > (%(moment)s, %(number)s)"
    return (
        f"SELECT {_COLUMNS} FROM recon.exceptions e WHERE {_where(wanted)}{after} "
        "ORDER BY e.urgent_at, e.exception_id LIMIT %(limit)s"
    )


def page(
    conn: psycopg.Connection[Any], wanted: QueueFilter, after: Place | None, limit: int, now: datetime
) -> list[QueueRow]:
    """At most ``limit`` open exceptions after a place (None: from the first), the most urgent first."""
    moment, number = after or (None, None)
    values = {**_values(wanted, now), "moment": moment, "number": number, "limit": limit}
    with conn.cursor(row_factory=class_row(QueueRow)) as cursor:
        return cursor.execute(page_query(wanted, is_first=after is None).encode(), values).fetchall()


def _values(wanted: QueueFilter, now: datetime) -> dict[str, object]:
    return {name: getattr(wanted, name) for name in ("owner", "kind", "period", "hands", "store")} | {"now": now}


def sums(conn: psycopg.Connection[Any], wanted: QueueFilter, now: datetime) -> list[OwnerSum]:
    """What is open, by owner and currency."""
    with conn.cursor(row_factory=class_row(OwnerSum)) as cursor:
        return cursor.execute(
            "SELECT e.owner, e.currency, count(*) AS count, count(*) FILTER (WHERE e.severity = 'error') AS errors, "
            "sum(e.money_at_risk_pence)::bigint AS pence, coalesce(sum(e.money_at_risk_pence) "
            "FILTER (WHERE e.severity = 'error'), 0)::bigint AS error_pence, min(e.opened_at) AS oldest_at "
            f"FROM recon.exceptions e WHERE {_where(wanted)} GROUP BY 1, 2 ORDER BY 1, 2".encode(),
            _values(wanted, now),
        ).fetchall()


def kinds_open(conn: psycopg.Connection[Any], owner: str) -> list[tuple[str, int]]:
    """(kind, how many are open) of an owner (empty: all), the most first."""
    return conn.execute(
        f"SELECT e.kind, count(*) FROM recon.exceptions e WHERE {_where(QueueFilter(owner=owner))} "
        "GROUP BY 1 ORDER BY 2 DESC, 1".encode(),
        {"owner": owner},
    ).fetchall()


def put_off(conn: psycopg.Connection[Any], wanted: QueueFilter, now: datetime) -> int:
    """How many of what is wanted are put off."""
    row = conn.execute(
        "SELECT count(*) FROM recon.decisions d JOIN recon.exceptions e USING (exception_id) "
        "WHERE d.decision = 'snoozed' AND d.ended_at IS NULL AND d.until_at > %(now)s "
        f"AND d.money_at_risk_pence = e.money_at_risk_pence AND {_where(replace(wanted, shows='both'))}".encode(),
        _values(wanted, now),
    ).fetchone()
    return int(row[0]) if row else 0


_OF_A_WORD: Mapping[str, str] = {
    "named": "SELECT return_id FROM swap.returns WHERE rma = ANY(%(words)s) OR order_name = ANY(%(words)s)",
    "sold": "SELECT return_id FROM recon.matched_returns WHERE customer_code = ANY(%(words)s) "
    "OR so_code = ANY(%(words)s) OR order_ref = ANY(%(words)s)",
    "goods": "SELECT return_id FROM recon.matched_lines WHERE stock_code = ANY(%(words)s) "
    "OR (stock_code IS NULL AND sku = ANY(%(words)s))",
    "credited": "SELECT return_id FROM recon.note_links WHERE credit_note_code = ANY(%(words)s)",
    "posted": "SELECT return_id FROM recon.postings WHERE reference = ANY(%(words)s)",
}
_RETURNS = f"SELECT return_id FROM ({' UNION '.join(_OF_A_WORD.values())}) found ORDER BY 1 LIMIT {MOST_RETURNS}"
SEARCH = (
    f"WITH of_word AS MATERIALIZED ({_RETURNS}), hit AS (SELECT exception_id FROM recon.exceptions "
    "WHERE closed_at IS NULL AND return_id <> '' AND return_id IN (SELECT return_id FROM of_word) "
    "UNION SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL AND rma <> '' AND rma = ANY(%(words)s) "
    "UNION SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL AND sku <> '' AND sku = ANY(%(words)s) "
    "UNION SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL AND credit_note_code <> '' "
    f"AND credit_note_code = ANY(%(words)s)) SELECT {_COLUMNS} FROM recon.exceptions e JOIN hit USING (exception_id) "
    "WHERE e.closed_at IS NULL ORDER BY e.urgent_at, e.exception_id LIMIT %(limit)s"
)


def search(conn: psycopg.Connection[Any], word: str, limit: int) -> list[QueueRow]:
    """Open exceptions that a word names: RMA, order, SKU or Stock Code, Credit Note, reference or customer key."""
    with conn.cursor(row_factory=class_row(QueueRow)) as cursor:
        return cursor.execute(
            SEARCH.encode(), {"words": stores.spelled(conn, spellings(word)), "limit": limit}
        ).fetchall()


def returns_of(conn: psycopg.Connection[Any], word: str, limit: int) -> list[FoundReturn]:
    """Returns that a word names, with exceptions or without, the newest first."""
    with conn.cursor(row_factory=class_row(FoundReturn)) as cursor:
        return cursor.execute(
            "SELECT return_id, rma, order_name, status, refund_pence, currency FROM swap.returns WHERE return_id IN "
            f"({_RETURNS}) ORDER BY updated_at DESC NULLS LAST, return_id LIMIT %(limit)s".encode(),
            {"words": stores.spelled(conn, spellings(word)), "limit": limit},
        ).fetchall()


@dataclass(frozen=True, slots=True)
class ListedReturn:
    """A return as a list shows it: Swap's status, and ours with its month where it was judged; pence."""

    store: str
    rma: str
    order_name: str
    status: str
    refund_pence: int
    credited_pence: int | None
    currency: str
    standing: str
    month: str
    changed_at: datetime


def newest(conn: psycopg.Connection[Any], limit: int, *, store: str | None, is_open: bool) -> list[ListedReturn]:
    """The returns that changed last, of one store (None: of all), only those that Swap has open where asked."""
    with conn.cursor(row_factory=class_row(ListedReturn)) as cursor:
        return cursor.execute(
            "SELECT r.store, r.rma, r.order_name, r.status, r.refund_pence, c.credited_pence, r.currency, "
            "coalesce(c.status, '') AS standing, coalesce(c.period, '') AS month, r.changed_at FROM swap.returns r "
            "LEFT JOIN recon.reconciliation c USING (return_id) WHERE (%(store)s::text IS NULL OR r.store = %(store)s) "
            "AND (r.is_open OR NOT %(is_open)s) ORDER BY r.changed_at DESC, r.return_id LIMIT %(limit)s",
            {"store": store, "is_open": is_open, "limit": limit},
        ).fetchall()


def spellings(word: str) -> list[str]:
    """How the store may write what a person types: with ``#`` or without, as typed or in capitals."""
    bare = word.replace("\0", "").strip().removeprefix("#")
    return sorted({bare, f"#{bare}", bare.upper(), f"#{bare.upper()}"}) if bare else []
