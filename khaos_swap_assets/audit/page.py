"""The report page: one file that needs nothing else, for a finance director.

Belongs here: what the page shows. Stays out: how it looks (``page.html``) and the figures (``summary``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from khaos_swap_assets.audit.chart import printed, waterfall
from khaos_swap_assets.audit.rows import Row
from khaos_swap_assets.audit.summary import Summary, Tally, Task, Totals
from khaos_swap_assets.audit.words import LEG_WORDS, STATUS_WORDS, STEP_WORDS
from khaos_swap_assets.domain.judging.waterfall import LEGS

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


def html(summary: Summary, rows: Sequence[Row]) -> str:
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


def worst(rows: Iterable[Row], currency: str) -> list[Row]:
    """The rows of a currency with the most money that is not reconciled."""
    found = [row for row in rows if row.open_pence and row.currency == currency]
    return sorted(found, key=lambda row: (-row.open_pence, row.rma, row.credit_note_codes))[:WORST]


def owners(tasks: Iterable[Task]) -> list[Work]:
    """Work by owner, the most exceptions first; money at risk by currency."""
    counts: Counter[str] = Counter()
    pence: dict[str, Counter[str]] = {}
    for task in tasks:
        counts[task.owner] += task.count
        pence.setdefault(task.owner, Counter()).update(task.pence)
    return [Work(owner, count, pence[owner]) for owner, count in counts.most_common()]


def main_cause(row: Row) -> str:
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
