"""Payouts from files: any headings, separators, signs and decimals; a bad row is told, the others become payouts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xlsxwriter import Workbook

from khaos_swap_assets.adapters.files.payouts import PAYOUTS, PayoutRow, payouts_of
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.files.tables import Table
from khaos_swap_assets.domain.payouts.records import Payout

OURS = "payout_id,paid_on,kind,refund_id,gross,fee,net\n"


def read(folder: Path, text: str, name: str = "payouts.csv") -> Table[PayoutRow]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_table(path, PAYOUTS)


def lines(found: list[Payout]) -> list[tuple[str, str, int, int]]:
    return [(one.payout_id, line.kind, line.gross_pence, line.fee_pence) for one in found for line in one.lines]


WRITTEN = {
    "ours, refunds negative": (f"{OURS}p1,2026-03-04,refund,F1,-50.00,0.25,-50.25\n", [("p1", "refund", -5000, 25)]),
    "refunds positive, and a net that leaves": (
        f"{OURS}p1,2026-03-04,refund,F1,50.00,0.25,50.25\n",
        [("p1", "refund", -5000, 25)],
    ),
    "refunds positive, and a fee given back": (
        f"{OURS}p1,2026-03-04,refund,F1,50.00,0.25,49.75\n",
        [("p1", "refund", -5000, -25)],
    ),
    "fees negative, as PayPal writes them": (
        f"{OURS}p1,2026-03-04,charge,,100.00,-2.00,98.00\np1,2026-03-04,Payment Refund,F1,-50.00,0.00,-50.00\n",
        [("p1", "charge", 10000, 200), ("p1", "refund", -5000, 0)],
    ),
    "fees negative, and no net": (
        "payout_id,paid_on,kind,gross,fee\np1,2026-03-04,charge,100.00,-2.00\n",
        [("p1", "charge", 10000, 200)],
    ),
    "no fee, but a net": (
        "payout_id,paid_on,kind,gross,net\np1,2026-03-04,charge,100.00,98.00\n",
        [("p1", "charge", 10000, 200)],
    ),
    "no kind: what is negative went to a customer": (
        "payout_id,paid_on,gross\np1,2026-03-04,-50.00\np1,2026-03-04,100.00\n",
        [("p1", "refund", -5000, 0), ("p1", "charge", 10000, 0)],
    ),
    "Stripe's itemised payouts": (
        "automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,currency,gross,fee,net,"
        "reporting_category\npo_1,2026-03-04 00:00:00,txn_1,gbp,-50.00,0.00,-50.00,refund\n",
        [("po_1", "refund", -5000, 0)],
    ),
    "semicolons, commas, days first, and other headings": (
        "Payout ID;Payout Date;Type;Order;Amount;Fee;Net\np1;25/03/2026;Refund;#LX1;-1.050,50;0,25;-1.050,75\n",
        [("p1", "refund", -105050, 25)],
    ),
    "a type that nobody knows is kept": (
        f"{OURS}p1,2026-03-04,Loyalty clawback,,-3.00,,\n",
        [("p1", "Loyalty clawback", -300, 0)],
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_line_reaches_the_merchant_alike_however_it_is_written(tmp_path: Path, name: str) -> None:
    text, expected = WRITTEN[name]
    table = read(tmp_path, text)
    assert [str(fault) for fault in table.faults] == []
    assert lines(payouts_of(table.rows, "Stripe")) == expected


BAD = {
    "a day that is none": ("p1,yesterday,refund,F2,-1.00,,", "paid_on", "is no date"),
    "an amount that is none": ("p1,2026-03-04,refund,F2,ten,,", "gross", "is no amount of money"),
    "too large an amount": (f"p1,2026-03-04,refund,F2,-{9 * 10**12},,", "gross", "is too large an amount"),
    "no payout": (",2026-03-04,refund,F2,-1.00,,", "payout_id", "is empty"),
    "a net that does not add up": ("p1,2026-03-04,refund,F2,-1.00,0.10,-2.00", "net", "does not agree with a gross of"),
    "another day of the same payout": ("p1,2026-03-05,refund,F2,-1.00,,", "paid_on", "differs from line 2"),
    "a cell too many": ("p1,2026-03-04,refund,F2,-1.00,,,9", "", "has 8 cells, the header 7"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_told_with_its_line_and_the_good_rows_go_on(tmp_path: Path, name: str) -> None:
    row, column, reason = BAD[name]
    good = "p1,2026-03-04,refund,F1,-50.00,,\n"
    table = read(tmp_path, f"{OURS}{good}{row}\np2,2026-03-06,refund,F3,-7.00,,\n")
    (fault,) = table.faults
    assert (fault.file, fault.line, fault.column) == ("payouts.csv", 3, column)
    assert reason in fault.reason
    assert lines(payouts_of(table.rows, "stripe")) == [("p1", "refund", -5000, 0), ("p2", "refund", -700, 0)]


def test_a_line_that_stands_twice_is_a_fault(tmp_path: Path) -> None:
    table = read(tmp_path, "payout_id,paid_on,line_id,gross\np1,2026-03-04,b1,-1.00\np1,2026-03-04,b1,-1.00\n")
    assert [(fault.line, fault.reason) for fault in table.faults] == [(3, "stands already on line 2")]


def test_a_file_that_says_nowhere_what_a_refund_is_is_refused_as_a_whole(tmp_path: Path) -> None:
    table = read(tmp_path, "payout_id,paid_on,gross\np1,2026-03-04,50.00\n")
    assert not table.is_whole
    assert "which rows are refunds?" in str(next(iter(table.faults)))


def test_one_that_says_nowhere_whose_payouts_they_are_asks_for_it(tmp_path: Path) -> None:
    table = read(tmp_path, f"{OURS}p1,2026-03-04,refund,F1,-50.00,,\n")
    with pytest.raises(ValueError, match="give --provider"):
        payouts_of(table.rows, " ")
    named = read(tmp_path, "provider,payout_id,paid_on,gross\nPayPal,p1,2026-03-04,-50.00\n")
    assert [one.name for one in payouts_of(named.rows, "stripe")] == ["paypal p1"]


def test_the_total_of_a_payout_stands_on_any_of_its_rows(tmp_path: Path) -> None:
    table = read(tmp_path, "payout_id,paid_on,gross,payout_total\np1,2026-03-04,-50.00,-51.00\np1,2026-03-04,-0.50,\n")
    (payout,) = payouts_of(table.rows, "stripe")
    assert (payout.paid_on, payout.total_pence, payout.apart_pence) == (date(2026, 3, 4), -5100, -50)


def test_a_workbook_is_read_like_a_text(tmp_path: Path) -> None:
    with Workbook(tmp_path / "payouts.xlsx") as book:
        sheet = book.add_worksheet("March")
        for at, row in enumerate([["Payout ID", "Payout Date", "Type", "Amount"], ["p1", "2026-03-04", "refund", -50]]):
            sheet.write_row(at, 0, row)
    table = read_table(tmp_path / "payouts.xlsx", PAYOUTS)
    assert lines(payouts_of(table.rows, "stripe")) == [("p1", "refund", -5000, 0)]


AMOUNTS = st.integers(-10_000, 10_000)


@given(st.lists(st.tuples(AMOUNTS, st.integers(0, 500), st.booleans()), min_size=1, max_size=6))
def test_whichever_way_fees_are_written_every_row_nets_to_the_same(rows: list[tuple[int, int, bool]]) -> None:
    def settled(sign: int) -> list[Any]:
        table: Table[PayoutRow] = Table("some.csv", columns=frozenset({"kind"}))
        table.rows = [
            PayoutRow(
                line=at, provider="p", payout_id="1", paid_on=date(2026, 3, 4), currency="GBP", total_pence=None,
                line_id="", kind="refund" if is_refund else "charge", refund_id="", order_ref="", return_id="",
                gross_pence=-abs(gross) if is_refund else gross, fee_pence=sign * fee,
                net_pence=(-abs(gross) if is_refund else gross) - fee,
            )
            for at, (gross, fee, is_refund) in enumerate(rows, start=2)
        ]  # fmt: skip
        assert PAYOUTS.settle
        PAYOUTS.settle(table)
        return [(row.gross_pence, row.fee_pence) for row in table.rows]

    assert settled(1) == settled(-1) == [(-abs(gross) if is_refund else gross, fee) for gross, fee, is_refund in rows]
