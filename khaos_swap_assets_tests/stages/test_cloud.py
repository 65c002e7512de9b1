"""Khaos Cloud, which answers no call: pushes, files and the feed, from the first push to a reconciled return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.files import layouts
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.store import inbox
from khaos_swap_assets.stages.due import local_reason
from khaos_swap_assets.stages.importing import Brought, import_notes, import_orders
from khaos_swap_assets_tests.audit.files import NOTE_COLUMNS, ORDER_COLUMNS, write_csv
from khaos_swap_assets_tests.stages.orders.test_importing import a_note_row, an_order_row
from khaos_swap_assets_tests.stages.town import NOON, PARTY, Town, a_line, a_return, connect

Rows = Sequence[Mapping[str, str]]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def cloud(database_url: str) -> Town:
    """A town whose Khaos answers no question, with HAT pushed and RMA1 refunded yesterday."""
    town = Town(database_url).with_settings(khaos={"edition": "cloud"})
    town.khaos.error = AssertionError("Khaos Cloud answers no call")
    push(town, "StockUpload", {"Items": [{"StockID": "7", "StockCode": "HAT"}], "Deleted": []})
    push(town, "StockStatusUpload", {"Statuses": [{"StockCode": "HAT", "SiteID": 1, "Levels": {"Available": 4}}]})
    town.swap.put(a_return(1))
    return town


def push(town: Town, event: str, body: Mapping[str, Any]) -> None:
    with connect(town) as conn:
        inbox.store_push(conn, event=event, body=body, now=town.now)


def bring_orders(town: Town, folder: Path, *rows: Mapping[str, str]) -> None:
    table = read_table(write_csv(folder / "orders.csv", ORDER_COLUMNS, rows), layouts.SALES_ORDERS)
    with connect(town) as conn:
        import_orders(conn, table.rows, Brought("orders.csv", "o", "Kim"), town.now, is_cloud=True)


def bring_notes(
    town: Town, folder: Path, *rows: Mapping[str, str], complete_to: datetime | None = None, is_whole: bool = True
) -> None:
    """Credit Notes exported just now, unless ``complete_to`` says when; or not said to be all."""
    moment = (complete_to or town.now) if is_whole else None
    table = read_table(write_csv(folder / "notes.csv", NOTE_COLUMNS, rows), layouts.CREDIT_NOTES)
    with connect(town) as conn:
        import_notes(conn, table.rows, Brought("notes.csv", "n", "Kim", moment), town.now, is_cloud=True)


def states(town: Town) -> list[str]:
    return [row[0] for row in town.ask("SELECT state FROM recon.postings ORDER BY 1")]


def offered(town: Town, folder: Path) -> str:
    """RMA1's document is out; its reference."""
    bring_orders(town, folder, an_order_row())
    town.sync()
    bring_notes(town, folder)
    town.sync()
    (note,) = town.pull()
    return note.associated_ref


def test_a_return_goes_its_whole_way_by_pushes_files_and_the_feed(cloud: Town, tmp_path: Path) -> None:
    cloud.sync()
    assert cloud.ask("SELECT stock_code FROM khaos.stock_codes") == [("HAT",)]
    assert cloud.ask("SELECT available, is_as_told FROM khaos.stock_levels") == [(4, True)]
    assert "order_not_found" in cloud.kinds()
    bring_orders(cloud, tmp_path, an_order_row())
    cloud.sync()
    assert cloud.ask("SELECT state FROM recon.drafts") == [("ready",)]
    assert cloud.pull() == []
    bring_notes(cloud, tmp_path)
    cloud.sync()
    assert states(cloud) == ["planned"]
    (note,) = cloud.pull()
    assert (note.gross_pence, note.customer_code) == (1000, "C1")
    cloud.sync()
    assert states(cloud) == ["in_doubt"]
    bring_notes(cloud, tmp_path, a_note_row("CN7", associated_ref=note.associated_ref))
    cloud.sync()
    assert cloud.ask("SELECT state, credit_note_code, witnessed_pence FROM recon.postings") == [
        ("confirmed", "CN7", 1000)
    ]
    assert cloud.ask("SELECT status, gap_pence, matched_by FROM recon.reconciliation") == [("matched", 0, "posting")]
    assert cloud.kinds() == {}
    assert cloud.pull() == []


def test_without_files_nothing_is_drafted_and_nothing_leaves(cloud: Town) -> None:
    for _ in range(3):
        cloud.sync(days=1)
        assert cloud.pull() == []
    assert states(cloud) == []
    assert cloud.ask("SELECT state FROM recon.drafts") == [("held",)]


@pytest.mark.parametrize("row", [{"invoiced_on": ""}, {"customer_ref": ""}])
def test_an_order_without_invoice_or_customer_drafts_nothing(cloud: Town, tmp_path: Path, row: dict[str, str]) -> None:
    bring_orders(cloud, tmp_path, an_order_row(1, **row))
    bring_notes(cloud, tmp_path)
    cloud.sync()
    assert cloud.ask("SELECT state FROM recon.drafts") == [("held",)]
    assert cloud.pull() == []


def test_a_file_that_is_not_said_to_be_complete_lets_nothing_out(cloud: Town, tmp_path: Path) -> None:
    bring_orders(cloud, tmp_path, an_order_row())
    bring_notes(cloud, tmp_path, a_note_row("CN9", customer_ref="C9"), is_whole=False)
    cloud.sync()
    assert states(cloud) == []
    assert cloud.pull() == []


