"""People's decisions as a file: ``decisions.csv``, or the columns of the report's workbook in which a person decides.

Belongs here: the columns of both, and a row as a decision. Stays out: what a decision does (``domain.records``,
``audit.deciding``, ``stages.deciding``). A row without a decision is no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, get_args

from khaos_swap_assets.adapters.files import cells
from khaos_swap_assets.adapters.files.tables import CURRENCY, HOME_CURRENCY, Check, Column, Found, Layout
from khaos_swap_assets.adapters.files.written import FORMULA_STARTS, write_csv
from khaos_swap_assets.domain.money.amounts import from_pence
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.decisions import (
    OF_LINKS,
    OF_VALUES,
    SAME_CODE,
    WAIVED,
    DecisionKind,
    Figures,
    PersonDecision,
)

KIND = "decisions"
COLUMNS = (
    *("decision", "subject", "object", "decided_by", "reason", "decided_on"),
    *("money_at_risk", "refunded", "credited", CURRENCY),
)
NAMES = get_args(DecisionKind)


class DecisionRow(NamedTuple):
    """One row; ``kind``, ``rma`` and ``sku`` are those of the exception beside which a person decided."""

    line: int
    decision: str
    subject: str
    object: str
    decided_by: str
    reason: str
    decided_at: datetime | None
    at_risk_pence: int | None
    refund_pence: int | None
    credited_pence: int | None
    currency: str
    kind: str
    rma: str
    sku: str


def _text(text: str) -> str:
    """A text without the apostrophe that keeps a spreadsheet from calculating it."""
    return cells.code(text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text)


def _name(text: str) -> str:
    return "_".join(text.lower().split())


def _check() -> Check[DecisionRow]:
    def check(row: DecisionRow) -> Iterator[Found]:
        if row.decision and row.decision not in NAMES:
            yield "decision", row.decision, f"is none of {', '.join(NAMES)}"
        elif row.decision:
            yield from _missing(row)

    return check


def _missing(row: DecisionRow) -> Iterator[Found]:
    needs_object = row.decision in {*OF_LINKS, SAME_CODE} or (row.decision == WAIVED and not row.kind)
    needed = {"subject": row.subject, "decided_by": row.decided_by, "reason": row.reason}
    needed |= {"object": row.object} if needs_object else {}
    yield from (
        (name, "", "is empty: who decided what about what, and why?") for name, text in needed.items() if not text
    )


def _undecided(row: DecisionRow) -> str:
    return "" if row.decision else "not decided"


DECISIONS: Layout[DecisionRow] = Layout(
    KIND,
    (
        Column("decision", _name, "", is_awaited=True),
        Column("subject", _text, "", is_awaited=True),
        Column("object", _text, ""),
        Column("decided_by", _text, "", is_awaited=True),
        Column("reason", _text, "", is_awaited=True),
        Column("decided_on", cells.moment),
        *(Column(name, None, None, is_signed=True) for name in COLUMNS[6:9]),
        Column(CURRENCY, cells.currency, HOME_CURRENCY),
        *(Column(name, _text, "") for name in ("kind", "rma", "sku")),
    ),
    DecisionRow._make,
    _check,
    no_data=_undecided,
)


def decisions_of(rows: Iterable[DecisionRow], now: datetime) -> list[PersonDecision]:
    """The decisions of a file; those without a day were made ``now``."""
    return [_decision(row, now) for row in rows]


def _decision(row: DecisionRow, now: datetime) -> PersonDecision:
    kind: DecisionKind = next(name for name in NAMES if name == row.decision)
    subject, other = row.subject, row.object
    if kind in OF_VALUES:
        subject, other = row.rma or subject, ""
    elif kind == WAIVED:
        other = other or row.kind
    elif kind == SAME_CODE:
        subject = row.sku or subject
    moment = row.decided_at or now
    return PersonDecision(
        decision=kind,
        subject=subject,
        object=other,
        decided_by=row.decided_by,
        reason=row.reason,
        decided_at=moment,
        on=_figures(kind, row),
    )


def _figures(kind: DecisionKind, row: DecisionRow) -> Figures:
    """Those that are the decision's own: beside an exception all figures of the exception stand."""
    at_risk = row.at_risk_pence if kind == WAIVED else None
    refunded = row.refund_pence if kind in OF_VALUES else None
    is_of_note = kind in OF_LINKS and not row.kind
    credited = row.credited_pence if kind in OF_VALUES or is_of_note else None
    is_given = any(one is not None for one in (at_risk, refunded, credited))
    return Figures(at_risk, refunded, credited, row.currency if is_given else "")


def write_decisions(path: Path, made: Iterable[PersonDecision], more: Callable[[PersonDecision], str]) -> None:
    """Write decisions as a file that can be read again, with a last column ``state`` of what ``more`` says of each."""
    write_csv(path, (*COLUMNS, "state"), ([*decision_cells(one), more(one)] for one in made))


def decision_cells(one: PersonDecision) -> list[Any]:
    """The cells of a decision, in the order of ``COLUMNS``; money in whole units."""
    amounts = (one.on.money_at_risk_pence, one.on.refund_pence, one.on.credited_pence)
    return [
        *(one.decision, one.subject, one.object, one.decided_by, one.reason, str(london_date(one.decided_at))),
        *("" if pence is None else str(from_pence(pence, one.on.currency or HOME_CURRENCY)) for pence in amounts),
        one.on.currency,
    ]
