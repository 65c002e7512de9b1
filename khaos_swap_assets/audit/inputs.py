"""All input files of one audit, read together so that everything wrong with any of them is told at once.

Belongs here: which files there are and whether the audit may go on. Stays out: reading one file (``tables``,
``returns_file``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.files import decided, layouts
from khaos_swap_assets.adapters.files.columns import values_of
from khaos_swap_assets.adapters.files.decided import DecisionRow
from khaos_swap_assets.adapters.files.documents import by_order
from khaos_swap_assets.adapters.files.faults import BadInputError, Fault, FaultKind
from khaos_swap_assets.adapters.files.layouts import NoteRow, OrderRow, RefundRow, StockCodeRow
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.files.recognising import Reading
from khaos_swap_assets.adapters.files.tables import Asked, Layout, Report, Table, silent, without_torn_groups
from khaos_swap_assets.audit.order_names import OrderNames, naming_of
from khaos_swap_assets.audit.return_rows import Head, ReturnRow, ReturnRows, heads
from khaos_swap_assets.audit.returns_file import read_returns
from khaos_swap_assets.audit.returns_table import RETURNS
from khaos_swap_assets.domain.records.returns import PROCESSED, PROCESSED_OF_V1, Return
from khaos_swap_assets.domain.refunds.money_shown import Claimant
from khaos_swap_assets.domain.refunds.payments import PaymentKinds
from khaos_swap_assets.domain.refunds.proof import Proof

Reports = Callable[[str], Report]
LAYOUTS: Mapping[str, Layout[Any]] = {
    "stock-codes": layouts.STOCK_CODES,
    "sales-orders": layouts.SALES_ORDERS,
    "credit-notes": layouts.CREDIT_NOTES,
    "refunds": layouts.REFUNDS,
    "decisions": decided.DECISIONS,
    "report": decided.DECISIONS,
}
"""The tables by the name of their option; returns may be JSON too."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the files are; ``refunds`` may be left out, and so may the ``decisions`` of people."""

    returns: Path
    stock_codes: Path
    sales_orders: Path
    credit_notes: Path
    refunds: Path | None = None
    decisions: Sequence[Path] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said of the files: readings by file name, the order of days (uk, us), and totals in pence.

    ``totals`` are by option (credit-notes, refunds, …): what the merchant's own report adds up to. ``payment_kinds``
    says which gateways are money.
    """

    maps: Mapping[str, Reading] = field(default_factory=dict)
    dates: str = ""
    totals: Mapping[str, int] = field(default_factory=dict)
    payment_kinds: PaymentKinds = field(default_factory=PaymentKinds)

    def of(self, path: Path) -> Asked:
        """What was said of one file."""
        return Asked(self.maps.get(path.name), self.dates, tuple(self.maps.values()))


@dataclass(frozen=True)
class Inputs:
    """What was read of each file."""

    returns: Table[ReturnRow]
    stock_codes: Table[StockCodeRow]
    sales_orders: Table[OrderRow]
    credit_notes: Table[NoteRow]
    refunds: Table[RefundRow] | None
    decisions: tuple[Table[DecisionRow], ...] = ()
    payment_kinds: PaymentKinds = field(default_factory=PaymentKinds)
    known_names: OrderNames | None = None

    @cached_property
    def tells_proof(self) -> bool:
        """Whether the returns say at all which of them were processed: a field that no row carries is not known."""
        rows = self.returned
        return bool(rows.plain) or any(name in row.raw for row in rows.others for name in (PROCESSED, PROCESSED_OF_V1))

    @cached_property
    def returned(self) -> ReturnRows:
        """The returns, plain ones as columns."""
        return ReturnRows.of(self.returns.rows)

    @cached_property
    def order_names(self) -> OrderNames:
        """How orders are named: as most returns of the files find theirs."""
        if self.known_names:
            return self.known_names
        own = [name for row in self.returned.others for name in Claimant(row.record).order_names]
        credited = set(values_of(self.credit_notes.rows, "order_ref")) - {""}
        naming = naming_of([*self.returned.plain.orders, *own], self.sold.keys(), credited)
        return OrderNames(self.sales_orders.rows, naming)

    @cached_property
    def sold(self) -> Mapping[str, Sequence[OrderRow]]:
        """The lines of the Sales Orders by order reference."""
        return by_order(self.sales_orders.rows)

    @cached_property
    def proven_returns(self) -> Sequence[ReturnRow]:
        """The returns with what proves their refunds: the money where it was given, else Swap's word as it is live.

        Where the returns do not say which were processed, Closed with a date is Swap's word (U-1).
        """
        return [replace(row, record=self.proven(row.record)) for row in self.returns.rows]

    def proven(self, record: Return) -> Return:
        """A return with what proves its refund."""
        proof = Proof() if self.tells_proof else Proof("closed")
        return replace(record, is_closing_proof=True) if self.refunds else proof.on(record)

    @property
    def heads(self) -> Iterator[Head]:
        """What is told of each return, with the day on which it is proven to be paid."""
        return heads(self.returned, self.proven)

    @property
    def tables(self) -> dict[str, Table[Any]]:
        """The tables that were given, by the name of their option."""
        tables: dict[str, Table[Any]] = {
            "returns": self.returns,
            "stock-codes": self.stock_codes,
            "sales-orders": self.sales_orders,
            "credit-notes": self.credit_notes,
        }
        tables |= {"refunds": self.refunds} if self.refunds else {}
        return tables | {"decisions" + f"-{at}" * (at > 1): one for at, one in enumerate(self.decisions, start=1)}

    @property
    def kinds(self) -> Sequence[FaultKind]:
        """Everything wrong by kind: file by file, the most rows first."""
        return [kind for table in self.tables.values() for kind in table.kinds]

    @property
    def faults(self) -> Iterator[Fault]:
        """Everything wrong, in the order of files and lines."""
        return (
            fault for table in self.tables.values() for fault in sorted(table.faults, key=attrgetter("line", "record"))
        )


def read_all(paths: Paths, said: Said | None = None, reports: Reports = lambda name: silent) -> Inputs:
    """Read all files; whatever is wrong is in the faults of each."""
    told = said or Said()

    def read(kind: str, path: Path) -> Table[Any]:
        return read_one(kind, path, told, reports(kind))

    return Inputs(
        returns=read("returns", paths.returns),
        stock_codes=read("stock-codes", paths.stock_codes),
        sales_orders=read("sales-orders", paths.sales_orders),
        credit_notes=read("credit-notes", paths.credit_notes),
        refunds=read("refunds", paths.refunds) if paths.refunds else None,
        decisions=tuple(read("decisions", path) for path in paths.decisions),
        payment_kinds=told.payment_kinds,
    )


def read_one(kind: str, path: Path, said: Said, report: Report = silent) -> Table[Any]:
    """Read the file of one option; whatever is wrong is in its faults."""
    layout = LAYOUTS.get(kind)
    return read_table(path, layout, report, said.of(path)) if layout else read_returns(path, report, said.of(path))


def columns_of(kind: str) -> dict[str, bool]:
    """The columns of the file of one option; True for a required one."""
    return (LAYOUTS.get(kind) or RETURNS).names


def usable(inputs: Inputs, *, skips_bad_rows: bool) -> None:
    """Set documents aside that lost a row. Raises ``BadInputError`` where the audit may not go on."""
    is_whole = all(table.is_whole for table in inputs.tables.values())
    if inputs.kinds and not (skips_bad_rows and is_whole):
        raise BadInputError(inputs.kinds)
    without_torn_groups(inputs.sales_orders, layouts.SALES_ORDERS.group)
    without_torn_groups(inputs.credit_notes, layouts.CREDIT_NOTES.group)
