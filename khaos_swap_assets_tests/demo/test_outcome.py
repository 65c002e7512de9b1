"""What a play is judged by: each planted SKU is looked for by itself, and every broken invariant is said."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.demo.outcome import BROKEN, broken_invariants, outcome, unexplained
from khaos_swap_assets.demo.rounds import Played
from khaos_swap_assets.sandbox.world import Plant
from khaos_swap_assets_tests.stages.town import Town, a_note, a_return, connect

LEDGER = {"duplicates": 0, "undue_moves": 0}
EXCEPTION = (
    "INSERT INTO recon.exceptions (kind, subject, owner, severity, rma, sku, credit_note_code, message, opened_at) "
    "VALUES (%s, %s, 'finance', 'error', %s, %s, %s, 'why', now())"
)


@pytest.fixture
def town(database_url: str) -> Town:
    return Town(database_url)


def opened(database: psycopg.Connection[Any], kind: str, rma: str = "", sku: str = "", code: str = "") -> None:
    subject = code or (f"{rma}/{sku}" if sku else rma)
    database.execute(EXCEPTION, (kind, subject, rma, sku, code))


def plant(kind: str, rma: str = "", sku: str = "", code: str = "", record: str = "") -> dict[str, Any]:
    return asdict(Plant(kind, rma, code, sku, "it was planted", record=record))


STORES = {"main": "", "outlet": "outlet"}


def of_two(database: psycopg.Connection[Any], *planted: dict[str, Any], **played: Any) -> dict[str, Any]:
    ledger = {**LEDGER, "duplicates": 2, "duplicates_by_store": {"": 0, "outlet": 2}}
    return outcome(database, ledger, {"planted": list(planted)}, Played(**played), STORES)


def test_figures_of_two_stores_are_told_by_store_and_together(database: psycopg.Connection[Any]) -> None:
    opened(database, "value_gap", "outlet:RMA1")
    opened(database, "value_gap", "RMA1")
    planted = [plant("value_gap", "RMA1"), plant("value_gap", "RMA2"), plant("sku_unknown", "outlet:RMA3", "HAT")]
    result = of_two(database, *planted, meanwhile={"": 7}, down="outlet")
    figures = {
        name: (one["missed"], one["false_alarms"], one["duplicates"]) for name, one in result["by_store"].items()
    }
    assert figures == {"main": (1, 0, 0), "outlet": (1, 1, 2)}
    assert [len(result["missed"]), len(result["false_alarms"]), result["duplicates"]] == [2, 1, 2]
    assert result["by_store"]["main"]["confirmed_while_the_other_was_down"] == 7


@pytest.mark.parametrize(("meanwhile", "is_held"), [({"": 7}, False), ({}, True), ({"": 7, "outlet": 1}, True)])
def test_a_store_that_held_the_other_up_breaks_an_invariant(
    database: psycopg.Connection[Any], meanwhile: dict[str, int], *, is_held: bool
) -> None:
    broken = of_two(database, meanwhile=meanwhile, down="outlet")["broken_invariants"]
    assert ("while outlet was down, the first store's returns were not credited alone" in broken) == is_held


def judged(database: psycopg.Connection[Any], *planted: dict[str, Any]) -> dict[str, Any]:
    return outcome(database, LEDGER, {"planted": list(planted)}, Played())


def test_what_was_planted_and_is_open_is_neither_missed_nor_false(database: psycopg.Connection[Any]) -> None:
    opened(database, "sku_unknown", "RMA1", "HAT")
    opened(database, "value_gap", "RMA2")
    opened(database, "credit_note_orphan", code="CN7")
    result = judged(
        database,
        plant("sku_unknown", "RMA1", "HAT"),
        plant("value_gap", "RMA2"),
        plant("credit_note_orphan", code="CN7"),
    )
    assert (result["missed"], result["false_alarms"]) == ([], [])
    assert result["exceptions"] == result["planted"] == {"credit_note_orphan": 1, "sku_unknown": 1, "value_gap": 1}


def test_a_second_sku_of_the_same_return_is_looked_for_by_itself(database: psycopg.Connection[Any]) -> None:
    opened(database, "sku_unknown", "RMA1", "HAT")
    opened(database, "sku_unknown", "RMA1", "CAP")
    result = judged(database, plant("sku_unknown", "RMA1", "HAT"), plant("sku_unknown", "RMA1", "SCARF"))
    assert result["missed"] == ["sku_unknown RMA1/SCARF: it was planted"]
    assert result["false_alarms"] == ["sku_unknown RMA1/CAP: why"]
    assert result["exceptions"] == result["planted"] == {"sku_unknown": 2}


def test_an_unreadable_record_of_no_return_is_told_by_its_code(database: psycopg.Connection[Any]) -> None:
    database.execute(EXCEPTION, ("record_unreadable", "A,B", "", "", ""))
    result = judged(database, plant("record_unreadable", sku="A,B"), plant("record_unreadable", sku="C,D"))
    assert result["missed"] == ["record_unreadable C,D: it was planted"]
    assert result["false_alarms"] == []


def test_a_refusal_is_looked_for_by_the_record_that_it_is_about(database: psycopg.Connection[Any]) -> None:
    gone, other = "Khaos GetCompanyInfo C1", "Khaos GetCompanyInfo C2"
    database.execute(EXCEPTION, ("record_refused", gone, "", "", ""))
    result = judged(database, plant("record_refused", record=gone), plant("record_refused", record=other))
    assert (result["missed"], result["false_alarms"]) == ([f"record_refused {other}: it was planted"], [])


def test_credit_in_another_month_is_looked_for_like_any_other_trouble(database: psycopg.Connection[Any]) -> None:
    kind = "credited_in_another_month"
    opened(database, kind, "RMA1")
    opened(database, kind, "RMA2")
    result = judged(database, plant(kind, "RMA1"), plant(kind, "RMA3"))
    assert result["missed"] == [f"{kind} RMA3: it was planted"]
    assert result["false_alarms"] == [f"{kind} RMA2: why"]


def test_another_kind_is_told_by_its_return_whatever_sku_it_names(database: psycopg.Connection[Any]) -> None:
    opened(database, "damaged_in_saleable", "RMA1", "HAT")
    result = judged(database, plant("damaged_in_saleable", "RMA1"))
    assert (result["missed"], result["false_alarms"]) == ([], [])


def test_what_was_closed_is_not_found(database: psycopg.Connection[Any]) -> None:
    opened(database, "value_gap", "RMA1")
    database.execute("UPDATE recon.exceptions SET closed_at = now()")
    assert judged(database, plant("value_gap", "RMA1"))["missed"] == ["value_gap RMA1: it was planted"]


def test_checks_and_seconds_are_those_of_the_play(database: psycopg.Connection[Any]) -> None:
    played = Played({"sandbox": 1.0004, "sync": 2.0}, {("a", ""): True, ("a", "2026-03"): False, ("b", ""): True}, 3)
    result = outcome(database, LEDGER, {"planted": []}, played)
    assert result["checks"] == {"passed": 2, "failed": 1}
    assert result["failed_runs"] == 3
    assert result["seconds"] == {"sandbox": 1.0, "sync": 2.0, "total": 3.0}


BREAKS = [
    ("UPDATE swap.returns SET status = 'Approved' WHERE return_id = 'R1'", "handed out without a confirmed refund"),
    ("UPDATE swap.returns SET refunded_at = NULL WHERE return_id = 'R1'", "handed out without a confirmed refund"),
    ("UPDATE recon.postings SET value_pence = 1001 WHERE return_id = 'R1'", "exceed its refund"),
    ("UPDATE recon.postings SET witnessed_pence = 999 WHERE return_id = 'R1'", "differs and no value_gap is open"),
    ("UPDATE recon.postings SET credit_note_code = 'CN1'", "attributed to two postings"),
    ("UPDATE recon.postings SET party_sealed = 'name' WHERE return_id = 'R1'", "outlived its posting"),
    ("DELETE FROM recon.reconciliation WHERE return_id = 'R1'", "a confirmed refund is nowhere"),
    ("UPDATE recon.custody SET units = units + 1", "the places of custody are not what its movements add up to"),
    ("DELETE FROM recon.custody WHERE return_id = 'R1'", "the places of custody are not what its movements add up to"),
    ("UPDATE recon.matched_lines SET sellable_quantity = 0", "more of a line is available than was found sellable"),
]


def test_each_broken_invariant_is_said_and_an_honest_play_breaks_none(town: Town) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2))
    for _ in range(3):
        town.sync()
        town.pull()
    town.sync()
    assert town.one("SELECT count(*) FROM recon.postings WHERE state = 'confirmed'") == 2
    with connect(town) as conn:
        assert broken_invariants(conn, LEDGER) == []
        for query, said in BREAKS:
            conn.execute(query)
            found = broken_invariants(conn, LEDGER)
            assert any(said in line for line in found), (query, found)
            conn.rollback()


def test_every_invariant_was_broken_once() -> None:
    assert all(any(said in text for _, said in BREAKS) for text in BROKEN)


def test_pence_without_a_leg_are_told_of_returns_whose_cause_is_named(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1, refund_pence=900), a_return(2))
    for number in (1, 2):
        town.khaos.notes[f"CN{number}"] = a_note(
            f"CN{number}", 1000 + number, associated_ref=f"RMA{number}", customer_code=f"C{number}"
        )
    town.sync()
    with connect(town) as conn:
        assert unexplained(conn, {"RMA1", "RMA2"}) == ["RMA1: 100 pence"]
        assert unexplained(conn, {"RMA2"}) == []


def test_duplicates_of_the_sandbox_break(database: psycopg.Connection[Any]) -> None:
    assert broken_invariants(database, LEDGER) == []
    assert broken_invariants(database, LEDGER | {"duplicates": 1}) == ["the sandbox's ledger holds duplicates"]
    (moved,) = broken_invariants(database, LEDGER | {"undue_moves": 2})
    assert moved == "the sandbox's ledger holds goods on a shelf that never came back"
