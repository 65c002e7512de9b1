"""What stands before the figures: a control strip for each file, and what could not be compared.

Belongs here: rows, days, sums and signs of each file as read, totals that a person expects, and what these files
cannot show. Stays out: the reconciliation's own figures (``summary``). Money is minor units by currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from khaos_swap_assets.adapters.files.columns import values_of
from khaos_swap_assets.adapters.files.documents import note_sums, order_sums
from khaos_swap_assets.adapters.files.faults import BadInputError, FaultKind, of_file, shown
from khaos_swap_assets.adapters.files.tables import HOME_CURRENCY, Table
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.return_rows import return_sums
from khaos_swap_assets.domain.linking.windows import REFUND
from khaos_swap_assets.domain.money.amounts import count_words, format_money, to_pence
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.returns import KNOWN_STATUSES
from khaos_swap_assets.domain.sums import added

Told = TypeVar("Told")
REFUNDS = ("refund is", "refunds are")
FileItem = tuple[date | None, str, int]
"""One document or movement of a file: its day or moment, currency and pence, as read."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One file beside what its owner's own report says: compare these figures before any other."""

    file: str
    kind: str
    documents: int
    rows: int
    first: date | None
    last: date | None
    sums: Mapping[str, int]
    positive: int
    negative: int
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileFigures:
    """One input file: ``given`` records are ``read`` and ``rejected`` ones, worth ``left_out`` by currency.

    ``unvalued`` of these do not tell what they are worth.
    """

    file: str
    given: int
    read: int
    rejected: int
    encoding: str
    separator: str
    ignored_columns: tuple[str, ...]
    left_out: Mapping[str, int]
    unvalued: int

    def left_words(self, name: str) -> str:
        """What its rejected records are worth, under the name of its option; empty where there are none."""
        told = [format_money(pence, currency) for currency, pence in self.left_out.items()]
        told += [f"{self.unvalued:,} whose amount cannot be read"] if self.unvalued else []
        return f"{name.replace('-', ' ')}: {', '.join(told)}" if told else ""


def figures_of(table: Table[Any]) -> FileFigures:
    """How many records of a file were read, and what the others are worth."""
    return FileFigures(
        file=table.file,
        given=table.given,
        read=len(table.rows),
        rejected=table.rejected,
        encoding=table.encoding,
        separator=table.separator,
        ignored_columns=table.ignored_columns,
        left_out={currency: pence for currency, pence in sorted(table.left_out.items()) if pence},
        unvalued=table.unvalued,
    )


def strips(inputs: Inputs) -> tuple[Strip, ...]:
    """The control strip of each file."""
    return tuple(strip(kind, table) for kind, table in inputs.tables.items())


def strip(kind: str, table: Table[Any]) -> Strip:
    """The control strip of one file, by the name of its option."""
    items = list(ITEMS[kind](table.rows)) if kind in ITEMS else []
    moments = [moment for moment, _, _ in items if moment]
    sums = added((currency, pence) for _, currency, pence in items)
    return Strip(
        file=table.file,
        kind=kind,
        documents=len(items) or len(table.rows),
        rows=len(table.rows),
        first=_day(min(moments, default=None)),
        last=_day(max(moments, default=None)),
        sums=dict(sorted(sums.items())),
        positive=sum(pence > 0 for _, _, pence in items) - table.turned,
        negative=table.turned,
        notices=tuple(table.notices),
    )


def _day(moment: date | None) -> date | None:
    """The London day of a day or a moment."""
    return london_date(moment) if isinstance(moment, datetime) else moment


ITEMS: Mapping[str, Callable[[Any], Iterator[FileItem]]] = {
    "returns": return_sums,
    "sales-orders": order_sums,
    "credit-notes": note_sums,
    "refunds": lambda rows: ((row.refunded_at, row.currency, row.amount_pence) for row in rows),
}


def expected_pence(kind: str, text: str) -> int:
    """What a person expects a file to add up to, in pounds such as £1,234.50. Raises ``ValueError``."""
    if kind not in ITEMS:
        raise ValueError(f"names no file: one of {', '.join(ITEMS)} is expected")
    return to_pence(text.strip().removeprefix("£").replace(",", ""), HOME_CURRENCY)


