"""How a month and its trouble look: markdown tables and pictures.

Belongs here: rendering of records that are already computed; every function gives text or bytes. Stays out: figures
(``reporting.month_end``) and where the result is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING

from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.money.amounts import format_money, from_pence
from khaos_swap_assets.domain.sums import grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from khaos_swap_assets.domain.reporting.month_end import MonthEnd, WorstRow

MOST_LEVEL_LABELS, MOST_LEVEL_MONTHS, FEWEST_PLACES = 8, 6, 4
_MINUS = re.compile(r"(?<!\w)-(?=[^\w\s]?\d)")
BLUE, RED, GREY = "#2f6f9f", "#b5473c", "#8a8f98"
CAUSE_COLOURS = (
    *("#2f6f9f", "#e08a2e", "#4c9a5b", "#b5473c", "#8466b0", "#8c6a54", "#d987b7", "#5fb7c4", "#b9b23f", "#27415c"),
    *("#f0b88a", "#8a8f98", "#a3cfa8", "#e39b95"),
)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A markdown table; bars and line breaks inside a cell are made harmless."""
    lines = [_row(header), _row(["---"] * len(header)), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def turned_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The same with a line for each heading, for few and wide rows: the page of an asset has room for few columns."""
    first, *others = zip(header, *rows, strict=True)
    return markdown_table([str(cell) for cell in first], others)


def unbroken(text: str) -> str:
    """The text with a hyphen for each minus before an amount at which no line can break."""
    return _MINUS.sub("\N{NON-BREAKING HYPHEN}", text)


def _row(cells: Sequence[object]) -> str:
    plain = (unbroken(" ".join(str(cell).split())).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(plain)} |"


def worst_rows(rows: Sequence[WorstRow]) -> list[dict[str, str]]:
    """The worst trouble in few words: which RMA or note, the money, whose turn, what is wrong, what to do first."""
    return [
        {
            "rma": row.subject.partition("/")[0],
            "at_risk": format_money(row.money_at_risk_pence, row.currency),
            "owner": row.owner,
            "what_to_do": f"{' '.join(row.message.split())}. {KINDS[row.kind].first_step}",
        }
        for row in rows
    ]


def summary_table(months: Sequence[MonthEnd]) -> str:
    """The month in one table, a column a currency: what was refunded, credited, issued, and what lies between."""
    if not months:
        return "No refund in this month.\n"
    rows: list[Sequence[object]] = [("Returns", *(month.returns for month in months))]
    for title, field in _SUMMARY.items():
        rows.append((title, *(format_money(getattr(month, field), month.currency) for month in months)))
    rows.append(("Open exceptions", *(month.open_exceptions for month in months)))
    return markdown_table(("", *(month.currency for month in months)), rows)


_SUMMARY = {
    "Refunded": "refund_pence",
    "of it net": "refund_net_pence",
    "of it VAT": "refund_vat_pence",
    "of it without a known rate of VAT": "refund_without_rate_pence",
    "Credited": "credited_pence",
    "Gap (credited less refunded)": "gap_pence",
    "of it in flight": "in_flight_pence",
    "of it within tolerance": "accepted_pence",
    "Credited, not issued": "not_issued_pence",
    "Issued (moved the ledger)": "issued_pence",
    "Unreconciled (issued less refunded)": "unreconciled_pence",
    "VAT credited too much": "vat_over_pence",
    "VAT credited too little": "vat_under_pence",
}


def draw_gap_by_cause(causes: Mapping[str, Mapping[str, int]]) -> bytes:
    """A picture (PNG) of pence by cause, a panel a currency; red: credited too little. What is zero is left out."""
    figure, panels = _panels(len(causes))
    for panel, (currency, pence) in zip(panels, causes.items(), strict=False):
        _rows(panel, {cause: amount for cause, amount in pence.items() if amount}, currency)
        panel.set_title(f"Gap by cause: {format_money(sum(pence.values()), currency)}")
    return _png(figure)


def draw_gap_by_month(rows: Sequence[tuple[str, str, Mapping[str, int]]]) -> bytes:
    """A picture (PNG) of gaps by month, a panel a currency: (month, currency, pence by cause) stacked up and down."""
    currencies = sorted({currency for _, currency, causes in rows if any(causes.values())})
    figure, panels = _panels(len(currencies))
    for panel, currency in zip(panels, currencies, strict=False):
        found = [(month, causes) for month, its, causes in rows if its == currency]
        causes = list(dict.fromkeys(cause for _, some in found for cause, pence in some.items() if pence))
        _stacks(panel, {cause: [some.get(cause, 0) for _, some in found] for cause in causes}, currency)
        panel.set_xticks(range(len(found)), [month for month, _ in found])
        panel.tick_params(axis="x", labelrotation=90 if len(found) > MOST_LEVEL_MONTHS else 0, labelsize="small")
        panel.set_title(f"Gap by cause and month, {currency}")
    return _png(figure)


def _stacks(panel: Axes, pence: Mapping[str, Sequence[int]], currency: str) -> None:
    """Stacked bars, each cause in its own colour, which the legend beside the panel names."""
    panel.set_prop_cycle(color=CAUSE_COLOURS)
    up = down = [0] * len(next(iter(pence.values())))
    for cause, values in pence.items():
        below = [high if value > 0 else low for value, high, low in zip(values, up, down, strict=True)]
        sizes = [[float(from_pence(amount, currency)) for amount in some] for some in (values, below)]
        panel.bar(range(len(values)), sizes[0], bottom=sizes[1], label=cause)
        up = [high + max(value, 0) for high, value in zip(up, values, strict=True)]
        down = [low + min(value, 0) for low, value in zip(down, values, strict=True)]
    panel.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    panel.set_xlim(-0.6, max(len(up), FEWEST_PLACES) - 0.4)
    panel.axhline(0, color=GREY, linewidth=0.8)
    panel.set_ylabel(currency)
    panel.spines[["top", "right"]].set_visible(False)


def draw_value_by_day(rows: Iterable[tuple[date, str, int]]) -> bytes:
    """A picture (PNG) of pence by day, one panel a currency: rows of (day, currency, pence), each pair once."""
    by_currency = grouped((currency, (day, pence)) for day, currency, pence in sorted(rows))
    figure, panels = _panels(len(by_currency))
    for panel, (currency, days) in zip(panels, sorted(by_currency.items()), strict=False):
        values = [pence for _, pence in days]
        _bars(panel, [f"{day:%d %b}" for day, _ in days], values, currency)
        panel.set_title(f"Credit Notes by day: {format_money(sum(values), currency)}")
        panel.tick_params(axis="x", labelrotation=90 if len(days) > MOST_LEVEL_LABELS else 0, labelsize="small")
    return _png(figure)


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    """A figure of that many panels; one that says so where there is nothing to show."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 3.6 * max(count, 1)), dpi=110, layout="constrained")
    panels = list(figure.subplots(max(count, 1), 1, squeeze=False)[:, 0])
    if not count:
        panels[0].set_title("Nothing to show")
    return figure, panels


def _rows(panel: Axes, pence: Mapping[str, int], currency: str) -> None:
    """Level bars from the top down, each with its name before it and its amount behind it."""
    places, values = range(len(pence)), list(pence.values())
    # Floats only as lengths in pixels; every figure that is written comes from whole pence.
    bars = panel.barh(places, [float(from_pence(value, currency)) for value in values], color=_colours(values))
    panel.set_yticks(places, list(pence))
    panel.invert_yaxis()
    panel.bar_label(bars, [format_money(value, currency) for value in values], padding=3)
    panel.use_sticky_edges = False
    panel.margins(x=0.24)
    panel.axvline(0, color=GREY, linewidth=0.8)
    panel.set_xlabel(currency)
    panel.spines[["top", "right"]].set_visible(False)


def _bars(panel: Axes, names: Sequence[str], pence: Sequence[int], currency: str) -> None:
    places = range(len(names))
    panel.bar(places, [float(from_pence(value, currency)) for value in pence], color=_colours(pence))
    panel.set_xticks(places, list(names))
    panel.axhline(0, color=GREY, linewidth=0.8)
    panel.set_ylabel(currency)
    panel.spines[["top", "right"]].set_visible(False)


def _colours(pence: Sequence[int]) -> list[str]:
    return [RED if value < 0 else BLUE for value in pence]


def _png(figure: Figure) -> bytes:
    target = BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()
