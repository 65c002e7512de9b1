"""The month: what is in it, what it adds up to, and when it is computed again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.store import monthly
from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID
from khaos_swap_assets.domain.reporting.month_open import MATCHED, WITNESSED
from khaos_swap_assets.stages.reconciliation.month_end import close_month, month_of, vat_table
from khaos_swap_assets_tests.domain.payments import a_payment, a_refund
from khaos_swap_assets_tests.stages.storefront.shop import MoneyTown
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order, connect, some_settings


def a_month(town: Town) -> Town:
    """Three returns: one credited, one short by £1.00, one in euros without a note."""
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1), a_return(2))
    town.khaos.sell(an_order(3, currency="EUR"))
    town.swap.put(a_return(3, a_line(currency="EUR"), currency="EUR"))
    for number, pence in ((1, 1000), (2, 900)):
        town.khaos.notes[f"CN{number}"] = a_note(
            f"CN{number}", pence, associated_ref=f"RMA{number}", customer_code=f"C{number}"
        )
    town.sync()
    return town


def test_a_month_adds_up_by_currency(town: Town) -> None:
    months = {one.currency: one for one in close_month(a_month(town).tools, "2026-03")}
    pounds, euros = months["GBP"], months["EUR"]
    assert (pounds.returns, pounds.refund_pence, pounds.credited_pence, pounds.gap_pence) == (2, 2000, 1900, -100)
    assert (euros.returns, euros.refund_pence, euros.credited_pence) == (1, 1000, 0)
    assert [(one.kind, one.count) for one in pounds.exceptions] == [("value_gap", 1)]
    assert pounds.worst[0].subject == "RMA2"


def test_the_report_is_kept_and_its_month_is_off_the_list(town: Town) -> None:
    a_month(town)
    with connect(town) as conn:
        assert monthly.touched(conn) == ["2026-03"]
    close_month(town.tools, "2026-03")
    kept = town.ask("SELECT period, currency, refund_pence, gap_pence, computed_at FROM recon.month_end ORDER BY 2")
    assert kept == [("2026-03", "EUR", 1000, -1000, town.now), ("2026-03", "GBP", 2000, -100, town.now)]
    with connect(town) as conn:
        assert monthly.touched(conn) == []


def test_a_month_computed_again_replaces_itself(town: Town) -> None:
    a_month(town)
    close_month(town.tools, "2026-03")
    town.khaos.notes["CN2"] = a_note("CN2", 1000, associated_ref="RMA2", customer_code="C2")
    town.sync()
    close_month(town.tools, "2026-03")
    assert town.ask("SELECT currency, gap_pence FROM recon.month_end ORDER BY 1") == [("EUR", -1000), ("GBP", 0)]


def test_an_empty_month_is_empty(town: Town) -> None:
    with connect(a_month(town)) as conn:
        assert sum(one.returns for one in month_of(conn, "2026-01")) == 0


@pytest.mark.parametrize("status", sorted(ENDED_UNPAID))
def test_a_return_that_was_never_refunded_is_not_in_the_month(town: Town, status: str) -> None:
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1, status=status, refund_pence=0))
    town.sync()
    with connect(town) as conn:
        assert sum(one.returns for one in month_of(conn, "2026-03")) == 0


def test_a_closed_exception_is_not_in_the_month(town: Town) -> None:
    a_month(town)
    town.do("UPDATE recon.exceptions SET closed_at = now()")
    with connect(town) as conn:
        assert [one.exceptions for one in month_of(conn, "2026-03")] == [(), ()]


def test_a_sync_that_changes_nothing_touches_no_month(town: Town) -> None:
    a_month(town).sync()
    close_month(town.tools, "2026-03")
    town.sync()
    with connect(town) as conn:
        assert monthly.touched(conn) == []


def test_a_deadline_that_passes_touches_its_month(town: Town) -> None:
    a_month(town)
    close_month(town.tools, "2026-03")
    town.sync(days=3)
    assert town.now.month == (town.now - timedelta(days=3)).month
    with connect(town) as conn:
        assert monthly.touched(conn) == ["2026-03"]


# FINANCE_RULES U-2: £120.00 due, paid in two parts on either side of the end of a quarter.
MARCH, APRIL = datetime(2026, 3, 30, 11, tzinfo=UTC), datetime(2026, 4, 4, 11, tzinfo=UTC)
FIRST = {"refunded": 5000, "net": 4167, "vat": 833}
SECOND = {"refunded": 7000, "net": 5833, "vat": 1167}


@pytest.fixture
def money_town(database_url: str) -> MoneyTown:
    """A town with a storefront that posts nothing, on 31 March, with a return of £120.00 that Swap closed."""
    shop = StorefrontSettings(url="https://shop.example", access_token=SecretStr("t"), poll_minutes=0)
    town = MoneyTown(database_url, some_settings(storefront=shop, mode="audit", post_from=None))
    town.now = MARCH + timedelta(days=1)
    sold = a_return(1, a_line(pence=12000), order_id="id1", processed_at=MARCH, closed_at=MARCH)
    town.sells_and_takes_back(sold)
    town.edit(sold)
    return town


def credit(town: Town, code: str, pence: int, made_on: date) -> None:
    """Staff credit the return in Khaos; issued on the day it is made."""
    net, days = Amount.of(pence, 20).net_pence, {"created_on": made_on, "issued_on": made_on}
    town.khaos.notes[code] = a_note(code, pence, associated_ref="RMA1", net_pence=net, **days)


def signed(town: Town, period: str) -> dict[str, Any]:
    """What finance signs of the one currency of a month; empty where nothing is in it."""
    found = [one for one in close_month(town.tools, period) if one.returns]
    if not found:
        return {}
    (month,) = found
    assert sum(month.causes.values()) == month.gap_pence
    return {
        "refunded": month.refund_pence,
        "net": month.refund_net_pence,
        "vat": month.refund_vat_pence,
        "credited": month.credited_pence,
        "gap": month.gap_pence,
        "causes": {cause: pence for cause, pence in month.causes.items() if pence},
        "vat_gap": month.vat_over_pence - month.vat_under_pence,
    }


@pytest.mark.parametrize(
    ("notes", "march", "april"),
    [
        (
            [("CN1", 12000, date(2026, 4, 5))],
            {"credited": 5000, "gap": 0, "causes": {}, "vat_gap": 0},
            {"credited": 7000, "gap": 0, "causes": {}, "vat_gap": 0},
        ),
        (
            [("CN1", 5000, date(2026, 3, 30)), ("CN2", 7000, date(2026, 4, 4))],
            {"credited": 5000, "gap": 0, "causes": {}, "vat_gap": 0},
            {"credited": 7000, "gap": 0, "causes": {}, "vat_gap": 0},
        ),
        (
            [("CN1", 12000, date(2026, 3, 30))],
            {"credited": 12000, "gap": 7000, "causes": {"timing": 7000}, "vat_gap": 1167},
            {"credited": 0, "gap": -7000, "causes": {"timing": -7000}, "vat_gap": -1167},
        ),
        (
            [],
            {"credited": 0, "gap": -5000, "causes": {"goods": -5000}, "vat_gap": 0},
            {"credited": 0, "gap": -7000, "causes": {"goods": -7000}, "vat_gap": 0},
        ),
    ],
)
def test_u2_part_payments_are_separate_decreases(
    money_town: MoneyTown, notes: list[tuple[str, int, date]], march: dict[str, Any], april: dict[str, Any]
) -> None:
    """Q1 net 41.67 and VAT 8.33, Q2 net 58.33 and VAT 11.67; the month in which a note is too early shows it."""
    money_town.shop.pay(1, 5000, "F1", at=MARCH)
    money_town.shop.pay(1, 7000, "F2", at=APRIL)
    for code, pence, day in notes:
        credit(money_town, code, pence, day)
    money_town.sync(days=7)
    assert signed(money_town, "2026-03") == FIRST | march
    assert signed(money_town, "2026-04") == SECOND | april
    whole = money_town.ask("SELECT refund_pence, credited_pence, gap_pence, refund_vat_pence FROM recon.reconciliation")
    added = money_town.ask(
        "SELECT sum(refund_pence)::bigint, sum(credited_pence)::bigint, sum(gap_pence)::bigint, "
        "sum(refund_vat_pence)::bigint FROM recon.month_parts"
    )
    assert whole == added
    assert whole[0][:1] == (12000,)


def shifted(town: Town, period: str) -> list[int]:
    """The money of a month that is credited in another one, or for another one, as its exceptions say."""
    found = [one for month in close_month(town.tools, period) for one in month.exceptions]
    return [one.money_at_risk_pence for one in found if one.kind == "credited_in_another_month"]


def test_u1_a_note_of_another_month_is_told_in_both(town: Town) -> None:
    """Paid on 28 February, credited on 9 March: neither month is silent, and the note's month is computed again."""
    paid = datetime(2026, 2, 28, 12, tzinfo=UTC)
    record = a_return(1, processed_at=paid, closed_at=paid)
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(record)
    credit(town, "CN1", 1000, date(2026, 3, 9))
    town.sync()
    with connect(town) as conn:
        assert monthly.touched(conn) == ["2026-02", "2026-03"]
    assert [shifted(town, period) for period in ("2026-02", "2026-03", "2026-04")] == [[1000], [1000], []]
    (message,) = town.one("SELECT array_agg(message) FROM recon.exceptions")
    assert "on 2026-02-28" in message
    assert "on 2026-03-09" in message
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1", created_on=paid.date(), issued_on=paid.date())
    town.sync()
    assert [shifted(town, period) for period in ("2026-02", "2026-03")] == [[], []]


