"""The audit as one frozen record of figures, from which the page, the workbook and the JSON are made.

Belongs here: sums, counts and ages. Stays out: wording and layout (``page``, ``workbook``) and files (``writing``).
Money is minor units; nothing is ever added up over currencies.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from khaos_swap_assets.audit.control import FileFigures, Strip, figures_of, not_compared, strips
from khaos_swap_assets.audit.deciding import Ruling
from khaos_swap_assets.audit.engine import Audited, AuditFinding, Span
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.pairing import Pairing
from khaos_swap_assets.audit.rows import BY_REFERENCE, CERTAIN, MATCHED, SUGGESTED, AuditRow, RowMonth, Rows
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.judging.value_conditions import UNRECONCILED, WORST_FIRST
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.sums import grouped

AGES = ((2, "0-2"), (7, "3-7"), (14, "8-14"), (30, "15-30"))
OLDEST = "31+"
UNRECONCILED_FIRST = tuple(status for status in WORST_FIRST if status in UNRECONCILED)
UNKNOWN_AGE = "unknown"
AGE_NAMES = (*(name for _, name in AGES), OLDEST, UNKNOWN_AGE)
UNKNOWN_PROOF = (
    "The returns do not say which of them were processed (no rma_processed in the file, nor processed, as "
    "version 1 of Swap's API calls it), so each that is Closed with a date counts as refunded, also where staff closed "
    "it without paying; nobody has looked at the bank."
)
SINGLE_SIDED = ("in_flight", "credit_note_missing", "credit_note_orphan", "ambiguous", "refund_without_return")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many, and how much."""

    count: int = 0
    pence: int = 0

    def plus(self, pence: int) -> Tally:
        """One more."""
        return Tally(self.count + 1, self.pence + pence)


@dataclass(frozen=True, slots=True)
class Month:
    """One London month; ``open`` is what is not reconciled, without sign, and counts a row in its last one.

    ``elsewhere_pence`` was paid in it and is credited by a note of another month, ``for_elsewhere_pence`` is credited
    in it for money of another month; the two are never set off (FINANCE_RULES U-17).
    """

    refunded_pence: int = 0
    credited_pence: int = 0
    open: Tally = Tally()
    elsewhere_pence: int = 0
    for_elsewhere_pence: int = 0

    def plus(self, row: RowMonth, rows: int) -> Month:
        """What it holds of a row more, and of how many unreconciled ones it is the month (none or one)."""
        opened = Tally(self.open.count + rows, self.open.pence + row.open_pence)
        refunded, credited = self.refunded_pence + row.refund_pence, self.credited_pence + row.credited_pence
        return replace(self, refunded_pence=refunded, credited_pence=credited, open=opened)

    def shifted(self, pence: int) -> Month:
        """With credit for money of another month (positive), or money that another month credits (negative)."""
        elsewhere, for_elsewhere = self.elsewhere_pence + max(-pence, 0), self.for_elsewhere_pence + max(pence, 0)
        return replace(self, elsewhere_pence=elsewhere, for_elsewhere_pence=for_elsewhere)


@dataclass(frozen=True, slots=True)
class Totals:
    """One currency. ``steps`` lead from refunded to credited: rows with one side only, then the legs of all others.

    ``open`` is what is not reconciled, ``decided`` what people decided to leave, both without sign;
    ``open_by_status``, ``by_age`` (days since refund or note) and ``by_month`` divide what is open. ``by_status`` has
    the gaps.
    """

    currency: str
    refunded_pence: int
    credited_pence: int
    open: Tally
    decided: Tally
    legs: Mapping[str, int]
    by_status: Mapping[str, Tally]
    open_by_status: Mapping[str, Tally]
    by_age: Mapping[str, Tally]
    by_month: Mapping[str, Month]
    steps: Mapping[str, int]

    @property
    def gap_pence(self) -> int:
        """Credited less refunded."""
        return self.credited_pence - self.refunded_pence


