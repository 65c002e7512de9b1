"""A month as finance closes it in Dagster: figures of the finance rules through check and page, waivers, the law."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.casework.evidence import stories
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.stages.returns.assets import CHECKS
from khaos_swap_assets_tests.by_hand import work
from khaos_swap_assets_tests.stages.tables import check_named, rows_of
from khaos_swap_assets_tests.stages.town import NOON, Town, a_line, a_note, a_return, called, connect
from khaos_swap_assets_tests.test_definitions import instance, run, town

pytestmark = pytest.mark.house

__all__ = ["instance", "town"]
JANUARY = "2026-01"


def month(town: Town, period: str) -> tuple[dg.AssetCheckResult, dict[str, Any]]:
    """One sync and then the month: its check and what its page shows."""
    town.sync()
    done = work(town, "month_end", period)
    return done.verdicts["refunds_reconcile"], done.pages["reconciliation/month_end"]


def on(day: int, hour: int = 12, minute: int = 0, of: int = 1) -> datetime:
    return datetime(2026, of, day, hour, minute, tzinfo=UTC)


def u17(town: Town) -> None:
    """Books at 31 January: A paid on 2 February, B in transit, C paid at 23:50 on the 31st, D refunded in vain."""
    lines = {name: a_line(name, pence=pence) for name, pence in (("A", 6000), ("B", 3600), ("C", 2400), ("D", 4800))}
    made = {"submitted_at": on(28), "created_at": on(28)}
    on_its_way: dict[str, Any] = dict.fromkeys(("processed_at", "closed_at", "delivered_at"), None)
    town.now = on(3, of=2)
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(
        a_return(1, lines["A"], **made, delivered_at=on(30), processed_at=on(2, of=2), closed_at=on(2, of=2)),
        a_return(2, lines["B"], **made, status="Open", **on_its_way),
        a_return(
            3, lines["C"], **made, delivered_at=on(30), **dict.fromkeys(("processed_at", "closed_at"), on(31, 23, 50))
        ),
        a_return(4, lines["D"], **made, delivered_at=on(30), processed_at=None, closed_at=on(31)),
    )
    for name, pence in (("A", 2200), ("B", 1400), ("C", 900)):
        town.khaos.items[name] = replace(town.khaos.items[name], buy_pence=pence)
    for code, number, pence, net, day in (
        ("CN3", 3, 2400, 2000, date(2026, 2, 1)),
        ("CN4", 4, 4800, 4000, date(2026, 1, 31)),
    ):
        town.khaos.notes[code] = a_note(
            code, pence, net_pence=net, associated_ref=f"RMA{number}", customer_code=f"C{number}",
            created_on=day, issued_on=day, lines=(("CD"[number - 3], 1),),
        )  # fmt: skip


def turned(table: str) -> list[str]:
    """The columns of a markdown table, but for that of the headings."""
    lines = [line[2:-2].split(" | ") for line in table.splitlines() if "---" not in line]
    return [f"| {' | '.join(column)} |" for column in list(zip(*lines, strict=True))[1:]]


@pytest.mark.parametrize("is_in_transit_accrued", [True, False])
def test_u17_the_cut_off_stands_on_check_and_page(town: Town, is_in_transit_accrued: bool) -> None:
    u17(town)
    if not is_in_transit_accrued:
        town.settings = town.settings.model_copy(update={"accrue_in_transit": False})
    check, page = month(town, JANUARY)
    accrual = turned(page["accrual"])
    minus = "\N{NON-BREAKING HYPHEN}"
    received = f"| 1 | {minus}£50.00 | £60.00 | £10.00 | £22.00 |"
    both = f"| 2 | {minus}£80.00 | £96.00 | £16.00 | £36.00 |"
    assert accrual == [
        f"| received, not paid {received}",
        f"| in transit | 1 | {minus}£30.00 | £36.00 | £6.00 | £14.00 |",
        f"| to accrue {both if is_in_transit_accrued else received}",
    ]
    posted = turned(page["vat_as_posted"])
    assert posted == [f"| GBP | £8.00 | £4.00 | £8.00 | {minus}£4.00 | £12.00 |"]
    assert {name: check.metadata[name].value for name in ("accrual", "vat_as_posted")} == {
        name: page[name] for name in ("accrual", "vat_as_posted")
    }


@pytest.mark.parametrize(
    ("day", "why", "told"),
    [
        (11, "no note yet", "last day for it 2025-06-16"),
        (12, "no note yet", "due soon, last day for it 2025-06-16"),
        (17, "no note yet", "its last day was 2025-06-16: the 14 days from the refund are over"),
    ],
)
def test_u3_a_refund_of_3_june_warns_on_the_12th_and_is_over_on_the_17th(
    town: Town, day: int, why: str, told: str
) -> None:
    paid = datetime(2025, 6, 3, 12, tzinfo=UTC)
    dates = dict.fromkeys(
        ("submitted_at", "created_at", "delivered_at", "processed_at", "closed_at", "updated_at"), paid
    )
    town.now = datetime(2025, 6, day, 12, tzinfo=UTC)
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1, **dates))
    check, page = month(town, "2025-06")
    (row,) = rows_of(check.metadata["worst"])
    assert (check.passed, row["rma"], row["why"], row["owner"]) == (False, "RMA1", why, "finance")
    assert row["what"] == f"Refund of £10.00 and no Credit Note; {told}"
    (page_row,) = rows_of(page["worst"])
    assert told in page_row["what_to_do"]


@pytest.mark.parametrize(
    ("day", "is_green", "told"),
    [(15, True, "in time"), (16, True, "due soon"), (20, True, "due soon"), (21, False, "over")],
)
def test_u10_goods_of_6_may_are_refunded_by_the_20th(town: Town, day: int, is_green: bool, told: str) -> None:
    """Warned from day 10; the last day is the customer's to its end. Swap tells no day of posting."""
    arrived, now = datetime(2025, 5, 6, 9, tzinfo=UTC), datetime(2025, 5, day, 21, tzinfo=UTC)
    made = dict.fromkeys(("submitted_at", "created_at", "updated_at"), arrived - timedelta(days=3))
    town.now = now
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(
        a_return(1, **made, delivered_at=arrived, processed_at=None, closed_at=None, status="Open")
    )
    town.sync()
    check = called(check_named(CHECKS, "no_customer_waits_too_long"), town)
    assert check.passed is is_green
    assert [dict(row.data) for row in check.metadata["waiting"].records] == [
        {"days waited": day - 6, "returns": 1, "to refund": "£10.00", "last day": "2025-05-20", "clock": told}
    ]
    with connect(town) as conn:
        (story,) = stories(conn, town.settings, town.policy, "RMA1", town.now)
    assert "it is due by 20 May 2025, 14 days after the goods came back" in story.money