def test_a_file_says_nothing_of_what_was_refunded_after_it(cloud: Town, tmp_path: Path) -> None:
    bring_orders(cloud, tmp_path, an_order_row())
    bring_notes(cloud, tmp_path, complete_to=NOON - timedelta(days=1))
    cloud.sync()
    assert states(cloud) == []
    bring_notes(cloud, tmp_path, complete_to=NOON - timedelta(days=1) + MINUTE)
    cloud.sync()
    assert states(cloud) == ["planned"]


def test_an_old_file_lets_nothing_out(cloud: Town, tmp_path: Path) -> None:
    bring_orders(cloud, tmp_path, an_order_row())
    bring_notes(cloud, tmp_path)
    cloud.sync()
    cloud.now += timedelta(hours=25)
    cloud.sync()
    assert cloud.pull() == []
    bring_notes(cloud, tmp_path)
    cloud.sync()
    assert len(cloud.pull()) == 1


@pytest.mark.parametrize("gross", ["10.00", "9.00"])
def test_what_staff_posted_by_hand_is_not_posted_again(cloud: Town, tmp_path: Path, gross: str) -> None:
    bring_orders(cloud, tmp_path, an_order_row())
    bring_notes(cloud, tmp_path, a_note_row("CN5", gross=gross))
    cloud.sync()
    cloud.sync()
    assert "planned" not in states(cloud)
    assert cloud.pull() == []


def test_after_a_restore_of_the_database_a_new_file_is_needed(cloud: Town, tmp_path: Path) -> None:
    bring_orders(cloud, tmp_path, an_order_row())
    bring_notes(cloud, tmp_path)
    cloud.do("UPDATE recon.imports SET life = 'an earlier one'")
    cloud.sync()
    assert states(cloud) == []
    cloud.now += MINUTE
    bring_notes(cloud, tmp_path)
    cloud.sync()
    assert states(cloud) == ["planned"]


def test_a_note_that_is_nobodys_keeps_everything_in(cloud: Town, tmp_path: Path) -> None:
    bring_orders(cloud, tmp_path, an_order_row())
    bring_notes(cloud, tmp_path, a_note_row("CN5", customer_ref="", stock_code="CAP", gross="1.00"), is_whole=False)
    bring_notes(cloud, tmp_path)
    cloud.sync()
    assert states(cloud) == []


def test_a_file_from_before_khaos_asked_again_clears_nothing(cloud: Town, tmp_path: Path) -> None:
    offered(cloud, tmp_path)
    cloud.now += timedelta(hours=1)
    cloud.do("UPDATE recon.postings SET asked_again_at = %s, asked_by = 'specific ids'", cloud.now)
    cloud.sync()
    assert cloud.one("SELECT cleared_at FROM recon.postings") is None
    assert cloud.pull() == []
    bring_notes(cloud, tmp_path)
    cloud.sync()
    assert cloud.one("SELECT cleared_at FROM recon.postings") is not None
    assert len(cloud.pull()) == 1


def test_name_and_address_of_swap_are_kept_sealed_and_go_with_the_document(cloud: Town, tmp_path: Path) -> None:
    reference = offered(cloud, tmp_path)
    ((sealed,),) = cloud.ask("SELECT party_sealed FROM swap.parties")
    assert cloud.tools.open_sealer().unseal(bytes(sealed)) == PARTY
    assert b"Mill Lane" not in bytes(sealed)
    bring_notes(cloud, tmp_path, a_note_row("CN7", associated_ref=reference))
    cloud.sync(hours=2)
    cloud.sync(hours=2)
    assert cloud.ask("SELECT 1 FROM swap.parties") == []


def test_in_audit_no_name_is_kept(database_url: str) -> None:
    town = Town(database_url).with_settings(mode="audit", post_from=None, khaos={"edition": "cloud"})
    town.swap.put(a_return(1))
    town.sync()
    assert town.ask("SELECT 1 FROM swap.parties") == []


def test_a_run_is_due_when_a_file_came_and_not_all_the_time(cloud: Town, tmp_path: Path) -> None:
    offered(cloud, tmp_path)
    cloud.sync(hours=1)
    cloud.sync(hours=1)
    with connect(cloud) as conn:
        assert local_reason(conn, cloud.settings, cloud.now) == ""
    bring_notes(cloud, tmp_path)
    with connect(cloud) as conn:
        assert local_reason(conn, cloud.settings, cloud.now) == "a document is out or ready"


def test_a_catalogue_comes_drop_by_drop(cloud: Town) -> None:
    """One push an item, then a second time with every item renamed: each is known once, as it was told last."""
    for note in ("old", "new"):
        for number in range(300):
            item = {"StockID": str(number), "StockCode": f"C{number}", "OtherRef": note}
            push(cloud, "StockUpload", {"Items": [item], "Deleted": []})
    levels = [{"StockCode": f"C{number}", "SiteID": 1, "Levels": {"Available": number}} for number in range(300)]
    for start in range(0, 300, 100):
        push(cloud, "StockStatusUpload", {"Statuses": levels[start : start + 100]})
    cloud.swap.put(a_return(2, a_line("C299")))
    cloud.sync()
    assert cloud.one("SELECT count(*) FROM khaos.stock_codes WHERE other_ref = 'new'") == 300
    assert cloud.one("SELECT sum(available)::bigint FROM khaos.stock_levels WHERE stock_code <> 'HAT'") == 44850
    assert cloud.one("SELECT stock_code FROM recon.matched_lines WHERE return_id = 'R2'") == "C299"
    assert cloud.one("SELECT count(*) FROM recon.inbox WHERE consumed_at IS NULL") == 0
