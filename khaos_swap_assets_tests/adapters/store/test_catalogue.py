"""The catalogue in the store: changes only, exact to the letter, and one code an item."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import catalogue, worklist
from khaos_swap_assets.domain.records.stock_codes import Catalogue, StockCode, match_sku
from khaos_swap_assets.stages.dossier import match_skus
from khaos_swap_assets.stages.marks import CATALOGUE

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
Database = psycopg.Connection[Any]
HAT = StockCode("HAT", "1", "A hat", "H-1", ("501", "502"), False, True, (("BRIM", 1), ("CROWN", 2)))


def _all(database: Database) -> list[StockCode]:
    return sorted(catalogue.exact(database, catalogue.codes(database)), key=lambda item: item.stock_code)


def test_an_item_comes_back_as_it_went_in(database: Database) -> None:
    assert catalogue.save(database, [HAT], NOW) == ["HAT"]
    assert catalogue.exact(database, ["HAT"]) == [HAT]
    assert _all(database) == [HAT]
    assert catalogue.of_ids(database, ["1", "2"]) == [HAT]


@pytest.mark.parametrize("asked", ["hat", "HAT ", " HAT", "HA", "HATS", ""])
def test_only_the_very_code_is_found(database: Database, asked: str) -> None:
    catalogue.save(database, [HAT], NOW)
    assert catalogue.exact(database, [asked]) == []


def test_codes_that_differ_by_a_space_are_two_items(database: Database) -> None:
    codes = ["47503J", "47503J "]
    catalogue.save(database, [StockCode(code, str(number)) for number, code in enumerate(codes)], NOW)
    assert [item.stock_code for item in _all(database)] == codes


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Another hat"},
        {"other_ref": "H-2"},
        {"barcodes": ("501",)},
        {"is_discontinued": True},
        {"is_stock_controlled": False},
        {"pack_components": ()},
        {"is_run_to_zero": True},
        {"variants": ("HAT-S", "HAT-M")},
    ],
)
def test_every_part_of_an_item_counts_as_a_change(database: Database, change: dict[str, Any]) -> None:
    catalogue.save(database, [HAT], NOW)
    assert catalogue.save(database, [HAT], NOW) == []
    changed = replace(HAT, **change)
    assert catalogue.save(database, [changed], NOW) == ["HAT"]
    assert _all(database) == [changed]


def test_an_unchanged_item_is_not_touched(database: Database) -> None:
    catalogue.save(database, [HAT], NOW)
    catalogue.save(database, [HAT, StockCode("CAP", "2")], NOW + timedelta(hours=1))
    found = dict(database.execute("SELECT stock_code, changed_at FROM khaos.stock_codes").fetchall())
    assert found == {"HAT": NOW, "CAP": NOW + timedelta(hours=1)}


def test_of_equal_codes_the_last_counts(database: Database) -> None:
    catalogue.save(database, [HAT, replace(HAT, description="last")], NOW)
    assert [item.description for item in _all(database)] == ["last"]


def test_a_renamed_item_takes_its_old_code_with_it(database: Database) -> None:
    catalogue.save(database, [HAT, StockCode("CAP", "2")], NOW)
    assert catalogue.save(database, [replace(HAT, stock_code="HAT-NEW")], NOW) == ["HAT-NEW", "HAT"]
    assert [item.stock_code for item in _all(database)] == ["CAP", "HAT-NEW"]


def test_what_an_item_was_called_before_stays_with_its_id_and_no_push_takes_it_away(database: Database) -> None:
    names = ["HAT", "HAT-NEW", "CAP", "HAT"]
    for day, name in enumerate(names):
        catalogue.save(database, [replace(HAT, stock_code=name, buy_pence=day)], NOW + timedelta(days=day))
        catalogue.save(database, [replace(HAT, stock_code=name, description="told again")], NOW + timedelta(days=day))
    (item,) = _all(database)
    assert (item.stock_code, item.former_codes) == ("HAT", ("HAT-NEW", "CAP"))
    assert catalogue.save(database, [replace(item, former_codes=())], NOW) == []


SKUS = ["hat", "HAT ", "H-1", " 502", "00H-AT", "BRIM", "BOOT-OLD", "Boot", "HATT", "C.A.P", "CAPP", "7", "?", " "]


@pytest.mark.parametrize("sku", SKUS)
def test_a_sku_finds_in_the_store_what_it_finds_in_memory(database: Database, sku: str) -> None:
    catalogue.save(database, [StockCode("BOOT-OLD", "9")], NOW)
    items = [HAT, StockCode("CAP", "2", is_discontinued=True), StockCode("BOOT", "9"), StockCode("007", "3")]
    catalogue.save(database, items, NOW)
    catalogue.save(database, [replace(item, description="told again") for item in items], NOW)
    worklist.move(database, CATALOGUE, NOW)
    known = [*catalogue.exact(database, ["HAT", "CAP", "007"]), *catalogue.exact(database, ["BOOT"])]
    assert [item.former_codes for item in known if item.stock_code == "BOOT"] == [("BOOT-OLD",)]
    assert match_skus(database, [sku]) == {sku: match_sku(sku, Catalogue.of(known))}
    without_the_nearest = Catalogue(dict[str, StockCode](), lambda: known, tuple)
    assert match_skus(database, [sku], is_guessed=False) == {sku: match_sku(sku, without_the_nearest)}


@pytest.mark.parametrize(("sku", "problem"), [("HAT", ""), ("CAP", ""), ("", "sku_unknown"), (" ", "sku_unknown")])
def test_before_the_whole_catalogue_was_read_only_a_blank_sku_is_wrong(
    database: Database, sku: str, problem: str
) -> None:
    catalogue.save(database, [HAT], NOW)
    (match,) = match_skus(database, [sku]).values()
    assert (match.stock_code, match.problem) == ("HAT" if sku == "HAT" else None, problem)


@pytest.mark.parametrize("text", ["é" * 9_000, "".join(chr(0x4E00 + number) for number in range(9_000))])
def test_texts_too_long_for_an_index_are_kept_and_find_nothing(database: Database, text: str) -> None:
    item = replace(HAT, other_ref=text, barcodes=(text, "501"), pack_components=((text, 1),))
    catalogue.save(database, [item, StockCode("CAP", "2")], NOW)
    assert catalogue.exact(database, ["HAT"]) == [item]
    assert catalogue.alike(database, [text]) == []
    assert catalogue.alike(database, ["501"]) == [item]


def test_nothing_is_alike_where_nobody_asks(database: Database) -> None:
    catalogue.save(database, [HAT], NOW)
    assert catalogue.alike(database, []) == []
    assert catalogue.alike(database, ["QQQ"]) == []


def test_costs_are_kept_from_the_day_on_which_they_are_told_and_by_id(database: Database) -> None:
    """Two on one day: the last counts. A renaming changes no cost; one that is told no more is not known from then."""
    told = [
        (0, "HAT", None),
        (1, "HAT", 500),
        (1, "HAT", 510),
        (2, "HAT-NEW", 510),
        (3, "HAT-NEW", 600),
        (4, "H", None),
    ]
    for day, name, pence in told:
        item = replace(HAT, stock_code=name, buy_pence=pence, description=f"on day {day}")
        catalogue.save(database, [item], NOW + timedelta(days=day))
    rows = database.execute("SELECT told_on - %s::date, buy_pence FROM khaos.stock_costs ORDER BY 1", (NOW.date(),))
    assert rows.fetchall() == [(1, 510), (3, 600), (4, None)]


def test_nothing_to_save_is_no_trouble(database: Database) -> None:
    assert catalogue.save(database, [], NOW) == []