def test_two_waivers_make_a_month_green_and_are_named_and_one_taken_back_makes_it_red(town: Town) -> None:
    rows = [a_return(1, a_line(pence=5000)), a_return(2, a_line(pence=2497))]
    town.now = NOON + timedelta(days=6)
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(*rows)
    assert not month(town, "2026-03")[0].passed
    numbers = dict(town.ask("SELECT subject, exception_id FROM recon.exceptions"))
    with connect(town) as conn:
        for rma, by in (("RMA1", "A"), ("RMA2", "B")):
            waivers.waive(conn, numbers[rma], people.Person(by, "settled outside"), now=town.now)
    check, _ = month(town, "2026-03")
    read = f"read swap/returns {town.now - timedelta(minutes=1):%Y-%m-%d %H:%M} UTC, khaos/stock_codes "
    said = "2026-03: every refund is credited, or accounted for; waived: 2, £74.97, by A and B; "
    assert (check.passed, (check.description or "").startswith(said + read)) == (True, True)
    assert [
        (row["cause"], row["returns"], row["credited too little"]) for row in rows_of(check.metadata["by_cause"])
    ] == [("waived", 2, "£74.97")]
    with connect(town) as conn:
        waivers.reopen(conn, numbers["RMA2"], people.Person("B", "it was not"), now=town.now)
    check, _ = month(town, "2026-03")
    assert (check.passed, check.description) == (False, "2026-03: apart: 1, £24.97; waived: 1, £50.00, by A")


def test_a_waiver_ends_when_its_facts_change(town: Town) -> None:
    town.now = NOON + timedelta(days=6)
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(record := a_return(1))
    month(town, "2026-03")
    with connect(town) as conn:
        waivers.waive(conn, 1, people.Person("A", "settled outside"), now=town.now)
    assert month(town, "2026-03")[0].passed
    town.edit(replace(record, refund_pence=1100))
    assert month(town, "2026-03")[0].description == "2026-03: apart: 1, £11.00"


