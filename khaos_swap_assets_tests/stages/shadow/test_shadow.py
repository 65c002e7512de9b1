"""The shadow score: each return in its class, sums by week and currency, and the cost of what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from khaos_swap_assets.adapters.store import shadow
from khaos_swap_assets.adapters.store.shadow import WeekScore
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.stages.shadow.assets import CHECKS, draw_weeks, first_week, reconciliation_shadow_score
from khaos_swap_assets_tests.domain.test_settlement import CHARGED, CHOSEN
from khaos_swap_assets_tests.stages.tables import rows_of
from khaos_swap_assets_tests.stages.town import NOON, Town, a_line, a_note, a_return, an_order, called, connect

SCORES = "SELECT rma, score, our_pence, their_pence FROM recon.shadow ORDER BY rma"
WEEK = "2026-W11"


@pytest.fixture
def audited(town: Town) -> Town:
    """The town in mode audit."""
    return town.with_settings(mode="audit", post_from=None)


def scored(town: Town, **later: float) -> Mapping[str, Any]:
    """A sync and a look at the score; the metadata of the asset."""
    town.sync(**later)
    found = called(reconciliation_shadow_score, town)
    assert isinstance(found, dg.MaterializeResult)
    return found.metadata or {}


def check(town: Town, name: str) -> dg.AssetCheckResult:
    (found,) = (one for one in CHECKS if one.name == name)
    result = called(found, town)
    assert isinstance(result, dg.AssetCheckResult)
    return result


def noted(town: Town, number: int = 1, pence: int = 1000, **changes: Any) -> None:
    town.khaos.notes[f"CN{number}"] = a_note(
        f"CN{number}", pence, associated_ref=f"RMA{number}", customer_code=f"C{number}", **changes
    )


@pytest.mark.parametrize(
    ("note", "days", "expected"),
    [
        (None, 0, []),
        (None, 3, [("RMA1", "we_only", 1000, 0)]),
        (1000, 0, [("RMA1", "agreed", 1000, 1000)]),
        (1395, 0, [("RMA1", "differ", 1000, 1395)]),
    ],
)
def test_a_return_that_we_would_post(
    audited: Town, note: int | None, days: int, expected: list[tuple[Any, ...]]
) -> None:
    audited.sells_and_takes_back(a_return(1))
    if note:
        noted(audited, pence=note)
    scored(audited)
    if days:
        scored(audited, days=days)
    assert audited.ask(SCORES) == expected


def test_what_staff_credited_and_we_would_hold_says_why(audited: Town) -> None:
    audited.sells_and_takes_back(a_return(1, a_line("ZEBRA")))
    del audited.khaos.items["ZEBRA"]
    noted(audited, lines=(("ZEBRA", 1),))
    scored(audited)
    assert audited.ask(SCORES) == [("RMA1", "they_only", 0, 1000)]
    assert "ZEBRA" in audited.one("SELECT why FROM recon.shadow")


@pytest.mark.parametrize(("policy", "ours", "score"), [(CHARGED, 1000, "agreed"), (CHOSEN, 705, "differ")])
def test_ours_is_what_the_policy_makes_of_the_return(
    audited: Town, policy: CreditNotePolicy, ours: int, score: str
) -> None:
    audited.policy = policy
    audited.sells_and_takes_back(a_return(1, refund_pence=705, handling_fee_pence=295))
    noted(audited)
    scored(audited)
    assert audited.ask(SCORES) == [("RMA1", score, ours, 1000)]


def test_what_neither_would_credit_is_not_scored(audited: Town) -> None:
    audited.sells_and_takes_back(a_return(1, a_line("ZEBRA")))
    del audited.khaos.items["ZEBRA"]
    scored(audited)
    scored(audited, days=5)
    assert audited.ask(SCORES) == []


def test_goods_count_as_inspected(audited: Town) -> None:
    audited.sells_and_takes_back(a_return(1, quality_control_status="Pending"))
    noted(audited)
    scored(audited)
    assert audited.one("SELECT reasons::text LIKE '%%waiting_inspection%%' FROM recon.drafts")
    assert audited.ask(SCORES) == [("RMA1", "agreed", 1000, 1000)]


def test_refunds_of_before_the_first_day_of_posting_are_scored_ours_are_not(town: Town) -> None:
    town.with_settings(post_from=date(2026, 3, 9)).sells_and_takes_back(a_return(1))
    early = NOON - timedelta(days=5)
    town.sells_and_takes_back(a_return(2, processed_at=early, closed_at=early))
    noted(town, 2)
    scored(town)
    assert town.one("SELECT count(*) FROM recon.postings") == 1
    assert town.ask(SCORES) == [("RMA2", "agreed", 1000, 1000)]


def test_an_audit_writes_to_no_vendor_for_it(audited: Town) -> None:
    audited.sells_and_takes_back(a_return(1))
    noted(audited)
    scored(audited)
    assert audited.ask("SELECT * FROM recon.postings") == []
    assert audited.pull() == []


def test_weeks_and_currencies_are_added_up_apart(audited: Town) -> None:
    monday = NOON - timedelta(days=1)
    sunday = monday - timedelta(days=1)
    audited.sells_and_takes_back(
        *(a_return(number, processed_at=monday, closed_at=monday) for number in (1, 2)),
        a_return(3, processed_at=sunday, closed_at=sunday),
    )
    audited.khaos.sell(an_order(4, currency="EUR"))
    audited.swap.put(a_return(4, a_line(currency="EUR"), currency="EUR"))
    for number, pence in ((1, 1000), (2, 1000), (3, 900)):
        noted(audited, number, pence)
    noted(audited, 4, currency="EUR")
    metadata = scored(audited)
    with connect(audited) as conn:
        assert shadow.weeks(conn, "2026-W01") == [
            WeekScore(WEEK, "EUR", "agreed", 1, 1000, 1000),
            WeekScore(WEEK, "GBP", "agreed", 2, 2000, 2000),
            WeekScore("2026-W10", "GBP", "differ", 1, 1000, 900),
        ]
        assert shadow.weeks(conn, WEEK) == shadow.weeks(conn, "2026-W01")[:2]
    assert (metadata["agreed"], metadata["differ"], metadata["we_only"]) == (3, 1, 0)
    assert "data:image/png" in metadata["by_week"].value
    rows = [dict(record.data) for record in metadata["weeks"].records]
    assert [row["apart"] for row in rows] == ["€0.00", "£0.00", "‑£1.00"]
    assert rows[0]["score"] == "we agree"


def test_a_return_moves_to_another_score_and_the_week_follows(audited: Town) -> None:
    audited.sells_and_takes_back(a_return(1))
    noted(audited, pence=900)
    scored(audited)
    noted(audited)
    scored(audited)
    assert audited.ask("SELECT score, returns FROM recon.shadow_weeks") == [("agreed", 1)]
    del audited.khaos.notes["CN1"]
    audited.khaos.cancelled["CN1"] = a_note("CN1", associated_ref="RMA1")
    scored(audited)
    assert audited.ask("SELECT score, returns FROM recon.shadow_weeks") == []


def test_only_what_was_judged_anew_is_scored_anew(audited: Town) -> None:
    audited.sells_and_takes_back(a_return(1), a_return(2))
    noted(audited, 1)
    noted(audited, 2)
    scored(audited)
    scored(audited)
    audited.do("UPDATE recon.shadow SET why = 'as it was'")
    assert scored(audited)["touched"] == 0
    audited.edit(replace(a_return(2), total_pence=1))
    assert scored(audited)["touched"] == 1
    assert dict(audited.ask("SELECT rma, why FROM recon.shadow")) == {"RMA1": "as it was", "RMA2": ""}


def test_an_installation_without_a_return_has_nothing_to_show(audited: Town) -> None:
    metadata = scored(audited)
    assert metadata["agreed"] == 0
    assert "by_week" not in metadata
    assert all(check(audited, one.name).passed for one in CHECKS)


def test_a_check_says_how_many_how_much_and_which_legs(audited: Town) -> None:
    audited.sells_and_takes_back(*(a_return(number) for number in range(1, 27)))
    for number in range(1, 26):
        noted(audited, number, 1000 + 5 * number, delivery_gross_pence=5 * number)
    noted(audited, 26)
    scored(audited)
    found = check(audited, "our_documents_agree_with_staffs")
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.WARN
    assert found.description == "25 of 26 returns scored in 4 weeks, theirs less ours £16.25"
    shown = found.metadata
    assert (shown["returns"].value, shown["theirs_less_ours_pence_GBP"].value) == (25, 1625)
    worst = rows_of(shown["worst"])
    assert len(worst) == 20
    assert (worst[0]["rma"], worst[0]["theirs"], worst[0]["made_of"]) == ("RMA25", "£11.25", "delivery £1.25")
    assert worst[0]["evidence"] == "delivery: note: delivery"


def test_each_check_is_red_by_its_own_score_alone(audited: Town) -> None:
    audited.sells_and_takes_back(a_return(1, a_line("ZEBRA")), a_return(2))
    del audited.khaos.items["ZEBRA"]
    noted(audited, 1, lines=(("ZEBRA", 1),))
    scored(audited)
    scored(audited, days=3)
    red = {one.name for one in CHECKS if not check(audited, one.name).passed}
    assert red == {"staff_credit_only_what_we_would", "staff_credit_all_that_we_would"}


def test_checks_speak_of_the_last_four_weeks(audited: Town) -> None:
    audited.sells_and_takes_back(a_return(1))
    noted(audited, pence=900)
    scored(audited)
    audited.now += timedelta(weeks=3)
    assert not check(audited, "our_documents_agree_with_staffs").passed
    audited.now += timedelta(weeks=1)
    assert check(audited, "our_documents_agree_with_staffs").passed


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2026, 1, 1), "2026-W01"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2026, 3, 9), WEEK),
        (date(2026, 3, 15), WEEK),
    ],
)
def test_a_week_is_an_iso_week(day: date, week: str) -> None:
    assert shadow.week_of(day) == week


def test_the_first_week_counts_the_present_one() -> None:
    assert first_week(NOON, 1) == WEEK
    assert first_week(NOON, 4) == "2026-W08"


def test_the_picture_has_a_panel_a_currency() -> None:
    pounds = [WeekScore(WEEK, "GBP", "agreed", 2, 10, 10), WeekScore("2026-W10", "GBP", "differ", 1, 10, 9)]
    one, two = draw_weeks(pounds), draw_weeks([*pounds, WeekScore(WEEK, "EUR", "we_only", 1, 5, 0)])
    assert one.startswith(b"\x89PNG")
    assert int.from_bytes(two[20:24]) == 2 * int.from_bytes(one[20:24])
