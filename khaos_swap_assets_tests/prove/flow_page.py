"""The month of ``docs/flow.md``, as the play that it names comes out now: ``python -m …prove.flow_page`` writes it.

Belongs here: the table of section 8. Stays out: the play (``plays``) and the return that the page follows.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets_tests.prove.plays import ROOT, faults_of, play

PAGE = ROOT / "docs" / "flow.md"
MONTH, CURRENCY = "2026-06", "GBP"
BEGIN, END = "| GBP | returns | refunded | credited |\n|---|---|---|---|\n", "\n\n"
WORDS = {
    "in step": ("matched", "within_tolerance"),
    "no Credit Note yet, each with its reason": ("credit_note_missing",),
    "on its way (waiting for inspection and the like)": ("in_flight",),
    "another value": ("value_gap",),
    "credited twice": ("duplicate",),
}


def table(figures: Mapping[str, Sequence[int]]) -> str:
    """The rows of the month, and below them what is apart in all; ``figures`` are those of ``outcome.months``."""
    told = {words: _sum([figures[one] for one in some if one in figures]) for words, some in WORDS.items()}
    total = _sum(list(figures.values()))
    rows = [_row(words, one) for words, one in told.items() if one[0]] + [_row("**all**", total, "**")]
    apart = format_money(abs(total[1] - total[2]), CURRENCY)
    return "\n".join(rows) + f"{END}{apart} apart, and nothing of it unexplained: "


def _sum(some: Sequence[Sequence[int]]) -> list[int]:
    return [sum(one[place] for one in some) for place in range(3)]


def _row(words: str, one: Sequence[int], mark: str = "") -> str:
    cells = (str(one[0]), *(format_money(pence, CURRENCY) for pence in one[1:]))
    return f"| {words} | {' | '.join(f'{mark}{cell}{mark}' for cell in cells)} |"


def with_table(page: str, made: str) -> str:
    """The page with this table in place of its own."""
    before, begin, rest = page.partition(BEGIN)
    *_, after = rest.partition("nothing of it unexplained: ")
    return f"{before}{begin}{made}{after}"


def flow_page() -> dict[str, Any]:
    """The month of the page that follows one return is as the play comes out."""
    faults, made = _played()
    page = PAGE.read_text(encoding="utf-8")
    if not faults and with_table(page, made) != page:
        faults = ["docs/flow.md is of another play: python -m khaos_swap_assets_tests.prove.flow_page writes it"]
    return {"holds": not faults, "faults": faults, "table": made}


def _played() -> tuple[list[str], str]:
    """What is wrong with the play, and the table that it makes."""
    played = play(returns=200, seed=1)
    return faults_of(played), table(played.result.get("months", {}).get(f"{MONTH} {CURRENCY}", {}))


def write() -> int:
    """Bring the page up to date; a play that is not what it must be leaves the page as it is."""
    faults, made = _played()
    if not faults:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    sys.stderr.write("".join(f"{line}\n" for line in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(write())
