"""Finance rule U-1 in the audit of files: what Swap closed without paying is no refund, however it is written.

Belongs here: each dialect of the field, beside notes and beside a file of refunds. Stays out: the live product.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from khaos_swap_assets.cli.audit import audit_command
from khaos_swap_assets_tests.acceptance.swap_wire import ABSENT
from khaos_swap_assets_tests.audit.files import Shop

PENCE = 2499
PAID_WHEN_SAID = ("9 Mar 2026, 15:41:29", "2026-03-09T15:41:29Z", "Yes", "True", "Processed", "yes", True)
NOT_PAID = ("N/A", "n/a", "", " ", None, "No", "Pending", "Partially", "false", False)
Finding = tuple[str, str, str, int]


@dataclass
class Audited:
    """What the command wrote."""

    rows: dict[str, dict[str, str]]
    findings: list[Finding]
    summary: dict[str, Any]
    page: str

    def of(self, number: int) -> list[Finding]:
        """Findings of one return."""
        return [one for one in self.findings if one[2] == f"RMA{number}"]


def shop_of(said: tuple[Any, ...], *, field: str = "rma_processed", noted: bool = False) -> Shop:
    """One return a value of the field, each Closed on 2 March 2026 for £24.99, each with its own order."""
    shop = Shop()
    for number, value in enumerate(said, 1):
        shop.sold(number)
        shop.returned(number, processed_by="kim@larch.example", **({} if value is ABSENT else {field: value}))
        if noted:
            shop.credited(f"CN{number}", number)
    return shop


def audited(shop: Shop, folder: Path) -> Audited:
    """Run ``khaos-swap audit`` over these files as of 31 March 2026."""
    app = typer.Typer()
    app.command("audit")(audit_command)
    paths, out = shop.write(folder / "in"), folder / "out"
    given = {"returns": paths.returns, "stock-codes": paths.stock_codes, "sales-orders": paths.sales_orders}
    given |= {"credit-notes": paths.credit_notes, "out": out} | ({"refunds": paths.refunds} if paths.refunds else {})
    words = [word for name, path in given.items() for word in (f"--{name}", str(path))]
    result = CliRunner().invoke(app, [*words, "--as-of", "2026-03-31"])
    assert result.exit_code == 0, result.output
    with (out / "reconciliation.csv").open(newline="") as file:
        rows = {row["rma"]: row for row in csv.DictReader(file)}
    with (out / "exceptions.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    findings = [(one["kind"], one["owner"], one["rma"], int(one["money_at_risk_pence"])) for one in found]
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return Audited(rows, sorted(findings), summary, (out / "report.html").read_text(encoding="utf-8"))


def test_only_a_date_or_a_listed_word_is_a_refund(tmp_path: Path) -> None:
    result = audited(shop_of((*PAID_WHEN_SAID, *NOT_PAID, ABSENT)), tmp_path)
    paid = len(PAID_WHEN_SAID)
    for number in range(1, paid + 1):
        assert result.rows[f"RMA{number}"]["refund_pence"] == str(PENCE), PAID_WHEN_SAID[number - 1]
        assert result.of(number) == [("credit_note_missing", "finance", f"RMA{number}", PENCE)]
    for number in range(paid + 1, paid + len(NOT_PAID) + 2):
        assert result.rows[f"RMA{number}"]["refund_pence"] == "0", number
        assert result.of(number) == [("closed_without_refund", "cx", f"RMA{number}", PENCE)]
    assert result.summary["currencies"]["GBP"]["refunded_pence"] == paid * PENCE


def test_a_word_without_the_day_of_closing_is_no_proof(tmp_path: Path) -> None:
    shop = shop_of(("Yes", "9 Mar 2026, 15:41:29"))
    for row in shop.returns:
        row["date_closed"] = "N/A"
    result = audited(shop, tmp_path)
    assert [row["refund_pence"] for _, row in sorted(result.rows.items())] == ["0", str(PENCE)]
    assert result.of(1) == [("closed_without_refund", "cx", "RMA1", PENCE)]


@pytest.mark.parametrize("value", ["N/A", "", "Pending"])
def test_a_note_of_what_was_not_paid_is_finances(value: str, tmp_path: Path) -> None:
    result = audited(shop_of((value, "Yes"), noted=True), tmp_path)
    assert result.of(1) == [
        ("closed_without_refund", "cx", "RMA1", PENCE),
        ("credited_without_refund", "finance", "RMA1", PENCE),
    ]
    assert (result.rows["RMA1"]["gap_pence"], result.rows["RMA1"]["vat_gap_pence"]) == (str(PENCE), "416")
    assert (result.of(2), result.rows["RMA2"]["status"]) == ([], "matched")


def test_what_nobody_paid_is_not_done(tmp_path: Path) -> None:
    """*matched* is nothing to do, and somebody has to look whether the customer was paid."""
    assert audited(shop_of(("N/A", "Yes")), tmp_path).rows["RMA1"]["status"] == "in_flight"


def test_a_name_in_processed_by_is_a_hint_and_no_proof(tmp_path: Path) -> None:
    shop = shop_of(("N/A",))
    audited(shop, tmp_path)
    assert "kim" in (tmp_path / "out" / "exceptions.csv").read_text()


@pytest.mark.parametrize(("value", "refunded"), [("9 Mar 2026, 15:41:29", PENCE), ("Yes", PENCE), ("N/A", 0), ("", 0)])
def test_version_1_calls_it_processed(value: str, refunded: int, tmp_path: Path) -> None:
    shop = shop_of((value,), field="processed")
    names = {"rma_number": "rma", "shopify_order_name": "order_name"}
    shop.returns = [{names.get(name, name): what for name, what in row.items()} for row in shop.returns]
    result = audited(shop, tmp_path)
    assert result.rows["RMA1"]["refund_pence"] == str(refunded)
    kind = ("credit_note_missing", "finance") if refunded else ("closed_without_refund", "cx")
    assert result.of(1) == [(*kind, "RMA1", PENCE)]
    said = (tmp_path / "out" / "exceptions.csv").read_text()
    assert ("rma_processed" in said, " processed is empty" in said) == (False, not refunded)


def test_a_field_that_no_row_carries_is_not_known_and_the_first_page_says_so(tmp_path: Path) -> None:
    shop = shop_of((ABSENT, ABSENT, ABSENT))
    shop.returns[2]["date_closed"] = ""
    result = audited(shop, tmp_path)
    assert [row["refund_pence"] for _, row in sorted(result.rows.items())] == [str(PENCE), str(PENCE), "0"]
    assert "no rma_processed in the file" in result.page
    assert "no rma_processed in the file" not in audited(shop_of(("N/A", ABSENT)), tmp_path / "known").page


def test_with_a_file_of_refunds_the_money_decides(tmp_path: Path) -> None:
    shop = shop_of(("N/A", "N/A", "Yes", "Yes", "Pending"), noted=False)
    shop.paid(1, "24.99")
    shop.paid(3, "24.99")
    shop.credited("CN5", 5)
    result = audited(shop, tmp_path)
    refunded = [row["refund_pence"] for _, row in sorted(result.rows.items())]
    assert refunded == [str(PENCE), "0", str(PENCE), "0", "0"]
    assert result.findings == [
        ("credit_note_missing", "finance", "RMA1", PENCE),
        ("credit_note_missing", "finance", "RMA3", PENCE),
        ("credited_without_refund", "finance", "RMA5", PENCE),
        ("refund_not_paid", "cx", "RMA2", PENCE),
        ("refund_not_paid", "cx", "RMA4", PENCE),
        ("refund_not_paid", "cx", "RMA5", PENCE),
    ]
