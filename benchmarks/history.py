"""A finished history of any length, made by the server itself: every return refunded, credited, issued, reconciled.

Belongs here: rows of the past for the benchmarks of a tick. Stays out: what is measured. 2,000 returns a day, two lines
each, two returns a customer; the last one lies ten days back, so nothing of it is due. A hundred exceptions are open,
and every fifth customer has a Credit Note of before our time that belongs to no return.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from khaos_swap_assets.adapters.store import database, embedded, mark, migrate

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
STOCK_CODES = 20_000
SCRIPT = Path(__file__).with_name("history.sql")


@contextmanager
def empty_store() -> Iterator[str]:
    """URL of a migrated, empty database on a server of its own that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-bench-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=False)
        try:
            url = server.url("khaos_swap")
            database.ensure(url)
            migrate.upgrade(url)
            with database.connect(url, application="benchmark") as connection:
                mark.ensure(connection, "test")
            yield url
        finally:
            server.stop()


def build(url: str, returns: int) -> None:
    """Fill an empty store with ``returns`` finished returns, and let the server count them."""
    values = {"returns": returns, "codes": STOCK_CODES, "now": NOW.isoformat()}
    with database.connect(url, application="benchmark") as connection:
        for statement in SCRIPT.read_text(encoding="utf-8").format(**values).split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())
    _settle(url)


def _settle(url: str) -> None:
    with database.connect(url, application="benchmark") as connection:
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def forget(connection: psycopg.Connection, first: int, last: int) -> None:
    """Take the returns of these numbers out again, with all that followed from them."""
    numbers = list(range(first, last + 1))
    ids, orders = [f"r{n}" for n in numbers], [f"SO{n}" for n in numbers]
    for table in (
        "swap.returns",
        "recon.matched_returns",
        "recon.matched_lines",
        "recon.drafts",
        "recon.postings",
        "recon.stock_moves",
        "recon.reconciliation",
        "recon.findings",
        "recon.exceptions",
        "recon.worklist",
    ):
        connection.execute(f"DELETE FROM {table} WHERE return_id = ANY(%s)", (ids,))
    connection.execute("DELETE FROM khaos.sales_orders WHERE so_code = ANY(%s)", (orders,))
    connection.execute("DELETE FROM khaos.wanted_orders WHERE order_ref = ANY(%s)", ([f"KCCLX{n}" for n in numbers],))
