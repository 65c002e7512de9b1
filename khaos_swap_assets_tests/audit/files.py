"""A small merchant as files: returns in Swap, and what Khaos exports, in the columns of the audit."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.files.decided import COLUMNS
from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.inputs import Paths
from khaos_swap_assets.audit.pairing import Pairing, facts_of, note_facts
from khaos_swap_assets.audit.rows import AuditRow
from khaos_swap_assets.audit.writing import Result
from khaos_swap_assets.domain.judging.return_waterfall import waterfall_of, waterfall_of_note
from khaos_swap_assets.domain.judging.waterfall import Waterfall
from khaos_swap_assets_tests.audit.reading import read_inputs

AS_OF = date(2026, 3, 31)
ORDER_COLUMNS = (
    *("order_ref", "so_code", "customer_ref", "ordered_at", "currency", "line_ref", "stock_code", "quantity"),
    *("unit_price_gross", "vat_rate", "discount_gross", "delivery_gross", "invoiced_on", "order_discount_gross"),
)
NOTE_COLUMNS = (
    *("credit_note_code", "associated_ref", "order_ref", "customer_ref", "created_on", "currency", "stock_code"),
    *("quantity", "gross", "net", "delivery_gross"),
)
REFUND_COLUMNS = ("refund_id", "order_ref", "return_id", "refunded_at", "currency", "amount", "gateway", "status")
CODE_COLUMNS = ("stock_code", "stock_id", "description", "other_ref", "barcode", "discontinued", "pack_components")
SHIRT, COAT = "SHIRT-M", "COAT-L"


@dataclass
class Shop:
    """Rows of each file; methods add a document with sensible defaults."""

    returns: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)
    codes: list[dict[str, str]] = field(
        default_factory=lambda: [{"stock_code": SHIRT, "barcode": "5060000000017"}, {"stock_code": COAT}]
    )
    refunds: list[dict[str, str]] | None = None
    decisions: list[dict[str, str]] = field(default_factory=list)

    def sold(self, number: int, *, code: str = SHIRT, price: str = "24.99", quantity: int = 1, **more: str) -> None:
        """One line of the order KCCLX<number> of customer C<number>."""
        row = {
            "order_ref": f"KCCLX{number}",
            "so_code": f"SO{number}",
            "customer_ref": f"C{number}",
            "ordered_at": "2026-01-10T12:00:00Z",
            "currency": "GBP",
            "stock_code": code,
            "quantity": str(quantity),
            "unit_price_gross": price,
            "vat_rate": "20",
            "invoiced_on": "2026-01-12",
        }
        self.orders.append({**row, **more})

    def returned(self, number: int, *, cost: str = "24.99", refund: str | None = None, **more: Any) -> None:
        """The return RMA<number> of the order #LX<number>, one shirt, refunded on 2 March 2026."""
        code, quantity = more.pop("sku", SHIRT), more.pop("quantity", 1)
        product = {
            "product_id": f"p{number}",
            "sku": code,
            "item_count": quantity,
            "cost": cost,
            "currency": more.get("customer_currency", "GBP"),
            "return_type": more.pop("outcome", "Refund"),
        }
        row = {
            "return_id": f"ret_{number}",
            "rma_number": f"RMA{number}",
            "shopify_order_name": f"#LX{number}",
            "store_id": "st_1",
            "return_status": "Closed",
            "customer_name": "Priya Nolan",
            "customer_currency": "GBP",
            "total_refund_value_customer_currency": cost if refund is None else refund,
            "date_created": "2026-02-20T09:00:00Z",
            "date_closed": "2026-03-02T15:00:00Z",
            "products": [product],
        }
        self.returns.append({**row, **more})

    def credited(self, code: str, number: int, *, gross: str = "24.99", net: str = "20.83", **more: str) -> None:
        """A note of one shirt for the order of that number, with the RMA as its reference."""
        row = {
            "credit_note_code": code,
            "associated_ref": f"RMA{number}",
            "order_ref": f"KCCLX{number}",
            "customer_ref": f"C{number}",
            "created_on": "2026-03-03",
            "currency": "GBP",
            "stock_code": SHIRT,
            "quantity": "1",
            "gross": gross,
            "net": net,
        }
        self.notes.append({**row, **more})

    def paid(self, number: int, amount: str, **more: str) -> None:
        """A refund that moved."""
        row = {
            "refund_id": f"rf_{number}_{len(self.refunds or ())}",
            "return_id": f"ret_{number}",
            "refunded_at": "2026-03-02T15:00:00Z",
            "currency": "GBP",
            "amount": amount,
            "gateway": "shopify_payments",
            "status": "success",
        }
        self.refunds = [*(self.refunds or ()), {**row, **more}]

    def decided(self, decision: str, subject: str, other: str = "", **more: str) -> None:
        """What Jo decided, on the figures in ``more``."""
        who = {"decided_by": "Jo", "reason": "looked into it"}
        self.decisions.append({"decision": decision, "subject": subject, "object": other, **who, **more})

    def write(self, folder: Path) -> Paths:
        """All files as UTF-8 with commas."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "returns.jsonl").write_text("".join(json.dumps(row) + "\n" for row in self.returns) or "[]")
        write_csv(folder / "stock.csv", CODE_COLUMNS, self.codes)
        write_csv(folder / "orders.csv", ORDER_COLUMNS, self.orders)
        write_csv(folder / "notes.csv", NOTE_COLUMNS, self.notes)
        if self.refunds is not None:
            write_csv(folder / "refunds.csv", REFUND_COLUMNS, self.refunds)
        if self.decisions:
            write_csv(folder / "decisions.csv", COLUMNS, self.decisions)
        return paths_in(folder)

    def audited(self, folder: Path, span: Span | None = None) -> Result:
        """What the audit says of this shop."""
        inputs = read_inputs(self.write(folder), skips_bad_rows=False)
        return run.reconcile(inputs, span or Span(AS_OF))


def paths_in(folder: Path) -> Paths:
    """Where ``Shop.write`` puts the files."""
    refunds = folder / "refunds.csv"
    returns, codes, orders, notes = (
        folder / name for name in ("returns.jsonl", "stock.csv", "orders.csv", "notes.csv")
    )
    decisions = tuple(path for path in [folder / "decisions.csv"] if path.exists())
    return Paths(returns, codes, orders, notes, refunds if refunds.exists() else None, decisions=decisions)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> Path:
    """A plain CSV file; its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def row_of(result: Result, key: str) -> AuditRow:
    """The row of an RMA, or of an unmatched note."""
    return next(row for row in result.rows if row.rma == key or (not row.rma and key in row.credit_note_codes))