def test_u21_the_month_says_how_its_vat_errors_are_corrected(town: Town) -> None:
    """The note holds £3.33 of VAT for £1.67; the quarter and box 6 are named."""
    town.with_settings(mode="audit", post_from=None, vat_periods="quarters-3", vat_box6_pounds=1_800_000)
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes["CN1"] = a_note("CN1", net_pence=667, associated_ref="RMA1")
    town.sync()
    with connect(town) as conn:
        told = vat_table(conn, town.settings, "2026-03")
    assert "quarters ending in month 3; months: 2026-01, 2026-02, 2026-03; box 6: 1800000" in told
    assert "| GBP | £1.66 | £0.00 | adjust on the next VAT Return |" in told


def test_u2_a_part_that_is_credited_a_month_later_is_told_in_both(money_town: MoneyTown) -> None:
    money_town.shop.pay(1, 5000, "F1", at=MARCH)
    money_town.shop.pay(1, 7000, "F2", at=APRIL)
    credit(money_town, "CN1", 12000, APRIL.date())
    money_town.sync(days=7)
    assert [shifted(money_town, period) for period in ("2026-03", "2026-04")] == [[5000], [5000]]
    with connect(money_town) as conn:
        tables = [vat_table(conn, money_town.settings, period) for period in ("2026-03", "2026-04")]
    assert ["no error" in told or "| GBP" not in told for told in tables] == [True, True]


