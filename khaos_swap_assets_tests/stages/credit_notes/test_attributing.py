"""Whose note is whose: only of customers that something happened to, never between two, and never twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from khaos_swap_assets.stages.credit_notes.attributing import attribute_notes
from khaos_swap_assets_tests.stages.town import Town, a_code, a_line, a_note, a_return, an_order


def owners(town: Town) -> dict[str, tuple[str | None, str]]:
    rows = town.ask("SELECT credit_note_code, return_id, matched_by FROM khaos.credit_notes ORDER BY 1")
    return {row[0]: (row[1], row[2]) for row in rows}


@pytest.mark.parametrize(
    ("note", "owner"),
    [
        (a_note(associated_ref="RMA1", gross_pence=5), ("R1", "reference")),
        (a_note(), ("R1", "customer_codes_value_date")),
        (a_note(gross_pence=999), (None, "")),
        (a_note(lines=(("CAP", 1),)), (None, "")),
        (a_note(customer_code="C9", associated_ref="RMA1"), (None, "")),
        (a_note(currency="EUR"), (None, "")),
        (a_note(associated_ref="rma1", gross_pence=5), ("R1", "reference")),
        (a_note(associated_ref="KCCLX1", lines=()), ("R1", "order_value")),
        (a_note(associated_ref="KCCLX1", gross_pence=5), ("R1", "order_codes")),
    ],
)
def test_a_note_finds_its_return_by_reference_or_by_all_that_it_says(town: Town, note: Any, owner: Any) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = note
    town.sync()
    assert owners(town) == {"CN1": owner}


def test_between_two_returns_nobody_guesses(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.khaos.sell(an_order(1), an_order(2, customer_code="C1"))
    town.swap.put(a_return(1), a_return(2))
    town.khaos.notes["CN1"] = a_note("CN1")
    assert town.sync().ambiguous == 1
    assert owners(town) == {"CN1": (None, "")}
    ((message,),) = town.ask("SELECT message FROM recon.exceptions WHERE kind = 'credit_note_orphan'")
    assert "RMA1" in message
    assert "RMA2" in message


def test_a_doubt_that_stays_as_it_was_puts_nothing_in_line_for_drafting(town: Town) -> None:
    """Else each sync would leave work for the next one, for as long as nobody decides."""
    town.khaos.sell(an_order(1), an_order(2, customer_code="C1"))
    town.swap.put(a_return(1), a_return(2))
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    town.sync()
    town.sync()
    for _ in range(2):
        with town.tools.store() as conn:
            assert attribute_notes(conn, ["C1"], town.now).ambiguous == 1
        assert town.ask("SELECT return_id FROM recon.worklist WHERE stage = 'draft'") == []
        assert town.ask("SELECT return_id FROM recon.worklist WHERE stage = 'reconcile' ORDER BY 1") == [
            ("R1",),
            ("R2",),
        ]


def test_a_name_that_may_mean_a_twin_is_told_with_both_and_neither_is_posted_twice(town: Town) -> None:
    town.khaos.sell(an_order(1), an_order(2, customer_code="C1"))
    town.swap.put(a_return(1), a_return(2))
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    assert town.sync().ambiguous == 1
    assert owners(town) == {"CN1": (None, "")}
    assert town.pull() == []
    town.sync()
    assert town.pull() == []
    assert owners(town) == {"CN1": (None, "")}
    ((message,),) = town.ask("SELECT message FROM recon.exceptions WHERE kind = 'credit_note_orphan'")
    assert "RMA1" in message
    assert "RMA2" in message
    town.khaos.notes["CN2"] = a_note("CN2", associated_ref="RMA2")
    town.sync()
    assert owners(town) == {"CN1": ("R1", "reference"), "CN2": ("R2", "reference")}


@pytest.mark.parametrize(("reference", "owner"), [("", (None, "")), ("RMA1", ("R1", "reference"))])
def test_a_twin_that_is_not_refunded_competes_by_content(town: Town, reference: str, owner: Any) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.khaos.sell(an_order(1), an_order(2, customer_code="C1"))
    town.swap.put(a_return(1), a_return(2, status="Open", processed_at=None, closed_at=None))
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref=reference)
    town.sync()
    assert owners(town) == {"CN1": owner}


def test_a_second_note_for_one_refund_is_a_duplicate_only_by_its_reference(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.khaos.notes = {"CN1": a_note("CN1"), "CN2": a_note("CN2", associated_ref="RMA1")}
    town.sync()
    assert owners(town)["CN2"] == ("R1", "reference")
    town.khaos.notes["CN3"] = a_note("CN3")
    town.sync()
    assert owners(town)["CN3"] == (None, "")


def posted(town: Town, state: str) -> None:
    """A return whose document ended so, and a note that staff made later."""
    town.sells_and_takes_back(a_return(1))
    town.sync()
    if state == "withdrawn":
        town.edit(a_return(1, quality_control_status="Pending"))
        town.sync()
    else:
        town.do("UPDATE recon.postings SET state = %s, ended_at = now(), ended_by = 'Khaos'", state)
    town.khaos.notes["CN1"] = a_note("CN1")
    town.sync()


@pytest.mark.parametrize("state", ["withdrawn", "refused"])
def test_a_document_that_never_counted_leaves_the_refund_to_a_note_of_staff(town: Town, state: str) -> None:
    posted(town, state)
    assert owners(town) == {"CN1": ("R1", "customer_codes_value_date")}


@pytest.mark.parametrize("state", ["withdrawn", "refused"])
def test_and_with_that_note_the_return_claims_no_other(town: Town, state: str) -> None:
    posted(town, state)
    town.khaos.notes["CN2"] = a_note("CN2")
    town.sync()
    town.sync()
    assert owners(town)["CN2"] == (None, "")


def test_a_withdrawn_document_says_nothing_of_the_refund_as_it_is_now(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 2)))
    town.swap.put(a_return(1))
    town.sync()
    town.edit(a_return(1, a_line("HAT", 2, 1900), quality_control_status="Pending"))
    town.sync()
    assert town.ask("SELECT state FROM recon.postings") == [("withdrawn",)]
    town.khaos.notes["CN1"] = a_note("CN1", 1900, lines=(("HAT", 2),))
    town.sync()
    assert owners(town) == {"CN1": ("R1", "customer_codes_value_date")}


def test_a_confirmed_document_has_its_note_and_claims_no_other(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.pull()
    town.sync()
    town.khaos.notes["CN2"] = a_note("CN2")
    town.sync()
    assert owners(town) == {"CN1": ("R1", "posting"), "CN2": (None, "")}


def test_only_customers_that_something_happened_to_are_looked_at(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.sync()
    with town.tools.store() as conn:
        town.khaos.notes["CN1"] = a_note("CN1")
        assert attribute_notes(conn, [], town.now).attributed == 0
    town.sync()
    assert owners(town)["CN1"][0] == "R1"


def test_a_note_that_khaos_changed_is_looked_at_again(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", 5)
    town.sync()
    assert owners(town) == {"CN1": (None, "")}
    town.khaos.notes["CN1"] = replace(town.khaos.notes["CN1"], gross_pence=1000, net_pence=833)
    town.sync()
    assert owners(town)["CN1"][0] == "R1"
    assert town.kinds() == {}


def test_a_note_far_from_the_refund_is_none_of_its(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", created_on=town.today() + timedelta(days=60))
    town.sync()
    assert owners(town) == {"CN1": (None, "")}


def test_two_notes_that_make_up_one_refund_both_go_to_it(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.swap.put(a_return(1, a_line("HAT", 2, 2000)))
    town.khaos.sell(an_order(1, ("HAT", 2)))
    town.khaos.notes = {"CN1": a_note("CN1", 800), "CN2": a_note("CN2", 1200)}
    town.sync()
    assert owners(town) == dict.fromkeys(("CN1", "CN2"), ("R1", "many_to_one"))
    assert town.ask("SELECT status, matched_by FROM recon.reconciliation") == [("matched", "many_to_one")]


def two_returns(town: Town, *notes: Any) -> None:
    """R1 of a hat and R2 of a cap, £10 each, both of customer C1, and these notes."""
    town.khaos.sell(an_order(1), an_order(2, ("CAP", 1), customer_code="C1"))
    town.swap.put(a_return(1), a_return(2, a_line("CAP")))
    town.khaos.notes = {note.credit_note_code: note for note in notes}
    town.sync()


def a_merged_note(**changes: Any) -> Any:
    return a_note(**{"code": "CN1", "gross_pence": 2000, "lines": (("HAT", 1), ("CAP", 1)), **changes})


@pytest.mark.parametrize("ref", ["", "RMA1", "RMA2"])
def test_one_note_for_two_returns_goes_to_both_and_neither_is_posted(town: Town, ref: str) -> None:
    two_returns(town, a_merged_note(associated_ref=ref))
    assert town.ask(
        "SELECT rma, status, matched_by, credited_pence, gap_pence FROM recon.reconciliation ORDER BY 1"
    ) == [
        ("RMA1", "matched", "one_to_many", 1000, 0),
        ("RMA2", "matched", "one_to_many", 1000, 0),
    ]
    assert town.kinds() == {}
    assert town.pull() == []
    town.sync(days=1)
    assert town.pull() == []


def test_one_return_tells_of_a_note_that_several_share(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    two_returns(town, a_merged_note(issued_on=None, stage_id=50))
    town.sync(days=9)
    rows = town.ask("SELECT kind, rma, money_at_risk_pence FROM recon.exceptions WHERE closed_at IS NULL")
    assert rows == [("credit_note_not_issued", "RMA2", 2000)]


def test_shares_are_the_note_whatever_becomes_of_it(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    two_returns(town, a_merged_note())
    town.khaos.notes["CN1"] = a_merged_note(gross_pence=1900)
    town.sync()
    assert town.ask("SELECT rma, credited_pence, status FROM recon.reconciliation ORDER BY 1") == [
        ("RMA1", 1000, "matched"), ("RMA2", 900, "value_gap"),
    ]  # fmt: skip


def test_a_cancelled_note_leaves_both(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    two_returns(town, a_merged_note())
    town.khaos.cancelled = {"CN1": town.khaos.notes.pop("CN1")}
    town.sync(days=3)
    assert owners(town) == {"CN1": (None, "")}
    assert town.ask("SELECT rma, status, credited_pence FROM recon.reconciliation ORDER BY 1") == [
        ("RMA1", "credit_note_missing", 0),
        ("RMA2", "credit_note_missing", 0),
    ]


def test_a_note_that_names_the_returns_of_two_customers_holds_both(town: Town) -> None:
    town.khaos.sell(an_order(1), an_order(2, ("CAP", 1)))
    town.swap.put(a_return(1), a_return(2, a_line("CAP")))
    town.khaos.notes = {"CN1": a_merged_note(associated_ref="RMA1 RMA2")}
    for days in (0, 0, 3):
        town.sync(days=days)
        assert town.pull() == []
    assert owners(town) == {"CN1": (None, "")}
    assert town.ask("SELECT rma, status FROM recon.reconciliation ORDER BY 1") == [
        ("RMA1", "ambiguous"),
        ("RMA2", "ambiguous"),
    ]
    told = town.ask("SELECT subject, kind, suggestion FROM recon.exceptions WHERE closed_at IS NULL ORDER BY 1")
    assert [row[:2] for row in told] == [
        ("CN1", "credit_note_orphan"),
        ("RMA1", "credit_note_ambiguous"),
        ("RMA2", "credit_note_ambiguous"),
    ]
    assert all("post none before" in row[2] or "post for none before" in row[2] for row in told)
    town.khaos.notes = {
        "CN1": a_note(associated_ref="RMA1"),
        "CN2": a_note("CN2", customer_code="C2", lines=(("CAP", 1),)),
    }
    town.sync()
    town.sync()
    assert town.kinds() == {}
    assert town.ask("SELECT count(*) FROM recon.note_doubts") == [(0,)]


def test_a_code_of_a_note_that_is_no_stock_code_is_read_as_what_it_stands_for(town: Town) -> None:
    """A file went through a spreadsheet: 0017 became 17."""
    town.with_settings(mode="audit", post_from=None)
    town.khaos.sell(an_order(1, ("0017", 1)))
    town.swap.put(a_return(1, a_line("0017")))
    town.khaos.notes["CN1"] = a_note(associated_ref="RMA1", lines=(("17", 1),))
    town.sync()
    assert owners(town) == {"CN1": ("R1", "reference")}
    found = town.ask("SELECT kind, subject, suggestion FROM recon.exceptions WHERE closed_at IS NULL")
    assert found == [("sku_unknown", "RMA1/17", "0017")]
    assert town.ask("SELECT status, gap_goods_pence FROM recon.reconciliation") == [("matched", 0)]


@pytest.mark.parametrize(
    ("pence", "status", "kinds"),
    [
        ((2343, 2342), "matched", {}),
        ((2343, 2343), "value_gap", {"value_gap": "RMA1"}),
        ((2343, 2342, 1), "matched", {"credit_note_orphan": "CN2"}),
        ((2343, 1342, 1000), "matched", {"credited_beyond_sale": "RMA1"}),
    ],
)
def test_u26_notes_that_people_typed_credit_no_more_than_was_sold_and_paid(
    town: Town, pence: tuple[int, ...], status: str, kinds: dict[str, str]
) -> None:
    """Two hats of £24.99 with £3.13 off: £46.85 were paid, and a further note of a penny fails."""
    town.with_settings(mode="audit", post_from=None)
    line = replace(an_order(1).lines[0], quantity=2, gross_pence=4685)
    town.khaos.sell(replace(an_order(1), lines=(line,)))
    town.swap.put(a_return(1, a_line("HAT", 2, 4685)))
    for number, gross in enumerate(pence):
        town.khaos.notes[f"CN{number}"] = a_note(f"CN{number}", gross, associated_ref="RMA1")
    town.sync()
    assert town.ask("SELECT status FROM recon.reconciliation") == [(status,)]
    assert town.kinds() == kinds


@pytest.mark.parametrize(
    ("note", "sold", "kinds"),
    [
        ({}, {}, set()),
        ({"created_on": None, "issued_on": None}, {}, {"credit_note_incomplete"}),
        ({}, {"invoiced_on": date(2026, 3, 20)}, {"credit_note_incomplete"}),
        ({"customer_code": "C9", "order_ref": "KCCLX1"}, {}, {"credited_to_another_customer"}),
        ({"net_pence": 5099}, {}, {"vat_differs"}),
        ({}, {"invoiced_on": None}, {"order_not_invoiced"}),
    ],
)
def test_u4_a_note_shows_what_a_vat_credit_note_has_to(
    town: Town, note: dict[str, Any], sold: dict[str, Any], kinds: set[str]
) -> None:
    """CN-10457: one linen shirt, net 49.99, VAT 10.00, total 59.99, for the customer of its invoice and after it."""
    town.with_settings(mode="audit", post_from=None)
    line = replace(an_order(1).lines[0], gross_pence=5999)
    town.khaos.sell(replace(an_order(1), lines=(line,), **sold))
    town.swap.put(a_return(1, a_line(pence=5999)))
    given = {"net_pence": 4999, "associated_ref": "RMA1", **note}
    town.khaos.notes["CN-10457"] = a_note("CN-10457", 5999, **given)
    town.sync()
    assert set(town.kinds()) == kinds


PACK = (("HAT", 2), ("CAP", 1))


@pytest.mark.parametrize(
    ("sold", "noted"), [(("SET", 1), PACK), (("SET", 1), (("SET", 1),)), (("SET", 2), (("HAT", 4), ("CAP", 2)))]
)
def test_a_note_of_the_parts_of_a_returned_pack_is_its_note_and_shows_no_units_too_many(
    town: Town, sold: tuple[str, int], noted: Any
) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(a_return(1, a_line(*sold, 3000)))
    town.khaos.items["SET"] = replace(town.khaos.items["SET"], pack_components=PACK)
    town.khaos.notes = {"CN1": a_note("CN1", 3000, lines=noted)}
    town.sync()
    assert owners(town) == {"CN1": ("R1", "customer_codes_value_date")}
    ((status, *legs),) = town.ask(
        "SELECT status, gap_goods_pence, gap_quantity_pence, gap_pence FROM recon.reconciliation"
    )
    assert (status, legs) == ("matched", [0, 0, 0])


def test_other_parts_than_those_of_the_pack_are_not_its_note(town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(a_return(1, a_line("SET", 1, 3000)))
    town.khaos.items["SET"] = replace(town.khaos.items["SET"], pack_components=PACK)
    town.khaos.notes = {"CN1": a_note("CN1", 3000, lines=(("HAT", 1), ("CAP", 1)))}
    town.sync()
    assert owners(town) == {"CN1": (None, "")}


@pytest.mark.parametrize(("pence", "owner"), [(1000, "R1"), (1350, "R1"), (800, "R1"), (1150, "R1"), (1200, None)])
def test_a_note_at_another_rightful_value_is_the_return_s_and_its_gap_is_told(
    town: Town, pence: int, owner: str | None
) -> None:
    """Refund £8: a hat of £10 less a fee of £2; delivery was £3.50."""
    town.with_settings(mode="audit", post_from=None)
    town.khaos.sell(an_order(1, delivery_gross_pence=350))
    town.swap.put(a_return(1, a_line("HAT", 1, 1000), refund_pence=800, handling_fee_pence=200))
    town.khaos.notes = {"CN1": a_note("CN1", pence)}
    town.sync()
    assert owners(town)["CN1"][0] == owner
    assert town.ask("SELECT credited_pence, gap_pence FROM recon.reconciliation") == [
        (pence, pence - 800) if owner else (0, -800)
    ]


def test_a_suggestion_is_told_with_its_score_and_acts_on_nothing(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", 950)
    town.sync()
    assert owners(town) == {"CN1": (None, "")}
    ((message, suggestion),) = town.ask("SELECT message, suggestion FROM recon.exceptions WHERE subject = 'CN1'")
    assert message == "Reference (none) and no return fits; nearest is RMA1: value"
    assert suggestion == "RMA1: value £10.00 instead of £9.50 (suggested by customer_codes_value_date, score 6)"
    assert town.pull() == []


def test_a_note_under_the_new_code_of_a_renamed_one_is_linked_and_the_sku_told(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 1)))
    town.khaos.items["HAT"] = a_code("HAT", other_ref="OLD-HAT")
    town.swap.put(a_return(1, a_line("OLD-HAT")))
    town.khaos.notes["CN1"] = a_note(associated_ref="RMA1")
    town.sync()
    assert owners(town) == {"CN1": ("R1", "reference")}
    found = town.ask("SELECT kind, suggestion, money_at_risk_pence FROM recon.exceptions WHERE closed_at IS NULL")
    assert found == [("sku_unknown", "HAT", 0)]
    assert town.ask("SELECT status FROM recon.reconciliation") == [("matched",)]
    assert (town.pull(), town.ask("SELECT reference FROM recon.postings")) == ([], [])
