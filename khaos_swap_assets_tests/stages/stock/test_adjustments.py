"""The goods' way back: by the document first, by the level one run later, and only where nothing else moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.store import inspections, queues, worklist
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.stages.stock import assets
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return, an_order, called

MOVES = "SELECT disposition, quantity, state, level_verdict, carried_by FROM recon.stock_moves ORDER BY 1"


def inspected(town: Town, *found: tuple[str, int], sku: str = "HAT") -> None:
    with town.tools.store() as conn:
        for condition, quantity in found:
            told = Inspection(f"I-{condition}", "RMA1", sku, "", condition, quantity, town.now, "Kim")
            inspections.save(conn, told, town.now)
        worklist.queue(conn, "match", ["R1"])


def returned(town: Town, *found: tuple[str, int]) -> Town:
    """A return of as many HATs as were found, in these conditions, drafted and offered."""
    units = sum(quantity for _, quantity in found)
    town.sells_and_takes_back(a_return(1, a_line("HAT", units, 1000 * units), quality_control_status="Pending"))
    inspected(town, *found)
    town.sync()
    return town


def credited(town: Town, *found: tuple[str, int], change: int | None = None, **how: Any) -> Town:
    """Khaos took it: the level changed as it should, or by ``change``; and one run saw the note."""
    returned(town, *found)
    before = town.khaos.levels["HAT"]
    assert len(town.pull(**how)) == 1
    if change is not None:
        town.khaos.levels["HAT"] = before + change
    town.sync()
    return town


def test_a_move_is_due_with_its_draft_and_keeps_the_level_of_before(town: Town) -> None:
    returned(town, ("Sellable", 2))
    assert town.ask(MOVES) == [("sellable", 2, "due", "", "RMA1")]
    assert town.ask("SELECT level_before, level_before_at FROM recon.stock_moves") == [(10, town.now)]


def test_a_move_follows_its_document(town: Town) -> None:
    returned(town, ("Sellable", 1))
    town.pull()
    town.khaos.notes.clear()
    town.sync()
    assert town.ask(MOVES) == [("sellable", 1, "offered", "", "RMA1")]


def test_the_level_is_judged_one_run_after_the_note_was_seen(town: Town) -> None:
    credited(town, ("Sellable", 2))
    assert town.ask(MOVES) == [("sellable", 2, "confirmed", "pending", "RMA1")]
    town.sync()
    assert town.ask(MOVES) == [("sellable", 2, "confirmed", "confirmed", "RMA1")]
    assert town.ask("SELECT level_before, level_after FROM recon.stock_moves") == [(10, 12)]


def test_a_level_is_not_judged_before_the_note_is_issued(town: Town) -> None:
    credited(town, ("Sellable", 1), issued_on=None)
    town.sync()
    assert town.ask(MOVES) == [("sellable", 1, "confirmed", "", "RMA1")]
    (code,) = town.khaos.notes
    town.khaos.notes[code] = replace(town.khaos.notes[code], issued_on=town.today(), stage_id=70)
    town.sync()
    town.sync()
    town.sync()
    assert town.ask(MOVES) == [("sellable", 1, "confirmed", "confirmed", "RMA1")]


@pytest.mark.parametrize(
    ("found", "change", "verdict", "kind"),
    [
        ([("Sellable", 2)], 2, "confirmed", None),
        ([("Sellable", 2)], 0, "failed", "stock_not_returned"),
        ([("Sellable", 2)], 1, "cannot_tell", None),
        ([("Damaged", 2)], 0, "confirmed", None),
        ([("Damaged", 2)], 2, "failed", "damaged_in_saleable"),
        ([("Damaged", 2)], -1, "cannot_tell", None),
    ],
)
def test_what_two_levels_prove(
    town: Town, found: list[tuple[str, int]], change: int, verdict: str, kind: str | None
) -> None:
    credited(town, *found, change=change).sync()
    assert [row[3] for row in town.ask(MOVES)] == [verdict]
    assert town.kinds() == ({kind: "RMA1"} if kind else {})


def test_goods_of_both_kinds_cannot_be_told_apart(town: Town) -> None:
    credited(town, ("Sellable", 1), ("Damaged", 1), change=0).sync()
    assert [row[3] for row in town.ask(MOVES)] == ["cannot_tell", "cannot_tell"]
    assert town.kinds() == {}


def test_a_note_that_was_there_before_any_level_was_seen_says_nothing_by_it(town: Town) -> None:
    returned(town, ("Sellable", 1)).pull()
    town.do("DELETE FROM recon.stock_moves")
    town.khaos.levels["HAT"] = 11
    town.sync()
    assert town.ask("SELECT level_before FROM recon.stock_moves") == [(None,)]
    town.sync()
    assert town.ask(MOVES) == [("sellable", 1, "confirmed", "cannot_tell", "RMA1")]
    assert town.kinds() == {}


def test_a_missing_unit_moves_nothing_and_is_an_exception(town: Town) -> None:
    credited(town, ("Missing", 1)).sync()
    assert town.ask(MOVES) == [("missing", 1, "confirmed", "", "RMA1")]
    assert town.kinds() == {"stock_not_returned": "RMA1"}


@pytest.mark.parametrize(("days_ago", "verdict"), [(0, "cannot_tell"), (1, "failed"), (30, "failed")])
def test_a_sale_in_between_proves_nothing(town: Town, days_ago: int, verdict: str) -> None:
    returned(town, ("Sellable", 1))
    town.pull()
    day = town.today() - timedelta(days=days_ago)
    town.khaos.sell(an_order(7, ("HAT", 1), ordered_on=day, invoiced_on=day))
    town.khaos.levels["HAT"] = 10
    town.sync()
    town.sync()
    assert [row[3] for row in town.ask(MOVES)] == [verdict]


def test_two_returns_of_one_code_are_judged_together(town: Town) -> None:
    town.khaos.sell(an_order(1), an_order(2))
    town.swap.put(a_return(1), a_return(2))
    town.do("INSERT INTO recon.watermarks VALUES ('swap/wide_sweep', %s)", town.now)
    town.sync()
    town.pull()
    town.sync()
    town.pull()
    town.sync()
    town.sync()
    verdicts = {row[3] for row in town.ask(MOVES)}
    assert "failed" not in verdicts
    assert town.kinds() == {}


def test_a_code_whose_level_khaos_does_not_tell_cannot_be_judged(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.khaos.levels.clear()
    town.sync()
    town.pull()
    town.khaos.levels.clear()
    town.sync()
    town.sync()
    assert [row[3] for row in town.ask(MOVES)] == ["cannot_tell"]


def test_a_move_that_is_settled_is_left_alone(town: Town) -> None:
    credited(town, ("Sellable", 1)).sync()
    before = town.ask("SELECT * FROM recon.stock_moves")
    town.khaos.levels["HAT"] = 500
    town.sync()
    assert town.ask("SELECT * FROM recon.stock_moves") == before


def test_a_verdict_brings_its_return_back_to_be_judged(town: Town) -> None:
    credited(town, ("Sellable", 1), change=0)
    assert town.kinds() == {}
    town.sync()
    assert town.kinds() == {"stock_not_returned": "RMA1"}
    assert "10" in town.one("SELECT message FROM recon.exceptions")


def patient(town: Town, found: str = "Sellable", change: int = 0) -> Town:
    """A town in which a level has two hours to show two HATs, whose note was seen issued a moment ago."""
    town.with_settings(level_hours=2)
    return credited(town, (found, 2), change=change)


def test_goods_that_are_not_back_are_told_when_their_hours_are_over_and_looked_for_until_then(town: Town) -> None:
    patient(town).sync()
    assert (town.kinds(), [row[3] for row in town.ask(MOVES)]) == ({}, ["pending"])
    with town.tools.store() as conn:
        assert queues.first_reason(conn, town.now, []) == ""
        assert queues.first_reason(conn, town.now + timedelta(hours=2), []) == "stock level to judge"
    town.sync(hours=1)
    assert town.kinds() == {}
    town.sync(hours=1)
    assert town.kinds() == {"stock_not_returned": "RMA1"}
    assert [row[3] for row in town.ask(MOVES)] == ["failed"]


def test_goods_that_come_late_are_confirmed_at_once(town: Town) -> None:
    patient(town).sync()
    town.khaos.levels["HAT"] += 2
    town.sync(minutes=30)
    assert [row[3] for row in town.ask(MOVES)] == ["confirmed"]


def test_damaged_goods_that_are_for_sale_are_told_at_once(town: Town) -> None:
    patient(town, "Damaged", 2).sync()
    assert town.kinds() == {"damaged_in_saleable": "RMA1"}


def test_a_level_that_is_not_told_any_more_proves_nothing_when_the_hours_are_over(town: Town) -> None:
    patient(town)
    town.khaos.refuses = {"levels"}
    town.sync(minutes=30)
    assert [row[3] for row in town.ask(MOVES)] == ["pending"]
    town.sync(hours=2)
    assert [row[3] for row in town.ask(MOVES)] == ["cannot_tell"]
    assert "stock_not_returned" not in town.kinds()


@pytest.mark.parametrize(("level", "verdict"), [(11, "confirmed"), (10, "cannot_tell"), (12, "cannot_tell")])
def test_a_rise_by_all_units_is_theirs_although_something_was_sold(town: Town, level: int, verdict: str) -> None:
    returned(town, ("Sellable", 1))
    town.pull()
    town.khaos.sell(an_order(7, ("HAT", 1), ordered_on=town.today(), invoiced_on=town.today()))
    town.khaos.levels["HAT"] = level
    town.sync()
    town.sync()
    assert [row[3] for row in town.ask(MOVES)] == [verdict]


def test_the_asset_shows_what_the_level_was_to_do_beside_what_it_did(town: Town) -> None:
    credited(town, ("Sellable", 2), change=0).sync()
    (shown,) = called(assets.stock_adjustments, town).metadata["preview"].records
    assert [shown.data[name] for name in ("expected", "level", "verdict")] == ["+2", "10 to 10", "failed"]
