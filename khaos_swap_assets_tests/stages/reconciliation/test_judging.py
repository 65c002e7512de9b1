"""Judging: who is judged when, what is kept, and how findings become exceptions and end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.store import findings
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.reconciliation import judging
from khaos_swap_assets.stages.reconciliation.judging import reconcile_waiting
from khaos_swap_assets.stages.waivers import waive
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, connect

VERDICT = "SELECT status, refund_pence, credited_pence, issued_pence, gap_pence FROM recon.reconciliation ORDER BY 1"


def audit(town: Town) -> Town:
    return town.with_settings(mode="audit", post_from=None)


def exceptions(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT kind, subject, closed_at IS NOT NULL FROM recon.exceptions ORDER BY exception_id")


@pytest.mark.parametrize(
    ("notes", "row", "kinds"),
    [
        ([], ("in_flight", 1000, 0, 0, -1000), set()),
        ([{}], ("matched", 1000, 1000, 1000, 0), set()),
        ([{"gross_pence": 900}], ("value_gap", 1000, 900, 900, -100), {"value_gap"}),
        ([{"gross_pence": 1100}], ("value_gap", 1000, 1100, 1100, 100), {"value_gap"}),
        ([{"issued_on": None, "stage_id": 10}], ("matched", 1000, 1000, 0, 0), set()),
        ([{}, {}], ("duplicate", 1000, 2000, 2000, 1000), {"credit_note_duplicate"}),
    ],
)
def test_what_khaos_credited_beside_what_swap_refunded(
    town: Town, notes: list[dict[str, Any]], row: tuple[Any, ...], kinds: set[str]
) -> None:
    audit(town).sells_and_takes_back(a_return(1))
    for number, changes in enumerate(notes, 1):
        note = replace(a_note(f"CN{number}", associated_ref="RMA1"), **changes)
        town.khaos.notes[note.credit_note_code] = note
    town.sync()
    assert town.ask(VERDICT) == [row]
    assert set(town.kinds()) == kinds


def test_a_deadline_wakes_a_return_that_nothing_happened_to(town: Town) -> None:
    audit(town).sells_and_takes_back(a_return(1))
    town.sync()
    due = town.one("SELECT next_due_at FROM recon.reconciliation")
    assert due is not None
    assert due > town.now
    assert town.kinds() == {}
    town.now = due - timedelta(seconds=1)
    assert reconcile_waiting(town.tools).returns == 0
    town.now = due
    assert reconcile_waiting(town.tools).returns == 1
    assert town.ask("SELECT kind FROM recon.findings") == [("credit_note_missing",)]
    assert reconcile_waiting(town.tools).returns == 0


def test_only_what_is_in_line_is_judged(town: Town) -> None:
    audit(town).sells_and_takes_back(a_return(1), a_return(2))
    town.sync()
    before = dict(town.ask("SELECT return_id, reconciled_at FROM recon.reconciliation"))
    town.edit(replace(a_return(2), refund_pence=900))
    town.sync()
    after = dict(town.ask("SELECT return_id, reconciled_at FROM recon.reconciliation"))
    assert after["R1"] == before["R1"]
    assert after["R2"] == town.now


def test_batches_are_judged_one_after_another(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "BATCH", 2)
    audit(town).sells_and_takes_back(*(a_return(number) for number in range(1, 6)))
    town.sync()
    assert town.one("SELECT count(*) FROM recon.reconciliation") == 5


@pytest.mark.parametrize(
    ("refunded", "period"),
    [
        (datetime(2026, 2, 28, 23, 59, tzinfo=UTC), "2026-02"),
        (datetime(2026, 3, 1, 0, 0, tzinfo=UTC), "2026-03"),
        # Summer time: the last hour of June in UTC is July in London.
        (datetime(2026, 6, 30, 22, 59, tzinfo=UTC), "2026-06"),
        (datetime(2026, 6, 30, 23, 0, tzinfo=UTC), "2026-07"),
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "2026-03"),
        (datetime(2026, 10, 31, 23, 59, tzinfo=UTC), "2026-10"),
        (datetime(2026, 10, 31, 23, 30, tzinfo=UTC), "2026-10"),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2026-12"),
    ],
)
def test_a_refund_belongs_to_its_london_month(town: Town, refunded: datetime, period: str) -> None:
    audit(town).now = refunded + timedelta(hours=1)
    moments = {"processed_at": refunded, "closed_at": refunded, "updated_at": refunded, "delivered_at": refunded}
    town.sells_and_takes_back(a_return(1, **moments, submitted_at=refunded, created_at=refunded))
    town.sync()
    assert town.one("SELECT period FROM recon.reconciliation") == period
    assert town.ask("SELECT period FROM recon.touched_periods") == [(period,)]


def test_a_return_without_a_refund_belongs_to_the_month_it_was_submitted_in(town: Town) -> None:
    opened = datetime(2026, 2, 3, tzinfo=UTC)
    town.sells_and_takes_back(
        a_return(1, status="Open", processed_at=None, closed_at=None, submitted_at=opened, created_at=opened)
    )
    audit(town).sync()
    assert town.one("SELECT period FROM recon.reconciliation") == "2026-02"


def test_an_orphan_is_named_and_forgotten_when_it_finds_its_return(town: Town) -> None:
    audit(town).khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    town.sync()
    assert town.kinds() == {"credit_note_orphan": "CN1"}
    town.sells_and_takes_back(a_return(1, updated_at=town.now))
    town.sync()
    town.sync()
    assert town.kinds() == {}
    assert exceptions(town) == [("credit_note_orphan", "CN1", True)]


@pytest.mark.parametrize(("customer_code", "pence"), [("C1", 700), ("", 1000)])
def test_what_a_person_says_is_nobodys_covers_no_refund(town: Town, customer_code: str, pence: int) -> None:
    audit(town).khaos.notes["CN1"] = a_note("CN1", pence, customer_code=customer_code)
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.sync(days=5)
    assert town.kinds() == {"credit_note_orphan": "CN1"}
    number = town.one("SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL")
    with connect(town) as conn:
        waive(conn, number, Person("Kim", "a gift for the delay"), now=town.now)
    town.sync()
    assert town.kinds() == {"credit_note_missing": "RMA1"}


def test_a_cancelled_orphan_is_none(town: Town) -> None:
    audit(town).khaos.notes["CN1"] = a_note("CN1")
    town.sync()
    town.khaos.cancelled = {"CN1": town.khaos.notes.pop("CN1")}
    town.sync()
    assert town.kinds() == {}


@pytest.mark.parametrize(("days", "found"), [(-1, {}), (0, {"credit_note_orphan": "CN1"})])
def test_an_orphan_of_before_the_first_month_is_history(town: Town, days: int, found: dict[str, str]) -> None:
    audit(town).khaos.notes["CN1"] = a_note("CN1", created_on=town.settings.period_start + timedelta(days=days))
    town.sync()
    assert town.kinds() == found


def test_an_orphan_without_a_date_may_be_of_today(town: Town) -> None:
    audit(town).khaos.notes["CN1"] = a_note("CN1", created_on=None)
    town.sync()
    assert town.kinds() == {"credit_note_orphan": "CN1"}


def test_an_exception_opens_once_is_kept_up_to_date_and_closes_by_itself(town: Town) -> None:
    audit(town).sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", 900, associated_ref="RMA1")
    town.sync()
    opened = town.ask("SELECT exception_id, opened_at, money_at_risk_pence, owner FROM recon.exceptions")
    assert opened[0][2:] == (100, "finance")
    town.khaos.notes["CN1"] = replace(town.khaos.notes["CN1"], gross_pence=800)
    town.sync()
    again = town.ask("SELECT exception_id, opened_at, money_at_risk_pence FROM recon.exceptions")
    assert again == [(*opened[0][:2], 200)]
    town.khaos.notes["CN1"] = replace(town.khaos.notes["CN1"], gross_pence=1000, net_pence=833)
    town.sync()
    assert town.ask("SELECT closed_at, closed_by FROM recon.exceptions") == [(town.now, "condition")]


def test_a_condition_that_comes_back_is_another_exception(town: Town) -> None:
    audit(town).sells_and_takes_back(a_return(1))
    for pence in (900, 1000, 900):
        town.khaos.notes["CN1"] = a_note("CN1", pence, associated_ref="RMA1")
        town.sync()
    assert exceptions(town) == [("value_gap", "RMA1", True), ("value_gap", "RMA1", False)]


def test_what_a_person_waived_does_not_open_again(town: Town) -> None:
    audit(town).sells_and_takes_back(a_return(1))
    town.do(
        "INSERT INTO recon.decisions (decision, subject, object, decided_by, reason, decided_at) "
        "VALUES ('waived', 'RMA1', 'value_gap', 'Kim', 'goodwill', now())"
    )
    town.khaos.notes["CN1"] = a_note("CN1", 900, associated_ref="RMA1")
    town.sync()
    assert town.kinds() == {}
    assert town.ask("SELECT kind FROM recon.findings") == [("value_gap",)]


def test_opening_and_closing_is_said_once(town: Town) -> None:
    audit(town).sells_and_takes_back(a_return(1, a_line("ZEBRA")))
    del town.khaos.items["ZEBRA"]
    town.read()
    from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting

    draft_waiting(town.tools)
    reconcile_waiting(town.tools)
    with town.tools.store() as conn:
        opened, closed = findings.open_and_close(conn, town.now)
        assert ({one.kind for one in opened}, closed) == ({"sku_unknown"}, 0)
        assert findings.open_and_close(conn, town.now) == ([], 0)
        conn.execute("DELETE FROM recon.findings")
        assert findings.open_and_close(conn, town.now) == ([], 1)
