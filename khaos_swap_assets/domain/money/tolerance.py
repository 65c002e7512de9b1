"""Which small residuals may be cleared by themselves, and when that must stop.

Belongs here: the tolerance governor: line, document, cap of a period, direction of all together. Stays out: how a
residual came about (``judging.waterfall``): it is for what every explanation leaves. Source: FINANCE_RULES U-20.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from khaos_swap_assets.domain.judging.waterfall import Leg, Waterfall
from khaos_swap_assets.domain.judging.waterfall_fields import LegName
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.sums import grouped

Refusal = Literal["systematic", "no_account", "no_evidence", "line", "document", "reason", "cap"]
SETTLED: tuple[LegName, ...] = ("tender", "exchange", "fx")
ROUNDING = "rounding"
_SMALL = frozenset({ROUNDING, "goods", "unexplained"})


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Pence that may be cleared: for each line, for a document, and in all for a period and currency.

    ``accounts``: the ledger account of each reason; a reason without one is never cleared. ``reason_pence``: the most
    of a document where a reason allows less. From ``least_for_direction`` residuals of a reason on, all of them having
    one sign is no coincidence. ``needs_evidence``: only a residual that a field proves to be rounding is cleared.
    """

    line_pence: int = 1
    document_pence: int = 5
    period_cap_pence: int = 2500
    least_for_direction: int = 20
    accounts: Mapping[str, str] = field(default_factory=lambda: {ROUNDING: "rounding differences"})
    reason_pence: Mapping[str, int] = field(default_factory=dict)
    needs_evidence: bool = False

    def no_wider_than(self, before: Tolerances) -> Tolerances:
        """The narrower of the two in every respect: no month that is over is closed by a tolerance raised since."""
        kept = {reason: account for reason, account in self.accounts.items() if reason in before.accounts}
        most = {**self.reason_pence, **before.reason_pence}
        limits = ("line_pence", "document_pence", "period_cap_pence", "least_for_direction")
        return Tolerances(
            **{name: min(getattr(self, name), getattr(before, name)) for name in limits},
            accounts=kept,
            reason_pence={reason: min(pence, self.reason_pence.get(reason, pence)) for reason, pence in most.items()},
            needs_evidence=self.needs_evidence or before.needs_evidence,
        )

    @property
    def words(self) -> str:
        """What may be accepted, for a person."""
        limits = {"line": self.line_pence, "return": self.document_pence, "month and currency": self.period_cap_pence}
        told = ", ".join(f"{format_money(pence, 'GBP')} a {what}" for what, pence in limits.items())
        return f"{told}, for {', '.join(self.accounts) or 'nothing'}{', where a field proves it' * self.needs_evidence}"

    def is_small(self, pence: int, lines: int) -> bool:
        """Whether a residual of that many lines is within both the line's and the document's tolerance."""
        return abs(pence) <= min(self.line_pence * max(lines, 1), self.document_pence)


@dataclass(frozen=True, slots=True, order=True)
class Residual:
    """What is left of a document's gap, of either sign; ``is_evident``: a field shows that it is what it says."""

    subject: str
    reason: str
    pence: int
    lines: int = 1
    currency: str = "GBP"
    is_evident: bool = True


@dataclass(frozen=True, slots=True, order=True)
class Systematic:
    """All residuals of a reason have one sign: one exception for all, and nothing of it is cleared."""

    reason: str
    currency: str
    count: int
    pence: int


@dataclass(frozen=True, slots=True)
class Governed:
    """What is cleared, to which account, what stays open by which rule, and what is systematic; each sorted."""

    cleared: tuple[tuple[Residual, str], ...]
    refused: tuple[tuple[Residual, Refusal], ...]
    systematic: tuple[Systematic, ...]


def residual_pence(waterfall: Waterfall) -> int:
    """What of a gap is not as it should be: gift cards, exchanges, rates of currencies and what a policy says are."""
    return sum(leg.pence for leg in waterfall.legs if not is_settled(leg))


def is_settled(leg: Leg) -> bool:
    """Whether a leg is as it should be, so that nobody has to do anything about it."""
    return leg.name in SETTLED or leg.verdict == "policy"


def residual_of(subject: str, waterfall: Waterfall, lines: int, currency: str, tolerances: Tolerances) -> Residual:
    """The residual of one document: a small one is rounding, unless a field tells another cause."""
    names = [leg.name for leg in waterfall.legs if not is_settled(leg)]
    others, pence = [name for name in names if name not in _SMALL], residual_pence(waterfall)
    reason = others[0] if others else ROUNDING if tolerances.is_small(pence, lines) else (names or ["unexplained"])[0]
    return Residual(subject, reason, pence, max(lines, 1), currency=currency, is_evident=set(names) <= {reason})


def govern(residuals: Iterable[Residual], tolerances: Tolerances) -> Governed:
    """Clear what the tolerances allow in one period, the smallest first; zero is left out, and input has no order."""
    found = [residual for residual in residuals if residual.pence]
    systematic = tuple(sorted(_systematic(found, tolerances.least_for_direction)))
    stopped = {(one.reason, one.currency) for one in systematic}
    used: Counter[str] = Counter()
    cleared: list[tuple[Residual, str]] = []
    refused: list[tuple[Residual, Refusal]] = []
    for residual in sorted(found, key=lambda one: (abs(one.pence), one)):
        rule = _refusal(residual, tolerances, stopped, used[residual.currency])
        if rule:
            refused.append((residual, rule))
        else:
            cleared.append((residual, tolerances.accounts[residual.reason]))
            used[residual.currency] += abs(residual.pence)
    return Governed(tuple(sorted(cleared)), tuple(sorted(refused)), systematic)


def _refusal(
    residual: Residual, tolerances: Tolerances, stopped: set[tuple[str, str]], used_pence: int
) -> Refusal | None:
    size = abs(residual.pence)
    rules: dict[Refusal, bool] = {
        "systematic": (residual.reason, residual.currency) in stopped,
        "no_account": residual.reason not in tolerances.accounts,
        "no_evidence": tolerances.needs_evidence and not residual.is_evident,
        "line": size > tolerances.line_pence * residual.lines,
        "document": size > tolerances.document_pence,
        "reason": size > tolerances.reason_pence.get(residual.reason, size),
        "cap": used_pence + size > tolerances.period_cap_pence,
    }
    return next((rule for rule, holds in rules.items() if holds), None)


def _systematic(residuals: Iterable[Residual], least: int) -> Iterable[Systematic]:
    for (reason, currency), pence in grouped(((one.reason, one.currency), one.pence) for one in residuals).items():
        if len(pence) >= least and len({one > 0 for one in pence}) == 1:
            yield Systematic(reason, currency, len(pence), sum(pence))
