"""What people decide, on the whole flow: linked, held, settled, carried as a file, ended where the figures change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.files.decided import DECISIONS, decisions_of, write_decisions
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.domain.records.decisions import DecisionKind, Figures, PersonDecision
from khaos_swap_assets.stages import deciding
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order, connect

CAP = ("CAP", 1)


def decide(town: Town, kind: DecisionKind, subject: str, other: str = "", **on: Any) -> str:
    made = PersonDecision(kind, subject, other, "Jo", "looked into it", town.now, Figures(**on))
    with connect(town) as conn:
        return deciding.decide(conn, made, now=town.now)


def end(town: Town, kind: DecisionKind, subject: str, other: str = "") -> None:
    with connect(town) as conn:
        deciding.take_back(conn, kind, subject, other, Person("Kim", "was wrong"), now=town.now)


def statuses(town: Town) -> dict[str, str]:
    return dict(town.ask("SELECT rma, status FROM recon.reconciliation ORDER BY 1"))


def opened(town: Town) -> set[tuple[str, str]]:
    return set(town.ask("SELECT kind, subject FROM recon.exceptions WHERE closed_at IS NULL"))


def links(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT credit_note_code, return_id, matched_by FROM recon.note_links ORDER BY 1, 2")


def standing(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT decision, subject FROM recon.decisions WHERE ended_at IS NULL ORDER BY 1, 2")


def begin(town: Town, *notes: Any, mode: str = "audit") -> None:
    """R1 of a hat and R2 of a cap, £10 each, of one customer."""
    town.with_settings(mode=mode, **({"post_from": None} if mode == "audit" else {}))
    town.khaos.sell(an_order(1), an_order(2, CAP, customer_code="C1"))
    town.swap.put(a_return(1), a_return(2, a_line("CAP")))
    town.khaos.notes = {note.credit_note_code: note for note in notes}
    town.sync()


def test_an_accepted_value_is_decided_until_it_is_another(town: Town) -> None:
    begin(town, note := a_note("CN1", 900, associated_ref="RMA1"))
    assert statuses(town)["RMA1"] == "value_gap"
    with pytest.raises(ActionError, match=r"£9.00 credited"):
        decide(town, "accepted_value", "RMA1", refund_pence=1000, credited_pence=901, currency="GBP")
    assert decide(town, "accepted_value", "RMA1") == "taken"
    assert decide(town, "accepted_value", "RMA1") == "stands already"
    town.sync()
    assert (statuses(town)["RMA1"], ("value_gap", "RMA1") in opened(town)) == ("decided", False)
    town.khaos.notes["CN1"] = replace(note, gross_pence=800)
    town.sync()
    assert (statuses(town)["RMA1"], ("value_gap", "RMA1") in opened(town), standing(town)) == ("value_gap", True, [])
    assert town.ask("SELECT ended_by, end_reason FROM recon.decisions") == [
        ("khaos-swap", "refund or credit is another now")
    ]


def test_what_was_settled_outside_is_never_posted_not_even_once_its_figures_change(town: Town) -> None:
    begin(town, mode="post")
    assert town.ask("SELECT state FROM recon.postings WHERE return_id = 'R1'") == [("planned",)]
    decide(town, "settled_outside", "R1")
    assert town.ask("SELECT state FROM recon.postings WHERE return_id = 'R1'") == [("withdrawn",)]
    town.sync()
    assert town.ask("SELECT state FROM recon.drafts WHERE return_id = 'R1'") == [("covered",)]
    town.swap.put(a_return(1, a_line("HAT", 1, 1200), updated_at=town.now))
    town.sync()
    assert ("settled_outside", "R1") not in standing(town)
    assert town.ask("SELECT state FROM recon.drafts WHERE return_id = 'R1'") == [("covered",)]
    assert [page for page in town.pull() if "RMA1" in str(page)] == []


def test_a_note_is_moved_to_the_return_that_a_person_names_and_back(town: Town) -> None:
    begin(town, a_note("CN1", 900, associated_ref="RMA1"))
    assert links(town) == [("CN1", "R1", "reference")]
    decide(town, "this_return", "CN1", "RMA2")
    assert links(town) == [("CN1", "R2", "person")]
    town.sync()
    assert links(town) == [("CN1", "R2", "person")]
    assert statuses(town)["RMA2"] == "value_gap"
    end(town, "this_return", "CN1", "RMA2")
    town.do("INSERT INTO recon.worklist (stage, return_id) VALUES ('draft', 'R1') ON CONFLICT DO NOTHING")
    town.sync()
    assert links(town) == [("CN1", "R1", "reference")]


def test_a_note_that_changed_is_no_longer_whose_a_person_said(town: Town) -> None:
    begin(town, note := a_note("CN1", 900, associated_ref="RMA1"))
    decide(town, "this_return", "CN1", "RMA2")
    town.khaos.notes["CN1"] = replace(note, gross_pence=700)
    town.sync()
    town.sync()
    assert (standing(town), links(town)) == ([], [("CN1", "R1", "reference")])


def test_a_note_of_one_return_may_be_told_as_that_of_two(town: Town) -> None:
    begin(town, a_note("CN1", 2100, lines=(("HAT", 1), CAP)))
    decide(town, "this_return", "CN1", "RMA1")
    decide(town, "this_return", "CN1", "RMA2")
    shares = town.ask("SELECT return_id, share_pence FROM recon.note_links ORDER BY 1")
    assert shares == [("R1", 1000), ("R2", None)]


def test_a_note_that_is_not_linked_yet_may_be_ruled_out_and_waived_exceptions_are_decisions_too(town: Town) -> None:
    begin(town, a_note("CN9", 4000, associated_ref="goodwill", lines=(("SOFA", 1),)))
    decide(town, "not_this_return", "CN9", "RMA1")
    decide(town, "settled_outside", "CN9")
    assert standing(town) == [("not_this_return", "CN9"), ("waived", "CN9")]
    assert ("credit_note_orphan", "CN9") not in opened(town)
    end(town, "waived", "CN9")
    end(town, "not_this_return", "CN9", "RMA1")
    assert (standing(town), ("credit_note_orphan", "CN9") in opened(town)) == ([], True)


def test_an_old_code_that_a_person_named_matches_goods_and_posts_nothing(town: Town) -> None:
    begin(town, mode="post")
    town.swap.put(a_return(3, a_line("OLD"), updated_at=town.now))
    town.khaos.sell(an_order(3, CAP, customer_code="C3"))
    town.sync()
    decide(town, "same_code", "OLD", "CAP")
    town.sync()
    shown = town.ask("SELECT stock_code, suggestion, suggestion_rule FROM recon.matched_lines WHERE return_id = 'R3'")
    assert shown == [(None, "CAP", "person")]
    assert town.ask("SELECT state FROM recon.drafts WHERE return_id = 'R3'") == [("held",)]
    town.khaos.notes["CN3"] = a_note("CN3", customer_code="C3", associated_ref="RMA3", lines=(CAP,))
    town.sync()
    assert statuses(town)["RMA3"] == "matched"
    assert not {subject for kind, subject in opened(town) if kind == "sku_unknown"}


WRONG: list[tuple[DecisionKind, str, str, str]] = [
    ("waived", "RMA1", "value_gap", "no exception value_gap about RMA1 is open"),
    ("this_return", "CN7", "RMA1", "no Credit Note CN7 was read"),
    ("not_this_return", "CN7", "RMA1", "no Credit Note CN7 was read"),
    ("this_return", "CN9", "RMA7", "RMA7 names 0 returns"),
    ("same_code", "CAP", "HAT", "must be no Stock Code"),
    ("same_code", "OLD", "OLDER", "must be one"),
    ("accepted_value", "RMA2", "", "has no Credit Note whose value"),
]


@pytest.mark.parametrize(("kind", "subject", "other", "told"), WRONG)
def test_what_does_not_fit_is_not_taken(town: Town, kind: DecisionKind, subject: str, other: str, told: str) -> None:
    begin(town, a_note("CN9", 4000, associated_ref="goodwill", lines=(("SOFA", 1),)))
    with pytest.raises(ActionError, match=told):
        decide(town, kind, subject, other)
    assert standing(town) == []


def test_the_record_goes_out_as_the_file_that_the_audit_takes_and_comes_back(town: Town, tmp_path: Path) -> None:
    begin(
        town, a_note("CN1", 900, associated_ref="RMA1"), a_note("CN9", 4000, associated_ref="x", lines=(("SOFA", 1),))
    )
    decide(town, "accepted_value", "RMA1")
    decide(town, "not_this_return", "CN9", "RMA2")
    decide(town, "waived", "CN9", "credit_note_orphan")
    with connect(town) as conn:
        made = deciding.exported(conn)
    write_decisions(path := tmp_path / "decisions.csv", made, lambda _: "stands")
    again = decisions_of(read_table(path, DECISIONS).rows, town.now)
    assert [replace(one, decided_at=town.now) for one in again] == [replace(one, decided_at=town.now) for one in made]
    for kind, subject, other in (("accepted_value", "RMA1", ""), ("waived", "CN9", ""), ("not_this_return", "CN9", "")):
        end(town, kind, subject, other)  # type: ignore[arg-type]
    with connect(town) as conn:
        assert [deciding.decide(conn, one, now=town.now) for one in again] == ["taken"] * 3
    assert len(standing(town)) == 3
