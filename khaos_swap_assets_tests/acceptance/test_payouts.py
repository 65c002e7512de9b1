"""Payouts by file: every penny in one place, fees apart, and the VAT of each journal (U-5, U-9, U-25, U-28).

Belongs here: files as providers write them, through run, check and journals. Stays out: the storefront's own API.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from khaos_swap_assets_tests.acceptance.office import Office, office
from khaos_swap_assets_tests.acceptance.swap_wire import closed, product

__all__ = ["office"]
HEAD = "payout_id,paid_on,kind,gross,fee,net,refund_id,return_id,order_ref,payout_total\n"
SHORT = "payout_id,paid_on,kind,gross,fee,refund_id\n"
CHECK = "payouts_agree_with_credit_notes"
MARCH = ("2026-03", "paypal")
CLEARING = "payment provider, clearing"
MARCH_2 = datetime(2026, 3, 2, 10, tzinfo=UTC)
FORMS = {
    "english": HEAD + "{id},2026-03-13,refund,-1010.00,0.20,-1010.20,{ref},,,-1010.20\n",
    "pounds": HEAD + '{id},2026-03-13,refund,"-£1,010.00",£0.20,"-£1,010.20",{ref},,,"-£1,010.20"\n',
    "brackets": HEAD + '{id},2026-03-13,refund,"(1,010.00)",0.20,"(1,010.20)",{ref},,,"(1,010.20)"\n',
    "positive": HEAD + "{id},13/03/2026,refund,1010.00,0.20,1010.20,{ref},,,\n",
    "european": HEAD.replace(",", ";") + "{id};13.03.2026;refund;-1.010,00;0,20;-1.010,20;{ref};;;-1.010,20\n",
    "tabs": HEAD.replace(",", "\t") + "{id}\t2026-03-13\trefund\t-1010.00\t0.20\t-1010.20\t{ref}\t\t\t-1010.20\n",
    "typeset minus": HEAD + "{id},2026-03-13,refund,\u22121010.00,0.20,\u22121010.20,{ref},,,\u22121010.20\n",
    "no kind": "payout_id,paid_on,gross,fee,refund_id\n{id},2026-03-13,-1010.00,0.20,{ref}\n",
    "extra columns": "Note;Payout ID;Paid On;Gross;Bank;Fee;Refund ID\nhi;{id};13.03.2026;-1010,00;HSBC;0,20;{ref}\n",
}
ENCODINGS = {"pounds": "cp1252", "tabs": "utf-16"}


def split(gross: str) -> tuple[str, str]:
    """Net and VAT of an amount at 20 %, as the finance rules round it: the net half up."""
    net = (Decimal(gross) / Decimal("1.2")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return str(net), str(Decimal(gross) - net)


def pounds(text: str) -> Decimal:
    return Decimal(text.replace("£", "").replace(",", ""))


def test_a_payout_is_read_in_whatever_form_its_provider_writes_it(office: Office, tmp_path: Path) -> None:
    for number, (name, form) in enumerate(FORMS.items(), 1):
        office.refunds(closed(number, product(cost=1010.0)))
        path = tmp_path / f"{name}.csv"
        path.write_bytes(form.format(id=name, ref=f"T{number}").encode(ENCODINGS.get(name, "utf-8")))
        done = office.asks("payouts", "import", str(path), "--provider", "paypal", "--by", "Kim Ash")
        assert done.exit_code == 0, (name, done.output)
    shown = office.side_by_side()
    told = {key: [row[name] for name in ("place", "paid out on", "gross", "fee", "net")] for key, row in shown.items()}
    same = ["matched", "2026-03-13", "-£1,010.00", "£0.20", "-£1,010.20"]
    assert told == {f"paypal {name} #LX{number}": same for number, name in enumerate(FORMS, 1)}
    assert office.verdict(CHECK).passed


@pytest.mark.parametrize("order", [("10/03/2026", "13/03/2026"), ("03/10/2026", "03/13/2026")])
def test_a_day_over_twelve_shows_the_order_of_the_days_of_a_file(
    office: Office, tmp_path: Path, order: tuple[str, str]
) -> None:
    for number in (1, 2):
        office.refunds(closed(number))
    rows = "".join(f"PP{number},{day},refund,-10.00,,T{number}\n" for number, day in enumerate(order, 1))
    assert office.pays_out(SHORT + rows, tmp_path).exit_code == 0
    days = {key: row["paid out on"] for key, row in office.side_by_side().items()}
    assert days == {"paypal PP1 #LX1": "2026-03-10", "paypal PP2 #LX2": "2026-03-13"}


def test_what_is_said_of_a_day_that_may_be_either_can_be_done(office: Office, tmp_path: Path) -> None:
    done = office.pays_out(SHORT + "PP1,10/03/2026,refund,-10.00,,T1\n", tmp_path)
    assert (done.exit_code, "10/03/2026" in done.output) == (1, True)
    options = office.asks("payouts", "import", "--help").stdout
    assert [word for word in done.output.split() if word.startswith("--") and word not in options] == []


SIGNS = (
    ("-10.00", "0.20", "-10.20", "£0.20"),
    ("-10.00", "-0.20", "-10.20", "£0.20"),
    ("10.00", "0.20", "10.20", "£0.20"),
    ("10.00", "-0.20", "10.20", "£0.20"),
    ("-10.00", "0.20", "-9.80", "-£0.20"),
    ("-10.00", "-0.20", "-9.80", "-£0.20"),
    ("10.00", "0.20", "9.80", "-£0.20"),
    ("-10.00", "-0.20", "", "£0.20"),
    ("-10.00", "0.20", "", "£0.20"),
    ("-10.00", "", "", "£0.00"),
)


def test_a_fee_is_what_the_net_says_in_whichever_sign_it_is_written(office: Office, tmp_path: Path) -> None:
    """Docs: in whichever sign; where the net is given it decides. A fee that was given back is below nought."""
    for number, (gross, fee, net, _) in enumerate(SIGNS, 1):
        office.refunds(closed(number))
        row = f"PP{number},2026-03-12,refund,{gross},{fee},{net},T{number},,,\n"
        assert office.pays_out(HEAD + row, tmp_path).exit_code == 0
    shown = office.side_by_side()
    for number, (*_, kept) in enumerate(SIGNS, 1):
        line = shown[f"paypal PP{number} #LX{number}"]
        assert (line["place"], line["gross"], line["fee"]) == ("matched", "-£10.00", kept), SIGNS[number - 1]
        assert pounds(line["net"]) == pounds(line["gross"]) - pounds(kept)


def test_a_net_that_does_not_agree_makes_the_row_a_bad_one(office: Office, tmp_path: Path) -> None:
    done = office.pays_out(HEAD + "PP1,2026-03-12,refund,-10.00,0.20,-10.30,T1,,,\n", tmp_path)
    assert done.exit_code == 1
    assert all(word in done.output for word in ("payouts.csv", "line 2", "net"))


def test_a_bad_row_in_the_middle_keeps_no_good_one_out(office: Office, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        office.refunds(closed(number, product(cost=10.0 * number)))
    rows = [f"PP1,2026-03-10,refund,-{n}0.00,0.20,-{n}0.20,T{n},,,-60.60\n" for n in (1, 2, 3)]
    spoilt = HEAD + rows[0] + rows[1].replace("-20.00", "twenty") + rows[2]
    done = office.pays_out(spoilt, tmp_path)
    assert done.exit_code == 1
    assert all(word in done.output for word in ("payouts.csv", "line 3", "column gross", "'twenty'"))
    (rejected,) = (tmp_path / "payouts.csv.rejected.csv").read_text().splitlines()[1:]
    assert rejected.startswith("payouts.csv,3,gross,twenty,")
    assert office.by_month() == [
        ["2026-03", "paypal", "1", "-£60.60", "-£40.00", "£0.00", "£0.00", "-£0.40", "-£20.20"]
    ]
    assert office.open_exceptions() == [("payout_total_differs", "finance", "payout paypal PP1", 2020)]
    assert office.verdict(CHECK).description == "1 open, £20.20 at risk"
    assert office.entries(tmp_path)[0] == [("payout differences", "20.20", ""), (CLEARING, "", "20.20")]
    assert office.pays_out(HEAD + "".join(rows), tmp_path).exit_code == 0
    assert office.by_month() == [[*MARCH, "1", "-£60.60", "-£60.00", "£0.00", "£0.00", "-£0.60", "£0.00"]]
    assert (office.open_exceptions(), office.verdict(CHECK).passed) == ([], True)


def test_the_same_file_twice_changes_nothing_and_a_later_one_replaces_its_payouts(
    office: Office, tmp_path: Path
) -> None:
    for number in (1, 2):
        office.refunds(closed(number))
    both = HEAD + "PP1,2026-03-10,refund,-13.95,0.20,,T1,,,\nPP2,2026-03-11,refund,-10.00,0.30,,T2,,,\n"
    office.pays_out(both, tmp_path)
    first = (office.by_month(), office.open_exceptions(), office.entries(tmp_path))
    assert first[1] == [("payout_amount_differs", "finance", "paypal PP1/row 1", 395)]
    done = office.pays_out(both, tmp_path, "again.csv")
    assert (done.exit_code, " 0 new or changed" in done.output) == (0, True)
    assert (office.by_month(), office.open_exceptions(), office.entries(tmp_path)) == first
    office.pays_out(HEAD + "PP1,2026-03-10,refund,-10.00,0.25,,T1,,,\n", tmp_path, "later.csv")
    assert office.by_month() == [[*MARCH, "2", "-£20.55", "-£20.00", "£0.00", "£0.00", "-£0.55", "£0.00"]]
    assert (office.open_exceptions(), office.verdict(CHECK).passed) == ([], True)


def test_every_penny_of_a_payout_is_in_one_place_and_all_is_finances(office: Office, tmp_path: Path) -> None:
    office.books.zero_sold = {"COAT"}
    office.refunds(closed(1, product(cost=40.60)), at=MARCH_2)
    office.refunds(closed(2, product("COAT", cost=30.0)), at=MARCH_2)
    office.refunds(closed(3, product(cost=12.0)), at=MARCH_2)
    office.pays_out(
        HEAD + "PP1,2026-03-02,refund,-44.55,0.20,-44.75,T1,,,\nPP1,2026-03-02,refund,-27.00,0.20,-27.20,,RMA2,,\n"
        "PP1,2026-03-02,refund,-12.00,,,,,#LX3,\nPP1,2026-03-02,refund,-35.00,,,NOBODY,,,\n"
        "PP1,2026-03-02,charge,100.00,2.90,97.10,,,,\nPP1,2026-03-02,dispute,-15.00,15.00,-30.00,,,,\n"
        "PP2,2026-03-03,refund,-1.00,,,,,,-2.00\n",
        tmp_path,
    )
    ((*_, paid_out, refunds, apart, of_none, fees, untold),) = office.by_month()
    assert [paid_out, refunds, apart, of_none, fees, untold] == [
        *("-£53.85", "-£82.60", "-£36.95", "£85.00", "-£18.30", "-£1.00"),
    ]  # fmt: skip
    assert sum(map(pounds, (refunds, apart, of_none, fees, untold))) == pounds(paid_out)
    assert office.open_exceptions() == sorted(
        [
            ("payout_amount_differs", "finance", "paypal PP1/row 1", 395),
            ("payout_amount_differs", "finance", "paypal PP1/row 2", 300),
            ("payout_without_refund", "finance", "paypal PP1/row 4", 3500),
            ("payout_without_refund", "finance", "paypal PP2/row 1", 100),
            ("payout_total_differs", "finance", "payout paypal PP2", 100),
        ]
    )
    net, vat = split("3.95")
    assert office.entries(tmp_path) == [
        [("sales returns", net, ""), ("output VAT", vat, ""), (CLEARING, "", "3.95")],
        [("sales returns", "", "3.00"), (CLEARING, "3.00", "")],
        [("refunds to be explained", "35.00", ""), (CLEARING, "", "35.00")],
        [("refunds to be explained", "1.00", ""), (CLEARING, "", "1.00")],
        [("payout differences", "1.00", ""), (CLEARING, "", "1.00")],
        [("payment fees", "18.30", ""), (CLEARING, "", "18.30")],
    ]
    assert (net, vat) == ("3.29", "0.66")


def test_a_mixed_basket_is_split_by_the_value_of_its_goods(office: Office, tmp_path: Path) -> None:
    """U-7 and U-9: 56.85 at 20 % and 13.12 at 0 %; £3.95 more is 3.21 and 0.74, VAT 0.53."""
    office.books.zero_sold = {"COAT"}
    office.refunds(closed(1, product("TEE", 34.99), product("CAP", 21.86), product("COAT", 13.12)))
    office.pays_out(SHORT + "PP1,2026-03-10,refund,-73.92,,T1\n", tmp_path)
    office.runs()
    (lines,) = office.entries(tmp_path)
    net, vat = split("3.21")
    assert sorted(lines) == sorted(
        [("sales returns", net, ""), ("output VAT", vat, ""), ("sales returns", "0.74", ""), (CLEARING, "", "3.95")]
    )
    assert (net, vat) == ("2.68", "0.53")
