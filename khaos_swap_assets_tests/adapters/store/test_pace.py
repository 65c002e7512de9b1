"""What exists for speed alone tells the truth: the mark on finished drafts, and the count of a big table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import tables
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.stages import presenting
from khaos_swap_assets_tests.adapters.store.test_postings import NOW, posting

DRAFT = (
    "INSERT INTO recon.drafts (store_id, return_id, ordinal, state, currency, drafted_at) "
    "SELECT 'store', 'id-RMA1', n, 'ready', 'GBP', now() FROM generate_series(1, 2) n"
)


def done(conn: psycopg.Connection[Any]) -> list[int]:
    return [row[0] for row in conn.execute("SELECT ordinal FROM recon.drafts WHERE is_done ORDER BY 1")]


@pytest.mark.parametrize(
    ("state", "marked"), [("planned", []), ("in_doubt", []), ("confirmed", [1]), ("refused", [1]), ("withdrawn", [])]
)
def test_a_draft_is_done_when_its_posting_is_over(
    database: psycopg.Connection[Any], state: Any, marked: list[int]
) -> None:
    database.execute(DRAFT)
    SqlPostings(database).save([posting(state=state, ended_at=NOW)], who="tests", what="saved", now=NOW)
    assert done(database) == marked


def test_a_posting_that_lives_again_takes_the_mark_away(database: psycopg.Connection[Any]) -> None:
    database.execute(DRAFT)
    book, out = SqlPostings(database), posting(state="refused", handed_out_at=NOW, times_handed_out=1)
    book.save([out], who="tests", what="refused", now=NOW)
    assert done(database) == [1]
    book.save([replace(out, state="planned")], who="tests", what="released", now=NOW + timedelta(hours=1))
    assert done(database) == []


def test_a_small_table_is_counted_and_a_big_one_is_known(
    database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute(DRAFT)
    database.execute("ANALYZE recon.drafts")
    shown = presenting.table_metadata(database, "recon.drafts", "drafted_at")
    assert shown["dagster/row_count"].value == 2
    database.execute("DELETE FROM recon.drafts WHERE ordinal = 2")
    monkeypatch.setattr(tables, "COUNTED_ROWS", 1)
    assert presenting.table_metadata(database, "recon.drafts", "drafted_at")["dagster/row_count"].value == 2
    monkeypatch.undo()
    assert presenting.table_metadata(database, "recon.drafts", "drafted_at")["dagster/row_count"].value == 1
