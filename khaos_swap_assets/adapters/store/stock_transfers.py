"""Transfers of adjustments, and the files that carry some, in our store.

Belongs here: what may be carried, beginning and ending a transfer together with its adjustments. Stays out: verdicts
(``goods.adjustments``). Shapes: ``recon.stock_transfers``, ``recon.stock_files`` (migration 0054). An adjustment that
is on its way has the state *sent* and belongs to its transfer for good; of a Stock Code at a site one transfer is open.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import audit_log, worklist
from khaos_swap_assets.domain.goods.adjustments import MOVED, REFUSED, Route, Transfer

COLUMNS = ", ".join(Transfer.__dataclass_fields__)
ENDS: Mapping[str, str] = {MOVED: "done", REFUSED: "withdrawn"}
"""What becomes of its adjustments; they stay on their way else. Those of a refused one are asked for anew."""
WHO = "stock route"
_GOES_AS: LiteralString = "CASE a.disposition WHEN 'b_grade' THEN 'sellable' ELSE a.disposition END"


@dataclass(frozen=True, slots=True)
class Carriable:
    """Units of one Stock Code at one site that people are asked to adjust and nothing carries yet.

    ``value_pence`` is what their rows were refunded at, and more where a pack's components are several.
    """

    site_id: int
    stock_code: str
    disposition: str
    quantity: int
    value_pence: int
    asked_at: datetime
    adjustments: list[int]
    rmas: list[str]


def carriable(
    conn: psycopg.Connection[Any], sites: Mapping[str, int], *, codes: Collection[str] | None = None
) -> list[Carriable]:
    """What may be carried at these ``sites`` (by disposition), the longest asked first; of ``codes``, where given.

    B-grade units are sellable ones of their B-grade Stock Code. Nothing of a Stock Code that is on its way at that site
    already, and nothing that adds up to no units.
    """
    with conn.cursor(row_factory=class_row(Carriable)) as cursor:
        return cursor.execute(
            f"SELECT a.site_id, a.stock_code, {_GOES_AS} AS disposition, sum(a.quantity)::integer AS quantity, "
            "sum(least(l.cost_pence, l.cost_pence * abs(a.quantity) / greatest(l.quantity, 1)))::bigint "
            "AS value_pence, max(a.asked_at) AS asked_at, array_agg(a.adjustment_id) AS adjustments, "
            "array_agg(DISTINCT a.rma) AS rmas FROM recon.stock_adjustments a "
            "JOIN recon.matched_lines l USING (return_id, product_id) WHERE a.state = 'asked' "
            f"AND ({_GOES_AS}, a.site_id) IN (SELECT * FROM unnest(%s::text[], %s::integer[])) "
            "AND (%s::text[] IS NULL OR a.stock_code = ANY(%s)) AND NOT EXISTS (SELECT 1 FROM recon.stock_transfers t "
            "WHERE (t.site_id, t.stock_code) = (a.site_id, a.stock_code) AND t.ended_at IS NULL) "
            "GROUP BY 1, 2, 3 HAVING sum(a.quantity) <> 0 ORDER BY min(a.adjustment_id)",
            (list(sites), list(sites.values()), codes and sorted(codes), codes and sorted(codes)),
        ).fetchall()


def begin(
    conn: psycopg.Connection[Any], route: Route, units: Carriable, level: int, read_at: datetime, file_name: str = ""
) -> Transfer:
    """Write down that these units leave: from now on nothing else carries them. The caller commits before they do."""
    given = (route, file_name, units.site_id, units.stock_code, units.quantity, units.value_pence, level,
             level + units.quantity, read_at)  # fmt: skip
    with conn.cursor(row_factory=class_row(Transfer)) as cursor:
        begun = cursor.execute(
            "INSERT INTO recon.stock_transfers (route, file_name, site_id, stock_code, quantity, value_pence, state, "
            f"level_read, level_wanted, read_at, attempts) VALUES (%s, %s, %s, %s, %s, %s, 'out', %s, %s, %s, 1) "
            f"RETURNING {COLUMNS}".encode(),
            given,
        ).fetchall()[0]
    rows = conn.execute(
        "UPDATE recon.stock_adjustments SET state = 'sent', transfer_id = %s, told = %s WHERE adjustment_id = ANY(%s) "
        "RETURNING return_id",
        (begun.transfer_id, begun.told, units.adjustments),
    ).fetchall()
    worklist.queue(conn, "reconcile", [row[0] for row in rows])
    _log(conn, "begun", begun, read_at)
    return begun


def begin_again(conn: psycopg.Connection[Any], transfer_id: int, level: int, read_at: datetime) -> Transfer | None:
    """Try a transfer once more with another reading, under its own key; None where a person has ended it."""
    with conn.cursor(row_factory=class_row(Transfer)) as cursor:
        found = cursor.execute(
            "UPDATE recon.stock_transfers t SET state = 'out', attempts = attempts + 1, level_read = %s, "
            "quantity = units, level_wanted = %s + units, read_at = %s, window_ms = NULL FROM ("
            "SELECT sum(quantity)::integer AS units FROM recon.stock_adjustments WHERE transfer_id = %s "
            "AND state = 'sent') rest WHERE t.transfer_id = %s AND t.state = 'again' AND units <> 0 "
            f"AND units + %s >= 0 RETURNING {COLUMNS}".encode(),
            (level, level, read_at, transfer_id, transfer_id, level),
        ).fetchone()
    if found:
        _log(conn, "begun again", found, read_at)
    return found


def save(conn: psycopg.Connection[Any], transfer: Transfer, now: datetime) -> None:
    """Write back what became of a transfer, and of its adjustments with it; their returns are judged anew."""
    ends = ENDS.get(transfer.state, "sent")
    ended_at = now if transfer.state in ENDS else None
    conn.execute(
        "UPDATE recon.stock_transfers SET state = %s, window_ms = %s, level_after = %s, level_after_at = %s, "
        "ended_at = %s WHERE transfer_id = %s",
        (transfer.state, transfer.window_ms, transfer.level_after, transfer.level_after_at, ended_at,
         transfer.transfer_id),
    )  # fmt: skip
    rows = conn.execute(
        "UPDATE recon.stock_adjustments SET state = %s, told = %s, level_before = %s, level_before_at = %s, "
        "level_after = %s, level_after_at = %s, ended_at = %s WHERE transfer_id = %s AND state = 'sent' "
        "RETURNING return_id",
        (ends, transfer.told, transfer.level_read, transfer.read_at, transfer.level_after, transfer.level_after_at,
         ended_at, transfer.transfer_id),
    ).fetchall()  # fmt: skip
    _log(conn, transfer.state, transfer, now)
    if ended_at:
        _watch_anew(conn, [(transfer.site_id, transfer.stock_code)])
    for stage in ("reconcile", "stock") if transfer.state == REFUSED else ("reconcile",):
        worklist.queue(conn, stage, [row[0] for row in rows])


def end_settled(conn: psycopg.Connection[Any], now: datetime) -> None:
    """End the transfers of which a person has settled every adjustment."""
    ended = conn.execute(
        "UPDATE recon.stock_transfers t SET state = 'settled', ended_at = %s WHERE ended_at IS NULL AND NOT EXISTS ("
        "SELECT 1 FROM recon.stock_adjustments a WHERE a.transfer_id = t.transfer_id AND a.state = 'sent') "
        "RETURNING site_id, stock_code",
        (now,),
    ).fetchall()
    _watch_anew(conn, ended)


def _watch_anew(conn: psycopg.Connection[Any], codes: Sequence[tuple[int, str]]) -> None:
    """What is asked of these Stock Codes besides begins with a level of after the transfer."""
    conn.execute(
        "UPDATE recon.stock_adjustments SET level_before = NULL, level_before_at = NULL WHERE state = 'asked' "
        "AND (site_id, stock_code) IN (SELECT * FROM unnest(%s::integer[], %s::text[]))",
        ([one[0] for one in codes], [one[1] for one in codes]),
    )


def on_their_way(conn: psycopg.Connection[Any], route: Route) -> list[Transfer]:
    """Those of a route that are out, or are to be tried again, the first begun first."""
    return _load(conn, "route = %s AND ended_at IS NULL AND state <> 'person'", route)


def set_since(conn: psycopg.Connection[Any], moment: datetime) -> tuple[int, int]:
    """How many levels were set since a moment, counting each attempt, and the pence of their units."""
    row = conn.execute(
        "SELECT coalesce(sum(attempts), 0)::integer, coalesce(sum(value_pence), 0)::bigint FROM recon.stock_transfers "
        "WHERE route = 'level' AND read_at >= %s",
        (moment,),
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def _load(conn: psycopg.Connection[Any], where: LiteralString, value: object) -> list[Transfer]:
    with conn.cursor(row_factory=class_row(Transfer)) as cursor:
        query = f"SELECT {COLUMNS} FROM recon.stock_transfers WHERE {where} ORDER BY transfer_id"
        return cursor.execute(query.encode(), (value,)).fetchall()


def _log(conn: psycopg.Connection[Any], what: str, transfer: Transfer, now: datetime) -> None:
    kept = {name: value for name, value in asdict(transfer).items() if not isinstance(value, datetime)}
    audit_log.append(conn, [audit_log.Entry(now, WHO, what, f"stock transfer {transfer.transfer_id}", after=kept)])
