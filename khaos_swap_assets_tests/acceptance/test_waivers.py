"""Waivers: what a named person let be settles the month, is listed with name and amount, and ends with its facts.

Belongs here: ``exceptions waive``, ``list --waived`` and ``reopen`` beside the month and its queues. Stays out: desk.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from khaos_swap_assets_tests.acceptance.conftest import WHO
from khaos_swap_assets_tests.acceptance.office import Office, office
from khaos_swap_assets_tests.acceptance.swap_wire import closed, product
from khaos_swap_assets_tests.acceptance.test_month_and_waivers import at, reading, returned, table, waives

__all__ = ["office"]
MARCH = "2026-03"


def credited(office: Office, **notes: str) -> None:
    """Staff type, or correct, the note of RMA<n> (named CN<n>); and a run."""
    for code, pounds in notes.items():
        office.notes(code, int(code[2:]), ("HAT", 1, pounds))
    office.runs()


@pytest.fixture
def apart(office: Office) -> Office:
    """£49.98 and £24.99 of March are not credited at all, £10.00 are; it is 13 March."""
    reading(office).now = at(2026, 3, 13)
    office.trades(closed(1, product(cost=49.98)), closed(2, product(cost=24.99)), closed(3))
    credited(office, CN3="10.00")
    return office


def test_waived_rows_settle_the_month_and_are_named_and_one_taken_back_makes_it_red(apart: Office) -> None:
    assert (apart.month(MARCH)[0].description or "").startswith(f"{MARCH}: apart: 2, £74.97")
    ids = {rma: waives(apart, rma, who) for rma, who in (("RMA1", "Ann Lee"), ("RMA2", "Bob Day"))}
    apart.runs()
    check, _ = apart.month(MARCH)
    assert (check.passed, "waived: 2, £74.97, by Ann Lee and Bob Day" in (check.description or "")) == (True, True)
    assert [(row["rma"], row["apart"], row["why"], row["owner"]) for row in table(check, "not_red")] == [
        ("RMA1", "-£49.98", "waived", "Ann Lee"), ("RMA2", "-£24.99", "waived", "Bob Day"),
    ]  # fmt: skip
    told = apart.says("exceptions", "list", "--waived").stdout
    assert all(word in told for word in ("RMA1", "£49.98", "Ann Lee", "RMA2", "£24.99", "Bob Day", "agreed with the"))
    rows = {row["subject"]: row for row in apart.exceptions("--waived")}
    assert {rma: (row["money_at_risk_pence"], row["currency"], row["waived_by"]) for rma, row in rows.items()} == {
        "RMA1": (4998, "GBP", "Ann Lee"), "RMA2": (2499, "GBP", "Bob Day"),
    }  # fmt: skip
    assert apart.says("exceptions", "reopen", ids["RMA1"], *WHO).exit_code == 0
    apart.runs()
    check, _ = apart.month(MARCH)
    assert (check.passed, (check.description or "").partition("; read")[0]) == (
        False, f"{MARCH}: apart: 1, £49.98; waived: 1, £24.99, by Bob Day",
    )  # fmt: skip
    assert [row["subject"] for row in apart.exceptions("--waived")] == ["RMA2"]


def test_what_is_taken_back_is_as_old_as_it_was(apart: Office) -> None:
    opened = {row["subject"]: row["opened_at"] for row in apart.exceptions()}
    number = waives(apart, "RMA1")
    apart.now = at(2026, 3, 20)
    apart.runs()
    apart.says("exceptions", "reopen", number, *WHO)
    apart.runs()
    assert {row["subject"]: row["opened_at"] for row in apart.exceptions()} == opened


@pytest.mark.parametrize("words", [("reopen",), ("waive",)])
def test_nobody_waives_or_takes_back_without_a_name_a_reason_and_an_exception(
    apart: Office, words: tuple[str, ...]
) -> None:
    before = apart.open_exceptions()
    for more in (("1", "--by", "Kim Ash"), ("1", "--by", " ", "--reason", "x"), ("999", *WHO)):
        assert apart.says("exceptions", *words, *more).exit_code != 0, more
    assert (apart.open_exceptions(), apart.exceptions("--waived")) == (before, [])


def test_a_waiver_ends_when_the_money_changes(apart: Office) -> None:
    waives(apart, "RMA1")
    credited(apart, CN1="40.00")
    assert ("value_gap", "finance", "RMA1", 998) in apart.open_exceptions()
    waives(apart, "RMA1")
    credited(apart, CN1="41.00")
    assert ("value_gap", "finance", "RMA1", 898) in apart.open_exceptions()
    assert not apart.month(MARCH)[0].passed


def test_a_waiver_ends_when_its_condition_is_gone_and_does_not_come_back_with_it(apart: Office) -> None:
    credited(apart, CN1="49.98", CN2="20.00")
    waives(apart, "RMA2")
    credited(apart, CN2="24.99")
    assert (apart.open_exceptions(), apart.exceptions("--waived"), apart.month(MARCH)[0].passed) == ([], [], True)
    credited(apart, CN2="20.00")
    assert apart.open_exceptions() == [("value_gap", "finance", "RMA2", 499)]


def test_a_waiver_of_too_little_is_none_of_as_much_too_much(apart: Office) -> None:
    """Issue: a waiver ends when the facts it was given for change; the money at risk is £2.00 both times."""
    credited(apart, CN1="49.98", CN2="22.99")
    waives(apart, "RMA2")
    credited(apart, CN2="26.99")
    assert apart.open_exceptions() == [("value_gap", "finance", "RMA2", 200)]


def sums(check: Any) -> dict[str, tuple[tuple[int, int], ...]]:
    """(number, pence) of opening, new, resolved and closing of each queue; the law holds in each."""
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    for row in table(check, "queues"):
        parts = [row[name].split(", £") for name in ("opening", "new", "resolved", "closing")]
        cells = tuple((int(count), int(pounds.replace(",", "").replace(".", ""))) for count, pounds in parts)
        for opening, new, resolved, closing in zip(*cells, strict=True):
            assert opening + new - resolved == closing, row
        found[row["queue"]] = cells
    return found


def two_months(office: Office) -> tuple[tuple[int, int], tuple[int, int]]:
    """Closing of finance's queue in February and in March, which opens with it."""
    february, march = (sums(office.month(period)[0])["finance"] for period in ("2026-02", MARCH))
    assert february[3] == march[0]
    return february[3], march[3]


