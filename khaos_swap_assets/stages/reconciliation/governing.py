"""The tolerances on live returns: which small differences finance accepts, month by month.

Belongs here: which residuals take part, and asking for the months that changed. Stays out: the rules
(``money.tolerance``) and what a return is then (``judging.conditions``). A month of which no residual changed is not
looked at. Source: FINANCE_RULES U-20.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, findings, monthly, residuals
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.facts import ReturnFacts, Tolerance
from khaos_swap_assets.domain.judging.value_conditions import SYSTEMATIC, small_residual, systematic_problem
from khaos_swap_assets.domain.money.periods import month_bounds
from khaos_swap_assets.domain.money.tolerance import Tolerances, govern


def tolerances_of(settings: Settings) -> Tolerances:
    """What the settings allow."""
    told = settings.tolerance
    reasons = [reason.split(":") for reason in told.reasons.split(",") if reason]
    return Tolerances(
        told.line_pence,
        told.document_pence,
        told.month_pence,
        told.least_for_direction,
        accounts={reason: account for reason, _, account in reasons},
        reason_pence={reason: int(pence) for reason, pence, _ in reasons},
        needs_evidence=told.needs_evidence,
    )


def in_force(conn: Conn, settings: Settings, period: str, now: datetime) -> Tolerances:
    """The tolerances of a month: those of the settings, once it is over never wider than when last added up."""
    told, before = tolerances_of(settings), monthly.tolerances(conn, period)
    is_over = before is not None and month_bounds(period)[1] <= now
    return told.no_wider_than(Tolerances(**before)) if before and is_over else told


def weigh(conn: Conn, settings: Settings, batch: Sequence[tuple[ReturnFacts, str]], now: datetime) -> list[str]:
    """Keep the residuals of a batch of (facts, month), and decide about every month in which one changed.

    Returns the ids of all returns about which the decision is another than before, also outside the batch.
    """
    tolerances = tolerances_of(settings)
    found = {facts.return_.return_id: (small_residual(facts, tolerances), period) for facts, period in batch}
    before = residuals.of_returns(conn, list(found))
    small = {key: (residual, period) for key, (residual, period) in found.items() if residual}
    moved = [key for key in found if before.get(key) != small.get(key)]
    if not moved:
        return []
    residuals.replace(conn, moved, [small[key] for key in moved if key in small])
    periods = sorted({known[key][1] for known in (before, small) for key in moved if key in known})
    return _decide(conn, periods, settings, now)


def _decide(conn: Conn, periods: Sequence[str], settings: Settings, now: datetime) -> list[str]:
    known = residuals.of_periods(conn, periods)
    changed: list[str] = []
    problems: list[Problem] = []
    for period in periods:
        tolerances = in_force(conn, settings, period, now)
        governed = govern([residual for residual, its in known.values() if its == period], tolerances)
        changed += residuals.decide(conn, governed)
        problems += [systematic_problem(one, period) for one in governed.systematic]
    findings.replace_of_months(conn, SYSTEMATIC, periods, problems, now)
    return changed


def with_tolerance(conn: Conn, some: Iterable[ReturnFacts]) -> list[ReturnFacts]:
    """The facts with what the tolerances made of each return."""
    batch = list(some)
    decided = residuals.decisions(conn, [facts.return_.return_id for facts in batch])
    return [replace(facts, tolerance=_tolerance(decided.get(facts.return_.return_id))) for facts in batch]


def _tolerance(decided: tuple[str, str] | None) -> Tolerance:
    if decided is None:
        return ""
    account, rule = decided
    return "accepted" if account else "systematic" if rule == "systematic" else ""
