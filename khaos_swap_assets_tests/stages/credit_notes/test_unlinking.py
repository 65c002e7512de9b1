"""Taking a link back is the exact inverse of linking, for good, until a person allows the pair again."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.adapters.store import audit_log
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.stages.credit_notes import attributing, linking, people
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order, connect

KIM = people.Person("Kim", "looked it up")
Story = tuple[CreditNote, ...]
HAT, CAP = ("HAT", 1), ("CAP", 1)
SPLIT = (a_note("CN1", 400, associated_ref="KCCLX1"), a_note("CN2", 600, associated_ref="KCCLX1"))
STORIES: dict[str, Story] = {
    "one note": (a_note("CN1"),),
    "named": (a_note("CN1", 900, associated_ref="RMA1"),),
    "two notes": (a_note("CN1"), a_note("CN2", lines=(CAP,))),
    "merged": (a_note("CN1", 2000, lines=(HAT, CAP)),),
    "merged, named": (a_note("CN1", 2000, associated_ref="RMA1", lines=(HAT, CAP)),),
    "split": SPLIT,
    "split, and one": (*SPLIT, a_note("CN3", lines=(CAP,))),
}
TABLES = {
    "reconciliation": "return_id, refund_pence, credited_pence, issued_pence, gap_pence, status, matched_by, "
    "credit_note_codes, vat_gap_pence, next_due_at",
    "exceptions": "kind, subject, return_id, rma, owner, money_at_risk_pence, closed_at IS NULL",
    "drafts": "return_id, ordinal, state, reasons, draft",
    "postings": "return_id, reference, state",
    "worklist": "stage, return_id",
}


def state(town: Town) -> dict[str, Any]:
    """All that the links decide about, without the moments at which it was written."""
    shown = {name: town.ask(f"SELECT {columns} FROM recon.{name} ORDER BY 1, 2") for name, columns in TABLES.items()}
    shown["postings"] = [row for row in shown["postings"] if row[-1] != "withdrawn"]
    shown["exceptions"] = [row for row in shown["exceptions"] if row[-1]]
    shown["notes"] = town.ask("SELECT credit_note_code, return_id, matched_by FROM khaos.credit_notes ORDER BY 1")
    shown["links"] = town.ask("SELECT credit_note_code, return_id FROM recon.note_links ORDER BY 1, 2")
    return shown


def begin(town: Town, mode: str, notes: Story) -> None:
    """R1 of a hat and R2 of a cap, £10 each, of one customer."""
    town.with_settings(mode=mode, **({"post_from": None} if mode == "audit" else {}))
    town.khaos.sell(an_order(1), an_order(2, CAP, customer_code="C1"))
    town.swap.put(a_return(1), a_return(2, a_line("CAP")))
    town.khaos.notes = {note.credit_note_code: note for note in notes}


def without_passes(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in which nothing is linked."""
    with monkeypatch.context() as patch:
        patch.setattr(attributing, "attribute_loose", lambda *_: ([], {}))
        town.sync()


def undo(town: Town, code: str, rma: str = "") -> list[str]:
    with connect(town) as conn:
        taken = linking.undo(conn, code, KIM, now=town.now, rma=rma)
    return sorted(f"{one.credit_note_code} {one.rma}" for one in taken)


def allow(town: Town, code: str, rma: str = "") -> None:
    with connect(town) as conn:
        linking.allow(conn, code, KIM, now=town.now, rma=rma)


def linked(town: Town) -> dict[str, Any]:
    """The state once the returns were looked at again."""
    town.do(
        "INSERT INTO recon.worklist (stage, return_id) VALUES ('draft', 'R1'), ('draft', 'R2') ON CONFLICT DO NOTHING"
    )
    town.sync()
    return state(town)


