"""Goods that the customer keeps: credited without an inspection, no stock moves, a question where nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.adapters.store import inspections, worklist
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets_tests.stages.town import NOON, Town, a_line, a_return

GREEN = {"delivery_status": "GREEN RETURN", "return_shipments": []}
KEPT = "SELECT stock_code, kept_quantity, unclear_quantity, missing_quantity FROM recon.matched_lines ORDER BY 1"
REASONS = (
    "SELECT item ->> 'SKU', item -> 'ReturnReason' ->> 'ID' FROM recon.postings, "
    "json_array_elements(document -> 'ReturnedItems') item ORDER BY 1"
)
WITH_REASON: dict[str, Any] = {"khaos": {"reason_kept": "4"}}


def green(*lines: Any, **changes: Any) -> Return:
    """A refunded return without a parcel; Swap's timer calls it missing."""
    return a_return(1, *lines, **{"delivered_at": None, "quality_control_status": "Missing", **changes})


def marked(*products: dict[str, Any], **header: Any) -> dict[str, Any]:
    return {"delivery_status": "Delivered", "products": list(products), **header}


def product(sku: str, tags: str = "") -> dict[str, Any]:
    return {"product_id": f"P-{sku}", "tags": tags}


def played(town: Town, one: Return, raw: dict[str, Any]) -> Town:
    town.sells_and_takes_back(one)
    town.swap.raw["R1"] = {"products": [{"product_id": line.product_id} for line in one.lines], **raw}
    town.sync()
    return town


def test_a_kept_return_is_credited_without_inspection_and_moves_no_stock(town: Town) -> None:
    played(town.with_settings(**WITH_REASON), green(a_line("HAT", 2, 2001)), GREEN)
    assert town.ask(KEPT) == [("HAT", 2, 0, 0)]
    assert town.ask(REASONS) == [("HAT", "4"), ("HAT", "4")]
    assert not [asked for asked in town.khaos.asked if asked[0] == "levels"]
    (note,) = town.pull()
    town.sync()
    assert (note.gross_pence, town.one("SELECT state FROM recon.postings")) == (2001, "confirmed")
    assert town.ask("SELECT * FROM recon.stock_moves") == []
    assert town.khaos.levels == {"HAT": 10}
    town.sync(days=40)
    assert town.kinds() == {}


def test_a_return_may_hold_both_and_each_line_is_judged_alone(town: Town) -> None:
    town.with_settings(**WITH_REASON)
    raw = marked(product("HAT", "sale, Green Return"), product("SCARF"))
    both = a_return(1, a_line("HAT"), a_line("SCARF"), quality_control_status="Pending")
    played(town, both, raw)
    assert town.ask("SELECT state, reasons -> 0 ->> 0 FROM recon.drafts") == [("held", "waiting_inspection")]
    with town.tools.store() as conn:
        inspections.save(conn, Inspection("I1", "RMA1", "SCARF", "", "Sellable", 1, town.now, "Kim"), town.now)
    town.sync()
    assert town.ask(REASONS) == [("HAT", "4"), ("SCARF", "1")]
    town.pull()
    town.sync()
    town.sync()
    assert town.ask("SELECT stock_code, level_verdict FROM recon.stock_moves") == [("SCARF", "confirmed")]
    assert town.khaos.levels == {"HAT": 10, "SCARF": 11}
    assert town.kinds() == {}


def test_without_a_reason_nothing_is_drafted_and_a_person_is_told_until_it_is_set(town: Town) -> None:
    played(town, green(), GREEN)
    assert town.kinds() == {"kept_without_reason": "RMA1"}
    assert town.ask("SELECT state FROM recon.drafts") == [("held",)]
    town.with_settings(**WITH_REASON)
    town.sync()
    assert town.ask(REASONS) == [("HAT", "4")]
    assert town.kinds() == {}


def test_what_nobody_can_tell_is_a_question_until_swap_answers_it(town: Town) -> None:
    town.with_settings(**WITH_REASON)
    one = a_return(1, a_line("HAT"), a_line("SCARF"))
    played(town, one, marked(product("HAT"), product("SCARF"), tags="green return", delivered_date="x"))
    assert town.ask(KEPT) == [("HAT", 0, 1, 0), ("SCARF", 0, 1, 0)]
    assert town.kinds() == {"kept_unclear": "RMA1"}
    assert town.ask("SELECT reasons -> 0 ->> 0 FROM recon.drafts") == [("kept_unclear",)]
    town.swap.raw["R1"] = marked(product("HAT", "green return"), product("SCARF"))
    town.edit(one)
    town.sync()
    assert town.ask(REASONS) == [("HAT", "4"), ("SCARF", "1")]
    assert town.kinds() == {}


def test_a_spelling_that_is_set_later_counts_at_once(town: Town) -> None:
    played(town.with_settings(**WITH_REASON), green(quality_control_status=""), {"delivery_status": "Keep!"})
    assert town.ask("SELECT reasons -> 0 ->> 0 FROM recon.drafts") == [("waiting_inspection",)]
    town.with_settings(swap={"kept_statuses": "other,keep!"}, **WITH_REASON)
    town.sync()
    assert town.ask(REASONS) == [("HAT", "4")]


@pytest.mark.parametrize(("word", "is_said"), [("Pending", False), ("Missing", True)])
def test_a_parcel_that_is_missing_says_nothing_and_is_told_in_time(town: Town, word: str, is_said: bool) -> None:
    """Swap's timer makes Missing of nobody's word, so the wait goes on, and is told with that word."""
    played(town, green(quality_control_status=word), {"return_shipments": []})
    assert town.ask(KEPT) == [("HAT", 0, 0, 0)]
    town.sync(days=19)
    assert town.kinds() == {}
    town.sync(days=2)
    assert town.kinds() == {"inspection_overdue": "RMA1"}
    message = town.one("SELECT message FROM recon.exceptions WHERE closed_at IS NULL")
    assert ("says Missing, as it does by itself after 48 hours" in message) == is_said


@pytest.mark.parametrize("policy", ["disposition", "credit_first"])
def test_goods_that_come_back_after_all_are_told(town: Town, policy: str) -> None:
    played(town.with_settings(legs_policy=policy, **WITH_REASON), green(quality_control_status="Pending"), GREEN)
    assert town.ask(REASONS) == [("HAT", "4")]
    town.pull()
    town.sync()
    with town.tools.store() as conn:
        inspections.save(conn, Inspection("I1", "RMA1", "HAT", "", "Sellable", 1, NOON, "Kim"), NOON)
        worklist.queue(conn, "match", ["R1"])
    town.sync()
    assert town.kinds() == {"stock_not_returned": "RMA1"}
    assert "came back, credited as kept" in town.one("SELECT message FROM recon.exceptions WHERE closed_at IS NULL")
