"""What a play came to: counts on our side, the truth on the sandbox's side, and the ledger's invariants.

Belongs here: counting and comparing. Stays out: playing (``rounds``). ``duplicates`` and ``planted`` come from the
sandbox's own ledger, which knows nothing of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from khaos_swap_assets.domain.records.stores import SEPARATOR
from khaos_swap_assets.sandbox import adjusted

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.demo.rounds import Played

Found = tuple[str, str]
OF_NO_CREDIT = ("credited_in_another_month", adjusted.KIND)
"""They hold no credit back: paid at the end of a month and credited in the next, and goods that follow their credit."""
COUNTED = {
    "returns": "SELECT count(*) FROM swap.returns",
    "return_lines": "SELECT count(*) FROM swap.return_lines",
    "matched_lines": "SELECT count(*) FROM recon.matched_lines WHERE stock_code IS NOT NULL",
    "drafts": "SELECT count(*) FROM recon.drafts WHERE draft IS NOT NULL",
    "credit_notes_confirmed": "SELECT count(*) FROM recon.postings WHERE state = 'confirmed'",
    "stock_moves_confirmed": (
        "SELECT count(*) FROM recon.stock_moves WHERE state = 'confirmed' AND level_verdict <> 'failed'"
    ),
    "stock_moves_seen_in_level": "SELECT count(*) FROM recon.stock_moves WHERE level_verdict = 'confirmed'",
    "stock_adjustments_seen_in_level": "SELECT count(*) FROM recon.stock_adjustments WHERE state = 'done'",
}
BROKEN = {
    "a document was handed out without a confirmed refund": (
        "SELECT count(*) FROM recon.postings p JOIN swap.returns r USING (return_id) WHERE p.times_handed_out > 0 "
        "AND (r.status <> 'Closed' OR r.refund_pence <= 0 OR (r.refunded_at IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM storefront.refunds f WHERE f.return_id = r.return_id)))"
    ),
    "documents of a return exceed its refund": (
        "SELECT count(*) FROM (SELECT return_id FROM recon.postings JOIN swap.returns r USING (return_id) "
        "WHERE state IN ('in_doubt', 'confirmed') GROUP BY return_id, r.refund_pence "
        "HAVING sum(value_pence) > r.refund_pence) x"
    ),
    "a witnessed value differs and no value_gap is open": (
        "SELECT count(*) FROM recon.postings p WHERE state = 'confirmed' AND witnessed_pence <> value_pence "
        "AND NOT EXISTS (SELECT 1 FROM recon.exceptions e WHERE e.return_id = p.return_id AND e.kind = 'value_gap' "
        "AND e.closed_at IS NULL)"
    ),
    "a Credit Note is attributed to two postings": (
        "SELECT count(*) FROM (SELECT credit_note_code FROM recon.postings WHERE credit_note_code IS NOT NULL "
        "AND state = 'confirmed' GROUP BY 1 HAVING count(*) > 1) x"
    ),
    "a name or address outlived its posting": (
        "SELECT count(*) FROM recon.postings WHERE state IN ('confirmed', 'refused') AND party_sealed IS NOT NULL"
    ),
    "the places of custody are not what its movements add up to": (
        "SELECT count(*) FROM (SELECT return_id, product_id, place, sum(units)::integer AS moved FROM ("
        "SELECT return_id, product_id, to_place AS place, units FROM recon.custody_movements UNION ALL "
        "SELECT return_id, product_id, from_place, -units FROM recon.custody_movements) m "
        "WHERE place <> 'customer' GROUP BY 1, 2, 3 HAVING sum(units) <> 0) m "
        "FULL JOIN recon.custody c USING (return_id, product_id, place) WHERE moved IS DISTINCT FROM c.units"
    ),
    "more of a line is available than was found sellable": (
        "SELECT count(*) FROM (SELECT return_id, product_id, sum(units) AS units FROM recon.custody "
        "WHERE place IN ('available', 'available_unseen') GROUP BY 1, 2) c JOIN recon.matched_lines l "
        "USING (return_id, product_id) WHERE c.units > l.sellable_quantity"
    ),
    "a confirmed refund is nowhere": (
        "SELECT count(*) FROM swap.returns r WHERE refund_pence > 0 AND refunded_at IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM recon.reconciliation c WHERE c.return_id = r.return_id)"
    ),
}


def outcome(
    conn: psycopg.Connection,
    ledger: dict[str, Any],
    truth: dict[str, Any],
    played: Played,
    stores: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON object of a play; ``stores``: each store's name in our tables by what people call it, if several."""
    planted = {_plant(one): one for one in truth["planted"]}
    found = open_exceptions(conn)
    stages = {stage: round(seconds, 3) for stage, seconds in sorted(played.seconds.items())}
    lines = {
        "missed": [
            f"{kind} {subject}: {planted[kind, subject]['why']}"
            for kind, subject in sorted(set(planted) - {pair for pair, _ in found})
        ],
        "false_alarms": [
            f"{kind} {subject}: {message}" for (kind, subject), message in found if (kind, subject) not in planted
        ],
    }
    return {
        **counts(conn),
        "duplicates": ledger["duplicates"],
        "exceptions": _by_kind([pair for pair, _ in found]),
        "planted": _by_kind(planted),
        **lines,
        **(_by_store(conn, stores, ledger, lines, played) if stores else {}),
        "unexplained": unexplained(conn, {key[1] for key, one in planted.items() if not one["is_nameless"]}),
        "months": months(conn),
        "clean": clean(conn, [one for one in truth["planted"] if one["kind"] not in OF_NO_CREDIT]),
        "checks": {"passed": sum(played.checks.values()), "failed": sum(not one for one in played.checks.values())},
        "failed_runs": played.failed_runs,
        "broken_invariants": broken_invariants(conn, ledger) + _held_up(played),
        "seconds": {**stages, "total": round(sum(played.seconds.values()), 3)},
    }