def evidence_of(folder: Path, key: str) -> dict[str, str]:
    """Which fields show each leg of the return of an RMA, or of an unmatched note, of the files in a folder."""
    pairing = Pairing(read_inputs(paths_in(folder), skips_bad_rows=False))
    case = next((one for one in pairing.case_of.values() if one.return_.rma == key), None)
    note = next((one for one in pairing.unmatched if one.code == key), None)
    waterfall = waterfall_of_note(note_facts(note, pairing)) if note else Waterfall(0, ())
    waterfall = waterfall_of(facts_of(case, pairing)) if case else waterfall
    return {leg.name: "; ".join(leg.evidence) for leg in waterfall.legs}


def kinds(result: Result) -> set[tuple[str, str]]:
    """(kind, subject) of all exceptions."""
    return {(finding.kind, finding.subject) for finding in result.findings}


def small_shop() -> Shop:
    """One return of each status, a note without a return, and a return of another currency."""
    shop = Shop()
    for number in range(1, 9):
        shop.sold(number)
        shop.returned(number)
    shop.credited("CN1", 1)
    shop.credited("CN2", 2, gross="22.49", net="18.74")
    shop.returns[3]["date_closed"] = "2026-03-31T09:00:00Z"
    shop.credited("CN5A", 5)
    shop.credited("CN5B", 5)
    shop.returns[5] |= {"return_status": "Open", "date_closed": "", "total_refund_value_customer_currency": 0}
    shop.credited("CN7", 7, gross="25.00", net="20.83")
    shop.returns[7] |= {"customer_currency": "EUR"}
    shop.returns[7]["products"][0]["currency"] = "EUR"
    shop.orders[7]["currency"] = "EUR"
    shop.credited("CN8", 8, currency="EUR")
    shop.credited("CN9", 99, gross="30.00", net="25.00", stock_code=COAT)
    return shop
