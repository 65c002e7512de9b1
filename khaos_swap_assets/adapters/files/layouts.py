"""The four tables that an audit reads: their columns, and what must agree between the rows of one document.

Belongs here: names, kinds and duties of columns. Stays out: reading (``tables``) and records of the domain
(``documents``). Money is minor units of the row's currency, GBP where the file names none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from khaos_swap_assets.adapters.files import cells, known
from khaos_swap_assets.adapters.files.columns import Columns, values_of
from khaos_swap_assets.adapters.files.discounts import discounts_on_lines
from khaos_swap_assets.adapters.files.row_checks import alike, no_duplicate, told
from khaos_swap_assets.adapters.files.signs import credits_positive, refunds_positive
from khaos_swap_assets.adapters.files.tables import CURRENCY, HOME_CURRENCY, Check, Column, Found, Layout
from khaos_swap_assets.adapters.swap.values import MOST_PENCE

DELIVERY = "delivery_gross"
LARGEST_WORTH = 2**62
"""Above it 64 bits may not hold a line's worth."""
MOVED = frozenset(
    {
        *("", "success", "succeeded", "successful", "completed", "complete", "paid", "refunded", "processed"),
        *("settled", "partial", "partially_refunded", "partially refunded"),
    }
)
NOT_MOVED = frozenset(
    {
        *("pending", "failed", "failure", "error", "cancelled", "canceled", "voided", "declined", "rejected"),
        *("expired", "processing", "in_progress", "in progress", "scheduled", "requires_action"),
    }
)
REFUND_KINDS = frozenset({"", "refund"})
NO_REFUND_KINDS = frozenset(
    {"sale", "capture", "authorization", "emv_authorization", "void", "change", "charge", "payment"}
)


class StockCodeRow(NamedTuple):
    """One Stock Code."""

    line: int
    stock_code: str
    stock_id: str
    description: str
    other_ref: str
    barcode: str
    is_discontinued: bool
    pack_components: tuple[tuple[str, int], ...]


class OrderRow(NamedTuple):
    """One sold line; ``order_discount_pence`` is off the order as a whole, ``goods_pence`` are its goods after it."""

    line: int
    order_ref: str
    so_code: str
    customer_ref: str
    ordered_at: datetime | None
    currency: str
    line_ref: str
    stock_code: str
    quantity: int
    unit_price_pence: int
    vat_percent: Decimal | None
    discount_pence: int
    delivery_pence: int | None
    invoiced_on: date | None
    order_discount_pence: int | None = None
    goods_pence: int | None = None

    @property
    def sold_pence(self) -> int:
        """What was paid for the line."""
        return self.quantity * self.unit_price_pence - self.discount_pence


class NoteRow(NamedTuple):
    """One line of a Credit Note; without a Stock Code it is the note's delivery."""

    line: int
    credit_note_code: str
    associated_ref: str
    order_ref: str
    customer_ref: str
    created_on: date | None
    currency: str
    stock_code: str
    quantity: int
    gross_pence: int
    net_pence: int | None
    delivery_pence: int | None


class RefundRow(NamedTuple):
    """One movement of money to a customer; ``status`` and ``kind`` are in lower case."""

    line: int
    refund_id: str
    order_ref: str
    return_id: str
    refunded_at: datetime | None
    currency: str
    amount_pence: int
    gateway: str
    status: str
    kind: str = ""


def _code(name: str, *, is_required: bool = False) -> Column:
    return Column(name, cells.code, "", is_required)


def _key(name: str, *, is_required: bool = False, is_header: bool = False) -> Column:
    return Column(name, cells.key, "", is_required, is_header=is_header)


def _money(name: str, empty: int | None = 0, *, is_required: bool = False, is_signed: bool = False) -> Column:
    return Column(name=name, parse=None, empty=empty, is_required=is_required, is_signed=is_signed)


def _word(text: str) -> str:
    return cells.key(text).lower()


DISCOUNT, GOODS = "order_discount_gross", "goods_after_discount"
_NAMES = {"delivery_pence": DELIVERY, "order_discount_pence": DISCOUNT, "goods_pence": GOODS}
_CURRENCY = Column(CURRENCY, cells.currency, HOME_CURRENCY, is_header=True)


def _order_check() -> Check[OrderRow]:
    same = alike("order_ref", "currency", *_NAMES, money=_NAMES)

    def check(row: OrderRow) -> Iterable[Found]:
        found, worth = same(row), row.unit_price_pence * row.quantity
        if worth >= MOST_PENCE:
            found = [*found, ("unit_price_gross", told(row.unit_price_pence), "makes the line too large an amount")]
        if abs(row.discount_pence) > worth:
            found = [*found, ("discount_gross", told(row.discount_pence), "is more than the line is worth")]
        return found

    return check


def _orders_agree(rows: Columns[OrderRow]) -> bool:
    """What ``_order_check`` asks of each line, of all of them at once."""
    units, prices, discounts = (
        rows.columns[name].numbers for name in ("quantity", "unit_price_pence", "discount_pence")
    )
    if max(values_of(rows, "quantity")) * max(values_of(rows, "unit_price_pence")) >= LARGEST_WORTH:
        return False
    worth = units * prices
    is_said_once = rows.agree("order_ref", "currency") and all(
        rows.agree("order_ref", name, silent=(None, 0)) for name in _NAMES
    )
    return is_said_once and bool(((worth < MOST_PENCE) & (abs(discounts) <= worth)).all())


