"""A round of posting: search, attribute, settle, plan; and never over a note that is there already."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import TransientError
from khaos_swap_assets.domain.documents.postings import reference_for
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.credit_notes.people import Person, resolve_confirmed, resolve_not_posted
from khaos_swap_assets.stages.credit_notes.posting import post
from khaos_swap_assets.stages.waivers import waive
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order, connect

LONG_RMA = "RMA-2026-000-000-000-001"
NOTES = {"CN1": "C1", "CN2": "C2"}
INVOICED_ON = an_order(1).invoiced_on or date.min


def postings(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT reference, state, coalesce(credit_note_code, '') FROM recon.postings ORDER BY posting_id")


def test_nothing_is_planned_without_a_search(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.read()
    draft_waiting(town.tools)
    town.khaos.error = TransientError("Khaos is away")
    with pytest.raises(TransientError):
        post(town.tools)
    assert postings(town) == []


@pytest.mark.parametrize(
    ("mode", "planned", "released"),
    [("audit", [], 0), ("assist", [("RMA1", "planned", "")], 0), ("post", [("RMA1", "planned", "")], 1)],
)
def test_the_mode_says_what_is_planned_and_what_leaves(
    town: Town, mode: str, planned: list[Any], released: int
) -> None:
    town.with_settings(mode=mode).sells_and_takes_back(a_return(1))
    town.sync()
    assert postings(town) == planned
    assert len(town.pull()) == released


def test_an_audit_answers_every_pull_with_nothing_and_needs_no_seal_key(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.with_settings(mode="audit", post_from=None, seal_key=SecretStr(""))
    for token in ("", "2019-12-31 12:00:00Z", "ks1.1", "ks1.999"):
        town.token = token
        assert town.pull() == []
        assert town.token == token
    assert town.ask("SELECT state FROM recon.postings") == [("planned",)]


def test_a_staff_note_made_since_the_draft_is_not_posted_over(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.read()
    draft_waiting(town.tools)
    town.khaos.notes["CN1"] = a_note("CN1", lines=(("HAT", 1),))
    assert post(town.tools).attributed == 1
    assert postings(town) == []
    town.sync()
    assert town.ask("SELECT state FROM recon.drafts") == [("covered",)]


@pytest.mark.parametrize(
    "note",
    [
        {"gross_pence": 700},
        {"lines": (("HAT", 2),)},
        {"lines": (("OTHER", 1),)},
        {"created_on": None},
    ],
)
def test_a_note_that_may_be_its_note_holds_the_document_back(town: Town, note: dict[str, Any]) -> None:
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = replace(a_note("CN1"), **note)
    town.sync()
    assert town.pull() == []
    assert town.ask("SELECT state FROM recon.postings WHERE state <> 'planned'") == []
    assert town.kinds()["credit_note_orphan"] == "CN1"


def test_a_note_of_before_the_invoice_holds_nothing_back(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", created_on=INVOICED_ON - timedelta(days=2))
    town.sync()
    assert [note.associated_ref for note in town.pull()] == ["RMA1"]


def test_a_credit_of_staff_for_a_return_that_is_made_later_holds_its_document(town: Town) -> None:
    """The customer telephones, staff credit at once, and the RMA is made in Swap the day after: never both."""
    made_on = a_return(1).submitted_at
    assert made_on is not None
    town.khaos.notes["CN1"] = a_note("CN1", created_on=(made_on - timedelta(days=2)).date())
    town.sells_and_takes_back(a_return(1))
    for _ in range(3):
        town.sync()
        assert town.pull() == []
    assert postings(town) == []
    assert town.kinds() == {"credit_note_orphan": "CN1"}


def test_a_note_of_before_the_first_month_that_holds_a_document_is_told(town: Town) -> None:
    town.with_settings(period_start=town.today().replace(day=1))
    early = town.today().replace(day=1) - timedelta(days=1)
    town.khaos.notes = {code: a_note(code, customer_code=who, created_on=early) for code, who in NOTES.items()}
    town.sells_and_takes_back(a_return(1))
    town.sync()
    assert town.pull() == []
    assert town.kinds() == {"credit_note_orphan": "CN1"}


def waive_orphan(town: Town) -> None:
    number = town.one("SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL")
    with connect(town) as conn:
        waive(conn, number, Person("Kim", "a gift for the delay, not this return"), now=town.now)


def test_a_note_that_a_person_says_is_not_of_the_return_holds_it_no_longer(town: Town) -> None:
    town.khaos.notes["CN1"] = a_note("CN1", 700)
    town.sells_and_takes_back(a_return(1))
    town.sync()
    waive_orphan(town)
    assert town.pull() == []
    town.sync()
    assert [note.associated_ref for note in town.pull()] == ["RMA1"]


def test_what_was_waived_before_the_return_was_made_is_asked_once_more(town: Town) -> None:
    town.khaos.notes["CN1"] = a_note("CN1", 700)
    town.sync()
    waive_orphan(town)
    town.now += timedelta(days=1)
    town.sells_and_takes_back(a_return(1, updated_at=town.now))
    for _ in range(2):
        town.sync()
        assert town.pull() == []
    assert town.kinds() == {"credit_note_orphan": "CN1"}
    assert town.one("SELECT count(*) FROM recon.audit_log WHERE what = 'waiver ended'") == 1
    waive_orphan(town)
    town.sync()
    assert [note.associated_ref for note in town.pull()] == ["RMA1"]


def test_a_note_with_our_reference_that_we_forgot_is_taken_and_not_posted_twice(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.pull()
    town.do("DELETE FROM recon.postings")
    town.do("DELETE FROM recon.drafts")
    town.do("UPDATE khaos.credit_notes SET return_id = NULL")
    town.do("INSERT INTO recon.worklist (stage, return_id) VALUES ('draft', 'R1')")
    town.token = ""
    town.sync()
    town.sync()
    assert town.pull() == []
    assert len(town.khaos.notes) == 1
    assert town.one("SELECT return_id FROM khaos.credit_notes") == "R1"


def test_a_planned_document_is_withdrawn_when_its_draft_is_held(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.edit(a_return(1, quality_control_status="Pending"))
    assert town.sync().outcomes == {"cleared": 1, "withdrawn": 1}
    assert postings(town) == [("RMA1", "withdrawn", "")]
    assert town.pull() == []
    town.edit(a_return(1))
    town.sync()
    assert postings(town) == [("RMA1", "planned", "")]
    assert len(town.pull()) == 1


def test_a_planned_document_follows_its_draft(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 2)))
    town.swap.put(a_return(1))
    town.sync()
    town.edit(a_return(1, a_line("HAT", 2, 1900)))
    town.sync()
    (note,) = town.pull()
    assert (note.gross_pence, note.lines) == (1900, (("HAT", 2),))


def test_a_draft_of_other_goods_at_the_same_value_is_not_handed_out_as_it_was_planned(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 2), ("CAP", 1)))
    town.swap.put(a_return(1))
    town.sync()
    town.edit(a_return(1, a_line("CAP", 1, 1000)))
    town.read()
    draft_waiting(town.tools)
    assert town.pull() == []
    assert post(town.tools).outcomes == {"cleared": 1, "withdrawn": 1, "planned": 1}
    (note,) = town.pull()
    assert (note.gross_pence, note.lines) == (1000, (("CAP", 1),))


def test_a_document_that_is_out_is_not_changed_by_later_news(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.pull()
    town.khaos.notes.clear()
    town.edit(a_return(1, quality_control_status="Pending"))
    town.sync()
    assert postings(town) == [("RMA1", "in_doubt", "")]
    assert town.pull() == []


@pytest.mark.parametrize("hours", [0, 48])
def test_a_note_that_a_person_named_is_attached_in_the_next_round(town: Town, hours: int) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    (note,) = town.pull()
    town.khaos.notes[note.credit_note_code] = replace(note, associated_ref="", lines=(("CAP", 1),))
    town.sync()
    assert postings(town) == [("RMA1", "in_doubt", "")]
    with connect(town) as conn:
        resolve_confirmed(conn, "RMA1", note.credit_note_code, Person("Kim", "seen in Khaos"), now=town.now)
    town.sync(hours=hours)
    assert town.ask("SELECT return_id, matched_by FROM khaos.credit_notes") == [("R1", "posting")]


def test_a_note_at_another_value_stops_the_feed_and_is_an_exception(town: Town) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2))
    town.sync()
    (note,) = town.pull()
    town.khaos.notes[note.credit_note_code] = replace(note, gross_pence=900)
    town.sync()
    assert town.pull() == []
    assert town.kinds()["value_gap"] == "RMA1"


def test_a_name_and_address_that_we_no_longer_hold_are_read_again(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.read()
    town.do("UPDATE khaos.sales_orders SET party_sealed = NULL")
    draft_waiting(town.tools)
    post(town.tools)
    assert town.ask("SELECT state FROM recon.drafts") == [("held",)]
    assert postings(town) == []
    town.sync()
    town.sync()
    assert postings(town) == [("RMA1", "planned", "")]


def test_one_that_cannot_be_made_holds_back_only_itself(town: Town) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2))
    town.read()
    town.do("UPDATE khaos.sales_orders SET party_sealed = %s WHERE so_code = 'SO1'", town.tools.open_sealer().seal({}))
    draft_waiting(town.tools)
    assert post(town.tools).outcomes == {"planned": 1}
    assert postings(town) == [("RMA2", "planned", "")]


def test_a_customer_with_nothing_undone_is_not_searched(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    for _ in range(2):
        town.sync()
        town.pull()
    town.khaos.asked.clear()
    assert post(town.tools).searched == 0
    assert town.khaos.asked == []


def test_a_note_under_our_reference_with_another_customer_record_is_not_posted_over(town: Town) -> None:
    """The person has two records in Khaos, and staff credited the other one."""
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1", customer_code="C1-OLD")
    for _ in range(2):
        town.sync()
        assert town.pull() == []
    assert postings(town) == []


@pytest.mark.parametrize("reference", [LONG_RMA, reference_for(LONG_RMA, 1, ())])
def test_a_long_rma_or_its_short_code_with_another_customer_record_is_not_posted_over(
    town: Town, reference: str
) -> None:
    town.khaos.sell(an_order(1))
    town.swap.put(a_return(1, rma=LONG_RMA))
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref=reference, customer_code="C1-OLD")
    for _ in range(2):
        town.sync()
        assert town.pull() == []
    assert postings(town) == []


def test_a_long_rma_that_staff_gave_another_record_after_planning_holds_the_document(town: Town) -> None:
    town.khaos.sell(an_order(1))
    town.swap.put(a_return(1, rma=LONG_RMA))
    town.sync()
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref=LONG_RMA, customer_code="C1-OLD")
    town.sync()
    assert town.pull() == []
    assert LONG_RMA in town.one("SELECT doubt FROM recon.postings")


def test_a_document_whose_note_moved_to_another_customer_record_is_not_sent_again(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    (note,) = town.pull()
    town.khaos.notes[note.credit_note_code] = replace(note, customer_code="C1-NEW")
    town.token = ""
    for _ in range(3):
        assert town.pull() == []
        town.sync()
    assert "another customer" in town.one("SELECT doubt FROM recon.postings")


def test_a_reference_that_staff_mistyped_does_not_prove_the_return_that_it_names(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 1), ("CAP", 1)))
    town.swap.put(a_return(1), a_return(2, a_line("CAP"), order_name="#LX1"))
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1", lines=(("CAP", 1),))
    town.sync()
    assert town.ask("SELECT return_id FROM khaos.credit_notes") == [("R2",)]
    assert [note.lines for note in town.pull()] == [(("HAT", 1),)]
    town.sync()
    assert postings(town) == [("RMA1", "confirmed", "CN2")]
    assert town.kinds() == {}


def test_a_reference_that_staff_mistyped_before_the_document_left_does_not_prove_it_either(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 1), ("CAP", 1)))
    town.swap.put(a_return(1), a_return(2, a_line("CAP"), order_name="#LX1", quality_control_status="Pending"))
    town.sync()
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1", lines=(("CAP", 1),))
    town.sync()
    assert town.ask("SELECT return_id FROM khaos.credit_notes") == [("R2",)]
    assert [note.lines for note in town.pull()] == [(("HAT", 1),)]


def test_a_note_that_is_cancelled_after_it_proved_its_document_belongs_to_nobody(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    (note,) = town.pull()
    town.sync()
    town.khaos.cancelled[note.credit_note_code] = town.khaos.notes.pop(note.credit_note_code)
    town.sync()
    assert town.ask("SELECT return_id, is_cancelled FROM khaos.credit_notes") == [(None, True)]
    town.sync(days=5)
    assert town.pull() == []
    assert town.kinds() == {"credit_note_missing": "RMA1"}


def test_a_clock_that_was_once_years_ahead_stops_nothing(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.sync(days=900)
    town.now -= timedelta(days=900)
    assert town.pull() == []
    town.sync()
    assert [note.associated_ref for note in town.pull()] == ["RMA1"]


def test_a_posting_that_a_person_refused_is_told_in_the_next_round(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.pull()
    town.khaos.notes.clear()
    town.sync()
    with connect(town) as conn:
        resolve_not_posted(conn, "RMA1", Person("Kim", "not in Khaos"), now=town.now)
    town.sync()
    assert town.kinds() == {"posting_refused": "RMA1"}
