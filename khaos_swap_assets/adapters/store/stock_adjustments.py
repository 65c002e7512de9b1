"""Stock adjustments that people are asked to make in Khaos, in our store.

Belongs here: asking, following and ending them. Stays out: which units (``goods.adjustments``) and what a level proves
(``goods.dispositions``). A return has one open adjustment of a row, disposition and Stock Code. Shape:
``recon.stock_adjustments`` (migrations 0044 and 0054). An ended one is never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.domain.goods.adjustments import KIND, Adjustment, Key

COLUMNS = tuple(Adjustment.__dataclass_fields__)
LOOK_EVERY = timedelta(minutes=15)
"""How often Khaos is asked for the level of an adjustment that waits for people."""


def of_returns(conn: psycopg.Connection[Any], return_ids: Sequence[str]) -> dict[str, list[Adjustment]]:
    """All adjustments of these returns, oldest first."""
    found: dict[str, list[Adjustment]] = {}
    for one in _load(conn, "return_id = ANY(%s)", list(return_ids)):
        found.setdefault(one.return_id, []).append(one)
    return found


def asked(conn: psycopg.Connection[Any]) -> list[Adjustment]:
    """Those that wait for people; none of a Stock Code that is on its way, whose level speaks of that alone."""
    on_its_way = (
        "SELECT 1 FROM recon.stock_transfers t WHERE (t.site_id, t.stock_code) = (a.site_id, a.stock_code) "
        "AND t.ended_at IS NULL"
    )
    return _load(conn, f"state = 'asked' AND %s AND NOT EXISTS ({on_its_way})", True)


def to_look_at(conn: psycopg.Connection[Any], now: datetime) -> list[tuple[int, str]]:
    """Sites and Stock Codes whose level is to be read: of what waits, each every quarter of an hour."""
    return conn.execute(
        "SELECT DISTINCT site_id, stock_code FROM recon.stock_adjustments "
        "WHERE state IN ('asked', 'sent') AND look_at <= %s "
        "ORDER BY 1, 2",
        (now,),
    ).fetchall()


def looked_at(conn: psycopg.Connection[Any], pairs: Sequence[tuple[int, str]], now: datetime) -> None:
    """Record that these were looked at, whatever Khaos answered."""
    conn.execute(
        "UPDATE recon.stock_adjustments SET look_at = %s WHERE state IN ('asked', 'sent') AND (site_id, stock_code) IN "
        "(SELECT * FROM unnest(%s::integer[], %s::text[]))",
        (now + LOOK_EVERY, [pair[0] for pair in pairs], [pair[1] for pair in pairs]),
    )


def ask(
    conn: psycopg.Connection[Any],
    rmas: Mapping[str, str],
    sites: Mapping[str, int],
    wanted: Mapping[str, Mapping[Key, int]],
    now: datetime,
) -> int:
    """Make ``wanted`` (by return id) the open adjustments of these returns; how many are new or changed.

    ``rmas`` by return id, ``sites`` by disposition. What is wanted no more is withdrawn.
    """
    rows = [(one, *key, units) for one, found in wanted.items() for key, units in found.items()]
    columns = [[row[place] for row in rows] for place in range(5)]
    conn.execute(
        "UPDATE recon.stock_adjustments old SET state = 'withdrawn', ended_at = %s WHERE state = 'asked' "
        "AND return_id = ANY(%s) AND (return_id, product_id, disposition, stock_code) NOT IN "
        "(SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]))",
        (now, list(wanted), *columns[:4]),
    )
    return conn.execute(
        "INSERT INTO recon.stock_adjustments AS old (return_id, product_id, disposition, stock_code, quantity, rma, "
        "site_id, state, asked_at, look_at) SELECT new.*, 'asked', %s, %s FROM unnest(%s::text[], %s::text[], "
        "%s::text[], %s::text[], %s::integer[], %s::text[], %s::integer[]) AS new "
        "ON CONFLICT (return_id, product_id, disposition, stock_code) WHERE state = 'asked' DO UPDATE SET "
        "quantity = EXCLUDED.quantity, look_at = EXCLUDED.look_at WHERE old.quantity <> EXCLUDED.quantity",
        (now, now, *columns, [rmas[row[0]] for row in rows], [sites[row[2]] for row in rows]),
    ).rowcount


def follow(conn: psycopg.Connection[Any], changed: Sequence[Adjustment]) -> None:
    """Write back adjustments whose levels or state changed."""
    for one in changed:
        conn.execute(
            "UPDATE recon.stock_adjustments SET state = %s, level_before = %s, level_before_at = %s, level_after = %s, "
            "level_after_at = %s, ended_at = %s WHERE adjustment_id = %s",
            (one.state, one.level_before, one.level_before_at, one.level_after, one.level_after_at, one.ended_at,
             one.adjustment_id),
        )  # fmt: skip


def settle_waived(conn: psycopg.Connection[Any], now: datetime) -> list[str]:
    """End those of which a person waived the exception for good: the returns. The units count as adjusted.

    A waiver says nothing of units that were asked for after it.
    """
    rows = conn.execute(
        "UPDATE recon.stock_adjustments a SET state = 'settled', ended_by = d.decided_by, reason = d.reason, "
        "ended_at = %s FROM recon.decisions d "
        "WHERE a.state IN ('asked', 'sent') AND d.decision = 'waived' AND d.ended_at IS NULL "
        "AND d.until_at IS NULL AND d.object = %s AND d.return_id = a.return_id AND a.asked_at <= d.decided_at "
        "AND d.subject = a.rma || '/' || a.stock_code || '/' || a.disposition RETURNING a.return_id",
        (now, KIND),
    ).fetchall()
    return sorted({row[0] for row in rows})


def neutral_notes(conn: psycopg.Connection[Any], codes: Collection[str]) -> set[str]:
    """Those of these Credit Notes that came of our documents and moved no goods."""
    if not codes:
        return set()
    rows = conn.execute(
        "SELECT p.credit_note_code FROM recon.postings p JOIN recon.drafts d USING (store_id, return_id, ordinal) "
        "WHERE p.credit_note_code = ANY(%s) AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(d.draft -> 'lines') "
        "line WHERE line ->> 'disposition' IN ('sellable', 'damaged'))",
        (sorted(codes),),
    )
    return {row[0] for row in rows}


def units_by_state(conn: psycopg.Connection[Any], since: datetime) -> dict[str, int]:
    """Units that wait for people, and those that ended since a moment, by state and disposition."""
    rows = conn.execute(
        "SELECT state || '_' || disposition, sum(abs(quantity))::integer FROM recon.stock_adjustments "
        "WHERE state IN ('asked', 'sent') OR (state IN ('done', 'settled') AND ended_at > %s) GROUP BY 1",
        (since,),
    ).fetchall()
    return dict(rows)


def _load(conn: psycopg.Connection[Any], where: LiteralString, value: object) -> list[Adjustment]:
    if value == []:
        return []
    with conn.cursor(row_factory=class_row(Adjustment)) as cursor:
        query = f"SELECT {', '.join(COLUMNS)} FROM recon.stock_adjustments a WHERE {where} ORDER BY adjustment_id"
        return cursor.execute(query.encode(), (value,)).fetchall()
