"""Payouts in our store: as the storefront or a file told them, beside the refunds that they hold.

Belongs here: saving a reading, what is to be compared, and loading both sides by batch. Stays out: which line is which
refund (``domain.payouts``) and what is shown (``payout_rows``). Shapes: migration 0045. Money is pence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.adapters.storefront.records import ReadPayout
from khaos_swap_assets.domain.payouts.comparing import Placed
from khaos_swap_assets.domain.payouts.records import UNSENT, Covered, PaidLine, PaidRefund, Payout, PayoutLine

HEAD = ("provider", "payout_id", "paid_on", "currency", "total_pence", "status")
LINE = tuple(field.name for field in fields(PayoutLine))
KEY = ("provider", "payout_id")
ROW = (
    *("provider", "payout_id", "line_id", "place", "why", "paid_out_on", "currency", "gross_pence", "fee_pence"),
    *("matched_pence", "apart_pence", "refund_key", "refund_id", "order_name", "return_id", "rma", "gateway"),
    *("refund_pence", "refunded_on", "is_foreign", "compared_at"),
)
_UNSENT = "', '".join(sorted(UNSENT))
SENT = f"lower(p.status) NOT IN ('{_UNSENT}')"
"""Of payouts ``p`` those that reached the bank, or will."""
Keys = Sequence[tuple[str, str]]
"""Provider and id of payouts."""


def known_hashes(conn: psycopg.Connection, keys: Keys) -> dict[tuple[str, str], tuple[str, bool]]:
    """Of these payouts those that are known: the hash of each, and whether a file told it."""
    rows = conn.execute(
        "SELECT provider, payout_id, content_hash, is_from_file FROM storefront.payouts "
        "JOIN unnest(%s::text[], %s::text[]) AS asked (provider, payout_id) USING (provider, payout_id)",
        _columns(keys),
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def save(conn: psycopg.Connection, read: Sequence[ReadPayout], now: datetime, *, import_id: int | None = None) -> None:
    """Put each in the place of what was told of it before; it is to be compared. ``import_id`` of the file it is in."""
    if not read:
        return
    extras = ("apart_pence", "is_from_file", "import_id", "content_hash", "changed_at", "is_due")
    rows = [
        (*(getattr(one.record, name) for name in HEAD), one.record.apart_pence, import_id is not None, import_id,
         one.content_hash, now, True)
        for one in read
    ]  # fmt: skip
    bulk.upsert(conn, "storefront.payouts", (*HEAD, *extras), KEY, rows)
    conn.execute(
        "DELETE FROM storefront.payout_lines l USING unnest(%s::text[], %s::text[]) AS gone (provider, payout_id) "
        "WHERE l.provider = gone.provider AND l.payout_id = gone.payout_id",
        _columns([(one.record.provider, one.record.payout_id) for one in read]),
    )
    lines = [
        (one.record.provider, one.record.payout_id, *(getattr(line, name) for name in LINE))
        for one in read
        for line in one.record.lines
    ]
    bulk.copy_rows(conn, "storefront.payout_lines", (*KEY, *LINE), lines)


def hashes_since(conn: psycopg.Connection, provider: str, since: date) -> dict[str, str]:
    """The hash of each payout of a provider since a day, by its id; of one that a file told none."""
    rows = conn.execute(
        "SELECT payout_id, content_hash FROM storefront.payouts WHERE provider = %s AND paid_on >= %s "
        "AND NOT is_from_file",
        (provider, since),
    )
    return dict(rows.fetchall())


def is_known(conn: psycopg.Connection) -> bool:
    """Whether there is any payout."""
    return conn.execute("SELECT 1 FROM storefront.payouts LIMIT 1").fetchone() is not None


def covered(conn: psycopg.Connection) -> dict[str, Covered]:
    """The days whose payouts are known, by provider."""
    rows = conn.execute("SELECT provider, min(paid_on), max(paid_on) FROM storefront.payouts GROUP BY 1")
    return {provider: Covered(first, last) for provider, first, last in rows}


def due(conn: psycopg.Connection) -> Keys:
    """The payouts whose lines are to be compared."""
    return conn.execute("SELECT provider, payout_id FROM storefront.payouts WHERE is_due ORDER BY 1, 2").fetchall()


def apart(conn: psycopg.Connection, since: date) -> list[tuple[Payout, int]]:
    """Payouts since that day whose total is not the sum of their lines, and by how much."""
    rows = conn.execute(
        f"SELECT {', '.join(HEAD)}, apart_pence FROM storefront.payouts p WHERE apart_pence <> 0 AND paid_on >= %s "
        f"AND {SENT} ORDER BY provider, payout_id".encode(),
        (since,),
    )
    return [(Payout(*row[:-1]), row[-1]) for row in rows]


_LINES = (
    f"SELECT p.provider, p.payout_id, p.paid_on, p.currency, {', '.join(f'l.{name}' for name in LINE)} "
    "FROM storefront.payouts p JOIN storefront.payout_lines l USING (provider, payout_id) "
    f"{{joined}} WHERE lower(l.kind) = 'refund' AND {SENT} {{wanted}}"
)


def lines_to_compare(conn: psycopg.Connection, keys: Keys, since: date) -> list[PaidLine]:
    """The lines about refunds of these payouts, and of all others since that day those that are not in their place."""
    due_ = "AND (p.provider, p.payout_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
    row = "JOIN recon.payout_refunds r USING (provider, payout_id, line_id)"
    apart_ = "AND r.place <> 'matched' AND p.paid_on >= %s"
    query = f"{_LINES.format(joined='', wanted=due_)} UNION {_LINES.format(joined=row, wanted=apart_)}"
    return _loaded(conn, query, [*_columns(keys), since])


def lines_of_refunds(conn: psycopg.Connection, refund_keys: Collection[str]) -> list[PaidLine]:
    """The lines that hold these refunds now."""
    row = "JOIN recon.payout_refunds r USING (provider, payout_id, line_id)"
    return _loaded(conn, _LINES.format(joined=row, wanted="AND r.refund_key = ANY(%s)"), [sorted(refund_keys)])


def _loaded(conn: psycopg.Connection, query: str, given: Sequence[Any]) -> list[PaidLine]:
    rows = conn.execute(query.encode(), given).fetchall()
    return [
        PaidLine(provider=row[0], payout_id=row[1], paid_on=row[2], currency=row[3], line=PayoutLine(*row[4:]))
        for row in rows
    ]


def forget_lines(conn: psycopg.Connection, keys: Keys) -> None:
    """Drop where the lines of these payouts were: they are told anew."""
    conn.execute(
        "DELETE FROM recon.payout_refunds WHERE payout_id <> '' AND (provider, payout_id) IN "
        "(SELECT * FROM unnest(%s::text[], %s::text[]))",
        _columns(keys),
    )


def forget_missing(conn: psycopg.Connection, *, held_only: bool) -> None:
    """Drop the refunds in no payout; with ``held_only`` those that a payout holds by now."""
    conn.execute(
        "DELETE FROM recon.payout_refunds m WHERE m.place = 'missing' AND (NOT %s OR EXISTS (SELECT 1 FROM "
        "recon.payout_refunds r WHERE r.refund_key = m.refund_key AND r.payout_id <> ''))",
        (held_only,),
    )


def place(conn: psycopg.Connection, found: Iterable[Placed], now: datetime) -> None:
    """Keep where each line, and each refund in no payout, belongs."""
    rows = [_row(one, now) for one in found]
    bulk.upsert(conn, "recon.payout_refunds", ROW, ("provider", "payout_id", "line_id"), rows)


def compared(conn: psycopg.Connection, keys: Keys) -> None:
    """These payouts are due no more."""
    conn.execute(
        "UPDATE storefront.payouts SET is_due = false WHERE (provider, payout_id) IN "
        "(SELECT * FROM unnest(%s::text[], %s::text[]))",
        _columns(keys),
    )


def _row(one: Placed, now: datetime) -> tuple[Any, ...]:
    line, refund = one.line, one.refund
    of_line = (line.provider, line.payout_id, line.line.line_id) if line else None
    of_refund = (refund.gateway.lower(), "", refund.key) if refund else None
    names = (refund.key, refund.refund_id, refund.order_name, refund.return_id, refund.rma) if refund else ("",) * 5
    ours = (refund.gateway, refund.pence, refund.paid_on, refund.is_foreign) if refund else ("", 0, None, False)
    return (
        *(of_line or of_refund or ("", "", "")), one.place, one.why, line.paid_on if line else None,
        line.currency if line else refund.currency if refund else "", one.gross_pence,
        line.line.fee_pence if line else 0, one.matched_pence, one.apart_pence, *names, *ours, now,
    )  # fmt: skip


def differences(conn: psycopg.Connection, since: date) -> list[Placed]:
    """What is not in its place, since that day."""
    names = [name for name in ROW if name != "compared_at"]
    rows = conn.execute(
        f"SELECT {', '.join(f'r.{name}' for name in names)}, coalesce(l.order_ref, ''), coalesce(l.refund_id, ''), "
        "coalesce(l.return_ref, '') FROM recon.payout_refunds r LEFT JOIN storefront.payout_lines l "
        "USING (provider, payout_id, line_id) WHERE r.place <> 'matched' "
        "AND coalesce(r.paid_out_on, r.refunded_on) >= %s ORDER BY 1, 2, 3".encode(),
        (since,),
    )
    return [_placed(dict(zip([*names, "told_order", "told_refund", "told_return"], row, strict=True))) for row in rows]


def _placed(row: dict[str, Any]) -> Placed:
    line = PayoutLine(
        row["line_id"], "refund", row["gross_pence"], row["fee_pence"], refund_id=row["told_refund"],
        return_ref=row["told_return"], order_ref=row["told_order"],
    )  # fmt: skip
    told = PaidLine(
        provider=row["provider"], payout_id=row["payout_id"], paid_on=row["paid_out_on"], currency=row["currency"],
        line=line,
    )  # fmt: skip
    refund = PaidRefund(
        key=row["refund_key"], currency=row["currency"], pence=row["refund_pence"], paid_on=row["refunded_on"],
        refund_id=row["refund_id"], order_name=row["order_name"], return_id=row["return_id"], rma=row["rma"],
        gateway=row["gateway"], is_foreign=row["is_foreign"],
    )  # fmt: skip
    return Placed(
        row["place"], told if row["payout_id"] else None, refund if row["refund_key"] else None, row["why"]
    )  # fmt: skip


def _columns(keys: Keys) -> list[list[str]]:
    return [[one[0] for one in keys], [one[1] for one in keys]]
