"""Drafting: which returns become a ready draft, which are held and why, and what follows a second refund."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Thread
from typing import Any

import pytest

from khaos_swap_assets.stages.credit_notes import drafting
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order


def drafts(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT return_id, ordinal, state, value_pence FROM recon.drafts ORDER BY 1, 2")


def reasons(town: Town) -> list[str]:
    return [code for row in town.ask("SELECT reasons FROM recon.drafts ORDER BY return_id") for code, _ in row[0]]


def refunded(moment: datetime, number: int = 1) -> Any:
    return a_return(number, processed_at=moment, closed_at=moment, updated_at=datetime(2026, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"status": "Open"}, ["waiting_refund"]),
        ({"processed_at": None, "closed_at": None}, ["waiting_refund"]),
        ({"quality_control_status": "Pending"}, ["waiting_inspection"]),
        ({"refund_pence": 900}, ["refund_not_explained"]),
        ({"refund_pence": 900, "handling_fee_pence": 100}, []),
        ({"status": "Cancelled"}, ["waiting_refund"]),
    ],
)
def test_a_refund_is_drafted_when_every_gate_is_open(town: Town, changes: dict[str, Any], expected: list[str]) -> None:
    town.sells_and_takes_back(a_return(1, **changes))
    town.read()
    found = draft_waiting(town.tools)
    assert reasons(town) == expected
    assert (found.ready, found.held) == ((0, 1) if expected else (1, 0))


@pytest.mark.parametrize(
    ("moment", "is_held"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), True),
        (datetime(2026, 2, 1, 0, 0, tzinfo=UTC), False),
        (datetime(2026, 2, 10, 12, 0, tzinfo=UTC), False),
    ],
)
def test_what_was_refunded_before_the_start_is_never_posted(town: Town, moment: datetime, is_held: bool) -> None:
    town.with_settings(post_from=date(2026, 2, 1)).sells_and_takes_back(refunded(moment))
    town.read()
    draft_waiting(town.tools)
    assert reasons(town) == (["before_post_from"] if is_held else [])


def test_the_start_is_a_london_day(town: Town) -> None:
    town.with_settings(post_from=date(2026, 7, 1)).sells_and_takes_back(
        refunded(datetime(2026, 6, 30, 22, 59, tzinfo=UTC)), refunded(datetime(2026, 6, 30, 23, 0, tzinfo=UTC), 2)
    )
    town.now = datetime(2026, 7, 2, tzinfo=UTC)
    town.read()
    draft_waiting(town.tools)
    assert [row[2] for row in drafts(town)] == ["held", "ready"]


def test_a_note_of_staff_covers_the_draft(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    town.sync()
    assert town.ask("SELECT * FROM recon.postings") == []
    town.sync()
    assert drafts(town) == [("R1", 1, "covered", 0)]
    assert town.ask("SELECT * FROM recon.postings") == []
    assert town.kinds() == {}


def test_several_things_that_are_wrong_are_all_named(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 1), invoiced_on=None, customer_code=""))
    town.swap.put(a_return(1, a_line("HAT", 2, 2000), a_line("ZEBRA"), quality_control_status="Pending"))
    town.read()
    draft_waiting(town.tools)
    assert {"order_not_invoiced", "customer_unknown", "over_return", "sku_unknown", "waiting_inspection"} <= set(
        reasons(town)
    )


def test_a_hold_is_lifted_when_its_reason_goes(town: Town) -> None:
    town.sells_and_takes_back(a_return(1, quality_control_status="Pending"))
    town.sync()
    assert drafts(town) == [("R1", 1, "held", 0)]
    town.edit(a_return(1))
    town.sync()
    assert drafts(town) == [("R1", 1, "ready", 1000)]


def test_credit_first_does_not_wait_for_the_goods(town: Town) -> None:
    town.with_settings(legs_policy="credit_first").sells_and_takes_back(a_return(1, quality_control_status="Pending"))
    town.sync()
    assert drafts(town) == [("R1", 1, "ready", 1000)]
    ((document,),) = town.ask("SELECT document FROM recon.postings")
    assert document["ReturnedItems"][0]["ReturnReason"] == {"ID": town.settings.khaos.reason_missing}
    assert town.ask("SELECT * FROM recon.stock_moves") == []


def second_refund(*new: Any, refund_pence: int) -> Any:
    return a_return(1, a_line("HAT"), *new, refund_pence=refund_pence)


def with_first_posted(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 1), ("CAP", 1)))
    town.swap.put(a_return(1))
    town.sync()
    town.pull()
    town.sync()


def test_a_second_refund_that_new_lines_explain_gets_a_second_note(town: Town) -> None:
    with_first_posted(town)
    town.edit(second_refund(a_line("CAP", pence=500), refund_pence=1500))
    town.sync()
    assert drafts(town) == [("R1", 1, "ready", 1000), ("R1", 2, "ready", 500)]
    (note,) = town.pull()
    assert (note.associated_ref, note.gross_pence) == ("RMA1-2", 500)
    town.sync()
    assert town.ask("SELECT status, refund_pence, credited_pence FROM recon.reconciliation") == [
        ("matched", 1500, 1500)
    ]
    assert town.kinds() == {}


@pytest.mark.parametrize(
    ("new", "refund_pence", "expected"),
    [
        ((), 1500, ["outcome_needs_policy"]),
        ((a_line("CAP", pence=400),), 1500, ["outcome_needs_policy"]),
        ((), 800, ["value_gap"]),
    ],
)
def test_a_second_refund_without_an_explanation_is_a_persons_decision(
    town: Town, new: tuple[Any, ...], refund_pence: int, expected: list[str]
) -> None:
    with_first_posted(town)
    town.edit(second_refund(*new, refund_pence=refund_pence))
    town.sync()
    assert [row[:3] for row in drafts(town)] == [("R1", 1, "ready"), ("R1", 2, "held")]
    assert reasons(town) == expected
    assert town.pull() == []


def test_what_is_posted_in_full_needs_no_further_draft(town: Town) -> None:
    with_first_posted(town)
    town.edit(replace(a_return(1), delivery_status="In-Transit"))
    town.sync()
    assert drafts(town) == [("R1", 1, "ready", 1000)]


def test_batches_are_drafted_one_after_another(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "BATCH", 2)
    town.sells_and_takes_back(*(a_return(number) for number in range(1, 6)))
    town.read()
    found = draft_waiting(town.tools)
    assert (found.returns, found.ready) == (5, 5)
    assert town.one("SELECT count(*) FROM recon.worklist WHERE stage = 'reconcile'") == 5


def _pulls_while_drafting(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Khaos pulls after a batch was loaded and before it is saved; either the pull or the batch waits for the other."""
    load, pulls = drafting._load, list[Thread]()

    def slow(*args: Any) -> Any:
        loaded = load(*args)
        monkeypatch.setattr(drafting, "_load", load)
        pulls.append(Thread(target=town.pull))
        pulls[0].start()
        while pulls[0].is_alive() and not town.one("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pulls[0].join(0.01)
        return loaded

    monkeypatch.setattr(drafting, "_load", slow)
    draft_waiting(town.tools)
    pulls[0].join()


def test_a_document_that_leaves_while_its_draft_changes_is_not_forgotten(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.edit(a_return(1, quality_control_status="Pending"))
    town.read()
    _pulls_while_drafting(town, monkeypatch)
    for _ in range(3):
        town.edit(a_return(1))
        town.sync()
        town.pull()
    assert [note.gross_pence for note in town.khaos.notes.values()] == [1000]
    assert town.ask("SELECT reference, state FROM recon.postings") == [("RMA1", "confirmed")]


def _of_one_unit(number: int, day: int) -> Any:
    moment = datetime(2026, 3, day, 12, tzinfo=UTC)
    return a_return(number, order_name="#LX1", processed_at=moment, closed_at=moment, submitted_at=moment)


def test_a_refund_that_arrives_late_is_not_credited_beyond_what_was_sold(town: Town) -> None:
    """The earlier refund counts first, but the later one has its document out already."""
    town.khaos.sell(an_order(1, ("HAT", 1)))
    town.swap.put(_of_one_unit(1, 9))
    town.sync()
    town.pull()
    town.edit(_of_one_unit(2, 8))
    for _ in range(2):
        town.sync()
        assert town.pull() == []
    assert reasons(town) == ["over_return"]
    assert "over_return" in town.kinds()
