"""Levels that are written in the sandbox's Khaos, and what is left of goods that follow their credit."""

from __future__ import annotations

from pathlib import Path

import pytest

from khaos_swap_assets.sandbox import adjusted
from khaos_swap_assets.sandbox.khaos_stock import carried, import_file, import_new, import_status
from khaos_swap_assets.sandbox.khaos_wire import KhaosFaultError
from khaos_swap_assets.sandbox.world import PackPart
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, small_books
from khaos_swap_assets_tests.sandbox.test_adjusted import LEFT, credited

HEADINGS = "Stock Code,Location,Adjust By,Adjust To\n"


def test_a_file_moves_by_so_many_at_each_place() -> None:
    books = small_books()
    jacket, hat = books.world.items[JACKET], books.world.items[HAT]
    before = (jacket.available, hat.quarantine)
    assert import_file(books, f"{HEADINGS}{JACKET},MAIN,2,\n{HAT},HOLD,-1,\n") == []
    assert (jacket.available - before[0], hat.quarantine - before[1]) == (2, -1)
    assert carried(books.world) == {(JACKET, "sellable"): 2, (HAT, "damaged"): -1}
    assert jacket.moved_at == books.now


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("NONE,MAIN,1,", "no such Stock Code"),
        (f"{HAT},MOON,1,", "no location MOON"),
        (f"{HAT},MAIN,1,5", "needs Adjust By, and not both"),
        (f"{HAT},MAIN,one,", "needs Adjust By, and not both"),
        ("SET,MAIN,1,", "is a pack"),
    ],
)
def test_a_file_with_a_bad_row_moves_nothing(row: str, fault: str) -> None:
    books = small_books()
    books.world.items["SET"] = type(books.world.items[HAT])("SET", "9", "Set", 1000, parts=[PackPart(HAT, 1)])
    before = books.world.items[JACKET].available
    assert import_file(books, f"{HEADINGS}{JACKET},MAIN,2,\n{row}\n") == [f"row 2: {fault}"]
    assert books.world.items[JACKET].available == before


@pytest.mark.parametrize("text", ["no XML", "<OTHER/>", '<STOCK_STATUS SITE="Moon"/>'])
def test_a_document_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(KhaosFaultError):
        import_status(small_books(), {"StockStatus": text, "UpdateStockLevels": "true"})


def test_what_came_by_a_file_is_left_no_more() -> None:
    books = credited()
    assert adjusted.left(books.world)[LEFT] == 1
    import_file(books, f"{HEADINGS}{JACKET},MAIN,1,\n")
    assert adjusted.left(books.world) == {}


def test_a_clerk_imports_each_file_of_a_folder_once(tmp_path: Path) -> None:
    books = small_books()
    before = books.world.items[JACKET].available
    (tmp_path / "a.csv").write_text(f"{HEADINGS}{JACKET},MAIN,2,\n")
    (tmp_path / "b.csv").write_text(f"{HEADINGS}NONE,MAIN,2,\n")
    (tmp_path / ".c.csv.part").write_text(f"{HEADINGS}{JACKET},MAIN,9,\n")
    assert (import_new(books, tmp_path), import_new(books, tmp_path)) == (2, 0)
    assert books.world.items[JACKET].available == before + 2
    assert books.world.memory["imported:b.csv"] == "row 1: no such Stock Code"