def _note_check() -> Check[NoteRow]:
    same = alike("credit_note_code", "currency", "delivery_pence", money=_NAMES)

    def check(row: NoteRow) -> Iterator[Found]:
        yield from same(row)
        if not row.stock_code and row.delivery_pence is None:
            yield "stock_code", "", "is empty, and so is delivery_gross: one of them is needed"
        elif not row.stock_code and row.gross_pence not in (0, row.delivery_pence) and row.delivery_pence is not None:
            yield (
                "gross",
                told(row.gross_pence),
                "is neither 0 nor the delivery_gross, on a line without stock_code",
            )
        if row.net_pence is not None and abs(row.net_pence) > abs(row.gross_pence):
            yield "net", told(row.net_pence), "is more than the gross"
        elif row.net_pence and row.net_pence * row.gross_pence < 0:
            yield "net", told(row.net_pence), "has another sign than the gross"

    return check


def _notes_agree(rows: Columns[NoteRow]) -> bool:
    """What ``_note_check`` asks of each line, of all of them at once."""
    pence, nets = (rows.columns[name].numbers for name in ("gross_pence", "net_pence"))
    is_net_within = bool(((abs(nets) <= abs(pence)) & ((nets >= 0) == (pence >= 0) | (nets == 0))).all())
    is_said_once = rows.agree("credit_note_code", "currency") and rows.agree(
        "credit_note_code", "delivery_pence", silent=(None, 0)
    )
    return is_said_once and is_net_within and all(rows.columns["stock_code"].values)


def _is_no_refund(row: RefundRow) -> str:
    return f"{row.kind} (money from the customer)" if row.kind in NO_REFUND_KINDS else ""


def _numbered(values: Iterable[Any]) -> RefundRow:
    """A refund; one without an id is known by its line."""
    row = RefundRow._make(values)
    return row if row.refund_id else row._replace(refund_id=f"line {row.line}")


def _refund_check() -> Check[RefundRow]:
    unique = no_duplicate("refund_id", 1)()

    def check(row: RefundRow) -> Iterator[Found]:
        yield from unique(row)
        if row.kind not in REFUND_KINDS | NO_REFUND_KINDS:
            yield "kind", row.kind, "is neither a refund nor a kind of payment that we know, such as sale"
        if row.status not in MOVED | NOT_MOVED:
            yield "status", row.status, "does not say whether money moved: success, pending or failed is expected"
        if not row.return_id and not row.order_ref:
            yield "return_id", "", "is empty, and so is order_ref: one of them is needed"

    return check


STOCK_CODES: Layout[StockCodeRow] = Layout(
    known.CODES,
    (
        _code("stock_code", is_required=True),
        _key("stock_id"),
        Column("description", cells.note, ""),
        _key("other_ref"),
        _key("barcode"),
        Column("discontinued", cells.flag, False),
        Column("pack_components", cells.pack, ()),
    ),
    StockCodeRow._make,
    no_duplicate("stock_code", 1),
)
SALES_ORDERS: Layout[OrderRow] = Layout(
    known.ORDERS,
    (
        _key("order_ref", is_required=True),
        _key("so_code", is_header=True),
        _key("customer_ref", is_header=True),
        Column("ordered_at", cells.khaos_moment, is_header=True),
        _CURRENCY,
        _key("line_ref"),
        _code("stock_code", is_required=True),
        Column("quantity", cells.quantity, 0, True),
        _money("unit_price_gross", is_required=True),
        Column("vat_rate", cells.vat_percent),
        _money("discount_gross", is_signed=True),
        _money(DELIVERY, None),
        Column("invoiced_on", cells.day, is_header=True),
        _money(DISCOUNT, None, is_signed=True),
        _money(GOODS, None),
    ),
    OrderRow._make,
    _order_check,
    group="order_ref",
    settle=discounts_on_lines,
    agree=_orders_agree,
    fields=OrderRow._fields[1:],
)
CREDIT_NOTES: Layout[NoteRow] = Layout(
    known.NOTES,
    (
        _key("credit_note_code", is_required=True),
        _key("associated_ref", is_header=True),
        _key("order_ref", is_header=True),
        _key("customer_ref", is_header=True),
        Column("created_on", cells.day, is_header=True),
        _CURRENCY,
        _code("stock_code"),
        Column("quantity", cells.signed_quantity, 0),
        _money("gross", is_required=True, is_signed=True),
        _money("net", None, is_signed=True),
        _money(DELIVERY, None, is_signed=True),
    ),
    NoteRow._make,
    _note_check,
    group="credit_note_code",
    settle=credits_positive,
    worth="gross",
    agree=_notes_agree,
    fields=NoteRow._fields[1:],
)
REFUNDS: Layout[RefundRow] = Layout(
    known.REFUNDS,
    (
        _key("refund_id"),
        _key("order_ref"),
        _key("return_id"),
        Column("refunded_at", cells.moment),
        _CURRENCY,
        _money("amount", is_required=True, is_signed=True),
        Column("gateway", cells.key, ""),
        Column("status", _word, ""),
        Column("kind", _word, ""),
    ),
    _numbered,
    _refund_check,
    settle=refunds_positive,
    worth="amount",
    no_data=_is_no_refund,
)
