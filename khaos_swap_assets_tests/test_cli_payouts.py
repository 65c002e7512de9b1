"""``khaos-swap payouts``: good rows go in and bad ones are told; journals are a file for a person to enter."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.cli.payouts import payouts_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets_tests.stages.payouts.town import PayingTown, a_town, credited
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED

HEAD = "provider,payout_id,paid_on,kind,refund_id,order_ref,gross,fee,net\n"
GOOD = f"{HEAD}paypal,pp1,2026-03-12,refund,F1,,-13.95,0.20,-14.15\npaypal,pp1,2026-03-12,refund,,=1+1,-35.00,,\n"
Run = Callable[..., Result]


@pytest.fixture
def town(database_url: str) -> PayingTown:
    """Two refunds by PayPal, credited, on the day before the first payout."""
    town = a_town(database_url)
    town.with_settings(storefront=CONNECTED)
    for number in (1, 2):
        town.shop.pay(number, 1000, gateway="paypal")
    return credited(town)


@pytest.fixture
def run(town: PayingTown, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    reach = Reach(
        lambda: store.connect(town.url, application="tests"), Settings, lambda: pytest.fail("asked"), lambda: town.now
    )
    return lambda *words: CliRunner().invoke(payouts_app(reach), [*map(str, words)])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_file_goes_in_and_twice_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "march.csv").write_text(GOOD)
    done = run("import", "march.csv", "--by", "Kim")
    assert (done.exit_code, done.stdout) == (
        0, "1 payouts in 2 rows: 1 new or changed, 0 as the storefront itself told them; the next run compares them\n",
    )  # fmt: skip
    assert "0 new or changed" in run("import", "march.csv", "--by", "Kim").stdout


def test_a_bad_row_is_told_and_the_good_ones_are_in(run: Run, town: PayingTown, tmp_path: Path) -> None:
    (tmp_path / "march.csv").write_text(GOOD + "paypal,pp1,soon,refund,F2,,-10.00,,\n")
    done = run("import", "march.csv", "--by", "Kim")
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "march.csv, line 4, column paid_on: 'soon' is no date: YYYY-MM-DD is expected, with or without a time",
        f"rejected: 1 of 3 rows, see {Path('march.csv.rejected.csv')}; the others are in",
    ]
    assert rows(tmp_path / "march.csv.rejected.csv")[0]["line"] == "4"
    assert town.one("SELECT count(*) FROM storefront.payout_lines") == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("payout_id,paid_on,gross\np,2026-03-12,-1\n", "march.csv says nowhere whose payouts they are"),
        ("order,amount\n1,2\n", "march.csv, column payout_id: is missing"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_none_of_payouts_changes_nothing(run: Run, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "march.csv").write_text(text)
    done = run("import", "march.csv", "--by", "Kim")
    assert done.exit_code == 2
    assert words in done.stderr


def test_the_journals_of_a_month_have_the_vat_of_the_sale(run: Run, town: PayingTown, tmp_path: Path) -> None:
    """U-28 and U-25 as lines: £3.95 more than refunded, and £35.00 that nobody knows; the fee of 20p apart."""
    with store.connect(town.url, application="tests") as conn:
        conn.execute("UPDATE khaos.order_lines SET vat_code = '1'")
    (tmp_path / "march.csv").write_text(GOOD)
    run("import", "march.csv", "--by", "Kim")
    town.sync()
    done = run("journals", "--month", "2026-03")
    assert done.stdout == "3 entries in 7 lines written to payout-journals-2026-03.csv\n"
    found = rows(tmp_path / "payout-journals-2026-03.csv")
    shown = ("entry", "account", "debit", "credit", "vat_rate", "rma")
    assert [tuple(row[name] for name in shown) for row in found] == [
        ("1", "sales returns", "3.29", "", "20", "RMA1"),
        ("1", "output VAT", "0.66", "", "20", "RMA1"),
        ("1", "payment provider, clearing", "", "3.95", "", "RMA1"),
        ("2", "refunds to be explained", "35.00", "", "", ""),
        ("2", "payment provider, clearing", "", "35.00", "", ""),
        ("3", "payment fees", "0.20", "", "", ""),
        ("3", "payment provider, clearing", "", "0.20", "", ""),
    ]
    assert {row["date"] for row in found} == {"2026-03-12", "2026-03-31"}
    assert town.ask("SELECT count(*) FROM recon.postings WHERE state = 'planned'") == [(0,)], "nothing is posted"
    assert run("journals", "--month", "2026-04", "--file", "april.csv").stdout.startswith("0 entries in 0 lines")


def test_a_refund_in_no_payout_is_owed_and_its_vat_waits(run: Run, town: PayingTown, tmp_path: Path) -> None:
    """U-17 D."""
    with store.connect(town.url, application="tests") as conn:
        conn.execute("UPDATE khaos.order_lines SET vat_code = '1'")
    (tmp_path / "march.csv").write_text(
        f"{HEAD}paypal,pp0,2026-03-01,refund,,x,-1.00,,\npaypal,pp1,2026-03-30,refund,F1,,-10.00,,\n"
    )
    run("import", "march.csv", "--by", "Kim")
    town.sync()
    assert "refund_not_in_payout" in town.kinds()
    run("journals", "--month", "2026-03", "--file", "march.out.csv")
    owed = [row for row in rows(tmp_path / "march.out.csv") if row["rma"] == "RMA2"]
    assert [(row["account"], row["debit"] or f"-{row['credit']}") for row in owed] == [
        ("payment provider, clearing", "10.00"),
        ("refunds owed to customers", "-10.00"),
        ("VAT that waits for payment", "1.67"),
        ("output VAT", "-1.67"),
    ]


@pytest.mark.parametrize("month", ["March", "2026-13", "2026-3"])
def test_a_month_that_is_none_is_refused(run: Run, month: str) -> None:
    done = run("journals", "--month", month)
    assert done.exit_code == 2
    assert "is no month" in done.stderr


def test_a_formula_in_a_file_calculates_nowhere(run: Run, town: PayingTown, tmp_path: Path) -> None:
    (tmp_path / "march.csv").write_text(f"{HEAD}paypal,=cmd(),2026-03-12,refund,,=1+1,-35.00,,\n")
    run("import", "march.csv", "--by", "Kim")
    town.sync()
    run("journals", "--month", "2026-03")
    cells = [cell for row in rows(tmp_path / "payout-journals-2026-03.csv") for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert any("paypal =cmd()" in cell for cell in cells)
