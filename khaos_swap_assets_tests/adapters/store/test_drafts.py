"""Drafts in the store: as they are, replaced while nothing left, and kept once it did."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import drafts
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.domain.documents.credit_notes import Draft
from khaos_swap_assets.domain.documents.draft_lines import DraftLine

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
Database = psycopg.Connection[Any]
LINES = (DraftLine("P1", "HAT", 2, 500, "sellable"), DraftLine("P2", "CAP", 1, 250, ""))
DRAFT = Draft("S1", "R1", 1, "RMA1", "SO1", "KCCLX1", "C1", "GBP", 1250, LINES)
READY = SavedDraft("S1", "R1", 1, "ready", (), DRAFT, "GBP", NOW)
HELD = SavedDraft("S1", "R2", 1, "held", (("sku_unknown", "SKU 'x'"), ("waiting_refund", "Open")), None, "GBP", NOW)


def posted(database: Database, state: str, return_id: str = "R1") -> None:
    database.execute(
        "INSERT INTO recon.postings (store_id, return_id, ordinal, rma, reference, state, customer_code, so_code, "
        "currency, value_pence, document, document_hash, planned_at) "
        "VALUES ('S1', %s, 1, 'RMA1', %s, %s, 'C1', 'SO1', 'GBP', 1250, '{}', '', %s)",
        (return_id, f"RMA-{return_id}", state, NOW),
    )


def test_a_draft_comes_back_as_it_went_in(database: Database) -> None:
    drafts.save(database, [READY, HELD])
    assert drafts.of_returns(database, ["R1", "R2", "R3"]) == {"R1": [READY], "R2": [HELD]}
    assert database.execute("SELECT value_pence FROM recon.drafts ORDER BY return_id").fetchall() == [(1250,), (0,)]


def test_saving_overwrites_by_key(database: Database) -> None:
    drafts.save(database, [READY])
    drafts.save(database, [replace(READY, state="held", draft=None, reasons=(("x", "y"),))])
    assert [one.state for one in drafts.of_returns(database, ["R1"])["R1"]] == ["held"]


@pytest.mark.parametrize(
    ("state", "is_out"),
    [("planned", False), ("withdrawn", False), ("in_doubt", True), ("confirmed", True), ("refused", True)],
)
def test_what_left_is_neither_ready_nor_dropped(database: Database, state: str, is_out: bool) -> None:
    drafts.save(database, [READY])
    posted(database, state)
    assert drafts.ready(database) == ([] if is_out else [READY])
    assert drafts.ready_keys(database) == (set() if is_out else {("R1", 1)})
    assert drafts.ready_goods(database) == (set() if is_out else {("HAT", "sellable"), ("CAP", "")})
    assert drafts.handed_out(database, ["R1"]) == ({"R1": [READY]} if is_out else {})
    drafts.drop_undone(database, ["R1"])
    assert drafts.of_returns(database, ["R1"]) == ({"R1": [READY]} if is_out else {})


def test_a_held_draft_is_not_ready(database: Database) -> None:
    drafts.save(database, [HELD, replace(HELD, return_id="R3", state="covered")])
    assert drafts.ready(database) == []
    assert not drafts.ready_keys(database)
    assert not drafts.ready_goods(database)


def test_a_ready_draft_can_be_held_with_a_reason(database: Database) -> None:
    drafts.save(database, [READY])
    drafts.hold(database, [(READY, "document_incomplete", "no address")])
    assert drafts.ready(database) == []
    (found,) = drafts.of_returns(database, ["R1"])["R1"]
    assert (found.state, found.reasons) == ("held", (("document_incomplete", "no address"),))


def test_drafts_of_others_stay(database: Database) -> None:
    drafts.save(database, [READY, HELD])
    drafts.drop_undone(database, ["R2"])
    assert list(drafts.of_returns(database, ["R1", "R2"])) == ["R1"]
