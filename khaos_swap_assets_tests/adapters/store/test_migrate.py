"""Tests of the tables' version."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from alembic import command
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, migrate, proofs
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.records.stock_codes import StockCode, found_by
from khaos_swap_assets.domain.refunds.proof import Proof


@pytest.fixture
def empty_url(postgres: embedded.EmbeddedPostgres) -> str:
    url = postgres.url("migrate_test")
    with store.connect(postgres.url("postgres"), application="tests") as connection:
        connection.autocommit = True
        connection.execute("DROP DATABASE IF EXISTS migrate_test")
    assert store.ensure(url)
    return url


def set_version(url: str, version: str) -> None:
    with store.connect(url, application="tests") as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (version,))


def upgrade_to(url: str, version: str) -> None:
    with migrate._connection(url) as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        connection.commit()


def test_an_upgraded_database_passes_the_check(database: psycopg.Connection[Any], database_url: str) -> None:
    migrate.check(database_url)
    row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row == (migrate.head(),)


def test_upgrade_twice_is_the_same_as_once(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.upgrade(empty_url)
    migrate.check(empty_url)


def test_an_empty_database_names_the_command(empty_url: str) -> None:
    with pytest.raises(StoreError, match="has no tables yet; run: khaos-swap migrate"):
        migrate.check(empty_url)


def test_older_tables_name_the_command(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    set_version(empty_url, "0001")
    with pytest.raises(StoreError, match=f"version 0001, this program needs {migrate.head()}; run: khaos-swap migrate"):
        migrate.check(empty_url)


@pytest.mark.parametrize("action", [migrate.check, migrate.upgrade])
def test_newer_tables_are_left_alone(empty_url: str, action: Any) -> None:
    migrate.upgrade(empty_url)
    set_version(empty_url, "9999")
    with pytest.raises(StoreError, match="newer version than this program"):
        action(empty_url)


def test_rows_of_before_the_legs_hold_their_gap_and_are_judged_again(empty_url: str) -> None:
    upgrade_to(empty_url, "0005")
    row = "('{}', 's', '{}', 'GBP', 1000, {}, 0, {}, '', '2026-03', now(), '{{}}')"
    with store.connect(empty_url, application="tests") as connection:
        connection.execute(
            "INSERT INTO recon.reconciliation (return_id, store_id, rma, currency, refund_pence, credited_pence, "
            "issued_pence, gap_pence, status, period, reconciled_at, credit_note_codes) VALUES "
            f"{row.format('R1', 'RMA1', 900, -100)}, {row.format('R2', 'RMA2', 1000, 0)}".encode()
        )
    upgrade_to(empty_url, "0006")
    with store.connect(empty_url, application="tests") as connection:
        rows = connection.execute("SELECT return_id, gap_unexplained_pence FROM recon.reconciliation ORDER BY 1")
        assert rows.fetchall() == [("R1", -100), ("R2", 0)]
        waiting = connection.execute("SELECT stage, return_id FROM recon.worklist").fetchall()
        assert waiting == [("reconcile", "R1")]


def test_refunds_of_before_their_vat_was_kept_are_judged_again(empty_url: str) -> None:
    upgrade_to(empty_url, "0018")
    with store.connect(empty_url, application="tests") as connection:
        connection.execute(
            "INSERT INTO recon.reconciliation (return_id, store_id, rma, currency, refund_pence, credited_pence, "
            "issued_pence, gap_pence, status, period, reconciled_at) SELECT 'R' || n, 'S', 'A' || n, 'GBP', n * 100, "
            "n * 100, 0, 0, 'matched', '2026-03', now() FROM generate_series(0, 1) n"
        )
    migrate.upgrade(empty_url)
    with store.connect(empty_url, application="tests") as connection:
        assert connection.execute("SELECT return_id FROM recon.worklist").fetchall() == [("R1",)]
        rows = connection.execute("SELECT return_id, period, refund_pence FROM recon.monthly ORDER BY 1").fetchall()
    assert rows == [("R0", "2026-03", 0), ("R1", "2026-03", 100)]


def test_what_is_planned_before_the_content_was_kept_takes_that_of_its_draft(empty_url: str) -> None:
    upgrade_to(empty_url, "0015")
    with store.connect(empty_url, application="tests") as connection:
        for number in (1, 2):
            connection.execute(
                "INSERT INTO recon.drafts (store_id, return_id, ordinal, state, draft, value_pence, currency, "
                "drafted_at) VALUES ('S', %s, 1, 'ready', %s, 1000, 'GBP', now())",
                (f"R{number}", '{"lines": [], "policy_version": "spring", "refund_pence": null}'),
            )
        connection.execute(
            "INSERT INTO recon.postings (store_id, return_id, ordinal, rma, reference, state, customer_code, so_code, "
            "currency, value_pence, document, document_hash, planned_at) SELECT 'S', 'R' || n, 1, 'A' || n, 'A' || n, "
            "CASE n WHEN 1 THEN 'planned' ELSE 'confirmed' END, 'C', 'SO', 'GBP', 1000, '{}', '', now() "
            "FROM generate_series(1, 2) n"
        )
    migrate.upgrade(empty_url)
    with store.connect(empty_url, application="tests") as connection:
        assert [one.reference for one in SqlPostings(connection).stale()] == []
        rows = connection.execute("SELECT reference, drafted FROM recon.postings ORDER BY 1").fetchall()
    assert rows == [("A1", {"lines": []}), ("A2", None)]


def test_a_document_planned_for_a_refund_that_only_closing_dated_is_taken_back_and_its_marker_is_kept(
    empty_url: str,
) -> None:
    upgrade_to(empty_url, "0025")
    with store.connect(empty_url, application="tests") as connection:
        connection.execute(
            "INSERT INTO swap.returns (return_id, store_id, rma, order_name, order_id, status, delivery_status, "
            "quality_control_status, outcomes, currency, refund_pence, store_credit_pence, additional_payment_pence, "
            "handling_fee_pence, total_pence, processed_at, closed_at, refunded_at, is_open, content_hash, raw, "
            "first_seen_at, changed_at, read_at) SELECT 'R' || n, 'S', 'A' || n, '', '', 'Closed', '', '', '{}', "
            "'GBP', 1000, 0, 0, 0, 0, CASE n WHEN 1 THEN now() END, now(), now(), false, '', "
            "CASE n WHEN 3 THEN jsonb_build_object('processed', ' Pending ') "
            "ELSE jsonb_build_object('rma_processed', CASE n WHEN 2 THEN 'N/A' END) END, "
            "now(), now(), now() FROM generate_series(1, 3) n"
        )
        connection.execute(
            "INSERT INTO recon.postings (store_id, return_id, ordinal, rma, reference, state, customer_code, so_code, "
            "currency, value_pence, document, document_hash, planned_at) SELECT 'S', 'R' || n, 1, 'A' || n, 'A' || n, "
            "'planned', 'C', 'SO', 'GBP', 1000, '{}', '', now() FROM generate_series(1, 3) n"
        )
    migrate.upgrade(empty_url)
    with store.connect(empty_url, application="tests") as connection:
        rows = connection.execute(
            "SELECT r.return_id, processed_field, processed_word, state FROM swap.returns r "
            "JOIN recon.postings p USING (return_id) ORDER BY 1"
        ).fetchall()
        assert rows == [
            ("R1", "rma_processed", "", "planned"),
            ("R2", "rma_processed", "", "withdrawn"),
            ("R3", "processed", "Pending", "withdrawn"),
        ]
        assert proofs.put_in_force(connection, Proof()) == ["R2", "R3"]


def test_returns_that_swap_alone_called_missing_are_matched_again(empty_url: str) -> None:
    upgrade_to(empty_url, "0052")
    with store.connect(empty_url, application="tests") as connection:
        connection.execute(
            "INSERT INTO swap.returns (return_id, store_id, rma, order_name, order_id, status, delivery_status, "
            "quality_control_status, outcomes, currency, refund_pence, store_credit_pence, additional_payment_pence, "
            "handling_fee_pence, total_pence, is_open, content_hash, raw, first_seen_at, changed_at, read_at) "
            "SELECT word, 'S', word, '', '', 'Closed', '', word, '{}', 'GBP', 1000, 0, 0, 0, 0, false, '', '{}', "
            "now(), now(), now() FROM unnest('{Approved,Missing,Pending}'::text[]) word"
        )
    migrate.upgrade(empty_url)
    with store.connect(empty_url, application="tests") as connection:
        waiting = connection.execute("SELECT return_id FROM recon.worklist WHERE stage = 'match'").fetchall()
    assert waiting == [("Missing",)]


def test_codes_of_before_are_found_as_those_that_are_saved(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0064")
    parts = (("BRIM", 1), ("CROWN", 2))
    item = StockCode("É-01 x", "1", other_ref=" H-1", barcodes=("501", " ", "9" * 501), pack_components=parts)
    with store.connect(empty_url, application="tests") as conn:
        conn.execute(
            "INSERT INTO khaos.stock_codes (stock_code, stock_id, other_ref, barcodes, pack_components, content_hash, "
            "changed_at, seen_at) VALUES (%s, '1', %s, %s, %s, 'x', now(), now())",
            (item.stock_code, item.other_ref, list(item.barcodes), Jsonb(item.pack_components)),
        )
    migrate.upgrade(empty_url)
    with store.connect(empty_url, application="tests") as conn:
        assert conn.execute("SELECT found_by FROM khaos.stock_codes").fetchall() == [(found_by(item),)]
