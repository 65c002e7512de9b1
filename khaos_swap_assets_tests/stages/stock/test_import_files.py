"""Files for Khaos's import screen: meant before they are written, never two for a unit, seen in the level or a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.files import adjustments
from khaos_swap_assets.adapters.files.adjustments import write_once
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.stock import import_files
from khaos_swap_assets_tests.stages.stock.shelves import (
    DAMAGED,
    SAMPLE,
    Killed,
    Shelves,
    clerk,
    credited,
    inspected,
    level_of,
    run,
    sell,
    shelves_of,
)
from khaos_swap_assets_tests.stages.town import Town, a_code, an_order, connect

ADJUSTMENTS = "SELECT disposition, quantity, state FROM recon.stock_adjustments ORDER BY adjustment_id"
TRANSFERS = "SELECT stock_code, state, level_read, level_wanted FROM recon.stock_transfers ORDER BY transfer_id"
MESSAGES = "SELECT message FROM recon.exceptions WHERE closed_at IS NULL AND kind = 'stock_adjustment_due' ORDER BY 1"
FIRST = "khaos-swap-stock-000001.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are put."""
    (tmp_path / "sample.csv").write_bytes(SAMPLE.encode())
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def shop(town: Town, folder: Path) -> Town:
    """Credits first, and files for its clerk."""
    town.khaos = Shelves()
    return filing(town, folder)


def filing(town: Town, folder: Path, **changes: Any) -> Town:
    stock = {"route": "file", "file_sample": folder.parent / "sample.csv", "file_folder": folder}
    return town.with_settings(legs_policy="credit_first", stock=stock, **changes)


def due(shop: Town, units: int = 1, sellable: int = 1) -> None:
    credited(shop, units)
    inspected(shop, "Sellable", sellable)
    shop.sync()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_put_there_imported_and_seen_in_the_level(shop: Town, folder: Path) -> None:
    due(shop, 2, 2)
    run(shop)
    assert (folder / FIRST).read_bytes() == b"Stock Code,Location,Adjust By,Reason\r\nHAT,MAIN,2,RETURN RMA1\r\n"
    assert shop.ask(MESSAGES) == [
        (f"Sellable: 2 x HAT in {FIRST}: import it in Khaos; the level of site 1 was 10, 12 is expected; £20.00",)
    ]
    for _ in range(3):
        run(shop, 90)
    assert (names(folder), shop.ask(TRANSFERS)) == ([FIRST], [("HAT", "out", 10, 12)])
    assert clerk(shop, folder) == []
    run(shop)
    assert (shop.ask(TRANSFERS), shop.ask(ADJUSTMENTS)) == ([("HAT", "moved", 10, 12)], [("sellable", 2, "done")])
    assert (level_of(shop), shop.ask(MESSAGES)) == ((12, 3), [])
    record = shop.one("SELECT record FROM recon.custody_movements WHERE to_place = 'available'")
    assert record.endswith(f", {FIRST}: level of site 1 seen to go from 10 to 12")


