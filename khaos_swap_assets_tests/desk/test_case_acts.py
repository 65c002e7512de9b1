"""Deciding one case: links, codes, values and documents, each offered, done, refused and taken back."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from httpx import Response

from khaos_swap_assets.domain.records.decisions import NOT_THIS_RETURN, PersonDecision
from khaos_swap_assets.stages import deciding
from khaos_swap_assets_tests.desk.rows import opens
from khaos_swap_assets_tests.desk.test_acts import decided, last_decision
from khaos_swap_assets_tests.desk.visiting import Visitor, said
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order, connect


def case_of(town: Town, kind: str) -> tuple[int, int]:
    """Number and pence of the open exception of a kind."""
    query = "SELECT exception_id, money_at_risk_pence FROM recon.exceptions WHERE kind = %s AND closed_at IS NULL"
    ((number, pence),) = town.ask(query, kind)
    return number, pence


def offered(visitor: Visitor, path: str) -> list[str]:
    """The values that the form of an act offers; none is chosen."""
    page = visitor.get(path)
    assert page.status_code == 200, said(page)
    assert " checked" not in page.text
    return [html.unescape(one) for one in re.findall(r'name="choice" value="([^"]*)"', page.text)]


def choose(visitor: Visitor, case: tuple[int, int], act: str, choice: str, **more: str) -> Response:
    number, pence = case
    fields = {"id": number, "seen": f"{number}:{pence}", "choice": choice, "reason": "looked", **more}
    return visitor.post(f"/exceptions/{number}/{act}", fields)


def links(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT credit_note_code, return_id, matched_by FROM recon.note_links")


@pytest.fixture
def near(town: Town) -> Town:
    """R1 of a hat of £10, and a note of £9.50 of its customer that belongs to nobody."""
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes = {"CN9": a_note("CN9", 950)}
    town.sync()
    return town


def test_a_match_is_accepted_and_taken_back(ann: Visitor, near: Town) -> None:
    case = case_of(near, "credit_note_orphan")
    path = f"/exceptions/{case[0]}/link"
    text = ann.text(path)
    assert "Credit Note CN9 of £9.50 and return RMA1. Against it:" in text
    assert "Nobody here decided one like it yet." in text
    assert "What changes The Credit Note becomes the return's" in text
    assert offered(ann, path) == ["CN9|R1"]
    assert choose(ann, case, "link", "CN9|R1").status_code == 303
    assert "Credit Notes nearby" not in ann.text(f"/exceptions/{case[0]}")
    near.sync()
    assert links(near) == [("CN9", "R1", "person")]
    taken = ann.post(f"/decisions/{last_decision(near)}/take-back", {"reason": "it was another's"})
    assert taken.status_code == 303
    near.sync()
    assert links(near) == []
    assert decided(near) == [("this_return", "Ann", "Ann")]
    assert "People here said yes to 0 of 1 like it." in ann.text(
        f"/exceptions/{case_of(near, 'credit_note_orphan')[0]}/link"
    )


def test_a_pair_is_ruled_out_and_allowed_again(ann: Visitor, near: Town) -> None:
    case = case_of(near, "credit_note_orphan")
    assert choose(ann, case, "rule-out", "CN9|R1").status_code == 303
    assert decided(near) == [("not_this_return", "Ann", "")]
    assert ann.post(f"/decisions/{last_decision(near)}/take-back", {"reason": "no"}).status_code == 303
    assert decided(near) == [("not_this_return", "Ann", "Ann")]


def test_a_decision_leaves_another_about_the_same_note_where_it_was_made(ann: Visitor, near: Town) -> None:
    near.edit(a_return(2, a_line("CAP")))
    near.sync()
    before = PersonDecision(
        decision=NOT_THIS_RETURN, subject="CN9", object="R2", decided_by="Kim", reason="a cap", decided_at=near.now
    )
    with connect(near) as conn:
        deciding.decide(conn, before, now=near.now)
    near.sync()
    case = case_of(near, "credit_note_orphan")
    assert choose(ann, case, "rule-out", "CN9|R1").status_code == 303
    kept = near.ask("SELECT object, exception_id FROM recon.decisions WHERE decision = 'not_this_return' ORDER BY 1")
    assert kept == [("R1", case[0]), ("R2", None)]


@pytest.mark.parametrize("choice", ["", "CN9|R2", "CN1|R1", "CN9", "'; DROP TABLE recon.decisions; --"])
def test_only_what_is_offered_can_be_chosen(ann: Visitor, near: Town, choice: str) -> None:
    answer = choose(ann, case_of(near, "credit_note_orphan"), "link", choice)
    assert answer.status_code == 409
    assert "Nothing was changed What you chose is no longer offered" in said(answer)
    assert decided(near) == []


def test_a_decision_is_on_the_money_that_was_seen_and_gives_a_reason(ann: Visitor, near: Town) -> None:
    number, pence = case_of(near, "credit_note_orphan")
    assert choose(ann, (number, pence + 1), "link", "CN9|R1").status_code == 409
    assert choose(ann, (number, pence), "link", "CN9|R1", reason=" ").status_code == 409
    assert decided(near) == []


def test_a_suggested_code_is_accepted_with_its_rule_and_record(ann: Visitor, town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.khaos.sell(an_order(1, ("HAT-1", 1)), an_order(2, ("CAP-1", 1)))
    town.swap.put(a_return(1, a_line("hat-1")), a_return(2, a_line("cap-1")))
    town.sync()
    numbers = dict(town.ask("SELECT sku, exception_id FROM recon.exceptions WHERE kind = 'sku_unknown'"))
    pence = dict(town.ask("SELECT sku, money_at_risk_pence FROM recon.exceptions WHERE kind = 'sku_unknown'"))
    path = f"/exceptions/{numbers['hat-1']}/same-code"
    assert "hat-1 is HAT-1. For it: the rule case" in ann.text(path)
    assert offered(ann, path) == ["HAT-1"]
    assert choose(ann, (numbers["hat-1"], pence["hat-1"]), "same-code", "HAT-1").status_code == 303
    assert "People here said yes to 1 of 1 like it." in ann.text(f"/exceptions/{numbers['cap-1']}/same-code")
    town.sync()
    assert town.ask("SELECT suggestion_rule FROM recon.matched_lines WHERE sku = 'hat-1'") == [("person",)]
    assert ann.get(path).status_code == 409
    text = ann.text(f"/exceptions/{numbers['hat-1']}")
    assert "Same code" in text
    assert "stands, take back" in text


@pytest.mark.parametrize(("act", "kept"), [("accept-value", "accepted_value"), ("settled-outside", "settled_outside")])
def test_a_value_is_decided_in_pounds_and_taken_back(ann: Visitor, town: Town, act: str, kept: str) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes = {"CN1": a_note("CN1", 900, associated_ref="RMA1")}
    town.sync()
    case = case_of(town, "value_gap")
    assert "RMA1: £10.00 refunded, £9.00 credited" in ann.text(f"/exceptions/{case[0]}/{act}")
    assert choose(ann, case, act, "R1").status_code == 303
    assert decided(town) == [(kept, "Ann", "")]
    town.sync()
    assert ann.post(f"/decisions/{last_decision(town)}/take-back", {"reason": "no"}).status_code == 303
    town.sync()
    assert case_of(town, "value_gap")[1] == 100


@pytest.fixture
def planned(town: Town) -> tuple[Town, tuple[int, int]]:
    """A document of R1 planned in assist, and an exception about R1."""
    town.with_settings(mode="assist")
    town.sells_and_takes_back(a_return(1))
    town.sync()
    return town, (opens(town, "value_gap", "RMA1", 1000, return_id="R1", rma="RMA1"), 1000)


def test_a_document_is_released(ann: Visitor, planned: tuple[Town, tuple[int, int]]) -> None:
    town, case = planned
    assert "£10.00, not handed out yet" in ann.text(f"/exceptions/{case[0]}/release")
    (reference,) = offered(ann, f"/exceptions/{case[0]}/release")
    assert ann.get(f"/exceptions/{case[0]}/send-again").status_code == 409
    assert choose(ann, case, "release", reference).status_code == 303
    assert town.one("SELECT is_released FROM recon.postings")
    (released,) = offered(ann, f"/exceptions/{case[0]}/take-release-back")
    assert choose(ann, case, "take-release-back", released).status_code == 303
    assert not town.one("SELECT is_released FROM recon.postings")
    assert ann.get(f"/exceptions/{case[0]}/take-release-back").status_code == 409


def test_a_document_in_doubt_is_sent_again_only_by_one_who_looked(
    ann: Visitor, planned: tuple[Town, tuple[int, int]]
) -> None:
    town, case = planned
    choose(ann, case, "release", "RMA1")
    town.do("UPDATE recon.postings SET state = 'in_doubt', handed_out_at = %s, is_released = false", town.now)
    (reference,) = offered(ann, f"/exceptions/{case[0]}/send-again")
    refused = choose(ann, case, "send-again", reference)
    assert (refused.status_code, "may be credited twice" in said(refused)) == (409, True)
    assert not town.one("SELECT is_released FROM recon.postings")
    assert choose(ann, case, "send-again", reference, looked="yes").status_code == 303
    assert town.one("SELECT is_released FROM recon.postings")


def test_the_feed_is_held_and_goes_on(ann: Visitor, planned: tuple[Town, tuple[int, int]]) -> None:
    eve = ann.of("Eve", "engineer")
    assert "1 document, £10.00" in ann.text("/feed")
    assert ann.post("/feed/hold", {"reason": "x"}).status_code == 403
    assert "From now on no document leaves" in eve.text("/feed/hold")
    assert eve.post("/feed/hold", {"reason": "prices look wrong"}).status_code == 303
    assert "the feed is held by Eve" in ann.text("/feed")
    again = eve.post("/feed/hold", {"reason": "x"})
    assert (again.status_code, "the feed is held by Eve" in said(again).replace("The feed", "the feed")) == (409, True)
    assert eve.post("/feed/resume", {"reason": "they are right"}).status_code == 303
    assert "held by" not in ann.text("/feed")


@pytest.mark.parametrize("path", ["/exceptions/1/nothing", "/feed/nothing", "/acts/nothing?id=1", "/exceptions/9/link"])
def test_an_action_that_there_is_not_is_said(ann: Visitor, town: Town, path: str) -> None:
    opens(town, "value_gap", "S1")
    assert ann.get(path).status_code == 404


@pytest.mark.parametrize("act", ["link", "same-code", "accept-value", "settled-outside", "release", "send-again"])
def test_a_case_with_nothing_to_decide_offers_nothing(ann: Visitor, town: Town, act: str) -> None:
    number = opens(town, "record_unreadable", "Swap RMA7")
    assert f"/exceptions/{number}/{act}" not in ann.get(f"/exceptions/{number}").text
    answer = ann.get(f"/exceptions/{number}/{act}")
    assert (answer.status_code, "There is nothing to decide here any more" in said(answer)) == (409, True)
