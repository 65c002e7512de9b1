"""Which refund a line of a payout is, and which refund is in none (docs/payouts.md; U-14, U-16, U-17).

Belongs here: what is missed and when, gift cards, doubtful lines, waivers. Stays out: how files are spelled.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from khaos_swap_assets_tests.acceptance.conftest import WHO, settings
from khaos_swap_assets_tests.acceptance.office import Office, office
from khaos_swap_assets_tests.acceptance.swap_wire import closed, product
from khaos_swap_assets_tests.adapters.storefront.shop import balance
from khaos_swap_assets_tests.stages.payouts.town import READ

__all__ = ["office"]
HEAD = "payout_id,paid_on,kind,gross,refund_id,order_ref\n"
CHECK = "payouts_agree_with_credit_notes"
CLEARING = "payment provider, clearing"


def on(day: int) -> datetime:
    return datetime(2026, 3, day, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("later", "is_missed"), [("", False), ("2026-03-08", False), ("2026-03-09", False), ("2026-03-10", True)]
)
def test_a_refund_of_2_march_is_missed_when_payouts_of_the_10th_are_known(
    office: Office, tmp_path: Path, later: str, is_missed: bool
) -> None:
    """£48.00 credited and in no payout (U-17): owed to the customer again, and 48.00 / 6 of VAT waits."""
    office.refunds(closed(1, product(cost=48.0)), at=on(2))
    office.refunds(closed(2), at=on(2))
    office.now = on(12)
    office.pays_out(HEAD + "PP0,2026-03-02,refund,-10.00,T2,\n", tmp_path)
    if later:
        office.pays_out(HEAD + f"PP1,{later},charge,8.00,,\n", tmp_path, "later.csv")
    office.runs()
    missed = [("refund_not_in_payout", "finance", "refund T1", 4800)] if is_missed else []
    assert office.open_exceptions() == missed
    assert office.verdict(CHECK).passed is not is_missed
    found = {name: line for entry in office.entries(tmp_path) for name, *line in entry}
    if is_missed:
        assert sorted(found.values()) == sorted([["48.00", ""], ["8.00", ""], ["", "48.00"], ["", "8.00"]])
        assert (found[CLEARING], found["output VAT"]) == (["48.00", ""], ["", "8.00"])
        office.pays_out(HEAD + "PP2,2026-03-11,refund,-48.00,T1,\n", tmp_path, "found.csv")
        office.runs()
        assert (office.open_exceptions(), office.verdict(CHECK).passed) == ([], True)
    assert not found or is_missed


def test_a_refund_by_another_provider_or_by_no_provider_is_not_missed(office: Office, tmp_path: Path) -> None:
    office.refunds(closed(1), at=on(2), by="stripe")
    office.pays_out(HEAD + "PP0,2026-03-02,charge,8.00,,\nPP1,2026-03-10,charge,8.00,,\n", tmp_path)
    office.runs()
    assert (office.open_exceptions(), office.verdict(CHECK).passed) == ([], True)


def test_a_gift_card_is_in_no_payout_and_nothing_is_left_over(office: Office, tmp_path: Path) -> None:
    """U-14: £60.00 paid by card (£40.00) and gift card (£20.00), credited in full: residual £0.00."""
    office.trades(closed(1, product(cost=60.0)))
    office.notes("CN1", 1, ("HAT", 1, "60.00"))
    office.shop.pay(1, 4000, "F1", gateway="paypal", payment="T1", at=on(2))
    office.shop.pay(1, 2000, "G1", gateway="gift_card", payment="T2", at=on(2))
    office.pays_out(HEAD + "PP0,2026-03-02,refund,-40.00,T1,\nPP1,2026-03-12,charge,8.00,,\n", tmp_path)
    row = office.side_by_side()["paypal PP0 #LX1"]
    assert (row["place"], row["gross"], row["apart"]) == ("matched", "-£40.00", "£0.00")
    kinds = {kind for kind, *_ in office.open_exceptions()}
    assert not kinds & {"refund_not_in_payout", "payout_amount_differs", "payout_without_refund"}
    assert office.verdict(CHECK).passed


def test_a_line_that_fits_two_refunds_of_an_order_is_neither(office: Office, tmp_path: Path) -> None:
    office.trades(closed(1, product(units=2, cost=20.0)))
    for number in (1, 2):
        office.shop.pay(1, 1000, f"F{number}", gateway="paypal", payment=f"T{number}")
    office.pays_out(HEAD + "PP1,2026-03-10,refund,-10.00,,#LX1\n", tmp_path)
    office.runs()
    assert ("payout_without_refund", "finance", "paypal PP1/row 1", 1000) in office.open_exceptions()


@pytest.mark.parametrize(
    "is_first",
    [
        True,
        False,
    ],
)
def test_the_line_that_names_the_payment_has_it_wherever_it_stands(
    office: Office, tmp_path: Path, is_first: bool
) -> None:
    """Docs: a line belongs to the payment that it names, *else* to the refund, the return or the order."""
    office.refunds(closed(1))
    lines = ["PP1,2026-03-10,refund,-10.00,T1,\n", "PP1,2026-03-10,refund,-10.00,,#LX1\n"]
    office.pays_out(HEAD + "".join(lines if is_first else lines[::-1]), tmp_path)
    office.runs()
    surplus = "paypal PP1/row 2" if is_first else "paypal PP1/row 1"
    assert office.open_exceptions() == [("payout_without_refund", "finance", surplus, 1000)]


def test_a_refund_in_two_payouts_is_surplus_in_the_later(office: Office, tmp_path: Path) -> None:
    office.refunds(closed(1))
    office.pays_out(HEAD + "PP1,2026-03-10,refund,-10.00,T1,\n", tmp_path)
    office.runs()
    office.pays_out(HEAD + "PP2,2026-03-11,refund,-10.00,T1,\n", tmp_path, "later.csv")
    office.runs()
    assert office.open_exceptions() == [("payout_without_refund", "finance", "paypal PP2/row 1", 1000)]


def test_a_waived_difference_is_green_until_the_provider_tells_another_amount(office: Office, tmp_path: Path) -> None:
    office.refunds(closed(1))
    office.pays_out(HEAD + "PP1,2026-03-10,refund,-13.95,T1,\n", tmp_path)
    office.runs()
    (row,) = office.exceptions()
    assert office.says("exceptions", "waive", str(row["exception_id"]), *WHO).exit_code == 0
    office.runs()
    assert (office.open_exceptions(), office.verdict(CHECK).passed) == ([], True)
    (waived,) = office.exceptions("--waived")
    assert (waived["kind"], waived["subject"], waived["money_at_risk_pence"]) == (
        "payout_amount_differs", "paypal PP1/row 1", 395,
    )  # fmt: skip
    office.pays_out(HEAD + "PP1,2026-03-10,refund,-14.95,T1,\n", tmp_path, "later.csv")
    office.runs()
    assert office.open_exceptions() == [("payout_amount_differs", "finance", "paypal PP1/row 1", 495)]
    assert not office.verdict(CHECK).passed


def test_what_was_paid_out_right_and_credited_otherwise_is_red(office: Office, tmp_path: Path) -> None:
    office.trades(closed(1))
    office.notes("CN1", 1, ("HAT", 1, "8.00"))
    office.shop.pay(1, 1000, gateway="paypal", payment="T1")
    office.pays_out(HEAD + "PP1,2026-03-10,refund,-10.00,T1,\n", tmp_path)
    row = office.side_by_side()["paypal PP1 #LX1"]
    assert (row["place"], row["apart"], row["credited"], row["credit apart"]) == (
        "matched", "£0.00", "£8.00", "-£2.00",
    )  # fmt: skip
    assert ("value_gap", "finance", "RMA1", 200) in office.open_exceptions()
    assert not office.verdict(CHECK).passed


def test_another_days_rate_is_a_line_of_its_own_without_vat(office: Office, tmp_path: Path) -> None:
    """U-16: €120.00 is £100.00 at the sale's rate; the provider took £101.69."""
    euros = {"customer_currency": "EUR", "total": 120.0, "total_refund_value_customer_currency": 120.0}
    office.trades(closed(1, product(cost=120.0, currency="EUR"), **euros))
    office.shop.pay(1, 12000, gateway="paypal", payment="T1", currency="EUR", shop_pence=10000)
    office.pays_out(HEAD + "PP1,2026-03-10,refund,-101.69,T1,\n", tmp_path)
    office.runs()
    assert office.entries(tmp_path) == [[("exchange differences", "1.69", ""), (CLEARING, "", "1.69")]]


