"""Who works on a run (``recon.writers``): the sign of life, the fencing token, and who is the one writer towards Khaos.

Belongs here: taking a token, asking whether it still counts, fencing. Stays out: when somebody counts as lost
(``running.lost``). Every function runs in the caller's transaction. A transaction that asked keeps the row from being
fenced until it ends, so once somebody is fenced nothing that they began can still be committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.errors import FencedError

APPLICATION = "dagster run {run_id}"
"""The name of a run's connections, by which whoever fences it ends them."""
AT_WORK = "ended_at IS NULL AND fenced_at IS NULL"
TURN = "SELECT pg_advisory_xact_lock(hashtext('khaos-swap writer'))"
TAKEN = "another run took the place of the one writer towards Khaos"


@dataclass(frozen=True, slots=True)
class Token:
    """The fencing token of one process that works on a run."""

    epoch: int
    run_id: str


def begin(conn: psycopg.Connection[Any], run_id: str, worker: str) -> Token:
    """A token for a process that begins to work on a run; whoever worked on it before is fenced."""
    conn.execute(TURN)
    fence(conn, run_id, f"{worker} works on this run now")
    row = conn.execute(
        "INSERT INTO recon.writers (run_id, worker) VALUES (%s, %s) RETURNING epoch", (run_id, worker)
    ).fetchone()
    assert row
    return Token(row[0], run_id)


def require(conn: psycopg.Connection[Any], token: Token) -> None:
    """Raise ``FencedError`` where the token does not count any more; else it does until this transaction ends."""
    row = conn.execute(
        "SELECT fenced_at, fenced_because FROM recon.writers WHERE epoch = %s FOR KEY SHARE", (token.epoch,)
    ).fetchone()
    if row is None or row[0] is not None:
        raise _fenced(token, *(row or (None, "its mark is gone, as after a restore")))


def beat(conn: psycopg.Connection[Any], token: Token) -> None:
    """Give a sign of life. Raises as ``require``."""
    require(conn, token)
    conn.execute("UPDATE recon.writers SET beaten_at = clock_timestamp() WHERE epoch = %s", (token.epoch,))


def end(conn: psycopg.Connection[Any], token: Token) -> None:
    """The work is done; whoever was fenced stays so."""
    conn.execute(
        "UPDATE recon.writers SET ended_at = clock_timestamp(), has_khaos = false WHERE epoch = %s", (token.epoch,)
    )


def take_khaos(conn: psycopg.Connection[Any], token: Token) -> None:
    """Become the one writer towards Khaos; whoever was it without having left is fenced. Raises as ``require``."""
    conn.execute(TURN)
    require(conn, token)
    others = conn.execute(
        f"SELECT run_id FROM recon.writers WHERE has_khaos AND {AT_WORK} AND epoch <> %s ORDER BY epoch", (token.epoch,)
    ).fetchall()
    for (run_id,) in others:
        fence(conn, run_id, TAKEN)
    conn.execute("UPDATE recon.writers SET has_khaos = true WHERE epoch = %s", (token.epoch,))


def leave_khaos(conn: psycopg.Connection[Any], token: Token) -> None:
    """Be it no longer."""
    conn.execute("UPDATE recon.writers SET has_khaos = false WHERE epoch = %s", (token.epoch,))


def fence(conn: psycopg.Connection[Any], run_id: str, because: str) -> int:
    """From the commit on nothing more is written by whoever works on the run; how many that were.

    Their connections are ended first, so that nobody waits for a transaction whose owner is out of reach.
    """
    conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND application_name = %s AND EXISTS ("
        f"SELECT FROM recon.writers WHERE run_id = %s AND {AT_WORK})",
        (f"khaos-swap {APPLICATION.format(run_id=run_id)}", run_id),
    )
    found = conn.execute(
        f"SELECT epoch FROM recon.writers WHERE run_id = %s AND {AT_WORK} ORDER BY epoch FOR UPDATE", (run_id,)
    ).fetchall()
    done = conn.execute(
        "UPDATE recon.writers SET fenced_at = clock_timestamp(), fenced_because = %s, has_khaos = false "
        f"WHERE epoch = ANY(%s) AND {AT_WORK}",
        (because, [epoch for (epoch,) in found]),
    )
    return done.rowcount


def signs(conn: psycopg.Connection[Any]) -> dict[str, tuple[str, datetime]]:
    """Of each run that somebody works on: who, and their last sign of life."""
    rows = conn.execute(f"SELECT run_id, worker, beaten_at FROM recon.writers WHERE {AT_WORK} ORDER BY epoch")
    return {run_id: (worker, beaten_at) for run_id, worker, beaten_at in rows}


def forget(conn: psycopg.Connection[Any]) -> int:
    """Delete whoever is at work no more and began a week ago; how many."""
    return conn.execute(
        f"DELETE FROM recon.writers WHERE began_at < now() - interval '7 days' AND NOT ({AT_WORK})"
    ).rowcount


def _fenced(token: Token, fenced_at: datetime | None, because: str) -> FencedError:
    since = f" at {fenced_at:%H:%M:%S} UTC" if fenced_at else ""
    return FencedError(
        f"run {token.run_id} was cut off{since}: {because}. Nothing of it counts from then on; "
        "another run does what is still undone"
    )