def require_totals(found: Iterable[Strip], expected: Mapping[str, int]) -> None:
    """Compare sums with what a person expects. Raises ``BadInputError`` naming each difference in money."""
    by_kind = {one.kind: one for one in found}
    apart = [fault for kind, pence in expected.items() if (fault := _apart(kind, by_kind.get(kind), pence))]
    if apart:
        raise BadInputError(apart)


def _apart(kind: str, one: Strip | None, pence: int) -> FaultKind | None:
    if one is None or len(one.sums) != 1:
        told = "has no sum" if one is None or not one.sums else "has sums of several currencies"
        return of_file(f"--expect-total {kind}", "", "", f"cannot be compared: the file {told}")
    ((currency, total),) = one.sums.items()
    if total == pence:
        return None
    told = f"adds up to {format_money(total, currency)}, not {format_money(pence, currency)}"
    rest = f"{format_money(total - pence, currency)} apart in {one.documents:,} documents"
    return of_file(one.file, "", "", f"{told}: {rest}")


def not_compared(inputs: Inputs, orders_missing: int) -> Iterator[str]:
    """What these files cannot show, the weightiest first; ``orders_missing`` returns have no order in the files."""
    returns, notes, orders = inputs.returns.rows, inputs.credit_notes, inputs.sales_orders
    if inputs.refunds is None:
        yield "Money: no refunds file was given, so that a refund is what Swap says; nobody has looked at the payments"
    if returns and orders_missing:
        share = round(100 * orders_missing / len(returns))
        names = "names" if orders_missing == 1 else "name"
        yield f"Orders: {orders_missing:,} of {len(returns):,} returns ({share} %) {names} an order that no file has"
    yield from _days(inputs)
    if all(net is None for net in values_of(notes.rows, "net_pence")):
        yield "VAT: the Credit Notes have no net amounts, so that no VAT is compared"
    elif all(rate is None for rate in values_of(orders.rows, "vat_percent")):
        yield "VAT: the Sales Orders have no VAT rates, so that no VAT is compared"
    unknown = added((one.status, one.returns) for one in inputs.heads if one.status not in KNOWN_STATUSES)
    if unknown:
        told = ", ".join(f"{shown(status or 'none')} {count:,}" for status, count in unknown.most_common(5))
        some = count_words(sum(unknown.values()), "return has", "returns have")
        yield f"Status: {some} a status that is not known: {told}"
    yield from _currencies(inputs)
    yield "Issue: the file does not say which Credit Notes are issued, so that notes not issued yet may be among them"
    for table in inputs.tables.values():
        for near in table.nears:
            samples = ", ".join(map(shown, near.samples))
            asked = f"is the column {shown(near.heading)} ({samples}) {near.column}?"
            yield f"{table.file}: {asked} It is not used: say so in --map"


def _days(inputs: Inputs) -> Iterator[str]:
    """Refunds whose Credit Note must lie outside the file: a note comes within a known time of its refund."""
    refunded = added((one.paid_on, one.returns) for one in inputs.heads if one.is_paid and one.paid_on)
    noted = [day for day in values_of(inputs.credit_notes.rows, "created_on") if day]
    if not refunded or not noted:
        return
    first, last = min(noted), max(noted)
    from_here = first - timedelta(days=REFUND.after or 0)
    if late := sum(count for day, count in refunded.items() if day > last):
        yield f"Days: {count_words(late, *REFUNDS)} later than the last Credit Note of the file ({last})"
    if early := sum(count for day, count in refunded.items() if day < from_here):
        yield f"Days: {count_words(early, *REFUNDS)} long before the first Credit Note of the file ({first})"


def _currencies(inputs: Inputs) -> Iterator[str]:
    refunded = added((one.currency, one.returns) for one in inputs.heads)
    noted = set(values_of(inputs.credit_notes.rows, "currency"))
    for currency, count in sorted(refunded.items()):
        if noted and currency not in noted:
            told = count_words(count, "return", "returns")
            yield f"Currency: {told} in {currency}, and no Credit Note in it; the files hold no rate"