def test_without_payouts_nothing_is_compared_and_it_says_so(office: Office) -> None:
    office.refunds(closed(1))
    office.runs()
    verdict = office.verdict(CHECK)
    assert (verdict.passed, (verdict.description or "").startswith("not compared")) == (True, True)


def test_without_a_storefront_a_line_is_laid_beside_what_swap_refunded(office: Office, tmp_path: Path) -> None:
    office.settings = settings()
    office.refunds(closed(1))
    office.refunds(closed(2))
    rows = "PP1,2026-03-01,charge,1.00,,\nPP2,2026-03-20,refund,-12.00,,#LX1\n"
    office.pays_out(HEAD + rows, tmp_path)
    office.now = on(25)
    office.runs()
    found = [one for one in office.open_exceptions() if "payout" in one[0]]
    assert found == [("payout_amount_differs", "finance", "paypal PP2/row 1", 200)]


def test_a_file_changes_nothing_of_what_the_storefront_told(office: Office, tmp_path: Path) -> None:
    office.settings = settings(storefront=READ)
    office.refunds(closed(1), by="shopify_payments")
    office.shop.pay_out(1, balance(1, "-10.00", "0.20", sourceOrderTransactionId="T1"))
    before = office.by_month()
    done = office.pays_out(HEAD + "1,2026-03-10,refund,-99.00,T1,\n", tmp_path, provider="shopify_payments")
    assert (done.exit_code, "1 as the storefront itself told them" in done.output) == (0, True)
    assert office.by_month() == before == [
        ["2026-03", "shopify_payments", "1", "-£10.20", "-£10.00", "£0.00", "£0.00", "-£0.20", "£0.00"]
    ]  # fmt: skip
    assert office.verdict(CHECK).passed


def test_a_formula_of_a_file_is_text_in_the_journals(office: Office, tmp_path: Path) -> None:
    office.pays_out(HEAD + '=1+1,2026-03-10,refund,-35.00,,"=HYPERLINK(""http://x"")"\n', tmp_path)
    office.runs()
    rows = office.journals(tmp_path)
    assert len(rows) == 2
    for row in rows:
        assert not [cell for cell in row.values() if cell[:1] in "=+@" and cell]
