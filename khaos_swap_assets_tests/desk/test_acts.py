"""Acts: words before, one transaction, limits and the second person, take back, hostile forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from httpx import Response

from khaos_swap_assets.stages import waivers
from khaos_swap_assets_tests.desk.rows import opens
from khaos_swap_assets_tests.desk.visiting import Visitor, said
from khaos_swap_assets_tests.stages.town import Town, a_note, a_return


def do(visitor: Visitor, act: str, rows: dict[int, int], **fields: str) -> Response:
    """Post an act on exceptions, each as it was seen: (number, pence)."""
    pairs = [pair for number, pence in rows.items() for pair in (("id", number), ("seen", f"{number}:{pence}"))]
    return visitor.post(f"/acts/{act}", [*pairs, *fields.items()])


def decided(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT decision, decided_by, ended_by FROM recon.decisions ORDER BY decision_id")


def open_ones(town: Town) -> list[int]:
    rows = town.ask("SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL ORDER BY 1")
    return [row[0] for row in rows]


def last_decision(town: Town) -> int:
    return int(town.one("SELECT max(decision_id) FROM recon.decisions"))


@pytest.mark.parametrize("act", ["note", "assign", "snooze", "waive"])
def test_before_an_act_its_page_says_what_changes_what_does_not_and_the_pounds(
    ann: Visitor, town: Town, act: str
) -> None:
    number = opens(town, "value_gap", "S1", 1_234)
    answer = ann.get(f"/acts/{act}", id=number)
    text = said(answer)
    for part in ("1 exception, £12.34 at risk", "What changes", "What does not", "Nothing is sent to Swap or Khaos"):
        assert part in text
    assert re.findall(r"<textarea[^>]*>([^<]*)<", answer.text) == [""] * answer.text.count("<textarea")
    assert [one for one in re.findall(r"<input[^>]+>", answer.text) if 'name="csrf"' in one and "token-of" in one]
    visible = [one for one in re.findall(r"<input[^>]+>", answer.text) if "hidden" not in one and 'name="q"' not in one]
    assert not [one for one in visible if "value=" in one]
    assert decided(town) == []


def test_a_note_stands_for_all_beside_those_before(ann: Visitor, town: Town) -> None:
    number = opens(town, "value_gap", "S1")
    for words in ("first <b>look</b>", "second"):
        answer = do(ann, "note", {number: 1000}, told=words)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/exceptions/{number}#record")
    text = ann.of("Cy", "cx").text(f"/exceptions/{number}")
    assert text.index("Noted: second") < text.index("Noted: first <b>look</b>")
    assert "<b>look</b>" not in ann.get(f"/exceptions/{number}").text
    assert open_ones(town) == [number]


def test_who_takes_it_is_shown_in_the_queue_and_in_their_own_list(ann: Visitor, town: Town) -> None:
    one, other = opens(town, "value_gap", "S1"), opens(town, "value_gap", "S2")
    assert do(ann, "assign", {one: 1000}, told="Bob").status_code == 303
    assert do(ann, "assign", {one: 1000}, told="Ann").status_code == 303
    assert decided(town) == [("assigned", "Ann", "Ann"), ("assigned", "Ann", "")]
    assert "in the hands of Ann" in ann.text("/queues/finance")
    mine = ann.text("/queues/finance", mine="yes")
    assert ("S1" in mine, "S2" in mine) == (True, False)
    assert "1 exception open, £10.00 at risk, in your hands" in mine
    assert other in open_ones(town)


def test_what_is_put_off_leaves_the_queue_until_its_day_or_until_its_money_changes(ann: Visitor, town: Town) -> None:
    number = opens(town, "value_gap", "S1")
    assert do(ann, "snooze", {number: 1000}, until="2026-03-12", reason="the bank answers then").status_code == 303
    text = ann.text("/queues/finance")
    assert "1 exception open, £10.00 at risk, 1 of them put off" in text
    assert "All of it is put off It still counts, and blocks the month as before." in text
    assert "S1 is not" in ann.text("/queues/finance", shows="put off")
    town.do("UPDATE recon.exceptions SET money_at_risk_pence = 1001")
    assert "S1 is not" in ann.text("/queues/finance")
    town.do("UPDATE recon.exceptions SET money_at_risk_pence = 1000")
    town.now += timedelta(days=2)
    assert "S1 is not" in ann.text("/queues/finance")
    town.now -= timedelta(days=1)
    ann.post(f"/decisions/{last_decision(town)}/take-back", {"reason": "now"})
    assert "S1 is not" in ann.text("/queues/finance")


@pytest.mark.parametrize("until", ["", "2026-03-10", "2026-03-01", "2026-12-01", "soon", "9999-99-99", "9999-12-31"])
def test_a_day_that_is_none_or_too_far_changes_nothing(ann: Visitor, town: Town, until: str) -> None:
    number = opens(town, "value_gap", "S1")
    answer = do(ann, "snooze", {number: 1000}, until=until, reason="x")
    assert answer.status_code in (400, 409)
    assert ("Nothing was changed" in said(answer)) or ("is no day" in said(answer))
    assert decided(town) == []


def test_a_waiver_within_the_limit_closes_at_once_and_is_taken_back_by_one_verb(ann: Visitor, town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes = {"CN1": a_note("CN1", 900, associated_ref="RMA1")}
    town.sync()
    (number,) = open_ones(town)
    assert do(ann, "waive", {number: 100}, reason="goodwill", until="").status_code == 303
    town.sync()
    assert open_ones(town) == []
    text = ann.text(f"/exceptions/{number}")
    assert "closed at 12:01 on 10 March 2026 by Ann: goodwill" in text
    assert "Waived (£1.00) goodwill stands, take back" in text
    before = ann.text(f"/decisions/{last_decision(town)}/take-back")
    assert "RMA1: waived by Ann, £1.00 at risk What changes" in before
    answer = ann.post(f"/decisions/{last_decision(town)}/take-back", {"reason": "it was not"})
    assert answer.status_code == 303
    assert open_ones(town) == [number]
    assert "ended 12:02 on 10 March 2026 by Ann: it was not" in ann.text(f"/exceptions/{number}")


def test_above_the_limit_a_second_person_grants_and_nobody_is_their_own(ann: Visitor, town: Town) -> None:
    number = opens(town, "value_gap", "S1", 5_001)
    assert "This is above your limit of £50.00 each: a second person has to grant it" in ann.text(
        "/acts/waive", id=number
    )
    assert do(ann, "waive", {number: 5_001}, reason="lost in the post").status_code == 303
    assert open_ones(town) == [number]
    grant = f"/decisions/{last_decision(town)}/grant"
    assert ann.post(grant, {"reason": "me"}).status_code == 403
    themselves = ann.of("ann", "finance_approver")
    assert "granted by another person" in said(themselves.post(grant, {"reason": "me too"}))
    assert "not by you" in ann.text("/waiting")
    assert "1 waiver above a limit waits for a second person" in ann.text("/")
    bob = ann.of("Bob", "finance_approver")
    assert "S1 £50.01 Ann lost in the post 12:00 on 10 March 2026 Look and grant" in bob.text("/waiting")
    assert "£50.01 at risk What changes" in bob.text(grant)
    assert "say something" in said(bob.post(grant, {"reason": " "}))
    assert open_ones(town) == [number]
    assert bob.post(grant, {"reason": "seen the proof"}).status_code == 303
    assert open_ones(town) == []
    assert decided(town) == [("waiver_asked", "Ann", "Bob"), ("waived", "Ann and Bob", "")]
    assert bob.post(grant, {"reason": "again"}).status_code == 409


def test_an_approver_has_a_limit_too(ann: Visitor, town: Town) -> None:
    bob, cleo = ann.of("Bob", "finance_approver"), ann.of("Cleo", "finance", "finance_approver")
    small, large = opens(town, "value_gap", "S1", 100_000), opens(town, "value_gap", "S2", 100_001)
    do(bob, "waive", {small: 100_000}, reason="x")
    do(bob, "waive", {large: 100_001}, reason="x")
    assert open_ones(town) == [large]
    assert cleo.post(f"/decisions/{last_decision(town)}/grant", {"reason": "y"}).status_code == 303
    assert open_ones(town) == []


def test_a_grant_is_on_the_money_that_was_asked_for(ann: Visitor, town: Town) -> None:
    number = opens(town, "value_gap", "S1", 6_000)
    do(ann, "waive", {number: 6_000}, reason="x")
    town.do("UPDATE recon.exceptions SET money_at_risk_pence = 60000")
    answer = ann.of("Bob", "finance_approver").post(f"/decisions/{last_decision(town)}/grant", {"reason": "y"})
    assert "Nothing was changed Its money at risk is £600.00 now, another than was asked for" in said(answer)
    assert open_ones(town) == [number]


def test_a_waiver_ends_by_itself_on_its_day(ann: Visitor, town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes = {"CN1": a_note("CN1", 900, associated_ref="RMA1")}
    town.sync()
    (number,) = open_ones(town)
    do(ann, "waive", {number: 100}, reason="until the bank answers", until="2026-03-12")
    town.sync(hours=12)
    assert open_ones(town) == []
    town.sync(days=1)
    assert open_ones(town) == [number]
    assert "by khaos-swap: its last day has passed" in ann.text(f"/exceptions/{number}")


@pytest.mark.parametrize("act", ["waive", "assign"])
def test_many_at_once_are_answered_row_by_row(ann: Visitor, town: Town, act: str) -> None:
    rows = {opens(town, "value_gap", f"S{n}", 100 + n): 100 + n for n in range(4)}
    answer = do(ann, act, rows, reason="all settled", told="Bob")
    assert answer.status_code == 200
    text = said(answer)
    assert "4 rows, all of them done" in text
    assert all(f"S{n}" in text for n in range(4))
    assert len(decided(town)) == 4


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_one_row_that_cannot_be_done_stops_all_and_each_is_answered(ann: Visitor, town: Town, wrong: int) -> None:
    numbers = [opens(town, "value_gap", f"S{n}", 100) for n in range(3)]
    town.do("UPDATE recon.exceptions SET closed_at = now() WHERE exception_id = %s", numbers[wrong])
    answer = do(ann, "waive", dict.fromkeys(numbers, 100), reason="x")
    assert answer.status_code == 409
    text = said(answer)
    assert "Nothing was changed 1 of 3 rows cannot be done, so none was." in text
    assert (text.count("it is no longer open"), text.count("could be done")) == (1, 2)
    assert decided(town) == []
    assert len(open_ones(town)) == 2


def test_money_that_changed_since_it_was_seen_stops_all(ann: Visitor, town: Town) -> None:
    one, other = opens(town, "value_gap", "S1", 100), opens(town, "value_gap", "S2", 200)
    text = said(do(ann, "waive", {one: 100, other: 100}, reason="x"))
    assert "its money at risk is £2.00 now, another than you saw" in text
    assert open_ones(town) == [one, other]


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("error", [psycopg.OperationalError("cut off"), RuntimeError("a bug")], ids=["store", "bug"])
def test_a_fault_at_any_row_leaves_nothing(
    ann: Visitor, town: Town, monkeypatch: pytest.MonkeyPatch, at: int, error: Exception
) -> None:
    rows = {opens(town, "value_gap", f"S{n}", 100): 100 for n in range(5)}
    real: Callable[..., str] = waivers.waived
    calls: list[int] = []

    def failing(conn: Any, number: int, *about: Any, **how: Any) -> str:
        calls.append(number)
        told = real(conn, number, *about, **how)
        if len(calls) == at + 1:
            raise error
        return told

    monkeypatch.setattr(waivers, "waived", failing)
    with pytest.raises(type(error)):
        do(ann, "waive", rows, reason="x")
    assert len(calls) == at + 1
    assert (open_ones(town), decided(town)) == (list(rows), [])
    assert town.ask("SELECT 1 FROM recon.audit_log") == []


@pytest.mark.parametrize(
    "pairs",
    [[], [("id", "x")], [("id", "1' OR '1'='1")], [("id", str(n)) for n in range(501)], [("id", "7")]],
)
def test_what_no_page_sends_is_refused(ann: Visitor, town: Town, pairs: list[tuple[str, str]]) -> None:
    answer = ann.post("/acts/waive", [*pairs, ("reason", "x")])
    assert answer.status_code in (400, 404)
    assert decided(town) == []


def test_without_the_money_that_was_seen_nothing_is_waived(ann: Visitor, town: Town) -> None:
    number = opens(town, "value_gap", "S1", 100)
    assert ann.post("/acts/waive", [("id", number), ("reason", "x")]).status_code == 409
    assert open_ones(town) == [number]


def test_all_of_a_page_are_picked_by_a_link(ann: Visitor, town: Town) -> None:
    opens(town, "value_gap", "S1")
    opens(town, "value_gap", "S2")
    assert ann.get("/queues/finance").text.count(" checked") == 0
    picked = ann.get("/queues/finance", pick="page").text
    assert len(re.findall(r'name="id"[^>]* checked', picked)) == 2
