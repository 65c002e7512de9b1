"""The law of one judge on a few months, and it notices what it is to notice."""

from __future__ import annotations

from collections import Counter

from khaos_swap_assets_tests.prove import one_judge as proof
from khaos_swap_assets_tests.prove.one_judge import Said


def test_files_and_tables_say_the_same_of_a_month() -> None:
    shown = proof.together([proof.one_month(2, 60), proof.one_month(3, 60)])
    assert shown["faults"] == []
    assert shown["compared"] > 0.95 * shown["returns"] == 0.95 * 120


def test_files_and_tables_know_the_same_of_a_return() -> None:
    inputs, _ = proof.month_files(3, 60)
    assert proof.facts_apart(inputs) == set()


def test_returns_that_share_a_note_are_compared_as_one() -> None:
    first, second = said("value_gap", 395, ("value_gap", "finance", 395)), said()
    assert proof.compared({"R1": first, "R2": second}, {"R1": second, "R2": first})["faults"] == []
    assert proof.compared({"R1": first, "R2": second}, {"R1": second, "R2": second})["faults"]


def said(status: str = "matched", gap: int = 0, *problems: tuple[str, str, int]) -> Said:
    return Said(("CN1",), status, gap, gap, Counter(problems))


MISSING = ("credit_note_missing", "finance", 100)


def test_any_difference_that_nothing_expects_is_a_fault() -> None:
    for files, tables in (
        (said(), said("value_gap")),
        (said(), said("matched", 1)),
        (said("matched", 0, MISSING), said()),
        (said(), said("matched", 0, MISSING)),
        (said("matched", 0, MISSING), said("matched", 0, ("credit_note_missing", "cx", 100))),
    ):
        assert proof.compared({"R1": files}, {"R1": tables})["faults"], (files, tables)


def test_what_files_cannot_show_is_no_fault() -> None:
    seen = said("matched", 0, ("inspection_overdue", "operations", 100))
    assert proof.compared({"R1": said()}, {"R1": seen})["faults"] == []
