"""What of Swap proves a refund, as it is in force over the mirror, and what the closed returns carry.

Belongs here: bringing the mirror under another rule, and counting for the choice. Stays out: the rule
(``refunds.proof``). Shape: ``swap.refund_proof``, one row; columns of ``swap.returns`` (migration 0026).
"""

from __future__ import annotations

import psycopg

from khaos_swap_assets.domain.refunds.proof import Carried, Proof

AGAIN = (
    "WITH proven AS (SELECT return_id, refunded_at AS was, w.holds, "
    "coalesce(r.processed_at, CASE WHEN w.holds THEN r.closed_at END) AS at "
    "FROM swap.returns r JOIN unnest(%s::text[], %s::boolean[]) AS w (word, holds) ON w.word = r.processed_word) "
    "UPDATE swap.returns r SET is_closing_proof = p.holds, refunded_at = p.at FROM proven p "
    "WHERE r.return_id = p.return_id AND (r.is_closing_proof, r.refunded_at) IS DISTINCT FROM (p.holds, p.at) "
    "RETURNING r.return_id, p.was IS DISTINCT FROM p.at"
)
CARRIED = (
    "SELECT processed_at IS NOT NULL, processed_word, count(*) FROM swap.returns WHERE status = 'Closed' "
    "AND refund_pence + store_credit_pence > 0 AND changed_at >= "
    "(SELECT max(changed_at) FROM swap.returns) - make_interval(days => %s) GROUP BY 1, 2"
)


def put_in_force(conn: psycopg.Connection, proof: Proof) -> list[str]:
    """Bring the mirror under this rule where another was in force; the returns whose refund it dates otherwise."""
    row = conn.execute("SELECT told FROM swap.refund_proof").fetchone()
    if row and row[0] == proof.told:
        return []
    conn.execute(
        "INSERT INTO swap.refund_proof (told) VALUES (%s) ON CONFLICT (only_row) DO UPDATE SET told = EXCLUDED.told",
        (proof.told,),
    )
    words = [word for (word,) in conn.execute("SELECT DISTINCT processed_word FROM swap.returns")]
    holds = [proof.dates_by_closing(word) for word in words]
    return [key for key, is_moved in conn.execute(AGAIN, (words, holds)) if is_moved]


def carried(conn: psycopg.Connection, days: int) -> Carried:
    """What closed returns with a value carry that changed in the last ``days`` before the newest change."""
    dated = empty = 0
    words: dict[str, int] = {}
    for is_dated, word, count in conn.execute(CARRIED, (days,)):
        dated, empty = dated + (count if is_dated else 0), empty + (count if not (is_dated or word) else 0)
        if word and not is_dated:
            words[word] = count
    return Carried(dated, words, empty)
