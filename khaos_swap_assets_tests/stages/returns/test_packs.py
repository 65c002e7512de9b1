"""Components that come back out of a sold pack: matched, priced, credited; told where nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from khaos_swap_assets.adapters.store import inbox
from khaos_swap_assets.domain.records.orders import OrderLine
from khaos_swap_assets_tests.stages.town import Town, a_code, a_line, a_note, a_return, an_order

MATCHED = (
    "SELECT stock_code, order_line_no, sold_quantity, sold_gross_pence, problem FROM recon.matched_lines ORDER BY 1"
)
MOVES = "SELECT stock_code, disposition, quantity, state, level_verdict FROM recon.stock_moves ORDER BY 1, 2"
AS_PARTS: dict[str, Any] = {"khaos": {"packs_returned_as": "components"}}
LISTED = {
    "its parts": (("HAT", 2), ("CAP", 1)),
    "pack and parts": (("SET", 1), ("HAT", 2), ("CAP", 1)),
    "the pack": (("SET", 1),),
}
SET = a_code("SET", "id-SET", pack_components=(("HAT", 2), ("CAP", 1)))


def sells(town: Town, *lines: tuple[str, int, int], hat: int | None = 2000, cap: int | None = 2000) -> Town:
    """Order 1 of (Stock Code, units, pence); a SET holds two HATs and a CAP, which have prices of their own."""
    rows = tuple(OrderLine(at, *line) for at, line in enumerate(lines, 1))
    town.khaos.sell(replace(an_order(1), lines=rows))
    codes = (SET, a_code("HAT", sell_pence=hat), a_code("CAP", sell_pence=cap))
    town.khaos.items |= {code.stock_code: code for code in codes}
    town.khaos.levels |= {"HAT": 10, "CAP": 10, "SET": 10}
    return town


def comes_back(town: Town, *rows: tuple[str, int, int], number: int = 1, **changes: Any) -> Town:
    one = a_return(number, *(a_line(*row) for row in rows), order_name="#LX1", **changes)
    town.edit(one)
    town.sync()
    return town


def test_a_component_is_credited_at_its_share_of_the_pack(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000)), ("HAT", 1, 2000))
    assert town.ask(MATCHED) == [("HAT", 1, 2, 4000, "")]
    (note,) = town.pull()
    town.sync()
    town.sync()
    assert (note.gross_pence, note.lines) == (2000, (("HAT", 1),))
    assert town.kinds() == {}
    assert town.khaos.levels["HAT"] == 11


def test_rows_of_one_pack_that_differ_by_a_penny_need_no_choice(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000), ("SET", 1, 6001)), ("HAT", 1, 2000))
    assert town.ask(MATCHED) == [("HAT", 1, 4, 8001, "")]
    assert town.kinds() == {}


def test_rows_of_one_pack_at_two_prices_are_a_question(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000), ("SET", 1, 5000)), ("HAT", 1, 1800))
    assert town.kinds() == {"pack_unclear": "RMA1/HAT"}


def test_components_beside_their_pack_at_no_price_are_not_sold_twice(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000), ("HAT", 2, 0), ("CAP", 1, 0)), ("HAT", 2, 4000))
    assert town.kinds() == {}
    assert town.ask("SELECT state FROM recon.drafts") == [("ready",)]
    comes_back(town, ("HAT", 1, 100), number=2)
    assert town.kinds() == {"over_return": "RMA2"}


def test_more_than_the_share_is_an_over_return(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000)), ("CAP", 1, 2100))
    assert town.kinds() == {"over_return": "RMA1"}


def test_what_nobody_can_tell_is_told_with_its_candidates_until_a_price_tells(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000), hat=None), ("HAT", 1, 2000))
    assert town.kinds() == {"pack_unclear": "RMA1/HAT"}
    assert town.one("SELECT suggestion FROM recon.exceptions WHERE closed_at IS NULL") == "line 1, in pack SET"
    town.khaos.items["HAT"] = a_code("HAT", sell_pence=2000)
    town.sync()
    assert town.kinds() == {}
    assert town.ask("SELECT state FROM recon.drafts") == [("ready",)]


def test_a_pushed_proportion_goes_before_the_own_prices(town: Town) -> None:
    sells(town, ("SET", 1, 6000))
    town.read()
    parts = [("id-HAT", 2, "0.5"), ("id-CAP", 1, "0.5")]
    items = [{"LinkedStockID": key, "Quantity": units, "ValueProportion": part} for key, units, part in parts]
    body = {
        "Items": [],
        "Deleted": [],
        "Relationships": [{"StockID": "id-SET", "PackType": "Pack", "PackItems": items}],
    }
    with town.tools.store() as conn:
        inbox.store_push(conn, event="StockUpload", body=body, now=town.now)
    comes_back(town, ("HAT", 1, 1500))
    assert town.ask(MATCHED) == [("HAT", 1, 2, 3000, "")]
    assert town.kinds() == {}


def test_a_whole_pack_goes_to_khaos_as_itself(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000)), ("SET", 1, 6000))
    (note,) = town.pull()
    assert (note.gross_pence, note.lines) == (6000, (("SET", 1),))


def test_or_as_its_components_each_at_its_share_and_on_its_shelf(town: Town) -> None:
    town.with_settings(**AS_PARTS)
    comes_back(sells(town, ("SET", 1, 6001), cap=1999), ("SET", 1, 6001))
    (note,) = town.pull()
    town.sync()
    town.sync()
    assert (note.gross_pence, note.lines) == (6001, (("HAT", 2), ("CAP", 1)))
    assert (town.khaos.levels["HAT"], town.khaos.levels["CAP"]) == (12, 11)
    moved = [("CAP", "sellable", 1, "confirmed", "confirmed"), ("HAT", "sellable", 2, "confirmed", "confirmed")]
    assert town.ask(MOVES) == moved
    assert town.kinds() == {}
    assert town.one("SELECT state FROM recon.postings") == "confirmed"


def test_another_choice_draws_what_is_planned_anew(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000)), ("SET", 1, 6000))
    town.with_settings(**AS_PARTS).sync()
    assert town.ask(MOVES) == [("CAP", "sellable", 1, "due", ""), ("HAT", "sellable", 2, "due", "")]
    (note,) = town.pull()
    town.with_settings(khaos={"packs_returned_as": "header"}).sync()
    town.sync()
    assert note.lines == (("HAT", 2), ("CAP", 1))
    assert [row[3] for row in town.ask(MOVES)] == ["confirmed", "confirmed"]
    assert (town.pull(), town.kinds()) == ([], {})


def test_a_pack_whose_components_have_no_price_waits_until_they_have(town: Town) -> None:
    town.with_settings(**AS_PARTS)
    comes_back(sells(town, ("SET", 1, 6000), hat=None), ("SET", 1, 6000))
    assert (town.kinds(), town.pull()) == ({"pack_unclear": "RMA1/SET"}, [])
    town.khaos.items["HAT"] = a_code("HAT", sell_pence=2000)
    town.sync()
    assert (town.kinds(), len(town.pull())) == ({}, 1)


def test_a_price_that_went_between_match_and_draft_is_told(town: Town) -> None:
    town.with_settings(**AS_PARTS)
    comes_back(sells(town, ("SET", 1, 6000)), ("SET", 1, 6000))
    town.khaos.items["HAT"] = a_code("HAT")
    town.do("UPDATE khaos.stock_codes SET sell_pence = NULL WHERE stock_code = 'HAT'")
    town.do("INSERT INTO recon.worklist (stage, return_id) VALUES ('draft', 'R1')")
    town.sync()
    town.sync()
    assert (town.kinds(), town.pull()) == ({"pack_unclear": "RMA1/SET"}, [])


@pytest.mark.parametrize("lists", LISTED)
@pytest.mark.parametrize("way", ["header", "components"])
def test_a_note_is_witnessed_however_khaos_lists_it(town: Town, way: str, lists: str) -> None:
    town.with_settings(khaos={"packs_returned_as": way})
    comes_back(sells(town, ("SET", 1, 6000)), ("SET", 1, 6000))
    (note,) = town.pull()
    town.khaos.notes[note.credit_note_code] = replace(note, associated_ref="", lines=LISTED[lists])
    town.sync(hours=1)
    town.sync(hours=1)
    assert town.ask("SELECT state, credit_note_code FROM recon.postings") == [("confirmed", note.credit_note_code)]
    assert town.kinds() == {}


@pytest.mark.parametrize("lists", LISTED)
@pytest.mark.parametrize("way", ["header", "components"])
def test_what_staff_credited_in_either_way_is_not_credited_again(town: Town, way: str, lists: str) -> None:
    town.with_settings(khaos={"packs_returned_as": way})
    sells(town, ("SET", 1, 6000))
    town.khaos.notes["CN9"] = a_note("CN9", 6000, associated_ref="", lines=LISTED[lists])
    comes_back(town, ("SET", 1, 6000))
    town.sync()
    assert (town.pull(), town.kinds()) == ([], {})


def test_a_pack_moves_its_components_whose_levels_are_asked_for(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000)), ("SET", 1, 6000))
    assert town.ask(MOVES) == [("CAP", "sellable", 1, "due", ""), ("HAT", "sellable", 2, "due", "")]
    for _ in range(3):
        town.pull()
        town.sync()
    assert (town.khaos.levels["SET"], {row[4] for row in town.ask(MOVES)}, town.kinds()) == (10, {"confirmed"}, {})


def test_a_pack_whose_components_did_not_come_back_to_the_shelf_is_told(town: Town) -> None:
    comes_back(sells(town, ("SET", 1, 6000)), ("SET", 1, 6000))
    town.pull()
    town.khaos.levels["CAP"] = 10
    town.sync()
    town.sync()
    assert town.kinds() == {"stock_not_returned": "RMA1"}


def test_a_pack_and_a_component_of_another_return_raise_no_alarm(town: Town) -> None:
    town.khaos.sell(an_order(2, ("HAT", 1)))
    town.swap.put(a_return(2))
    comes_back(sells(town, ("SET", 1, 6000)), ("SET", 1, 6000))
    for _ in range(3):
        town.pull()
        town.sync()
    assert (len(town.khaos.notes), town.khaos.levels["HAT"], town.kinds()) == (2, 13, {})