@pytest.mark.parametrize(
    ("story", "mode"),
    [(story, mode) for story in STORIES for mode in ("audit", "post") if (mode, "named") != ("post", story[-5:])],
)
def test_link_and_undo_is_the_state_before_and_allowing_is_the_link_again(
    town: Town, monkeypatch: pytest.MonkeyPatch, story: str, mode: str
) -> None:
    begin(town, mode, STORIES[story])
    without_passes(town, monkeypatch)
    before, with_links = state(town), linked(town)
    assert before["links"] == []
    assert with_links["links"] != []
    done = []
    while rest := town.ask("SELECT credit_note_code FROM recon.note_links ORDER BY 1"):
        done.append(rest[0][0])
        undo(town, rest[0][0])
    assert town.pull() == []
    town.sync()
    assert state(town) == before
    town.sync()
    assert state(town) == before
    for code in done:
        allow(town, code)
    town.sync()
    assert state(town) == with_links


@pytest.mark.parametrize(
    ("story", "code", "rma", "taken"),
    [
        ("one note", "CN1", "", ["CN1 RMA1"]),
        ("merged", "CN1", "", ["CN1 RMA1", "CN1 RMA2"]),
        ("merged", "CN1", "RMA2", ["CN1 RMA1", "CN1 RMA2"]),
        ("split", "CN2", "", ["CN1 RMA1", "CN2 RMA1"]),
        ("split, and one", "CN3", "RMA2", ["CN3 RMA2"]),
    ],
)
def test_what_was_linked_together_falls_together(town: Town, story: str, code: str, rma: str, taken: list[str]) -> None:
    begin(town, "audit", STORIES[story])
    town.sync()
    assert undo(town, code, rma) == taken
    refused = town.ask("SELECT subject FROM recon.decisions")
    assert len(refused) == (2 if story == "merged" and not rma else 1)
    assert {row[0] for row in refused} == {code}
    town.sync()
    ((message, suggestion),) = town.ask(
        "SELECT message, suggestion FROM recon.exceptions WHERE subject = %s AND closed_at IS NULL", code
    )
    assert "a person ruled it out" in message
    assert f"khaos-swap links allow {code} RMA" in suggestion


def test_hands_are_logged_with_what_was(town: Town) -> None:
    begin(town, "audit", STORIES["one note"])
    town.sync()
    undo(town, "CN1")
    allow(town, "CN1")
    with connect(town) as conn:
        taken, allowed = audit_log.of_document(conn, "link CN1 RMA1")
    assert (taken.who, taken.what, taken.reason) == ("Kim", "link taken back", "looked it up")
    assert taken.before is not None
    assert (taken.before["matched_by"], taken.before["pence"]) == ("customer_codes_value_date", 1000)
    assert (allowed.who, allowed.what) == ("Kim", "link allowed again")


def test_a_hand_that_does_not_fit_changes_nothing(town: Town) -> None:
    begin(town, "post", ())
    town.sync()
    town.pull()
    town.sync()
    before = state(town)
    assert [row[2] for row in before["notes"]] == ["posting"]
    with pytest.raises(people.ActionError, match="answers our own document"):
        undo(town, "CN1")
    with pytest.raises(people.ActionError, match="CN9 is not linked to any return"):
        undo(town, "CN9")
    with pytest.raises(people.ActionError, match="CN1 is not linked to RMA2"):
        undo(town, "CN1", "RMA2")
    with pytest.raises(people.ActionError, match="nobody ruled out Credit Note CN1"):
        allow(town, "CN1")
    assert state(town) == before


def test_what_a_note_may_cover_is_not_handed_out_between_the_hand_and_the_next_run(town: Town) -> None:
    begin(town, "post", STORIES["one note"])
    town.sync()
    assert town.ask("SELECT reference, state FROM recon.postings") == [("RMA2", "planned")]
    undo(town, "CN1")
    assert town.pull() == []
    town.sync()
    assert town.pull() == []


@pytest.mark.parametrize("story", ["named", "merged, named"])
def test_a_refused_note_with_our_reference_holds_its_return_and_is_not_adopted(town: Town, story: str) -> None:
    begin(town, "post", STORIES[story])
    town.sync()
    undo(town, "CN1")
    for _ in range(3):
        town.sync()
        assert "RMA1" not in [note.associated_ref for note in town.pull()]
    shown = state(town)
    assert ("CN1", None, "") in shown["notes"]
    assert ("credit_note_orphan", "CN1") in [row[:2] for row in shown["exceptions"]]
    allow(town, "CN1")
    town.sync()
    assert ("CN1", "R1") in state(town)["links"]
