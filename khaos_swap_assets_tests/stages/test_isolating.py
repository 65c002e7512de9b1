"""A fault in one return holds that return and is told; the others go on: a raising rule planted in each stage."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.store import latency, setbacks
from khaos_swap_assets.adapters.store import shadow as store_shadow
from khaos_swap_assets.domain.linking.witness import Witness
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.stages import isolating, refusing
from khaos_swap_assets.stages.completeness import assets as completeness
from khaos_swap_assets.stages.credit_notes import attributing, drafting, policy_trial, posting
from khaos_swap_assets.stages.due import local_reason
from khaos_swap_assets.stages.reconciliation import judging
from khaos_swap_assets.stages.returns import matching
from khaos_swap_assets.stages.shadow import assets as shadow
from khaos_swap_assets.stages.stock import adjustments
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.town import NOON, Town, a_note, a_return, called

GUILTY = "R2"


def of_return(*given: Any) -> bool:
    return any(getattr(one, "return_id", "") == GUILTY for one in given)


def of_facts(facts: Any, *_: Any) -> bool:
    return of_return(facts.return_)


def of_drafts(found: Any, *_: Any) -> bool:
    return of_return(found[0])


def of_notes(loose: Any, *_: Any) -> bool:
    return any(note.customer == "C2" for note in loose)


# Where the rule is planted, what of it, whose call it is, and the step that tells it.
RULES: dict[str, tuple[Any, str, Callable[..., bool]]] = {
    isolating.MATCHING: (matching, "_head", of_return),
    isolating.DRAFTING: (drafting, "draft", of_return),
    isolating.POSTING: (Witness, "look", of_return),
    isolating.STOCK: (adjustments, "_moves_of", of_drafts),
    isolating.JUDGING: (judging, "judge", of_facts),
}


def plant(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, is_guilty: Callable[..., bool]) -> None:
    sound = getattr(place, name)

    def raising(*given: Any, **named: Any) -> Any:
        if is_guilty(*given):
            raise ZeroDivisionError("a value nobody foresaw")
        return sound(*given, **named)

    monkeypatch.setattr(place, name, raising)


@pytest.mark.long
@pytest.mark.parametrize("step", RULES)
def test_a_raising_rule_holds_its_return_alone(
    town: Town, step: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    town.sells_and_takes_back(*(a_return(number) for number in (1, 2, 3)))
    plant(monkeypatch, *RULES[step])
    with caplog.at_level(logging.ERROR):
        town.sync()
    assert town.kinds() == {"fault_in_return": "RMA2"}
    assert town.ask("SELECT return_id, money_at_risk_pence FROM recon.exceptions") == [(GUILTY, 1000)]
    assert caplog.records[0].getMessage() == f"{step} R2 failed; it is held, all others go on"
    assert caplog.records[0].exc_info
    for _ in range(3):
        town.pull()
        town.sync()
    assert {note.associated_ref for note in town.khaos.notes.values()} == {"RMA1", "RMA3"}
    judged = dict(town.ask("SELECT rma, status FROM recon.reconciliation"))
    assert (judged["RMA1"], judged["RMA3"]) == ("matched", "matched")
    monkeypatch.undo()
    town.sync(hours=9)
    assert town.one("SELECT count(*) FROM recon.setbacks") == 0
    town.sync()
    town.pull()
    town.sync()
    assert {note.associated_ref for note in town.khaos.notes.values()} == {"RMA1", "RMA2", "RMA3"}
    assert town.kinds() == {}


def test_a_fault_about_one_customers_notes_stops_those_of_nobody_else(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.sells_and_takes_back(*(a_return(number) for number in (1, 2)))
    town.khaos.notes["CN9"] = a_note("CN9", customer_code="C2")
    plant(monkeypatch, attributing, "attribute_loose", of_notes)
    town.sync()
    assert town.kinds()["fault_in_return"] == "C2"
    assert [note.associated_ref for note in town.pull()] == ["RMA1"]


def test_a_document_that_nobody_can_make_holds_its_return_alone(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.sells_and_takes_back(*(a_return(number) for number in (1, 2)))
    plant(monkeypatch, posting, "return_document", of_return)
    town.sync()
    assert town.kinds() == {"fault_in_return": "RMA2"}
    assert [note.associated_ref for note in town.pull()] == ["RMA1"]


def test_what_was_planned_does_not_leave_once_its_return_fails(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.sells_and_takes_back(a_return(2))
    town.sync()
    plant(monkeypatch, *RULES[isolating.JUDGING])
    town.edit(a_return(2, handling_fee_pence=0))
    town.sync()
    assert town.pull() == []
    assert town.ask("SELECT state FROM recon.drafts") == [("held",)]


def test_a_fault_is_tried_again_after_its_pause_and_no_sooner(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.with_settings(khaos={"poll_minutes": 60}).sells_and_takes_back(a_return(2))
    plant(monkeypatch, *RULES[isolating.JUDGING])
    town.sync()
    with lend(town.url) as conn:
        assert local_reason(conn, town.settings, town.now) == ""
        assert local_reason(conn, town.settings, town.now + timedelta(minutes=15)) == "fault to try again"


# The steps beside the flow: what each does for many, and where that is written.
ASIDE: dict[str, tuple[Any, str, dg.AssetsDefinition, str]] = {
    isolating.TIMING: (latency, "gather", completeness.reconciliation_latency, "recon.latency"),
    isolating.SCORING: (store_shadow, "score", shadow.reconciliation_shadow_score, "recon.shadow"),
}


@pytest.mark.parametrize("step", ASIDE)
def test_a_step_beside_the_flow_goes_on_without_the_guilty_return(
    town: Town, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, name, asset, table = ASIDE[step]
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(*(a_return(number) for number in (1, 2, 3)))
    for number in (1, 2, 3):
        town.khaos.notes[f"CN{number}"] = a_note(f"CN{number}", customer_code=f"C{number}")
    town.sync()
    plant(monkeypatch, place, name, lambda conn, ids, *_: GUILTY in ids)
    called(asset, town)
    of_whom = f"SELECT return_id FROM {table} ORDER BY 1"
    assert town.ask(of_whom) == [("R1",), ("R3",)]
    town.sync()
    assert town.kinds() == {"fault_in_return": "RMA2"}
    assert town.one("SELECT message FROM recon.exceptions").startswith(f"{step}: ZeroDivisionError: a value nobody")
    monkeypatch.undo()
    called(asset, town)
    assert town.ask(of_whom) == [("R1",), ("R3",)]
    with lend(town.url) as conn:
        assert local_reason(conn, town.settings, town.now + timedelta(minutes=15)) == "fault to try again"
    town.now += timedelta(minutes=15)
    called(asset, town)
    assert town.ask(of_whom) == [("R1",), ("R2",), ("R3",)]
    town.sync()
    assert town.kinds() == {}


def test_two_steps_that_fail_on_one_return_are_told_in_one_line(town: Town) -> None:
    with lend(town.url) as conn:
        for step in (isolating.TIMING, isolating.SCORING):
            setbacks.keep(conn, step, {"R1": f"{step} went wrong"}, town.now)
        (told,) = refusing.problems(conn)
    assert all(word in told.message for word in ("timing: timing went wrong", "scoring: scoring went wrong"))


def test_a_policy_is_tried_on_all_other_returns(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.sells_and_takes_back(*(a_return(number) for number in (1, 2)))
    town.sync()
    plant(monkeypatch, policy_trial, "policy_of", of_return)
    policy = CreditNotePolicy()
    with lend(town.url) as conn:
        found = list(policy_trial.try_policy(conn, town.settings, policy, policy, days=30, now=town.now))
    assert {one.rma: one.note_then_pence for one in found} == {"RMA1": 1000, "RMA2": 0}
    assert "could not be tried: ZeroDivisionError" in next(one.outcome_then for one in found if one.rma == "RMA2")


IDS = [f"R{number}" for number in range(60)]


def tried(database: psycopg.Connection[Any], guilty: set[str], error: Exception) -> tuple[list[str], set[str], int]:
    calls = []

    def work(some: Any) -> list[str]:
        calls.append(some)
        database.execute("INSERT INTO recon.touched_periods SELECT unnest(%s::text[]), now()", (list(some),))
        if guilty & set(some):
            raise error
        return list(some)

    done, faults = isolating.one_by_one(database, isolating.MATCHING, IDS, work, NOON)
    return done, set(faults.found), len(calls)


def test_however_long_the_line_no_more_than_so_many_are_worked_on_at_once(
    database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolating, "AT_ONCE", 16)
    sizes = []

    def work(some: Any) -> list[str]:
        sizes.append(len(some))
        return list(some)

    done, faults = isolating.one_by_one(database, isolating.MATCHING, IDS, work, NOON)
    assert (done, faults.found) == (IDS, {})
    assert (max(sizes), sum(sizes)) == (16, len(IDS))


def test_the_guilty_ones_are_found_by_halving_and_what_they_wrote_is_undone(
    database: psycopg.Connection[Any],
) -> None:
    done, found, calls = tried(database, {"R7", "R41"}, ValueError("odd"))
    assert (set(done), found) == (set(IDS) - {"R7", "R41"}, {"R7", "R41"})
    assert calls < 30
    assert {row[0] for row in database.execute("SELECT period FROM recon.touched_periods")} == set(done)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("gone"),
        psycopg.errors.ReadOnlySqlTransaction("a standby"),
        psycopg.errors.InsufficientPrivilege("no right to write"),
        SettingsError("not set"),
    ],
)
def test_what_the_outside_world_does_is_nobodys_fault(database: psycopg.Connection[Any], error: Exception) -> None:
    with pytest.raises(type(error)):
        tried(database, {"R7"}, error)


def test_a_fault_that_spares_nobody_ends_the_run(database: psycopg.Connection[Any]) -> None:
    with pytest.raises(ValueError, match="odd"):
        tried(database, set(IDS), ValueError("odd"))
