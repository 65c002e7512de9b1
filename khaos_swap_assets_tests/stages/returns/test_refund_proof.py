"""Closed is not paid, through the stages: nothing is drafted, it is told, and a proof or another rule changes that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.store import worklist
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.returns.assets import CHECKS
from khaos_swap_assets.stages.waivers import waive
from khaos_swap_assets_tests.stages.tables import check_named
from khaos_swap_assets_tests.stages.town import Town, a_note, a_return, called, connect

UNPAID = {"processed_at": None}
WORTH = "SELECT refund_pence, gap_pence, status FROM recon.reconciliation"


def closed(town: Town, **changes: Any) -> Town:
    return town.sells_and_takes_back(a_return(1, **{**UNPAID, **changes}))


def documents(town: Town) -> int:
    return int(str(town.one("SELECT count(*) FROM recon.postings WHERE state <> 'withdrawn'")))


@pytest.mark.parametrize("word", ["", "Pending", "No"])
def test_a_closed_return_without_proof_is_told_and_not_credited(town: Town, word: str) -> None:
    closed(town, processed_word=word, processed_by="Sam Reyes").sync()
    assert (town.kinds(), documents(town)) == ({"closed_without_refund": "RMA1"}, 0)
    assert town.ask(WORTH) == [(0, 0, "in_flight")]
    message = str(town.one("SELECT message FROM recon.exceptions"))
    assert (repr(word) if word else "is empty") in message
    assert "Sam Reyes" in message


@pytest.mark.parametrize("word", ["Yes", "TRUE", "processed"])
def test_a_word_of_the_list_proves_it(town: Town, word: str) -> None:
    closed(town, processed_word=word).sync()
    assert (town.kinds(), documents(town)) == ({}, 1)


def test_the_proof_that_comes_later_dates_the_refund(town: Town) -> None:
    closed(town, closed_at=town.now - timedelta(days=40)).sync()
    town.edit(a_return(1, processed_at=town.now))
    town.sync()
    assert (town.kinds(), documents(town)) == ({}, 1)
    assert town.one("SELECT refunded_at FROM swap.returns") == town.now - timedelta(minutes=1)
    assert town.one("SELECT period FROM recon.reconciliation") == f"{town.now:%Y-%m}"


def test_a_person_may_say_that_nothing_is_owed(town: Town) -> None:
    closed(town).sync()
    with connect(town) as conn:
        number = int(str(town.one("SELECT exception_id FROM recon.exceptions")))
        waive(conn, number, Person("Priya", "never sent back"), now=town.now)
    town.sync()
    assert town.kinds() == {}


@pytest.mark.parametrize("reference", ["RMA1", ""])
def test_a_note_that_staff_made_for_it_is_told(town: Town, reference: str) -> None:
    town.khaos.notes["CN1"] = a_note(associated_ref=reference)
    closed(town).sync()
    assert town.kinds() == {"closed_without_refund": "RMA1", "credited_without_refund": "RMA1"}
    assert town.ask(WORTH) == [(0, 1000, "value_gap")]
    town.edit(a_return(1))
    town.sync()
    assert (town.kinds(), town.ask(WORTH)) == ({}, [(1000, 0, "matched")])


def test_a_document_of_ours_for_it_is_told_and_a_planned_one_is_taken_back(town: Town) -> None:
    town.with_settings(refund_proof="closed")
    closed(town).sync()
    town.pull()
    town.sync()
    assert (town.kinds(), documents(town)) == ({}, 1)
    town.sells_and_takes_back(second := a_return(2, **UNPAID))
    town.edit(second)
    town.sync()
    assert documents(town) == 2
    town.with_settings(refund_proof="processed").sync()
    assert town.ask("SELECT kind, subject FROM recon.exceptions WHERE closed_at IS NULL ORDER BY 1, 2") == [
        ("closed_without_refund", "RMA1"),
        ("closed_without_refund", "RMA2"),
        ("credited_without_refund", "RMA1"),
    ]
    assert documents(town) == 1


def test_another_rule_reads_the_mirror_again_and_the_same_one_costs_nothing(town: Town) -> None:
    town.sells_and_takes_back(a_return(1, **UNPAID), a_return(2), a_return(3, **UNPAID, processed_word="Done")).sync()
    dated = "SELECT return_id FROM swap.returns WHERE refunded_at IS NOT NULL ORDER BY 1"
    assert town.ask(dated) == [("R2",)]
    for rule, expected in (
        ({"refund_proof": "closed"}, ["R1", "R2"]),
        ({"refund_proof_words": "Yes, Done"}, ["R2", "R3"]),
        ({}, ["R2"]),
    ):
        town.with_settings(**rule).sync()
        assert town.ask(dated) == [(key,) for key in expected]
    town.now += timedelta(minutes=1)
    town.with_settings(refund_proof_words="PROCESSED,true, yes").read()
    with connect(town) as conn:
        assert worklist.take(conn, "draft", 10) == []


def test_the_check_shows_which_fields_closed_returns_carry(town: Town) -> None:
    some = [a_return(1, **UNPAID), a_return(2), a_return(3, **UNPAID, processed_word="Yes")]
    town.sells_and_takes_back(*some).sync()
    result = called(check_named(CHECKS, "every_closed_return_was_paid"), town)
    assert (result.passed, result.metadata["carried"].value) == (
        False,
        "of 3 closed returns with a value 1 carry a date of processing, 1 the word 'Yes', 1 nothing",
    )
