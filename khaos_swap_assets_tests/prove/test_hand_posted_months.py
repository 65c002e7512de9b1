"""Months of the sandbox posted by hand: two seeds of the proof, and the judge notices what it is to notice."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest

from khaos_swap_assets.audit.rows import AuditRow
from khaos_swap_assets.sandbox import hand_month
from khaos_swap_assets.sandbox.hand_month import HandMonth
from khaos_swap_assets_tests.prove import hand_posted_months as proof

Rows = list[AuditRow]


@cache
def month_and_rows(seed: int) -> tuple[HandMonth, Rows]:
    month = hand_month.build(seed, proof.RETURNS)
    return month, list(proof.audited(month))


def judged(seed: int) -> proof.Figures:
    return {"seed": seed, **proof.judged(*month_and_rows(seed))}


def test_a_sample_of_the_months_holds() -> None:
    shown = proof.together(map(judged, (1, 9)))
    assert shown["faults"] == []
    assert shown["clean_found"] >= 0.98 * shown["clean"]
    assert shown["clean"] > 100
    assert shown["explained"] > 0.9 * shown["notes"]


def test_the_page_says_of_each_kind_of_note_what_was_found_and_what_was_left() -> None:
    shown = proof.together([judged(1)])
    shown["wrong"]["merged"] = 1
    found = re.search(r"One note for two returns of a customer \| (\d+) \| (\d+) \| (\d+) \| 1 \|", proof.page(shown))
    assert found
    notes, certain, left = map(int, found.groups())
    assert notes == certain + left + 1 > 10


def a_row(rows: Rows, wanted: Callable[[AuditRow], bool]) -> int:
    return next(at for at, row in enumerate(rows) if wanted(row))


def is_lone(row: AuditRow) -> bool:
    return row.certainty == "certain" and len(row.credit_note_codes) == 1 and not any(row.legs.values())


def changed(rows: Rows, at: int, row: AuditRow) -> Rows:
    return [*rows[:at], row, *rows[at + 1 :]]


def test_a_wrong_certain_match_is_a_fault() -> None:
    month, rows = month_and_rows(1)
    first = a_row(rows, is_lone)
    second = a_row(rows, lambda row: is_lone(row) and row.rma != rows[first].rma)
    codes = rows[second].credit_note_codes
    found = proof.judged(month, changed(rows, first, rows[first]._replace(credit_note_codes=codes)))["faults"]
    assert [fault for fault in found if fault.startswith(f"{codes[0]} is not of")]


@pytest.mark.parametrize(
    ("legs", "said"),
    [
        ({"fee": 5}, "legs do not sum to the gap"),
        ({"fee": 5, "delivery": -5}, "the truth is {}"),
        ({"unexplained": 5}, "5 pence unexplained"),
    ],
)
def test_a_leg_that_is_wrong_is_a_fault(legs: dict[str, int], said: str) -> None:
    month, rows = month_and_rows(1)
    at = a_row(rows, is_lone)
    wrong = rows[at]._replace(legs={**rows[at].legs, **legs})
    assert any(said in fault for fault in proof.judged(month, changed(rows, at, wrong))["faults"])


def test_a_slip_that_is_named_otherwise_is_a_fault() -> None:
    month, rows = month_and_rows(1)
    typed = {rma for rma, off in month.off.items() if off["typed"]}
    at = a_row(rows, lambda row: row.rma in typed and row.certainty == "certain" and bool(row.gap_pence))
    legs = {**dict.fromkeys(rows[at].legs, 0), "fx": rows[at].gap_pence}
    found = proof.judged(month, changed(rows, at, rows[at]._replace(legs=legs)))["faults"]
    assert any("pence typed are told otherwise" in fault for fault in found)


def test_what_is_lost_or_told_twice_is_a_fault() -> None:
    month, rows = month_and_rows(1)
    at = a_row(rows, is_lone)
    lost, twice = (proof.judged(month, some)["faults"] for some in (rows[:at] + rows[at + 1 :], [*rows, rows[at]]))
    assert lost == [f"{rows[at].rma} is told 0 times", f"{rows[at].credit_note_codes[0]} is told nowhere"]
    assert twice == [f"{rows[at].rma} is told 2 times"]


def test_too_few_clean_notes_are_a_fault() -> None:
    one = judged(1)
    shown = proof.together([{**one, "clean_found": int(one["clean"] * 0.97)}])
    assert not shown["holds"]
    assert shown["faults"][0].endswith("clean notes are matched for certain")


def test_a_fault_is_said_with_its_seed() -> None:
    shown = proof.together([{**judged(1), "faults": ["RMA1 is told 0 times"]}])
    assert (shown["holds"], shown["faults"]) == (False, ["seed 1: RMA1 is told 0 times"])
