"""Short ways to make the records that the domain's tests speak of.

Belongs here: builders with defaults of an ordinary clean return. Stays out: expectations.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from khaos_swap_assets.domain.linking.evidence import tables
from khaos_swap_assets.domain.linking.passes import matched as linked
from khaos_swap_assets.domain.linking.records import Matching, NoteRecord, ReturnRecord
from khaos_swap_assets.domain.records.matches import MatchedLine
from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder
from khaos_swap_assets.domain.records.returns import Return, ReturnLine

REFUNDED_AT = datetime(2026, 2, 10, 12, tzinfo=UTC)


def line(product_id: str = "P1", cost_pence: int = 4000, quantity: int = 1, **changes: Any) -> ReturnLine:
    """A returned row of SKU ``SKU-<product id>``."""
    plain = ReturnLine(
        "R1", product_id, f"L-{product_id}", "", f"SKU-{product_id}", quantity, cost_pence, "GBP", "Refund"
    )
    return replace(plain, **changes)


def returned(*lines: ReturnLine, **changes: Any) -> Return:
    """A closed return whose refund is the sum of its Refund lines unless told otherwise."""
    refund = sum(row.cost_pence for row in lines if row.outcome == "Refund")
    plain = Return(
        store_id="S1", return_id="R1", rma="RMA1001", order_name="#LX1", order_id="1", status="Closed",
        delivery_status="Delivered", quality_control_status="Pending", outcomes=("Refund",), currency="GBP",
        refund_pence=refund, store_credit_pence=0, additional_payment_pence=0, handling_fee_pence=0, total_pence=refund,
        created_at=REFUNDED_AT, updated_at=REFUNDED_AT, submitted_at=REFUNDED_AT, processed_at=REFUNDED_AT,
        closed_at=REFUNDED_AT, delivered_at=REFUNDED_AT, lines=lines,
    )  # fmt: skip
    return replace(plain, **changes)


def matched(row: ReturnLine, *, dispositions: Mapping[str, int] | None = None, **changes: Any) -> MatchedLine:
    """The exact match of a row, all of its units sellable unless told otherwise."""
    code, units = row.sku.removeprefix("SKU-"), {"sellable": row.quantity} if dispositions is None else dispositions
    plain = MatchedLine(
        return_id=row.return_id, product_id=row.product_id, sku=row.sku, quantity=row.quantity, outcome=row.outcome,
        cost_pence=row.cost_pence, stock_code=code, order_line_no=1, sold_quantity=row.quantity,
        sold_gross_pence=row.cost_pence,
    )  # fmt: skip
    counts: Any = {f"{word}_quantity": count for word, count in units.items()}
    return replace(plain, **counts, **changes)


def match(notes: Iterable[NoteRecord], returns: Iterable[ReturnRecord]) -> Matching:
    """What the ordered passes say of these."""
    return linked(tables(notes, returns))


def order(*sold: tuple[str, int], **changes: Any) -> SalesOrder:
    """An invoiced order of (Stock Code, quantity) lines at 10.00 each."""
    lines = tuple(OrderLine(number, code, units, units * 1000) for number, (code, units) in enumerate(sold, 1))
    plain = SalesOrder("SO1", "KCCLX1", "PATEL0007", "GBP", date(2026, 1, 5), date(2026, 1, 6), False, 0, lines)
    return replace(plain, **changes)
