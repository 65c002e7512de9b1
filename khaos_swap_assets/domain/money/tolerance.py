"""Which small residuals may be cleared by themselves, and when that must stop.

Belongs here: the tolerance governor: line, document, cap of a period, direction of all together. Stays out: how a
residual came about (``judging.waterfall``). A tolerance is for what is left after every explanation, never before.
Source: FINANCE_RULES U-20.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from khaos_swap_assets.domain.judging.waterfall import Leg, Waterfall
from khaos_swap_assets.domain.judging.waterfall_fields import LegName
from khaos_swap_assets.domain.money.amounts import format_money

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
        return Tolerances(
            min(self.line_pence, before.line_pence),
            min(self.document_pence, before.document_pence),
            min(self.period_cap_pence, before.period_cap_pence),
            min(self.least_for_direction, before.least_for_direction),
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
    """What is left of one document's gap (credited less refunded): its reason, lines, and pence of either sign.

    ``is_evident``: a field shows that it is what the reason says.
    """

    subject: str
    reason: str
    pence: int
    lines: int = 1
    currency: str = "GBP"
    is_evident: bool = True


@dataclass(frozen=True, slots=True, order=True)
class Refused:
    """A residual that stays open, and the rule that says so."""

    residual: Residual
    rule: Refusal


@dataclass(frozen=True, slots=True, order=True)
class Systematic:
    """All residuals of a reason have one sign: one exception for all, and nothing of it is cleared."""

    reason: str
    currency: str
    count: int
    pence: int


@dataclass(frozen=True, slots=True)
class Governed:
    """What is cleared, to which account, what stays open and why, and what is systematic; each sorted."""

    cleared: tuple[tuple[Residual, str], ...]
    refused: tuple[Refused, ...]
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
    return Residual(
        subject=subject,
        reason=reason,
        pence=pence,
        lines=max(lines, 1),
        currency=currency,
        is_evident=set(names) <= {reason},
    )


def govern(residuals: Iterable[Residual], tolerances: Tolerances) -> Governed:
    """Clear what the tolerances allow in one period; the order of the input does not matter.

    The smallest residuals are cleared first. A residual of zero needs no tolerance and is left out.
    """
    found = sorted(residual for residual in residuals if residual.pence)
    systematic = tuple(sorted(_systematic(found, tolerances.least_for_direction)))
    stopped = {(one.reason, one.currency) for one in systematic}
    used: Counter[str] = Counter()
    cleared: list[tuple[Residual, str]] = []
    refused: list[Refused] = []
    for residual in sorted(found, key=lambda one: (abs(one.pence), one)):
        rule = _refusal(residual, tolerances, stopped, used[residual.currency])
        if rule:
            refused.append(Refused(residual, rule))
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


def _systematic(residuals: Sequence[Residual], least: int) -> Iterable[Systematic]:
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for residual in residuals:
        groups[residual.reason, residual.currency].append(residual.pence)
    for (reason, currency), pence in groups.items():
        if len(pence) >= least and len({one > 0 for one in pence}) == 1:
            yield Systematic(reason, currency, len(pence), sum(pence))