def test_what_waits_on_the_last_day_is_carried_over_and_red_once_it_should_be_gone(town: Town) -> None:
    """Refunded on 31 January and not inspected: the month can be closed on day two, and February's end asks for it."""
    dates = dict.fromkeys(("processed_at", "closed_at", "updated_at"), on(31))
    made = {"submitted_at": on(28), "created_at": on(28), "delivered_at": on(31), "quality_control_status": "Pending"}
    town.now = on(2, of=2)
    town.with_settings(post_from=date(2026, 1, 1), inspection_days=90).sells_and_takes_back(
        a_return(1, a_line(pence=1), **made, **dates)
    )
    check, _ = month(town, JANUARY)
    said = "2026-01: every refund is credited, or accounted for; carried over: 1, £0.01, to be gone in 2026-02; read"
    assert (check.passed, (check.description or "").startswith(said)) == (True, True)
    assert [row["why"] for row in rows_of(check.metadata["not_red"])] == ["on its way, gone by 2026-02"]
    town.now = on(1, 1, of=3)
    check, _ = month(town, JANUARY)
    assert (check.passed, [row["apart"] for row in rows_of(check.metadata["worst"])]) == (
        False,
        ["\N{NON-BREAKING HYPHEN}£0.01"],
    )


def test_no_tolerance_is_raised_to_close_a_month_that_is_over(town: Town) -> None:
    """A note 4p short on 31 January: 2p are in force. 10p set in February hold for February alone, and are printed."""
    narrow, wide = ({"document_pence": pence, "line_pence": pence, "needs_evidence": False} for pence in (2, 10))
    made = {"submitted_at": on(20), "created_at": on(20), "delivered_at": on(25)}
    record = a_return(1, **made, **dict.fromkeys(("processed_at", "closed_at", "updated_at"), on(26)))
    town.now = on(27)
    town.with_settings(mode="audit", post_from=None, tolerance=narrow).sells_and_takes_back(record)
    town.khaos.notes["CN1"] = a_note(
        "CN1", 996, associated_ref="RMA1", created_on=on(26).date(), issued_on=on(26).date()
    )
    check, _ = month(town, JANUARY)
    assert (check.passed, check.metadata["tolerance"].value) == (
        False, "£0.02 a line, £0.02 a return, £25.00 a month and currency, for rounding",
    )  # fmt: skip
    town.with_settings(mode="audit", post_from=None, tolerance=wide)
    town.now = on(2, of=2)
    town.khaos.notes["CN1"] = replace(town.khaos.notes["CN1"], gross_pence=995)
    check, _ = month(town, JANUARY)
    assert (check.passed, str(check.metadata["tolerance"].value)[:32]) == (False, "£0.02 a line, £0.02 a return, £2")
    february = month(town, "2026-02")[0].metadata["tolerance"].value
    assert str(february).startswith("£0.10 a line, £0.10 a return")


def sign(town: Town, instance: dg.DagsterInstance, period: str) -> str:
    """Launch the job as a person does; why it was refused, empty where the month is signed."""
    asked = {"ops": {"sign": {"config": {"signed_by": "Kim", "reason": "checked against the ledger"}}}}
    done = run(town, instance, "sign_month", partition_key=period, asked=asked)
    return "".join(str(one.step_failure_data.error) for one in done.all_events if one.is_step_failure)


def test_a_month_is_signed_in_dagster_once_it_is_over_and_green_and_until_its_figures_change(
    town: Town, instance: dg.DagsterInstance
) -> None:
    """Matched, witnessed and signed are three marks; without a storefront nothing is witnessed."""
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(record := a_return(1))
    month(town, "2026-03")
    town.now = on(2, of=4)
    month(town, "2026-03")
    assert "2026-03 is red: 1 returns are apart, RMA1 first" in sign(town, instance, "2026-03")
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    town.sync()
    assert "not added up since it changed" in sign(town, instance, "2026-03")
    assert "2026-04 is not over" in sign(town, instance, "2026-04")
    check, _ = month(town, "2026-03")
    assert [(row["mark"], row["returns"], row["holds"]) for row in rows_of(check.metadata["marks"])] == [
        ("= matched", 1, "£10.00"),
        ("◉ witnessed", 0, "£0.00"),
        ("✎ signed", "", "nobody yet"),
    ]
    assert sign(town, instance, "2026-03") == ""
    check, _ = month(town, "2026-03")
    said = "2026-03: every refund is credited, or accounted for; ✎ signed by Kim on 2026-04-02; read swap/returns"
    assert (check.description or "")[: len(said)] == said
    assert rows_of(check.metadata["marks"])[-1]["holds"] == "by Kim on 2026-04-02: £10.00 refunded, £10.00 issued"
    town.edit(replace(record, refund_pence=900))
    check, _ = month(town, "2026-03")
    assert "signed by" not in (check.description or "")
    assert town.ask("SELECT end_reason FROM recon.decisions") == [("the month's figures are others now",)]
