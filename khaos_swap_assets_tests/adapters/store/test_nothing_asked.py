"""Who has nothing to ask asks nothing, so that a sync in which nothing changed costs few round trips.

The connection is closed: whatever is asked of it is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import (
    catalogue,
    completeness,
    doubts,
    drafts,
    embedded,
    inbox,
    khaos_faults,
    links,
    matches,
    monthly,
    notes,
    postings,
    returns,
    setbacks,
    worklist,
)

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
READS: dict[str, Callable[[psycopg.Connection[Any]], Any]] = {
    "returns": lambda conn: returns.load(conn, []),
    "parts of returns": lambda conn: returns.parts(conn, [], ["type"]),
    "RMAs of returns": lambda conn: returns.rmas_of(conn, []),
    "returns by name": lambda conn: returns.named(conn, []),
    "Stock Codes": lambda conn: catalogue.exact(conn, []),
    "Credit Notes by code": lambda conn: notes.by_code(conn, []),
    "Credit Notes of customers": lambda conn: notes.of_customers(conn, []),
    "Credit Notes of returns": lambda conn: notes.of_returns(conn, []),
    "what a link says": lambda conn: links.owner_of(conn, []),
    "matched lines": lambda conn: matches.lines(conn, []),
    "doubts": lambda conn: doubts.of_returns(conn, []),
    "months": lambda conn: monthly.periods_of(conn, []),
    "setbacks that are over": lambda conn: setbacks.over(conn, ["judging"], []),
    "setbacks of subjects": lambda conn: setbacks.of_subjects(conn, ["judging"], []),
    "postings": lambda conn: postings.SqlPostings(conn).of_returns([]),
}
WRITES: dict[str, Callable[[psycopg.Connection[Any]], Any]] = {
    "faults of Khaos": lambda conn: khaos_faults.save(conn, [], NOW),
    "faults of Khaos that are over": lambda conn: khaos_faults.resolve(conn, [], NOW),
    "faults of Swap": lambda conn: returns.save_unreadable(conn, [], NOW),
    "faults of Swap that are over": lambda conn: returns.resolve_unreadable(conn, [], NOW),
    "comparisons of days": lambda conn: completeness.save(conn, []),
    "returns in line": lambda conn: worklist.queue(conn, "match", []),
    "setbacks": lambda conn: setbacks.keep(conn, "judging", {}, NOW),
    "drafts": lambda conn: drafts.drop_undone(conn, []),
    "knocks": lambda conn: inbox.postpone(conn, [], NOW),
    "webhooks": lambda conn: inbox.consume(conn, [], NOW),
}


@pytest.fixture(scope="module")
def closed(postgres: embedded.EmbeddedPostgres) -> psycopg.Connection[Any]:
    """A connection that answers nobody."""
    connection = psycopg.connect(postgres.url("postgres"))
    connection.close()
    return connection


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_nothing_is_read_of_nobody(closed: psycopg.Connection[Any], read: Callable[[Any], Any]) -> None:
    assert not read(closed)


def test_no_codes_are_no_packs(closed: psycopg.Connection[Any]) -> None:
    found = catalogue.packs(closed, [])
    assert (found.opened([("A", 1)]), found.parts("A"), found.weights("A")) == ((("A", 1),), (), ())


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_nothing_is_written_of_nobody(closed: psycopg.Connection[Any], write: Callable[[Any], Any]) -> None:
    write(closed)


def test_something_is_asked(closed: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.OperationalError):
        returns.load(closed, ["R1"])
