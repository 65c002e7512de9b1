"""People's decisions: applied, shown with who and why, carried to the next month, told where they no longer fit."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest

from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.inputs import Paths
from khaos_swap_assets.audit.writing import Result
from khaos_swap_assets_tests.audit.files import AS_OF, COAT, Shop, kinds, row_of, small_shop
from khaos_swap_assets_tests.audit.reading import read_inputs

OPEN_PENCE = 8248


def open_pence(result: Result) -> int:
    return next(totals.open.pence for totals in result.summary.totals if totals.currency == "GBP")


def states(result: Result) -> list[str]:
    return [one.words for one in result.summary.rulings]


SETTLED = [
    ("accepted_value", "RMA2", "", "RMA2", 250, ("value_gap", "RMA2")),
    ("settled_outside", "RMA3", "", "RMA3", 2499, ("credit_note_missing", "RMA3")),
    ("settled_outside", "ret_3", "", "RMA3", 2499, ("credit_note_missing", "RMA3")),
    ("accepted_value", "RMA5", "", "RMA5", 2499, ("credit_note_duplicate", "RMA5")),
]


@pytest.mark.parametrize(("decision", "subject", "other", "key", "pence", "closed"), SETTLED)
def test_a_value_that_a_person_settled_is_open_no_longer_and_says_who_decided(
    tmp_path: Path, decision: str, subject: str, other: str, key: str, pence: int, closed: tuple[str, str]
) -> None:
    shop = small_shop()
    assert open_pence(shop.audited(tmp_path / "before")) == OPEN_PENCE
    shop.decided(decision, subject, other)
    result = shop.audited(tmp_path / "after")
    assert states(result) == ["applied"]
    assert open_pence(result) == OPEN_PENCE - pence
    assert (row_of(result, key).status, row_of(result, key).open_pence) == ("decided", 0)
    assert row_of(result, key).decision == f"{decision.replace('_', ' ')} by Jo: looked into it"
    assert closed not in kinds(result)
    assert next(totals.decided for totals in result.summary.totals if totals.currency == "GBP").pence == pence


@pytest.mark.parametrize("decision", [("waived", "CN9", "credit_note_orphan"), ("settled_outside", "CN9", "")])
def test_an_exception_that_a_person_waived_stays_listed_and_is_no_work(
    tmp_path: Path, decision: tuple[str, str, str]
) -> None:
    shop = small_shop()
    shop.decided(*decision)
    result = shop.audited(tmp_path)
    found = next(one for one in result.findings if one.kind == "credit_note_orphan")
    assert found.waiver
    assert "credit_note_orphan" not in {task.kind for task in result.summary.tasks}
    assert (row_of(result, "CN9").status, open_pence(result)) == ("decided", OPEN_PENCE - 3000)


def test_a_signature_is_of_the_installation_and_about_nothing_here(tmp_path: Path) -> None:
    shop = small_shop()
    shop.decided("signed", "RMA2", "GBP")
    result = shop.audited(tmp_path)
    assert states(result) == ["about nothing in these files"]
    assert open_pence(result) == OPEN_PENCE


def test_a_note_is_whose_a_person_says_it_is(tmp_path: Path) -> None:
    shop = small_shop()
    shop.decided("this_return", "CN9", "RMA3")
    row = row_of(shop.audited(tmp_path), "RMA3")
    assert (row.credit_note_codes, row.matched_by, row.certainty, row.gap_pence) == (("CN9",), "person", "certain", 501)


def test_a_note_may_be_told_as_that_of_two_returns_each_with_its_share(tmp_path: Path) -> None:
    shop = small_shop()
    shop.notes[-1] |= {"gross": "49.98", "net": "41.65"}
    shop.returned(9, shopify_order_name="#LX3")
    shop.decided("this_return", "CN9", "RMA3")
    shop.decided("this_return", "RMA9", "CN9")
    result = shop.audited(tmp_path)
    assert [row_of(result, rma).credited_pence for rma in ("RMA3", "RMA9")] == [2499, 2499]


def test_a_note_is_not_whose_a_person_says_it_is_not(tmp_path: Path) -> None:
    shop = small_shop()
    shop.decided("not_this_return", "CN1", "RMA1")
    result = shop.audited(tmp_path)
    assert row_of(result, "RMA1").status == "credit_note_missing"
    assert row_of(result, "CN1").status == "credit_note_orphan"
    assert "a person ruled it out" in next(one.message for one in result.findings if one.subject == "CN1")


def renamed() -> Shop:
    """OLD-9 was renamed COAT-L, and nothing in the files says so."""
    shop = Shop()
    shop.sold(1, code=COAT)
    shop.returned(1, sku="OLD-9")
    shop.credited("CN1", 1, stock_code=COAT)
    return shop


def test_an_old_code_is_the_new_one_where_a_person_says_so(tmp_path: Path) -> None:
    shop = renamed()
    assert ("sku_unknown", "RMA1/OLD-9") in kinds(shop.audited(tmp_path / "before"))
    shop.decided("same_code", "OLD-9", COAT)
    result = shop.audited(tmp_path / "after")
    assert (states(result), row_of(result, "RMA1").status, kinds(result)) == (["applied"], "matched", set())


UNFIT = [
    (
        ("accepted_value", "RMA2", ""),
        {"refunded": "24.99", "credited": "20.00"},
        "refunded £24.99, credited £22.49 now",
    ),
    (("accepted_value", "RMA3", ""), {}, "refunded £24.99, credited £0.00 now"),
    (("waived", "CN9", "credit_note_orphan"), {"money_at_risk": "29.00"}, "£30.00 at risk now"),
    (("waived", "RMA1", "value_gap"), {}, "its condition is gone"),
    (("this_return", "CN9", "RMA3"), {"credited": "29.00"}, "CN9 credits £30.00 now"),
    (("same_code", "SHIRT-M", COAT), {}, "SHIRT-M is a Stock Code of its own"),
]


@pytest.mark.parametrize(("decision", "on", "told"), UNFIT)
def test_a_decision_that_no_longer_fits_does_nothing_and_is_told(
    tmp_path: Path, decision: tuple[str, str, str], on: dict[str, str], told: str
) -> None:
    shop = small_shop()
    shop.decided(*decision, **on)
    result = shop.audited(tmp_path)
    assert states(result) == [f"no longer fits: {told}"]
    assert open_pence(result) == OPEN_PENCE


def test_the_last_word_counts(tmp_path: Path) -> None:
    shop = small_shop()
    shop.decided("not_this_return", "CN9", "RMA3")
    shop.decided("this_return", "CN9", "RMA3")
    result = shop.audited(tmp_path)
    assert (states(result), row_of(result, "RMA3").matched_by) == (["applied"], "person")


WRONG = [
    ({"decision": "perhaps"}, "decision: 'perhaps' is none of this_return"),
    ({"reason": ""}, "reason: is empty"),
    ({"decided_by": ""}, "decided_by: is empty"),
    ({"object": ""}, "object: is empty"),
]


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_a_decision_says_who_and_why(tmp_path: Path, change: dict[str, str], told: str) -> None:
    shop = small_shop()
    shop.decided("this_return", "CN9", "RMA3")
    shop.decisions[0] |= change
    inputs = read_inputs(shop.write(tmp_path), skips_bad_rows=True)
    assert told in str(inputs.decisions[0].kinds[0])


def audited(paths: Paths, out: Path) -> Result:
    run.audit(paths, Span(AS_OF), out)
    return run.reconcile(read_inputs(paths, skips_bad_rows=False), Span(AS_OF))


def test_decisions_are_carried_to_the_next_month_with_the_figures_on_which_they_were_made(tmp_path: Path) -> None:
    shop = small_shop()
    for one in (
        ("accepted_value", "RMA2", ""),
        ("waived", "CN9", "credit_note_orphan"),
        ("this_return", "CN5B", "RMA5"),
        ("settled_outside", "RMA77", ""),
        ("same_code", "OLD", COAT),
    ):
        shop.decided(*one, reason="=1+1, as agreed")
    first = audited(shop.write(tmp_path / "in"), tmp_path / "one")
    carried = tmp_path / "one" / "decisions.csv"
    shop.decisions = []
    (tmp_path / "in" / "decisions.csv").unlink()
    paths = shop.write(tmp_path / "in")
    again = audited(Paths(*(getattr(paths, name) for name in NAMES), decisions=(carried,)), tmp_path / "two")
    assert again.summary.rulings == first.summary.rulings
    assert (tmp_path / "two" / "decisions.csv").read_text() == carried.read_text()
    with carried.open(newline="") as file:
        rows = {row["decision"]: row for row in csv.DictReader(file)}
    assert (rows["accepted_value"]["refunded"], rows["accepted_value"]["credited"]) == ("24.99", "22.49")
    assert (rows["waived"]["money_at_risk"], rows["this_return"]["credited"]) == ("30.00", "24.99")
    assert rows["settled_outside"]["state"] == "about nothing in these files"


NAMES = ("returns", "stock_codes", "sales_orders", "credit_notes")


def test_the_workbooks_own_columns_are_decisions(tmp_path: Path) -> None:
    paths = small_shop().write(tmp_path / "in")
    audited(paths, tmp_path / "out")
    book = openpyxl.load_workbook(tmp_path / "out" / "report.xlsx")
    sheet = book["Exceptions"]
    place = {cell.value: cell.column for cell in sheet[1]}
    wanted = {"RMA2": ("accepted_value", ""), "CN9": ("this_return", "RMA3"), "RMA5": ("waived", "")}
    for row in range(2, sheet.max_row + 1):
        subject = sheet.cell(row, place["Subject"]).value
        if chosen := wanted.get(str(subject)):
            for name, value in zip(("Decision", "Object", "Decided by", "Reason"), (*chosen, "Jo", "why"), strict=True):
                sheet.cell(row, place[name]).value = value
    book.save(tmp_path / "decided.xlsx")
    given = Paths(*(getattr(paths, name) for name in NAMES), decisions=(tmp_path / "decided.xlsx",))
    result = audited(given, tmp_path / "next")
    assert set(states(result)) == {"applied"}
    assert row_of(result, "RMA2").status == row_of(result, "RMA5").status == "decided"
    assert row_of(result, "RMA3").credit_note_codes == ("CN9",)
    again = audited(
        Paths(*(getattr(paths, name) for name in NAMES), decisions=(tmp_path / "next" / "report.xlsx",)),
        tmp_path / "again",
    )
    assert [one.decision.decision for one in again.summary.rulings] == ["waived"]
