"""When the kinds of exception about goods hold for a return: the table ``GOODS_RULES``.

Belongs here: inspection, the way back to the shelf, and goods that the customer keeps. Stays out: what a kind means
(``domain.goods_kinds``). Source: DESIGN §4.6, contracts/swap.md §4, §8.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from khaos_swap_assets.domain.conditions import Case, Rule
from khaos_swap_assets.domain.exceptions import Problem
from khaos_swap_assets.domain.facts import ReturnFacts

UNWANTED_STATUSES = frozenset({"Cancelled", "Expired"})


def _inspection_overdue(case: Case) -> Iterator[Problem]:
    facts = case.facts
    open_lines = [line for line in facts.refund_lines if line.uninspected_quantity]
    is_due = facts.is_confirmed and not facts.is_before_start
    if is_due and open_lines and case.is_past(facts.return_.delivered_at, timedelta(days=case.limits.inspection_days)):
        said = ", ".join(f"{line.uninspected_quantity} x {line.sku}" for line in open_lines)
        pence = sum(line.value_of(line.uninspected_quantity) for line in open_lines)
        yield case.problem("inspection_overdue", f"Not inspected: {said}", pence)


def _stock_not_returned(case: Case) -> Iterator[Problem]:
    facts = case.facts
    if facts.return_.status in UNWANTED_STATUSES:
        return
    strange = [line for line in facts.lines if line.strange_quantity]
    missing = [line for line in facts.refund_lines if line.missing_quantity and facts.is_confirmed]
    said = [f"{line.missing_quantity} x {line.sku} missing" for line in missing]
    said += [f"{line.strange_quantity} x {line.sku} not what was sold" for line in strange]
    said += [f"{condition} reported for goods that fit no line" for condition in facts.strays]
    said += _failed_moves(facts, "sellable")
    if said:
        pence = sum(line.value_of(line.missing_quantity + line.strange_quantity) for line in {*missing, *strange})
        yield case.problem("stock_not_returned", "; ".join(said), pence)


def _damaged_in_saleable(case: Case) -> Iterator[Problem]:
    if said := _failed_moves(case.facts, "damaged"):
        damaged = sum(line.value_of(line.damaged_quantity) for line in case.facts.lines)
        yield case.problem("damaged_in_saleable", "; ".join(said), damaged)


def _failed_moves(facts: ReturnFacts, disposition: str) -> list[str]:
    failed = [move for move in facts.moves if move.disposition == disposition and move.state == "failed"]
    return [
        f"{move.quantity} x {move.stock_code} {disposition}: {move.evidence or 'the level says no'}" for move in failed
    ]


GOODS_RULES: dict[str, Rule] = {
    "inspection_overdue": _inspection_overdue,
    "stock_not_returned": _stock_not_returned,
    "damaged_in_saleable": _damaged_in_saleable,
}