def test_a_late_second_payment_leaves_the_closed_month_as_it_was(money_town: MoneyTown) -> None:
    money_town.shop.pay(1, 5000, "F1", at=MARCH)
    credit(money_town, "CN1", 5000, MARCH.date())
    money_town.sync()
    before = signed(money_town, "2026-03")
    assert before == FIRST | {"credited": 5000, "gap": 0, "causes": {}, "vat_gap": 0}
    assert money_town.one("SELECT refund_pence FROM recon.reconciliation") == 5000
    assert signed(money_town, "2026-04") == {}
    money_town.shop.pay(1, 7000, "F2", at=APRIL)
    money_town.sync(days=6)
    assert signed(money_town, "2026-03") == before
    assert signed(money_town, "2026-04") == SECOND | {
        "credited": 0, "gap": -7000, "causes": {"goods": -7000}, "vat_gap": -1167,
    }  # fmt: skip
    credit(money_town, "CN2", 7000, APRIL.date())
    money_town.sync()
    assert signed(money_town, "2026-03") == before
    assert signed(money_town, "2026-04") == SECOND | {"credited": 7000, "gap": 0, "causes": {}, "vat_gap": 0}
    assert money_town.kinds() == {"credited_beyond_sale": "RMA1"}  # both notes hold the one hat (U-26)