def confirmed_by_store(conn: psycopg.Connection) -> dict[str, int]:
    """How many documents were seen in Khaos, by store."""
    return dict(
        conn.execute(
            "SELECT r.store, count(*) FROM recon.postings p JOIN swap.returns r USING (return_id) "
            "WHERE p.state = 'confirmed' GROUP BY 1"
        ).fetchall()
    )


def _by_store(
    conn: psycopg.Connection,
    stores: Mapping[str, str],
    ledger: dict[str, Any],
    lines: Mapping[str, list[str]],
    played: Played,
) -> dict[str, dict[str, dict[str, int]]]:
    """The figures of each store; what names a Credit Note or a SKU alone is of none, and stands in the whole."""
    returns: dict[str, int] = dict(conn.execute("SELECT store, count(*) FROM swap.returns GROUP BY 1").fetchall())
    confirmed, further = confirmed_by_store(conn), [f"{store}{SEPARATOR}" for store in stores.values() if store]

    def of(store: str, some: Sequence[str]) -> int:
        begins = [f"{store}{SEPARATOR}"] if store else further
        return sum(line.split()[1].startswith(tuple(begins)) == bool(store) for line in some)

    return {
        "by_store": {
            name: {
                "returns": returns.get(store, 0),
                "credit_notes_confirmed": confirmed.get(store, 0),
                "confirmed_while_the_other_was_down": played.meanwhile.get(store, 0),
                "duplicates": ledger["duplicates_by_store"][store],
                **{what: of(store, some) for what, some in lines.items()},
            }
            for name, store in stores.items()
        }
    }


def _held_up(played: Played) -> list[str]:
    """A store that is down holds nothing of the other."""
    was_held = played.down and not (played.meanwhile.get("") and not played.meanwhile.get(played.down))
    return [f"while {played.down} was down, the first store's returns were not credited alone"] if was_held else []


def _by_kind(found: Iterable[Found]) -> dict[str, int]:
    return dict(sorted(Counter(kind for kind, _ in found).items()))