def test_opening_and_new_less_resolved_is_closing_through_all_that_people_do(office: Office) -> None:
    reading(office, period_start=date(2025, 12, 1)).now = at(2026, 2, 20)
    day = at(2026, 2, 9)
    for number, pounds in ((1, 40.0), (2, 30.0), (3, 20.0)):
        office.trades(returned(number, "HAT", pounds, day, day, delivered_date="9 Feb 2026, 10:00:00"))
        office.books.documents[f"SO{number}"].day = "01/02/2026"
    for one in (1, 2):
        office.notes(f"CN{one}", one, ("HAT", 1, "15.00"), day="10/02/2026")
    office.runs()
    waived = waives(office, "RMA2")
    assert sums(office.month("2026-02")[0])["finance"] == ((0, 0), (3, 6000), (1, 1500), (2, 4500))
    office.now = at(2026, 3, 5)
    office.runs()
    assert two_months(office) == ((2, 4500), (2, 4500))
    office.notes("CN3", 3, ("HAT", 1, "20.00"), day="10/02/2026")
    office.runs()
    assert two_months(office) == ((2, 4500), (1, 2500))
    office.notes("CN1", 1, ("HAT", 1, "35.00"), day="10/02/2026")
    office.runs()
    assert two_months(office)[1] == (1, 500)
    office.says("exceptions", "reopen", waived, *WHO)
    office.runs()
    assert two_months(office)[1] == (2, 2000)


def test_two_months_keep_opposite_verdicts(apart: Office) -> None:
    day = at(2026, 2, 9)
    apart.settings = apart.settings.model_copy(update={"period_start": date(2026, 1, 1)})
    apart.trades(returned(4, "HAT", 8.0, day, day, delivered_date="9 Feb 2026, 10:00:00"))
    apart.books.documents["SO4"].day = "01/02/2026"
    apart.notes("CN4", 4, ("HAT", 1, "8.00"), day="09/02/2026")
    apart.runs()
    for _ in range(2):
        assert [apart.month(period)[0].passed for period in ("2026-02", MARCH)] == [True, False]