def test_trouble_with_the_second_part_belongs_to_its_own_month(money_town: MoneyTown) -> None:
    money_town.shop.pay(1, 5000, "F1", at=MARCH)
    money_town.shop.pay(1, 7000, "F2", at=APRIL)
    credit(money_town, "CN1", 5000, MARCH.date())
    money_town.sync(days=20)
    assert money_town.kinds() == {"value_gap": "RMA1"}
    with connect(money_town) as conn:
        months = {period: month_of(conn, period) for period in ("2026-03", "2026-04")}
    assert [[one.kind for one in month.exceptions] for month in months["2026-03"]] == [[]]
    assert [[one.kind for one in month.exceptions] for month in months["2026-04"]] == [["value_gap"]]
    assert [month.statuses for (month,) in months.values()] == [{"matched": 1}, {"value_gap": 1}]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_payments_does_not_matter(money_town: MoneyTown, order: tuple[int, ...]) -> None:
    """Three payments, two of them in one refund, read one after the other in every order."""
    paid = [(MARCH, 5000), (MARCH + timedelta(hours=2), 1000), (APRIL, 6000)]
    for at in order:
        moment, pence = paid[at]
        part = a_payment(pence, number=f"T{at}", processed_at=moment)
        money_town.shop.refunds[f"F{at}"] = a_refund(f"F{at}", part, order_name="#LX1", order_id="id1")
        money_town.sync(days=3)
    months = [signed(money_town, period) for period in ("2026-03", "2026-04")]
    assert [(one["refunded"], one["vat"]) for one in months] == [(6000, 1000), (6000, 1000)]


def test_the_month_of_a_part_is_that_of_london(money_town: MoneyTown) -> None:
    """FINANCE_RULES U-18: 31 March 23:30 UTC is 1 April in London."""
    money_town.shop.pay(1, 5000, "F1", at=MARCH)
    money_town.shop.pay(1, 7000, "F2", at=datetime(2026, 3, 31, 23, 30, tzinfo=UTC))
    money_town.sync(days=2)
    assert [signed(money_town, period)["refunded"] for period in ("2026-03", "2026-04")] == [5000, 7000]


@pytest.mark.parametrize(("issued_on", "witnessed"), [(MARCH.date(), 1), (None, 0)])
def test_matched_is_witnessed_once_money_and_issued_note_were_seen(
    money_town: MoneyTown, issued_on: date | None, witnessed: int
) -> None:
    money_town.shop.pay(1, 12000, "F1", at=MARCH)
    note = a_note("CN1", 12000, associated_ref="RMA1", net_pence=10000, created_on=MARCH.date(), issued_on=issued_on)
    money_town.khaos.notes["CN1"] = replace(note, stage_id=70 if issued_on else 10)
    money_town.sync()
    with connect(money_town) as conn:
        found = {one.mark: (one.returns, one.refund_pence) for one in monthly.marked(conn, "2026-03")}
    assert found == {MATCHED: (1, 12000), WITNESSED: (witnessed, 12000 * witnessed)}