@dataclass(frozen=True, slots=True)
class OwnerTask:
    """One kind of exception: how many, and the money at risk by currency."""

    kind: str
    owner: str
    meaning: str
    action: str
    count: int
    pence: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one audit; ``totals`` begin with the currency of the most rows, ``tasks`` with the most money.

    ``rulings`` say what became of each decision of a person. ``is_proof_known``: the returns say which of them were
    processed; where they do not, Closed counts as refunded.
    """

    span: Span
    files: Mapping[str, FileFigures]
    is_money_seen: bool
    is_proof_known: bool
    order_ref_format: str
    returns: int
    credit_notes: int
    totals: tuple[Totals, ...]
    passes: Mapping[str, Mapping[str, int]]
    tasks: tuple[OwnerTask, ...]
    strips: tuple[Strip, ...] = ()
    not_compared: tuple[str, ...] = ()
    rulings: tuple[Ruling, ...] = ()

    @property
    def refunds_are(self) -> str:
        """What a refund is in these figures, in one sentence for the first page."""
        if self.is_money_seen:
            return "A refund is money that moved, by the refunds file."
        if self.is_proof_known:
            return "A refund is what Swap shows as processed; nobody has looked at the bank."
        return UNKNOWN_PROOF

    @property
    def rejected(self) -> int:
        """Rejected records of all files."""
        return sum(figures.rejected for figures in self.files.values())

    @property
    def left_out(self) -> tuple[str, ...]:
        """What rejected records are worth, file by file, for the first page."""
        return tuple(told for name, one in self.files.items() if (told := one.left_words(name)))


def summarise(
    inputs: Inputs, pairing: Pairing, done: Audited, findings: Sequence[AuditFinding], span: Span, rows: Rows
) -> Summary:
    """All figures of an audit; ``rows`` are those of ``done`` with what was in step before."""
    by_currency = grouped((row.currency, row) for row in done.rows)
    plain, months = Counter(rows.own["currency"]), rows.months
    counts = plain + Counter({currency: len(some) for currency, some in by_currency.items()})
    currencies = sorted(counts, key=lambda currency: (-counts[currency], currency))
    return Summary(
        span=span,
        files={name: figures_of(table) for name, table in inputs.tables.items()},
        is_money_seen=inputs.refunds is not None,
        is_proof_known=inputs.tells_proof,
        order_ref_format=inputs.order_names.naming.ref_format,
        returns=len(pairing.case_of) + len(rows.in_step),
        credit_notes=len(pairing.note_of) + len(rows.in_step),
        totals=tuple(
            _totals(one, by_currency.get(one, []), span, plain[one], months.get(one, {})) for one in currencies
        ),
        passes=_passes(pairing, len(rows.in_step)),
        tasks=tasks(one for one in findings if not one.waiver),
        rulings=tuple(done.rulings),
        strips=strips(inputs),
        not_compared=tuple(not_compared(inputs, sum(not case.order_ref for case in pairing.case_of.values()))),
    )


def _totals(currency: str, rows: Sequence[AuditRow], span: Span, in_step: int, plain: Mapping[str, int]) -> Totals:
    """The figures of a currency: of its rows, and of how many more in step with their pence by month."""
    undone = [row for row in rows if row.is_unreconciled]
    decided = [abs(row.gap_pence) for row in rows if row.status == "decided"]
    by_status = _tallied(WORST_FIRST, ((row.status, row.gap_pence) for row in rows))
    by_status[MATCHED] = replace(by_status[MATCHED], count=by_status[MATCHED].count + in_step)
    return Totals(
        currency=currency,
        refunded_pence=sum(row.refund_pence for row in rows) + sum(plain.values()),
        credited_pence=sum(row.credited_pence for row in rows) + sum(plain.values()),
        open=Tally(len(undone), sum(row.open_pence for row in rows)),
        decided=Tally(len(decided), sum(decided)),
        legs={leg: sum(row.legs[leg] for row in rows) for leg in LEGS},
        by_status=by_status,
        open_by_status=_tallied(UNRECONCILED_FIRST, ((row.status, row.open_pence) for row in undone)),
        by_age=_tallied(AGE_NAMES, ((age_of(row, span), row.open_pence) for row in undone)),
        by_month=_months(rows, plain),
        steps=_steps(rows),
    )


def _tallied(names: Iterable[str], told: Iterable[tuple[str, int]]) -> dict[str, Tally]:
    found = dict.fromkeys(names, Tally())
    for name, pence in told:
        found[name] = found[name].plus(pence)
    return found


def _months(rows: Iterable[AuditRow], plain: Mapping[str, int]) -> dict[str, Month]:
    found: defaultdict[str, Month] = defaultdict(Month)
    for row in rows:
        months = row.by_month
        for one in months:
            found[one.period] = found[one.period].plus(one, int(row.is_unreconciled and one is months[-1]))
        for month, pence in row.timing.shifts().items():
            found[month] = found[month].shifted(pence)
    for month, pence in plain.items():
        found[month] = found[month].plus(RowMonth(month, pence, pence, 0), 0)
    return dict(sorted(found.items()))


def age_of(row: AuditRow, span: Span) -> str:
    """The bucket of calendar days since the row's day (FINANCE_RULES U-19)."""
    if row.day is None:
        return UNKNOWN_AGE
    days = (span.as_of - row.day).days
    return next((name for most, name in AGES if days <= most), OLDEST)


def _steps(rows: Iterable[AuditRow]) -> dict[str, int]:
    steps = dict.fromkeys((*SINGLE_SIDED, *LEGS), 0)
    for row in rows:
        if row.status in SINGLE_SIDED and not (row.refund_pence and row.credited_pence):
            steps[row.status] += row.gap_pence
        else:
            for leg, pence in row.legs.items():
                steps[leg] += pence
    return steps


def _passes(pairing: Pairing, in_step: int) -> dict[str, dict[str, int]]:
    certain = Counter[str](link.matched_by for link in pairing.links) + Counter({BY_REFERENCE: in_step})
    suggested = Counter[str](link.matched_by for link in pairing.suggested)
    return {CERTAIN: dict(sorted(certain.items())), SUGGESTED: dict(sorted(suggested.items()))}


def tasks(findings: Iterable[AuditFinding]) -> tuple[OwnerTask, ...]:
    """The exceptions by kind, the most money first."""
    counts: Counter[str] = Counter()
    pence: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in findings:
        counts[one.kind] += 1
        if one.currency:
            pence[one.kind][one.currency] += one.money_at_risk_pence
    found = [_task(kind, count, pence[kind]) for kind, count in counts.items()]
    return tuple(sorted(found, key=lambda task: (-max(task.pence.values(), default=0), -task.count, task.kind)))


def _task(kind: str, count: int, pence: Mapping[str, int]) -> OwnerTask:
    told, sums = KINDS[kind], dict(sorted(pence.items()))
    return OwnerTask(kind, told.owner, meaning=told.meaning, action=told.action, count=count, pence=sums)
