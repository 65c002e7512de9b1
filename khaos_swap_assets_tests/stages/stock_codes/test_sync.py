"""The catalogue: when it is read, what a push tells, and which returns are looked at again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.khaos.pushes import PushedStock
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault, RefusedKey
from khaos_swap_assets.adapters.store import inbox
from khaos_swap_assets.stages.due import what_is_due
from khaos_swap_assets.stages.stock_codes.sync import SyncedCodes, folded, sync_stock_codes
from khaos_swap_assets_tests.stages.town import NOON, Town, a_code, a_line, a_return


def push(town: Town, *items: dict[str, Any], deleted: tuple[str, ...] = (), **body: Any) -> None:
    with town.tools.store() as conn:
        told = body or {"Items": list(items), "Deleted": list(deleted)}
        inbox.store_push(conn, event="StockUpload", body=told, now=town.now)


def pushed(code: str, **options: Any) -> dict[str, Any]:
    return {"StockID": f"id-{code}", "StockCode": code, "ShortDescription": "pushed", "Options": options}


def in_line(town: Town) -> list[str]:
    return [row[0] for row in town.ask("SELECT return_id FROM recon.worklist WHERE stage = 'match' ORDER BY 1")]


def matched(town: Town, *returns: Any) -> None:
    town.sells_and_takes_back(*returns)
    town.read()
    assert in_line(town) == []


@pytest.mark.parametrize(("minutes", "is_due"), [(0, False), (29, False), (30, True), (300, True)])
def test_the_catalogue_is_asked_at_most_every_half_hour(town: Town, minutes: int, is_due: bool) -> None:
    town.with_settings(khaos={"stock_minutes": 30})
    town.khaos.items["HAT"] = a_code("HAT")
    assert sync_stock_codes(town.tools) == SyncedCodes(1, 1, 0, was_due=True)
    town.now += timedelta(minutes=minutes)
    assert sync_stock_codes(town.tools).was_due is is_due


def test_the_first_question_is_for_all_and_the_next_reaches_back_an_hour(town: Town) -> None:
    sync_stock_codes(town.tools)
    town.now += timedelta(minutes=40)
    sync_stock_codes(town.tools)
    assert town.khaos.asked == [("stock_list", None), ("stock_list", NOON - timedelta(hours=1))]


def test_a_changed_code_puts_its_returns_and_the_unmatched_ones_in_line(town: Town) -> None:
    town.khaos.items["CAP"] = a_code("CAP")
    matched(town, a_return(1), a_return(2, a_line("CAP")), a_return(3, a_line("ZEBRA", product_id="P1")))
    del town.khaos.items["ZEBRA"]
    town.do("UPDATE recon.matched_lines SET stock_code = NULL WHERE sku = 'ZEBRA'")
    town.khaos.items["HAT"] = a_code("HAT", is_discontinued=True)
    assert sync_stock_codes(town.tools).changed == 1
    assert in_line(town) == ["R1", "R3"]


def test_an_unchanged_catalogue_puts_nobody_in_line(town: Town) -> None:
    matched(town, a_return(1))
    assert sync_stock_codes(town.tools).changed == 0
    assert in_line(town) == []


def test_a_row_that_cannot_be_read_stands_until_it_can(town: Town) -> None:
    town.khaos.faults = [KhaosRowFault("HAT", "STOCK_ID is missing")]
    assert sync_stock_codes(town.tools).unreadable == 1
    unresolved = "SELECT subject, reason FROM khaos.unreadable WHERE resolved_at IS NULL"
    assert town.ask(unresolved) == [("HAT", "STOCK_ID is missing")]
    town.khaos.faults, town.khaos.items["HAT"] = [], a_code("HAT")
    sync_stock_codes(town.tools)
    assert town.ask(unresolved) == []


def test_a_code_of_which_khaos_refuses_to_tell_is_not_called_unknown(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2, a_line("CAP")))
    tells = town.khaos.export_stock
    refused = RefusedKey("HAT", "Access violation")
    monkeypatch.setattr(town.khaos, "export_stock", lambda codes: (tells([*{*codes} - {"HAT"}])[0], [refused]))
    town.sync()
    assert town.kinds() == {"record_refused": "Khaos ExportStock HAT"}
    lines = "SELECT sku, stock_code, problem FROM recon.matched_lines ORDER BY 1"
    assert town.ask(lines) == [("CAP", "CAP", ""), ("HAT", None, "")]
    monkeypatch.setattr(town.khaos, "export_stock", tells)
    town.sync(hours=2)
    assert town.ask(lines) == [("CAP", "CAP", ""), ("HAT", "HAT", "")]
    assert town.kinds() == {}


def test_a_pushed_item_is_used_at_once_although_nothing_is_due(town: Town) -> None:
    town.with_settings(khaos={"stock_minutes": 600})
    matched(town, a_return(1))
    push(town, pushed("HAT", Discontinued=True))
    assert what_is_due(town.tools) == "pushed by Khaos"
    assert sync_stock_codes(town.tools) == SyncedCodes(0, 0, 0, was_due=False, pushed=1)
    assert in_line(town) == ["R1"]
    assert town.one("SELECT is_discontinued FROM khaos.stock_codes WHERE stock_code = 'HAT'") is True
    assert town.one("SELECT count(*) FROM recon.inbox WHERE consumed_at IS NULL") == 0


def test_a_push_says_nothing_of_packs_and_keeps_the_description(town: Town) -> None:
    town.with_settings(khaos={"stock_minutes": 600})
    town.khaos.items["BOX"] = a_code("BOX", description="Gift box", pack_components=(("SOAP", 2),))
    sync_stock_codes(town.tools)
    push(town, pushed("BOX", StockControlled=False))
    sync_stock_codes(town.tools)
    row = town.ask("SELECT description, pack_components, is_stock_controlled FROM khaos.stock_codes")
    assert row == [("Gift box", [["SOAP", 2]], False)]


def test_a_repeated_push_changes_nothing(town: Town) -> None:
    town.with_settings(khaos={"stock_minutes": 600})
    push(town, pushed("HAT"))
    assert sync_stock_codes(town.tools).changed == 0
    push(town, pushed("CAP"))
    push(town, pushed("HAT"))
    assert sync_stock_codes(town.tools).pushed == 1


@pytest.mark.parametrize("is_pushed_too", [False, True])
def test_a_deleted_item_acts_no_more_unless_it_came_back(town: Town, is_pushed_too: bool) -> None:
    town.with_settings(khaos={"stock_minutes": 600})
    matched(town, a_return(1))
    push(town, *([pushed("HAT")] if is_pushed_too else []), deleted=("id-HAT", "id-nobody"))
    sync_stock_codes(town.tools)
    assert town.one("SELECT is_discontinued FROM khaos.stock_codes") is not is_pushed_too


def test_a_push_that_deletes_what_an_earlier_one_told_counts_although_both_wait(town: Town) -> None:
    push(town, pushed("HAT"), pushed("CAP"))
    push(town, deleted=("id-HAT",))
    sync_stock_codes(town.tools)
    found = town.ask("SELECT stock_code, is_discontinued FROM khaos.stock_codes ORDER BY 1")
    assert found == [("CAP", False), ("HAT", True)]


def test_of_an_item_renamed_while_both_pushes_wait_only_the_last_name_stays(town: Town) -> None:
    push(town, pushed("HAT"))
    push(town, {**pushed("CAP"), "StockID": "id-HAT"})
    sync_stock_codes(town.tools)
    assert town.ask("SELECT stock_code, stock_id FROM khaos.stock_codes") == [("CAP", "id-HAT")]


def read(*told: str | tuple[str, str], deleted: tuple[str, ...] = ()) -> PushedStock:
    pairs = [(one, f"id-{one}") if isinstance(one, str) else one for one in told]
    return PushedStock([a_code(code, stock_id) for code, stock_id in pairs], list(deleted), [])


@pytest.mark.parametrize(
    ("pushes", "items", "gone"),
    [
        ([], [], []),
        ([read("A", "B"), read("A")], ["B", "A"], []),
        ([read(deleted=("id-X", "id-Y")), read(("X", "id-X"))], ["X"], ["id-Y"]),
        ([read("A", deleted=("id-A",))], ["A"], []),
        ([read("A"), read(deleted=("id-A",))], ["A gone"], []),
        ([read("A"), read(deleted=("id-A",)), read("A")], ["A"], []),
        ([read(("A", "7")), read(("A", "8")), read(("B", "7"))], ["A", "B"], []),
        ([read(("A", "7")), read(("B", "7")), read(("A", "8")), read(("A", "7"))], ["A", "A"], []),
    ],
)
def test_pushes_fold_to_what_was_told_last(pushes: list[PushedStock], items: list[str], gone: list[str]) -> None:
    folded_items, folded_gone = folded(pushes)
    assert [f"{one.stock_code}{' gone' * one.is_discontinued}" for one in folded_items] == items
    assert folded_gone == gone


@pytest.mark.parametrize(
    ("body", "subject", "reason"),
    [
        ({"Items": [{"StockCode": "HAT"}]}, "HAT", "StockID is missing"),
        ({"Items": "none"}, "StockUpload", "the push holds no list Items"),
        ({"Stock": []}, "StockUpload", "the push holds no list Items"),
    ],
)
def test_a_push_that_cannot_be_read_becomes_an_exception(
    town: Town, body: dict[str, Any], subject: str, reason: str
) -> None:
    push(town, **body)
    town.sync()
    found = town.ask(
        "SELECT message FROM recon.exceptions WHERE kind = 'record_unreadable' AND subject LIKE %s", subject
    )
    assert found == [(f"Khaos: {reason}",)]
    assert town.one("SELECT count(*) FROM recon.inbox WHERE consumed_at IS NULL") == 0


def test_a_push_that_cannot_be_read_is_an_exception_until_one_can(town: Town) -> None:
    push(town, unreadable="<StockUpload/>")
    town.sync()
    assert town.kinds() == {"record_unreadable": "StockUpload"}
    push(town, Items=[], Deleted=[])
    town.sync()
    assert town.kinds() == {}
