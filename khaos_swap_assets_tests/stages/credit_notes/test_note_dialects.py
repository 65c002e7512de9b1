"""Every way in which Khaos may show a Credit Note of ours, from the refund to its witness; what a person confirms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from khaos_swap_assets.cli.confirming import add_confirm_notes
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.domain.documents.credit_notes import CreditNote, ItemsBy
from khaos_swap_assets.stages.credit_notes import linking, people
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order

STATES = "SELECT rma, state FROM recon.postings ORDER BY 1"
LINKS = "SELECT credit_note_code, rma, matched_by FROM recon.note_links JOIN swap.returns USING (return_id) ORDER BY 1"
KIM = people.Person("Kim", "looked in Khaos")


def of_one_customer(town: Town, *numbers: int, by: ItemsBy = "none", pence: int = 1000) -> Town:
    """Returns of customer C1, each of other goods at one value; Khaos knows of a note from before."""
    town.khaos.note_items = by
    town.khaos.notes["CN0"] = a_note("CN0", 7, customer_code="C-other")
    for number in numbers:
        sku = f"HAT{number}"
        sold = an_order(number, (sku, 1), customer_code="C1")
        town.khaos.sell(replace(sold, lines=tuple(replace(line, gross_pence=pence) for line in sold.lines)))
        town.swap.put(a_return(number, a_line(sku, pence=pence)))
    return town


def show(town: Town, note: CreditNote, reference: str) -> None:
    """Khaos shows the note under this reference."""
    town.khaos.notes[note.credit_note_code] = replace(note, associated_ref=reference)


def pulled(town: Town, reference: str = "") -> list[CreditNote]:
    """Khaos pulls; what it gets is shown under this reference, and the next run sees it."""
    made = town.pull()
    for note in made:
        show(town, note, reference)
    town.sync(hours=1)
    return made


@pytest.mark.parametrize("shown", ["ours", "order", "blank"])
@pytest.mark.parametrize("by", ["status", "export", "none"])
def test_a_document_is_witnessed_without_a_person_in_every_dialect(town: Town, by: ItemsBy, shown: str) -> None:
    of_one_customer(town, 1, by=by)
    town.sync()
    (note,) = town.pull()
    show(town, note, {"ours": note.associated_ref, "order": "KCCLX1", "blank": ""}[shown])
    town.sync()
    assert town.ask(STATES) == [("RMA1", "confirmed")]
    assert [row[:2] for row in town.ask(LINKS)] == [(note.credit_note_code, "RMA1")]
    assert town.kinds().keys() <= {"credit_note_orphan"}


@pytest.mark.parametrize("by", ["status", "export", "none"])
def test_a_note_that_staff_typed_at_another_value_is_a_gap_and_stops_no_other_document(town: Town, by: ItemsBy) -> None:
    of_one_customer(town, 1, by=by)
    town.khaos.notes["CN1"] = a_note("CN1", 1001, associated_ref="RMA1", lines=(("HAT1", 1),))
    town.khaos.sell(an_order(2))
    town.swap.put(a_return(2))
    town.sync()
    assert [note.associated_ref for note in town.pull()] == ["RMA2"]
    town.sync()
    assert town.kinds()["value_gap"] == "RMA1"
    assert "stock_not_returned" not in town.kinds()


@pytest.mark.parametrize(("by", "is_known"), [("status", True), ("export", True), ("none", False)])
def test_without_items_a_value_that_two_returns_have_proves_nothing(town: Town, by: ItemsBy, is_known: bool) -> None:
    of_one_customer(town, 1, 2, by=by)
    town.sync()
    pulled(town)
    assert dict(town.ask(STATES))["RMA1"] == ("confirmed" if is_known else "in_doubt")


def test_an_order_that_a_note_names_tells_returns_of_one_value_apart(town: Town) -> None:
    of_one_customer(town, 1, 2)
    town.sync()
    pulled(town, "KCCLX1")
    assert dict(town.ask(STATES))["RMA1"] == "confirmed"
    pulled(town, "KCCLX2")
    assert town.ask(STATES) == [("RMA1", "confirmed"), ("RMA2", "confirmed")]


def test_a_return_that_is_not_refunded_yet_may_be_meant_too(town: Town) -> None:
    of_one_customer(town, 1, 2)
    town.edit(replace(town.swap.returns["R2"], status="Open", processed_at=None, closed_at=None, refund_pence=1000))
    town.sync()
    pulled(town)
    assert town.ask(STATES) == [("RMA1", "in_doubt")]


def test_a_note_of_unknown_goods_holds_every_document_of_its_customer(town: Town) -> None:
    of_one_customer(town, 1)
    town.khaos.notes["CN5"] = a_note("CN5", 333)
    town.sync()
    assert town.pull() == []
    assert "credit_note_missing" not in town.kinds()


def in_the_list(town: Town) -> list[tuple[str, str, str]]:
    with lend(town.url) as conn:
        pairs = linking.listed(conn).pairs
    return [(pair.credit_note_code, pair.taker.rma, pair.taker.reference) for pair in pairs]


def two_in_doubt(town: Town) -> Town:
    """A first document was witnessed; then two of one value are out, and came to two notes that name nothing."""
    of_one_customer(town, 1)
    town.sync()
    pulled(town)
    of_one_customer(town, 2, 3, pence=2000)
    town.edit(town.swap.returns["R2"], town.swap.returns["R3"])
    town.sync(hours=1)
    pulled(town)
    assert town.ask(STATES) == [("RMA1", "confirmed"), ("RMA2", "in_doubt"), ("RMA3", "in_doubt")]
    return town


def command(town: Town, *words: str, says: str = "") -> Result:
    reach = Reach(
        lambda: psycopg.connect(town.url), lambda: town.settings, lambda: pytest.fail("asked Khaos"), lambda: town.now
    )
    app = add_confirm_notes(Typer(), reach)
    app.callback()(lambda: None)
    given = ["confirm-notes", "--by", "Kim", "--reason", "looked in Khaos", *words]
    return CliRunner().invoke(app, given, input=says, env={"COLUMNS": "200"})


def test_a_person_confirms_a_whole_list_after_seeing_it(town: Town) -> None:
    two_in_doubt(town)
    codes = [code for code, _, _ in in_the_list(town)]
    assert [(rma, reference) for _, rma, reference in in_the_list(town)] == [("RMA2", "RMA2"), ("RMA3", "RMA3")]
    refused = command(town, says="n\n")
    assert (refused.exit_code, in_the_list(town) != []) == (1, True)
    assert all(code in refused.output for code in codes)
    done = command(town, says="y\n")
    assert "2 confirmed by Kim" in done.output
    assert town.ask(STATES) == [("RMA1", "confirmed"), ("RMA2", "confirmed"), ("RMA3", "confirmed")]
    told = "SELECT who, what, reason FROM recon.audit_log WHERE what = 'resolved as confirmed'"
    assert town.ask(told) == [("Kim", "resolved as confirmed", "looked in Khaos")] * 2
    town.sync()
    assert [row[1:] for row in town.ask(LINKS)] == [(f"RMA{n}", "posting") for n in (1, 2, 3)]
    assert "nothing can be confirmed" in command(town, "--yes").output


def test_a_list_that_changed_since_it_was_shown_confirms_nothing(town: Town) -> None:
    two_in_doubt(town)
    with lend(town.url) as conn:
        shown = linking.listed(conn).pairs
        town.khaos.notes["CN9"] = a_note("CN9", 2000)
        town.sync()
        with pytest.raises(people.ActionError, match="the list changed"):
            linking.confirm(conn, shown, KIM, now=town.now)
    assert dict(town.ask(STATES))["RMA2"] == "in_doubt"
    output = command(town).output
    assert "may be of RMA2, RMA3" in output
    assert "nothing can be confirmed" in output


def test_a_note_of_staff_is_linked_by_the_list_and_no_document_leaves(town: Town) -> None:
    of_one_customer(town, 1)
    town.khaos.notes["CN5"] = a_note("CN5")
    town.sync()
    assert in_the_list(town) == [("CN5", "RMA1", "")]
    assert "1 confirmed by Kim" in command(town, "--yes").output
    assert town.ask(LINKS) == [("CN5", "RMA1", "person")]
    town.sync()
    assert (town.pull(), town.ask("SELECT state FROM recon.postings WHERE state <> 'withdrawn'")) == ([], [])
    assert town.one("SELECT status FROM recon.reconciliation") == "matched"


@pytest.mark.parametrize(
    "note",
    [
        a_note("CN5", 999),
        a_note("CN5", currency="EUR"),
        a_note("CN5", customer_code="C-nobody"),
        a_note("CN5", created_on=a_note().created_on and a_note().created_on - timedelta(days=9)),  # type: ignore[operator]
    ],
)
def test_what_cannot_be_the_note_of_a_return_is_not_on_the_list(town: Town, note: CreditNote) -> None:
    of_one_customer(town, 1)
    town.khaos.notes["CN5"] = note
    town.sync()
    assert in_the_list(town) == []
