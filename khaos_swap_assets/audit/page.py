"""The report page: one file that needs nothing else, for a finance director, with the waterfall as a picture in it.

Belongs here: what the page shows, and the geometry of its picture. Stays out: how it looks (``page.html``) and the
figures (``summary``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from khaos_swap_assets.audit.rows import LEG_WORDS, STATUS_WORDS, STEP_WORDS, AuditRow
from khaos_swap_assets.audit.summary import OwnerTask, Summary, Tally, Totals
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.money.amounts import format_money

WORST = 50
FIRST_TASKS = 5
LONGEST_CELL = 60
PARTIAL = ("Orders:", "Days:", "Currency:", "Status:")


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


def shares(totals: Totals) -> list[tuple[str, Tally]]:
    """What is not reconciled by status, the most money first; statuses without rows are left out."""
    found = [(status, tally) for status, tally in totals.open_by_status.items() if tally.count]
    return sorted(found, key=lambda share: -share[1].pence)


def worst(rows: Iterable[AuditRow], currency: str) -> list[AuditRow]:
    """The rows of a currency with the most money that is not reconciled."""
    found = [row for row in rows if row.open_pence and row.currency == currency]
    return sorted(found, key=lambda row: (-row.open_pence, row.rma, row.credit_note_codes))[:WORST]


def owners(tasks: Iterable[OwnerTask]) -> list[tuple[str, int, Mapping[str, int]]]:
    """Work by owner, the most exceptions first; money at risk by currency."""
    counts: Counter[str] = Counter()
    pence: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for task in tasks:
        counts[task.owner] += task.count
        pence[task.owner].update(task.pence)
    return [(owner, count, pence[owner]) for owner, count in counts.most_common()]


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
WHOLE = "Gap: credited less refunded"


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
    ends = list(accumulate(steps.values(), initial=0))
    low, size = min(ends), max(max(ends) - min(ends), 1)

    def x(pence: int) -> int:
        return LEFT + (pence - low) * (WIDTH - LEFT - RIGHT) // size

    rows = [(STEP_WORDS[name], start, steps[name], "") for name, start in zip(steps, ends, strict=False)]
    bars = []
    for row, (label, start, pence, tone) in enumerate([*rows, (WHOLE, 0, totals.gap_pence, "whole")]):
        first, last = sorted((x(start), x(start + pence)))
        value = ("+" if pence > 0 else "") + printed(pence, totals.currency)
        tone = tone or ("more" if pence > 0 else "less")
        bars.append(Bar(label, value, x=first, width=max(last - first, 2), y=row * ROW + 6, tone=tone))
    return WaterfallPicture(tuple(bars), len(bars) * ROW + 10, x(0))


def printed(pence: int, currency: str) -> str:
    """Money for a page, with the minus sign of print."""
    return format_money(pence, currency).replace("-", "\N{MINUS SIGN}")
