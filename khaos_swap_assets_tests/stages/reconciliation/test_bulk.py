"""The wide re-run reads our tables, writes its own two, and says how many returns stand where."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from khaos_swap_assets.stages.reconciliation.bulk import rerun

RETURN = (
    "INSERT INTO swap.returns (return_id, store_id, rma, order_name, order_id, status, delivery_status, "
    "quality_control_status, outcomes, currency, refund_pence, store_credit_pence, additional_payment_pence, "
    "handling_fee_pence, total_pence, refunded_at, is_open, content_hash, raw, first_seen_at, changed_at, read_at) "
    "VALUES (%s, 's', %s, '', '', 'Closed', '', '', '{Refund}', 'GBP', %s, 0, 0, 0, 0, now(), false, '', '{}', now(), "
    "now(), now())"
)
LINE = (
    "INSERT INTO recon.matched_lines (return_id, product_id, sku, quantity, cost_pence, outcome, stock_code) "
    "VALUES (%s, 'p1', %s, %s, %s, 'Refund', %s)"
)
POSTING = (
    "INSERT INTO recon.postings (store_id, return_id, ordinal, rma, reference, state, customer_code, so_code, "
    "currency, value_pence, document, document_hash, planned_at, credit_note_code) "
    "VALUES ('s', %s, 1, %s, %s, 'confirmed', 'C', 'SO', 'GBP', %s, '{}', '', now(), %s)"
)
DRAFT = (
    "INSERT INTO recon.drafts (store_id, return_id, ordinal, state, draft, value_pence, currency, drafted_at) "
    "VALUES ('s', %s, 1, 'ready', %s, %s, 'GBP', now())"
)


def _refunded(conn: psycopg.Connection[Any], number: int, pence: int, credited: int | None) -> None:
    key, rma = f"r{number}", f"RMA{number}"
    conn.execute(RETURN, (key, rma, pence))
    conn.execute(LINE, (key, "LX-M", 1, pence, "LX-M"))
    if credited is not None:
        line = {
            "product_id": "p1",
            "stock_code": "LX-M",
            "quantity": 1,
            "unit_gross_pence": credited,
            "disposition": "",
        }
        conn.execute(DRAFT, (key, Jsonb({"lines": [line]}), credited))
        conn.execute(POSTING, (key, rma, rma, credited, f"CN{number}"))


def test_every_refunded_line_is_laid_beside_what_our_documents_credited(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    _refunded(database, 1, 2500, 2500)
    _refunded(database, 2, 2500, 2400)
    _refunded(database, 3, 2500, None)
    database.commit()
    done = rerun(database_url)
    assert (done.lines, done.returns) == (3, 3)
    assert done.statuses == {"matched": 1, "value_gap": 1, "credit_note_missing": 1}
    rows = database.execute(
        "SELECT rma, status, credit_note_code, refund_pence, credited_pence FROM recon.rerun_lines ORDER BY rma"
    ).fetchall()
    assert rows == [
        ("RMA1", "matched", "CN1", 2500, 2500),
        ("RMA2", "value_gap", "CN2", 2500, 2400),
        ("RMA3", "credit_missing", "", 2500, 0),
    ]


def test_a_second_rerun_replaces_the_first(database: psycopg.Connection[Any], database_url: str) -> None:
    _refunded(database, 1, 2500, 2500)
    database.commit()
    rerun(database_url)
    assert rerun(database_url).lines == 1
    assert database.execute("SELECT count(*) FROM recon.rerun_returns").fetchone() == (1,)


@pytest.mark.parametrize("change", ["status = 'Open', refunded_at = NULL", "refund_pence = 0"])
def test_a_refund_that_is_not_confirmed_is_left_out(
    database: psycopg.Connection[Any], database_url: str, change: str
) -> None:
    _refunded(database, 1, 2500, None)
    database.execute(f"UPDATE swap.returns SET {change}".encode())
    database.commit()
    assert rerun(database_url).lines == 0
