"""Payouts of any payment provider from a file, a row a line: their columns, their signs, and rows as payouts.

Belongs here: what the columns are and what must agree, whichever way a provider writes signs. Stays out: reading
(``tables``) and which refund a line is (``domain.payouts``). Where ``net`` stands beside gross and fee, arithmetic says
how the fee is written; a row that does not add up is a fault. Money is minor units of the row's currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from khaos_swap_assets.adapters.files import cells, known
from khaos_swap_assets.adapters.files.row_checks import alike, told
from khaos_swap_assets.adapters.files.signs import BOTH, NEGATIVE, POSITIVE
from khaos_swap_assets.adapters.files.tables import CURRENCY, HOME_CURRENCY, Check, Column, Found, Layout, Table
from khaos_swap_assets.domain.payouts.records import REFUND, Payout, PayoutLine

REFUND_WORDS = frozenset({REFUND, "refunds", "refunded", "payment refund", "payment_refund", "partial refund"})
UNSAID = "charge"
"""The kind of a line with money from a customer, where the file has no column for it."""


class PayoutRow(NamedTuple):
    """One line; ``gross_pence`` as the file writes it, until the signs are settled."""

    line: int
    provider: str
    payout_id: str
    paid_on: date
    currency: str
    total_pence: int | None
    line_id: str
    kind: str
    refund_id: str
    order_ref: str
    return_id: str
    gross_pence: int
    fee_pence: int | None
    net_pence: int | None


def _word(text: str) -> str:
    return cells.key(text).lower()


def _kind(text: str) -> str:
    word = _word(text)
    return REFUND if word in REFUND_WORDS else cells.key(text)


def _key(name: str, *, is_required: bool = False) -> Column:
    return Column(name, cells.key, "", is_required)


def _money(name: str, *, is_required: bool = False) -> Column:
    return Column(name=name, parse=None, is_required=is_required, is_signed=True)


def _check() -> Check[PayoutRow]:
    same = alike("payout_id", "paid_on", "currency", "total_pence", money={"total_pence": "payout_total"})
    seen: dict[tuple[str, str, str], int] = {}

    def check(row: PayoutRow) -> Iterator[Found]:
        yield from same(row)
        key = (row.provider, row.payout_id, row.line_id)
        if row.line_id and (first := seen.setdefault(key, row.line)) != row.line:
            yield "line_id", row.line_id, f"stands already on line {first}"

    return check


@dataclass(frozen=True, slots=True)
class _Written:
    """How a file writes: whether it names kinds, and whether what a fee costs is negative."""

    has_kinds: bool
    costs_are_negative: bool


def _settle(table: Table[PayoutRow]) -> None:
    """Every line as it reaches the merchant: refunds negative, fees positive; rows that do not add up are faults."""
    rows, table.rows = table.rows, ()
    kept: list[PayoutRow] = []
    is_negative = any(row.gross_pence < 0 for row in rows)
    is_mixed = is_negative and any(row.gross_pence > 0 for row in rows)
    table.signs = BOTH if is_mixed else NEGATIVE if is_negative else POSITIVE
    if rows and not is_negative and "kind" not in table.columns:
        told_ = "is missing, and no amount is negative: which rows are refunds? Name the column of the kind in --map"
        table.fault(0, "kind", "", told_)
        return
    fees = [row.fee_pence for row in rows if row.fee_pence]
    written = _Written("kind" in table.columns, bool(fees) and max(fees) < 0)
    for row in rows:
        settled = _settled(row, written)
        if settled:
            kept.append(settled)
        else:
            parts = f"{told(row.gross_pence)} and a fee of {told(row.fee_pence or 0)}"
            table.reject(row.line, "net", told(row.net_pence), f"does not agree with a gross of {parts}")
    table.rows = kept


def _settled(row: PayoutRow, written: _Written) -> PayoutRow | None:
    """The row with its signs; None where its net is neither gross less fee nor gross and fee."""
    kind = row.kind if written.has_kinds else REFUND if row.gross_pence < 0 else UNSAID
    sign = -1 if kind == REFUND and row.gross_pence > 0 else 1
    gross, fee = sign * row.gross_pence, row.fee_pence or 0
    if row.net_pence is None:
        return row._replace(kind=kind, gross_pence=gross, fee_pence=-fee if written.costs_are_negative else fee)
    ways = (gross - sign * row.net_pence,) if row.fee_pence is None else (fee, -fee)
    found = next((one for one in ways if gross - one == sign * row.net_pence), None)
    return None if found is None else row._replace(kind=kind, gross_pence=gross, fee_pence=found)


PAYOUTS: Layout[PayoutRow] = Layout(
    known.PAYOUTS,
    (
        Column("provider", _word, ""),
        _key("payout_id", is_required=True),
        Column("paid_on", cells.day, is_required=True),
        Column(CURRENCY, cells.currency, HOME_CURRENCY),
        _money("payout_total"),
        _key("line_id"),
        Column("kind", _kind, ""),
        _key("refund_id"),
        _key("order_ref"),
        _key("return_id"),
        _money("gross", is_required=True),
        _money("fee"),
        _money("net"),
    ),
    PayoutRow._make,
    _check,
    settle=_settle,
    worth="gross",
)


def payouts_of(rows: Iterable[PayoutRow], provider: str) -> list[Payout]:
    """The payouts of a file; ``provider`` is that of rows which name none. A line without an id is known by its place.

    Raises ``ValueError`` where nobody says whose payouts they are.
    """
    grouped: dict[tuple[str, str], list[PayoutRow]] = {}
    for row in rows:
        grouped.setdefault((row.provider or provider.strip().lower(), row.payout_id), []).append(row)
    if any(not name for name, _ in grouped):
        raise ValueError("says nowhere whose payouts they are: add a column provider, or give --provider")
    return [_payout(name, some) for (name, _), some in sorted(grouped.items())]


def _payout(provider: str, rows: Sequence[PayoutRow]) -> Payout:
    first = rows[0]
    total = next((row.total_pence for row in rows if row.total_pence is not None), None)
    lines = tuple(
        PayoutLine(
            line_id=row.line_id or f"row {number}", kind=row.kind, gross_pence=row.gross_pence,
            fee_pence=row.fee_pence or 0, refund_id=row.refund_id, return_ref=row.return_id, order_ref=row.order_ref,
        )
        for number, row in enumerate(rows, start=1)
    )  # fmt: skip
    return Payout(
        provider=provider, payout_id=first.payout_id, paid_on=first.paid_on, currency=first.currency,
        total_pence=total, lines=lines,
    )  # fmt: skip