@pytest.mark.parametrize("is_there", [False, True])
def test_a_stop_between_intent_and_file_writes_it_as_it_was_meant(
    shop: Town, folder: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    due(shop)

    def die(*given: Any) -> None:
        if is_there:
            write_once(*given)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(adjustments, "write_once", die)
        assert not run(shop)
    assert names(folder) == [FIRST] * is_there
    meant = shop.one("SELECT content FROM recon.stock_files")
    inspected(shop, "Sellable", 1)
    (folder.parent / "sample.csv").write_text("Other\n")
    run(shop, 90)
    assert shop.kinds()["source_refused"] == "Khaos folder of the import screen"
    assert (folder / FIRST).read_bytes().decode() == meant
    assert (names(folder), len(shop.ask(TRANSFERS))) == ([FIRST], 1)
    clerk(shop, folder)
    run(shop)
    assert (shop.ask(ADJUSTMENTS), level_of(shop)) == ([("sellable", 1, "done")], (11, 3))


def test_a_folder_that_refuses_is_told_and_tried_again(shop: Town, folder: Path) -> None:
    (folder / FIRST).write_text("something else")
    due(shop)
    run(shop)
    told = shop.one("SELECT message FROM recon.exceptions WHERE kind = 'source_refused' AND closed_at IS NULL")
    assert f"{FIRST} cannot be written" in told
    assert "is another file; it is not written over" in told
    (folder / FIRST).unlink()
    run(shop)
    assert (names(folder), shop.kinds().get("source_refused")) == ([FIRST], None)


def test_an_import_and_as_many_sales_leave_the_level_as_it_was_and_are_a_persons(shop: Town, folder: Path) -> None:
    due(shop)
    run(shop)
    run(shop)
    assert shop.ask(TRANSFERS) == [("HAT", "out", 10, 11)]
    clerk(shop, folder)
    sell(shop, 1)
    run(shop)
    assert shop.ask(TRANSFERS) == [("HAT", "person", 10, 11)]
    assert f"in {FIRST}, in doubt: it was to bring the level of site 1 from 10 to 11; it is 10" in shop.one(MESSAGES)


@pytest.mark.parametrize("units", [1, -2, 3])
def test_what_the_level_cannot_decide_is_a_persons(shop: Town, folder: Path, units: int) -> None:
    due(shop)
    run(shop)
    sell(shop, units)
    run(shop)
    clerk(shop, folder)
    run(shop)
    assert shop.ask(TRANSFERS) == [("HAT", "person", 10, 11)]
    assert f"in {FIRST}, in doubt: it was to bring the level of site 1 from 10 to 11; it is {10 - units}" in shop.one(
        MESSAGES
    )
    with connect(shop) as conn:
        number = shop.one("SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL")
        waivers.waive(conn, number, Person("kim", "saw it in the movements"), now=shop.now)
    run(shop)
    assert (shop.ask(MESSAGES), shop.ask(ADJUSTMENTS)) == ([], [("sellable", 1, "settled")])
    assert shop.one("SELECT state FROM recon.stock_transfers") == "settled"


def test_a_sale_that_hides_the_import_is_a_persons(shop: Town, folder: Path) -> None:
    due(shop)
    run(shop)
    clerk(shop, folder)
    sell(shop)
    shop.khaos.sell(an_order(7, ("HAT", 1), ordered_on=shop.today(), invoiced_on=shop.today()))
    run(shop)
    assert shop.ask(TRANSFERS) == [("HAT", "person", 10, 11)]


def test_more_of_a_code_waits_until_the_file_before_it_is_seen(shop: Town, folder: Path) -> None:
    due(shop)
    run(shop)
    credited(shop, number=2)
    inspected(shop, "Sellable", rma="RMA2")
    run(shop, 90)
    run(shop, 90)
    assert names(folder) == [FIRST]
    clerk(shop, folder)
    run(shop)
    assert shop.ask(ADJUSTMENTS) == [("sellable", 1, "done"), ("sellable", 1, "sent")]
    clerk(shop, folder)
    run(shop)
    assert (level_of(shop), [state for _, _, state in shop.ask(ADJUSTMENTS)]) == ((12, 3), ["done", "done"])


def test_damaged_goods_go_only_where_the_sample_names_a_place_for_them(shop: Town, folder: Path) -> None:
    credited(shop, 2)
    inspected(shop, "Damaged", 1)
    shop.sync()
    run(shop)
    assert names(folder) == []
    (folder.parent / "sample.csv").write_bytes((SAMPLE + DAMAGED).encode())
    run(shop)
    assert (folder / FIRST).read_bytes().endswith(b"HAT,HOLD,1,DAMAGED\r\n")
    clerk(shop, folder)
    run(shop)
    assert (level_of(shop), shop.ask(ADJUSTMENTS)) == ((10, 4), [("damaged", 1, "done")])


def test_components_of_a_pack_are_rows_of_their_own(shop: Town, folder: Path) -> None:
    shop.khaos.items["SET"] = a_code("SET", pack_components=(("HAT", 2), ("TIE", 1)))
    credited(shop, sku="SET")
    inspected(shop, "Sellable", sku="SET")
    shop.sync()
    run(shop)
    assert clerk(shop, folder) == []
    run(shop)
    assert (level_of(shop, "HAT")[0], level_of(shop, "TIE")[0], level_of(shop, "SET")[0]) == (12, 11, 10)


def test_where_the_route_is_taken_back_what_is_out_is_still_followed(shop: Town, folder: Path) -> None:
    due(shop)
    run(shop)
    shop.with_settings(legs_policy="credit_first")
    clerk(shop, folder)
    run(shop)
    assert shop.ask(ADJUSTMENTS) == [("sellable", 1, "done")]


def test_in_audit_no_file_is_meant(shop: Town, folder: Path) -> None:
    due(shop)
    filing(shop, folder, mode="audit", post_from=None)
    shelves_of(shop)
    import_files.put_out(shop.tools)
    assert (names(folder), shop.ask(TRANSFERS)) == ([], [])