def counts(conn: psycopg.Connection) -> dict[str, int]:
    """How much there is of everything."""
    return {name: _count(conn, query) for name, query in COUNTED.items()}


def months(conn: psycopg.Connection) -> dict[str, dict[str, list[int]]]:
    """Month and currency (``2026-06 GBP``) → status → returns, pence refunded, pence credited."""
    rows = conn.execute(
        "SELECT period || ' ' || currency, status, count(*), sum(refund_pence)::bigint, sum(credited_pence)::bigint "
        "FROM recon.reconciliation WHERE status <> 'nothing_due' GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    found: dict[str, dict[str, list[int]]] = {}
    for month, status, *figures in rows:
        found.setdefault(month, {})[status] = figures
    return found


def unexplained(conn: psycopg.Connection, named: set[str]) -> list[str]:
    """Gaps of which pence are left without a leg, of returns for which the sandbox's truth names a cause."""
    rows = conn.execute(
        "SELECT rma, gap_unexplained_pence FROM recon.reconciliation WHERE gap_unexplained_pence <> 0 "
        "AND rma = ANY(%s) ORDER BY rma",
        (sorted(named),),
    ).fetchall()
    return [f"{rma}: {pence} pence" for rma, pence in rows]


def clean(conn: psycopg.Connection, planted: Iterable[dict[str, str]]) -> dict[str, int]:
    """Returns whose credit passed every gate, and how many are settled; none of them or of their notes is planted."""
    plants = list(planted)
    row = conn.execute(
        "SELECT count(*) AS due, count(*) FILTER (WHERE status IN ('matched', 'within_tolerance')) AS settled "
        "FROM recon.reconciliation r JOIN recon.matched_returns m USING (return_id) WHERE NOT rma = ANY(%s) "
        "AND NOT EXISTS (SELECT 1 FROM khaos.credit_notes n WHERE n.customer_code = m.customer_code "
        "AND n.credit_note_code = ANY(%s)) AND (EXISTS ("
        "SELECT 1 FROM recon.postings p WHERE p.return_id = r.return_id AND p.state <> 'withdrawn') OR EXISTS ("
        "SELECT 1 FROM recon.drafts d WHERE d.return_id = r.return_id AND d.state = 'ready'))",
        ([one["rma"] for one in plants], [one["credit_note_code"] for one in plants if one["credit_note_code"]]),
    ).fetchone()
    due, settled = row or (0, 0)
    return {"due": int(due), "settled": int(settled)}


def open_exceptions(conn: psycopg.Connection) -> list[tuple[Found, str]]:
    """Open exceptions as kind and Credit Note code or RMA, with the SKU where it is one's, and their message."""
    rows = conn.execute(
        "SELECT kind, subject, rma, sku, credit_note_code, message FROM recon.exceptions "
        "WHERE closed_at IS NULL ORDER BY kind, subject"
    ).fetchall()
    return [
        ((kind, code or _of_return(kind, rma, sku) or subject), message)
        for kind, subject, rma, sku, code, message in rows
    ]


def broken_invariants(conn: psycopg.Connection, ledger: dict[str, Any]) -> list[str]:
    """The ledger's invariants that do not hold, in words; none is the only good answer."""
    broken = [text for text, query in BROKEN.items() if _count(conn, query)]
    told = {"duplicates": "duplicates", "undue_moves": "goods on a shelf that never came back"}
    return broken + [f"the sandbox's ledger holds {words}" for name, words in told.items() if ledger[name]]


def _plant(one: dict[str, str]) -> Found:
    named = one["credit_note_code"] or one["refund"] or one["record"] or one["order"]
    return one["kind"], named or _of_return(one["kind"], one["rma"], one["sku"]) or one["sku"]


def _of_return(kind: str, rma: str, sku: str) -> str:
    return f"{rma}/{sku}" if kind.startswith("sku_") or kind == adjusted.KIND else rma


def _count(conn: psycopg.Connection, query: str) -> int:
    row = conn.execute(query).fetchone()
    return int(row[0]) if row else 0
