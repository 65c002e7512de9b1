"""The report page: one file that needs nothing else, for a finance director, with the waterfall as a picture in it.

Belongs here: what the page shows, and the geometry of its picture. Stays out: how it looks (``page.html``) and the
figures (``summary``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from khaos_swap_assets.audit.rows import LEG_WORDS, STATUS_WORDS, STEP_WORDS, AuditRow
from khaos_swap_assets.audit.summary import OwnerTask, Summary, Tally, Totals
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.money.amounts import format_money

WORST = 50
FIRST_TASKS = 5
LONGEST_CELL = 60
PARTIAL = ("Orders:", "Days:", "Currency:", "Status:")


@dataclass(frozen=True, slots=True)
class Work:
    """One owner's part of the work; money at risk by currency."""

    owner: str
    count: int
    pence: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Share:
    """One status's part of what is not reconciled."""

    status: str
    tally: Tally


def html(summary: Summary, rows: Sequence[AuditRow]) -> str:
    """The page as text."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "money": printed,
        "cut": _cut,
        "all_money": all_money,
        "count": "{:,}".format,
        "owner": owner_word,
    }
    template = environment.from_string(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    return template.render(
        summary=summary,
        charts={totals.currency: waterfall(totals) for totals in summary.totals},
        shares={totals.currency: shares(totals) for totals in summary.totals},
        worst={totals.currency: worst(rows, totals.currency) for totals in summary.totals},
        owners=owners(summary.tasks),
        is_partial=is_partial(summary),
        currencies=[totals.currency for totals in summary.totals],
        first_tasks=FIRST_TASKS,
        worst_of=WORST,
        status_words=STATUS_WORDS,
        step_words=STEP_WORDS,
        cause=main_cause,
    )


def is_partial(summary: Summary) -> bool:
    """True where records were rejected or much of the returns could not be compared: then no headline is green."""
    return bool(summary.rejected) or any(one.startswith(PARTIAL) for one in summary.not_compared)


def shares(totals: Totals) -> list[Share]:
    """What is not reconciled by status, the most money first; statuses without rows are left out."""
    found = [Share(status, tally) for status, tally in totals.open_by_status.items() if tally.count]
    return sorted(found, key=lambda share: -share.tally.pence)


def worst(rows: Iterable[AuditRow], currency: str) -> list[AuditRow]:
    """The rows of a currency with the most money that is not reconciled."""
    found = [row for row in rows if row.open_pence and row.currency == currency]
    return sorted(found, key=lambda row: (-row.open_pence, row.rma, row.credit_note_codes))[:WORST]


def owners(tasks: Iterable[OwnerTask]) -> list[Work]:
    """Work by owner, the most exceptions first; money at risk by currency."""
    counts: Counter[str] = Counter()
    pence: dict[str, Counter[str]] = {}
    for task in tasks:
        counts[task.owner] += task.count
        pence.setdefault(task.owner, Counter()).update(task.pence)
    return [Work(owner, count, pence[owner]) for owner, count in counts.most_common()]


def main_cause(row: AuditRow) -> str:
    """The leg with the most money, in words; nothing for a row that has one side only."""
    if not (row.refund_pence and row.credited_pence):
        return ""
    leg = max(LEGS, key=lambda name: abs(row.legs[name]))
    return LEG_WORDS[leg] if row.legs[leg] else ""


def all_money(pence: Mapping[str, int], currencies: Iterable[str]) -> str:
    """Money currency by currency, in the order of the page."""
    return ", ".join(printed(amount, currency) for currency in currencies if (amount := pence.get(currency)))


def owner_word(name: str) -> str:
    """An owner's name as it is written to people."""
    return name.upper() if name == "cx" else name


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + "…"


WIDTH, LEFT, RIGHT, ROW = 860, 230, 130, 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the picture: pixels, and what it says. ``tone`` names its colour."""

    label: str
    value: str
    x: int
    width: int
    y: int
    tone: str


@dataclass(frozen=True, slots=True)
class WaterfallPicture:
    """All rows of the picture and its size; ``zero_x`` is where credited equals refunded."""

    bars: tuple[Bar, ...]
    height: int
    zero_x: int
    width: int = WIDTH
    left: int = LEFT


def waterfall(totals: Totals) -> WaterfallPicture:
    """Each step from where the one before it ended; the last row is the whole gap. Steps of nothing are left out."""
    steps = {name: pence for name, pence in totals.steps.items() if pence}
    ends = _running(steps)
    low, high = min(0, *ends, 0), max(0, *ends, 0)
    scale = _Scale(low, max(high - low, 1))
    bars, start = [], 0
    for row, (name, pence) in enumerate(steps.items()):
        bars.append(_bar(scale, STEP_WORDS[name], start, pence, row, totals.currency))
        start += pence
    whole = _bar(scale, "Gap: credited less refunded", 0, totals.gap_pence, len(bars), totals.currency, tone="whole")
    return WaterfallPicture((*bars, whole), (len(bars) + 1) * ROW + 10, scale.x(0))


def printed(pence: int, currency: str) -> str:
    """Money for a page, with the minus sign of print."""
    return format_money(pence, currency).replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True, slots=True)
class _Scale:
    low: int
    size: int

    def x(self, pence: int) -> int:
        """The pixel of an amount."""
        return LEFT + (pence - self.low) * (WIDTH - LEFT - RIGHT) // self.size


def _running(steps: Mapping[str, int]) -> list[int]:
    ends, total = [0], 0
    for pence in steps.values():
        total += pence
        ends.append(total)
    return ends


def _bar(scale: _Scale, label: str, start: int, pence: int, row: int, currency: str, *, tone: str = "") -> Bar:
    first, last = sorted((scale.x(start), scale.x(start + pence)))
    sign = "+" if pence > 0 else ""
    own = "more" if pence > 0 else "less"
    return Bar(
        label=label,
        value=f"{sign}{printed(pence, currency)}",
        x=first,
        width=max(last - first, 2),
        y=row * ROW + 6,
        tone=tone or own,
    )
