"""The files that somebody dropped, as far as they are read, and the audit of them.

Belongs here: a folder of files, what is told of each, and the run. Stays out: HTTP (``app``), reading
(``audit.inputs``) and the audit itself (``audit.run``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.files.faults import FaultKind, shown
from khaos_swap_assets.adapters.files.recognising import Reading
from khaos_swap_assets.adapters.files.tables import Report, Table
from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.control import Strip, strip
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.inputs import LAYOUTS, Paths, Said, columns_of, read_one
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.refunds.payments import PaymentKinds

KINDS = ("returns", *LAYOUTS)
DECISIONS = ("decisions", "report")
NEEDED = frozenset(KINDS) - {"refunds", *DECISIONS}
MOST_FAULTS = 20
_ORDER = ("returns", "stock-codes", "sales-orders", "credit-notes")


@dataclass
class Dropped:
    """One file: where it lies, what a person said of its headings, and what it held."""

    path: Path
    headings: dict[str, str] = field(default_factory=dict)
    table: Table[Any] | None = None


@dataclass
class Desk:
    """The files in ``folder`` by kind, and how far the work is: a step's name and its share from 0 to 1."""

    folder: Path
    dates: str = ""
    files: dict[str, Dropped] = field(default_factory=dict)
    step: tuple[str, float] = ("", 0.0)

    @property
    def out(self) -> Path:
        """Where the report is."""
        return self.folder / "report"

    def place(self, kind: str, name: str) -> Path:
        """Where a file of this name goes; the name says nothing of the folder. Raises ``ValueError`` for no name."""
        own = Path(name.replace("\\", "/")).name
        if not own or own in {".", ".."}:
            raise ValueError("has no name")
        folder = self.folder / kind
        folder.mkdir(exist_ok=True)
        return folder / own

    def take(self, kind: str, path: Path) -> dict[str, Any]:
        """Read a file that was dropped, in place of the one before it; what is told of it."""
        before = self.files.get(kind)
        if before and before.path != path:
            before.path.unlink(missing_ok=True)
        self.files[kind] = Dropped(path)
        return self.read(kind)

    def mapped(self, kind: str, headings: Mapping[str, str]) -> dict[str, Any]:
        """Read a file again with what a person said of its headings (column by heading)."""
        self.files[kind].headings = {heading: column for heading, column in headings.items() if column}
        return self.read(kind)

    def read(self, kind: str) -> dict[str, Any]:
        """Read one file as said; what is told of it."""
        one = self.files[kind]
        one.table = read_one(kind, one.path, self._said(), self._reports(kind))
        self.step = ("", 0.0)
        return told(kind, one.table, one.headings)

    def forget(self, kind: str) -> None:
        """Remove one file."""
        if one := self.files.pop(kind, None):
            one.path.unlink(missing_ok=True)

    def audit(self, span: Span, totals: Mapping[str, int], kinds: PaymentKinds, *, skips_bad_rows: bool) -> run.Done:
        """Audit the files into ``out``. Raises ``BadInputError`` and ``OutputError`` as ``audit.run`` does."""
        path_of = {kind: one.path for kind, one in self.files.items()}
        decisions = tuple(path_of[kind] for kind in DECISIONS if kind in path_of)
        returns, codes, orders, notes = (path_of[kind] for kind in _ORDER)
        paths = Paths(
            returns=returns,
            stock_codes=codes,
            sales_orders=orders,
            credit_notes=notes,
            refunds=path_of.get("refunds"),
            decisions=decisions,
        )
        said = Said(self._said().maps, self.dates, totals, kinds)
        return run.audit(paths, span, self.out, skips_bad_rows=skips_bad_rows, said=said, reports=self._reports)

    def _said(self) -> Said:
        maps = {one.path.name: Reading(one.headings) for one in self.files.values() if one.headings}
        return Said(maps, self.dates)

    def _reports(self, name: str) -> Report:
        def report(share: float) -> None:
            self.step = (name, share)

        return report


def told(kind: str, table: Table[Any], headings: Mapping[str, str]) -> dict[str, Any]:
    """What a person needs to know of a file: its figures, what is wrong, and the headings that nobody placed."""
    reading = table.reading
    missing: list[dict[str, Any]] = [
        {"column": name, "needed": is_required, "near": _near(table, name)}
        for name, is_required in columns_of(kind).items()
        if name not in table.columns and reading
    ]
    return {
        "file": table.file,
        "read": len(table.rows),
        "given": table.given,
        "rejected": table.rejected,
        "is_whole": table.is_whole,
        "figures": figures(strip(kind, table)),
        "notices": list(table.notices),
        "faults": [str(one) for one in _faults(table, {one["column"] for one in missing})][:MOST_FAULTS],
        "headings": list(reading.headings) if reading else [],
        "missing": missing,
        "mapped": dict(headings),
    }


def _faults(table: Table[Any], asked: set[str]) -> Iterator[FaultKind]:
    """What is wrong, but for the columns about whose headings the page asks."""
    return (one for one in table.kinds if one.examples[0].line or one.examples[0].column not in asked)


def _near(table: Table[Any], column: str) -> dict[str, Any] | None:
    near = next((one for one in table.nears if one.column == column), None)
    return {"heading": near.heading, "samples": list(map(shown, near.samples))} if near else None


def figures(one: Strip) -> str:
    """A file's control strip in one sentence."""
    days = f", {one.first} to {one.last}" if one.first else ""
    sums: Sequence[str] = [format_money(pence, currency) for currency, pence in one.sums.items()]
    what = "codes" if one.kind == "stock-codes" else "decisions" if one.kind in DECISIONS else "documents"
    return f"{one.documents:,} {what}{days}" + (f", in all {', '.join(sums)}" if sums else "")


def is_complete(desk: Desk) -> bool:
    """Whether every file that an audit needs is there and could be read."""
    return all((one := desk.files.get(kind)) and one.table and one.table.is_whole for kind in NEEDED)
