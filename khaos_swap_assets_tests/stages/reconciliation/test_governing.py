"""The tolerances on live returns: what is accepted, what not, when it stops, and that it needs no person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from khaos_swap_assets.adapters.store import residuals
from khaos_swap_assets.domain.money.tolerance import Tolerances
from khaos_swap_assets.stages.reconciliation import governing
from khaos_swap_assets.stages.reconciliation.governing import tolerances_of
from khaos_swap_assets.stages.reconciliation.month_end import close_month
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, connect, some_settings

STATUSES = "SELECT rma, status FROM recon.reconciliation ORDER BY rma"


def rounded(town: Town, pence: list[int], quantity: int = 3, **tolerance: Any) -> Town:
    """Returns of 3 units for £10.00, which has no whole penny a unit, each noted by hand at one of these values."""
    town.with_settings(mode="audit", post_from=None, tolerance=tolerance)
    returns = [a_return(number, a_line(quantity=quantity)) for number in range(1, len(pence) + 1)]
    town.sells_and_takes_back(*returns)
    note(town, pence, quantity)
    town.sync()
    return town


def note(town: Town, pence: list[int], quantity: int = 3) -> None:
    for number, value in enumerate(pence, 1):
        town.khaos.notes[f"CN{number}"] = a_note(
            f"CN{number}",
            value,
            lines=(("HAT", quantity),),
            associated_ref=f"RMA{number}",
            customer_code=f"C{number}",
        )


def statuses(town: Town) -> list[str]:
    return [status for _, status in town.ask(STATUSES)]


def refusals(town: Town) -> set[str]:
    return {row[0] for row in town.ask("SELECT refused_by FROM recon.residuals WHERE account = ''")}


def test_u20_the_defaults_are_those_of_finance() -> None:
    found, told = tolerances_of(some_settings(mode="audit", post_from=None)), Tolerances()
    assert (found.line_pence, found.document_pence, found.period_cap_pence) == (1, 5, 2500)
    assert (found.least_for_direction, found.accounts) == (told.least_for_direction, told.accounts)
    assert found.needs_evidence


def test_a_penny_that_price_and_units_show_to_be_rounding_is_accepted(town: Town) -> None:
    rounded(town, [999])
    assert statuses(town) == ["within_tolerance"]
    assert town.kinds() == {}
    assert town.ask("SELECT reason, residual_pence, account FROM recon.residuals") == [
        ("rounding", -1, "rounding differences")
    ]


@pytest.mark.parametrize(
    ("pence", "quantity", "tolerance", "rule"),
    [
        (1001, 1, {}, "no_evidence"),
        (999, 3, {"reasons": ""}, "no_account"),
        (999, 3, {"reasons": "rounding:0:8900"}, "reason"),
        (999, 3, {"month_pence": 0}, "cap"),
    ],
)
def test_a_penny_stays_an_exception_by_the_rule_that_says_so(
    town: Town, pence: int, quantity: int, tolerance: dict[str, Any], rule: str
) -> None:
    rounded(town, [pence], quantity, **tolerance)
    assert statuses(town) == ["value_gap"]
    assert town.kinds() == {"value_gap": "RMA1"}
    assert refusals(town) == {rule}


@pytest.mark.parametrize(("pence", "tolerance"), [(998, {}), (999, {"line_pence": 0}), (999, {"document_pence": 0})])
def test_what_is_larger_than_the_tolerances_is_not_even_weighed(
    town: Town, pence: int, tolerance: dict[str, Any]
) -> None:
    rounded(town, [pence], **tolerance)
    assert statuses(town) == ["value_gap"]
    assert town.ask("SELECT * FROM recon.residuals") == []


def test_finance_may_accept_whatever_is_as_small(town: Town) -> None:
    rounded(town, [1001], 1, needs_evidence=False, reasons="rounding:1:8900 small differences")
    assert statuses(town) == ["within_tolerance"]
    with connect(town) as conn:
        assert residuals.accepted(conn, "2026-03") == [residuals.AcceptedTotal("GBP", "8900 small differences", 1, 1)]
        assert residuals.accepted(conn, "2026-02") == []


def test_the_cap_of_a_month_holds_and_makes_room_again(town: Town) -> None:
    rounded(town, [999, 999, 999], month_pence=2)
    assert sorted(statuses(town)) == ["value_gap", "within_tolerance", "within_tolerance"]
    assert refusals(town) == {"cap"}
    note(town, [1000])
    town.sync()
    assert sorted(statuses(town)) == ["matched", "within_tolerance", "within_tolerance"]
    assert town.kinds() == {}


def test_all_of_one_sign_is_one_exception_and_nothing_is_accepted(town: Town) -> None:
    rounded(town, [999] * 4, least_for_direction=4)
    assert set(statuses(town)) == {"value_gap"}
    assert town.kinds() == {"differences_systematic": "2026-03 rounding GBP"}
    assert town.ask("SELECT owner, money_at_risk_pence, message FROM recon.exceptions") == [
        ("finance", 4, "4 differences of 2026-03 by rounding, all of one sign, -£0.04 together")
    ]


def test_the_exception_closes_when_they_no_longer_lean_to_one_side(town: Town) -> None:
    rounded(town, [999] * 4, least_for_direction=4)
    note(town, [1000])
    town.sync()
    assert statuses(town) == ["matched", *["within_tolerance"] * 3]
    assert town.kinds() == {}
    assert town.ask("SELECT closed_by FROM recon.exceptions") == [("condition",)]


def test_one_more_of_the_same_sign_stops_those_that_were_accepted(town: Town) -> None:
    rounded(town, [999] * 3, least_for_direction=4)
    assert set(statuses(town)) == {"within_tolerance"}
    town.sells_and_takes_back(a_return(4, a_line(quantity=3), updated_at=town.now))
    note(town, [999] * 4)
    town.sync()
    assert set(statuses(town)) == {"value_gap"}
    assert town.kinds() == {"differences_systematic": "2026-03 rounding GBP"}


def test_typed_pennies_of_one_sign_are_systematic_too(town: Town) -> None:
    rounded(town, [1001] * 4, 1, least_for_direction=4)
    assert town.kinds() == {"differences_systematic": "2026-03 rounding GBP"}


def test_nothing_is_accepted_by_age(town: Town) -> None:
    rounded(town, [1001], 1)
    town.sync(days=60)
    assert town.kinds() == {"value_gap": "RMA1"}


def test_our_own_documents_are_exact(town: Town) -> None:
    town.with_settings(tolerance={"needs_evidence": False}).sells_and_takes_back(a_return(1, a_line(quantity=3)))
    town.sync()
    (made,) = town.pull()
    town.khaos.notes[made.credit_note_code] = replace(made, gross_pence=999)
    town.sync()
    assert town.kinds() == {"value_gap": "RMA1"}
    assert town.ask("SELECT * FROM recon.residuals") == []


def test_a_month_of_which_no_residual_changed_is_not_looked_at(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    rounded(town, [999, 1000])
    monkeypatch.setattr(governing, "govern", None)
    town.edit(replace(a_return(2, a_line(quantity=3)), store_credit_pence=1))
    town.edit(replace(a_return(1, a_line(quantity=3)), total_pence=1))
    town.sync()
    assert statuses(town) == ["within_tolerance", "matched"]


def test_the_month_tells_what_was_accepted(town: Town) -> None:
    (month,) = close_month(rounded(town, [999, 999]).tools, "2026-03")
    assert (month.gap_pence, month.accepted_pence, month.open_exceptions) == (-2, -2, 0)


def test_the_month_holds_what_is_systematic(town: Town) -> None:
    (month,) = close_month(rounded(town, [999] * 4, least_for_direction=4).tools, "2026-03")
    assert [(one.kind, one.count) for one in month.exceptions] == [("differences_systematic", 1)]
    assert month.accepted_pence == 0
