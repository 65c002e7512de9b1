"""All input files of one audit, read together so that everything wrong with any of them is told at once.

Belongs here: which files there are and whether the audit may go on. Stays out: reading one file (``tables``,
``returns_file``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.files import layouts
from khaos_swap_assets.adapters.files.faults import BadInputError, Fault
from khaos_swap_assets.adapters.files.layouts import NoteRow, OrderRow, RefundRow, StockCodeRow
from khaos_swap_assets.adapters.files.tables import Report, Table, read_table, silent, without_torn_groups
from khaos_swap_assets.adapters.swap.wire import MARKER, MARKER_OF_V1
from khaos_swap_assets.audit.returns_file import ReturnRow, read_returns
from khaos_swap_assets.domain.refund_proof import Proof

Reports = Callable[[str], Report]


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the files are; ``refunds`` may be left out."""

    returns: Path
    stock_codes: Path
    sales_orders: Path
    credit_notes: Path
    refunds: Path | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was read of each file."""

    returns: Table[ReturnRow]
    stock_codes: Table[StockCodeRow]
    sales_orders: Table[OrderRow]
    credit_notes: Table[NoteRow]
    refunds: Table[RefundRow] | None

    @property
    def tells_proof(self) -> bool:
        """Whether the returns say at all which of them were processed: a field that no row carries is not known."""
        return any(name in row.raw for row in self.returns.rows for name in (MARKER, MARKER_OF_V1))

    @property
    def proven_returns(self) -> Iterator[ReturnRow]:
        """The returns with what proves their refunds: the money where it was given, else Swap's word as it is live.

        Where the returns do not say which were processed, Closed with a date is Swap's word (U-1).
        """
        proof = Proof() if self.tells_proof else Proof("closed")
        for row in self.returns.rows:
            known = replace(row.record, is_closing_proof=True) if self.refunds else proof.on(row.record)
            yield replace(row, record=known)

    @property
    def tables(self) -> dict[str, Table[Any]]:
        """The tables that were given, by the name of their option."""
        tables: dict[str, Table[Any]] = {
            "returns": self.returns,
            "stock-codes": self.stock_codes,
            "sales-orders": self.sales_orders,
            "credit-notes": self.credit_notes,
        }
        return tables | ({"refunds": self.refunds} if self.refunds else {})

    @property
    def faults(self) -> Sequence[Fault]:
        """Everything wrong, in the order of files and lines."""
        return [fault for table in self.tables.values() for fault in sorted(table.faults, key=_place)]


def read_inputs(paths: Paths, *, skips_bad_rows: bool, reports: Reports = lambda name: silent) -> Inputs:
    """Read all files. Raises ``BadInputError`` for an unreadable file, and for bad rows unless they are skipped."""
    inputs = Inputs(
        read_returns(paths.returns, reports("returns")),
        read_table(paths.stock_codes, layouts.STOCK_CODES, reports("stock-codes")),
        read_table(paths.sales_orders, layouts.SALES_ORDERS, reports("sales-orders")),
        read_table(paths.credit_notes, layouts.CREDIT_NOTES, reports("credit-notes")),
        read_table(paths.refunds, layouts.REFUNDS, reports("refunds")) if paths.refunds else None,
    )
    is_whole = all(table.is_whole for table in inputs.tables.values())
    if inputs.faults and not (skips_bad_rows and is_whole):
        raise BadInputError(inputs.faults)
    without_torn_groups(inputs.sales_orders, layouts.SALES_ORDERS.group)
    without_torn_groups(inputs.credit_notes, layouts.CREDIT_NOTES.group)
    return inputs


def _place(fault: Fault) -> tuple[int, int]:
    return fault.line, fault.record
