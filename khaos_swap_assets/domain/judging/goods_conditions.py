"""When the kinds of exception about goods hold for a return: the table ``GOODS_RULES``.

Belongs here: inspection, the way back to the shelf, and goods that the customer keeps. Stays out: what a kind means
(``exceptions.catalogue``). Source: DESIGN §4.6, contracts/swap.md §4, §8.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.goods.adjustments import KIND, Adjustment, subject_of
from khaos_swap_assets.domain.goods.conditions import FoundUnits, disputed, is_timed_out
from khaos_swap_assets.domain.goods.dispositions import B_GRADE
from khaos_swap_assets.domain.judging.conditions import JudgedReturn, Rule
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID
from khaos_swap_assets.domain.sums import added, grouped

RESTOCKED = "storefront_restocked"
TWO_WORDS = "two sources of the warehouse name different conditions, so neither counts"
SAYS_MISSING = "; Swap's quality control says Missing, as it does by itself after 48 hours, and the warehouse does not"


def _inspection_overdue(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    open_lines = [line for line in facts.refund_lines if line.uninspected_quantity]
    is_due = not facts.is_before_start and "inspections" not in facts.unknown
    if is_due and open_lines and (why := _overdue(case)):
        said = ", ".join(f"{line.uninspected_quantity} x {line.sku}" for line in open_lines)
        said += SAYS_MISSING if is_timed_out(facts.return_.quality_control_status) else ""
        pence = sum(line.value_of(line.uninspected_quantity) for line in open_lines)
        yield case.problem("inspection_overdue", f"{why}: {said}", pence)


def _inspection_disputed(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    if facts.return_.status in ENDED_UNPAID or facts.is_before_start or "inspections" in facts.unknown:
        return
    found = FoundUnits(
        sellable=sum(line.sellable_quantity for line in facts.lines),
        damaged=sum(line.damaged_quantity for line in facts.lines),
        missing=sum(line.missing_quantity for line in facts.lines),
        strange=sum(line.strange_quantity for line in facts.lines),
        other=sum(line.b_grade_quantity + line.written_off_quantity for line in facts.lines),
        open=sum(line.uninspected_quantity for line in facts.lines),
    )
    said = [f"{line.disputed_quantity} x {line.sku}: {TWO_WORDS}" for line in facts.lines if line.disputed_quantity]
    if (facts.is_confirmed or not found.open) and (wrong := disputed(facts.return_.quality_control_status, found)):
        said.append(wrong)
    if said:
        yield case.problem("inspection_disputed", "; ".join(said), sum(line.cost_pence for line in facts.refund_lines))


def _overdue(case: JudgedReturn) -> str:
    """What lasts too long, or nothing: goods that arrived wait for the bench, refunded goods for their arrival."""
    return_, limits = case.facts.return_, case.limits
    if return_.status in ENDED_UNPAID:
        return ""
    if case.is_past(return_.delivered_at, timedelta(days=limits.inspection_days)):
        return "Not inspected"
    is_awaited = return_.delivered_at is None and case.facts.is_confirmed
    is_late = is_awaited and case.is_past(return_.refunded_at, timedelta(days=limits.arrival_days))
    return f"Not arrived {limits.arrival_days} days after the refund" if is_late else ""


def _stock_not_returned(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    if facts.return_.status in ENDED_UNPAID:
        return
    strange = [line for line in facts.lines if line.strange_quantity]
    over = [line for line in facts.lines if line.excess_quantity]
    back = [line for line in facts.lines if line.came_back_quantity]
    missing = [line for line in facts.refund_lines if line.missing_quantity and facts.is_confirmed]
    said = [f"{line.missing_quantity} x {line.sku} missing" for line in missing]
    said += [f"{line.strange_quantity} x {line.sku} not what was sold" for line in strange]
    said += [f"{line.excess_quantity} x {line.sku} more than the return says" for line in over]
    said += [f"{condition} reported for goods that fit no line" for condition in facts.strays]
    said += [f"{line.came_back_quantity} x {line.sku} came back, credited as kept" for line in back]
    said += _failed_moves(facts, "sellable")
    if said:
        pence = sum(line.value_of(line.missing_quantity + line.strange_quantity) for line in {*missing, *strange})
        pence += sum(line.value_of(line.came_back_quantity) for line in back)
        yield case.problem("stock_not_returned", "; ".join(said), pence)


def _stock_adjustment_due(case: JudgedReturn) -> Iterator[Problem]:
    """One problem a Stock Code and disposition: a person makes the adjustment and needs all of it in one place."""
    found = grouped(((one.stock_code, one.disposition), one) for one in case.facts.adjustments)
    for (code, disposition), some in sorted(found.items()):
        if said := "; ".join(_wanted(some)):
            pence = sum(_value(case.facts, one) for one in some)
            name = disposition.replace("_", "-").capitalize()
            told = case.problem(KIND, f"{name}: {said}; {case.money(pence)}", pence)
            yield replace(told, subject=subject_of(told.rma, code, disposition), sku=code)
    yield from _not_graded(case)


def _not_graded(case: JudgedReturn) -> Iterator[Problem]:
    """B-grade units whose Stock Code cannot be used: no adjustment can be asked for."""
    lines = case.facts.lines if case.facts.return_.status not in ENDED_UNPAID else ()
    found = grouped((one.goods[0], one) for one in lines if one.b_grade_quantity and one.b_grade_problem)
    for code, some in sorted(found.items()):
        units = sum(line.b_grade_quantity for line in some)
        pence = sum(line.value_of(line.b_grade_quantity) for line in some)
        told = case.problem(KIND, f"B-grade: {units} x {code} go nowhere: {some[0].b_grade_problem}", pence)
        yield replace(told, subject=subject_of(told.rma, code, B_GRADE), sku=code)


def _wanted(some: Sequence[Adjustment]) -> Iterator[str]:
    """What a person is to do about units of one Stock Code; of those that are on their way, how it stands."""
    code, units = some[0].stock_code, sum(one.quantity for one in some if one.state == "asked")
    if units:
        do = f"add {units} x {code} to" if units > 0 else f"take {-units} x {code} off"
        yield f"{do} the level of site {some[0].site_id}"
    yield from (f"{one.quantity} x {code} {one.told}" for one in some if one.state == "sent")


def _value(facts: ReturnFacts, one: Adjustment) -> int:
    """What the units were refunded at, B-grade too; those of a component count as their pack did, each a share."""
    row = next((row for row in facts.lines if row.product_id == one.product_id), None)
    if row is None:
        return 0
    if one.stock_code == row.stock_code or one.disposition == B_GRADE:
        return row.value_of(min(abs(one.quantity), row.quantity))
    inside = sum(abs(other.quantity) for other in facts.adjustments if other.key[:2] == one.key[:2])
    units = row.dispositions.get(one.disposition, 0)
    return row.value_of(max(min(units, row.quantity), 1)) * abs(one.quantity) // max(inside, 1)


def _damaged_in_saleable(case: JudgedReturn) -> Iterator[Problem]:
    if said := _failed_moves(case.facts, "damaged"):
        damaged = sum(line.value_of(line.damaged_quantity) for line in case.facts.lines)
        yield case.problem("damaged_in_saleable", "; ".join(said), damaged)


def _failed_moves(facts: ReturnFacts, disposition: str) -> list[str]:
    failed = [move for move in facts.moves if move.disposition == disposition and move.state == "failed"]
    return [
        f"{move.quantity} x {move.stock_code} {disposition}: {move.evidence or 'the level says no'}" for move in failed
    ]


def _kept_unclear(case: JudgedReturn) -> Iterator[Problem]:
    lines = [line for line in case.facts.refund_lines if line.unclear_quantity]
    if lines and case.facts.is_confirmed and case.facts.is_worth_posting:
        said = ", ".join(f"{line.unclear_quantity} x {line.sku}" for line in lines)
        pence = sum(line.value_of(line.unclear_quantity) for line in lines)
        yield case.problem("kept_unclear", f"Kept by the customer, or on its way back: {said}", pence)


def _kept_without_reason(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    lines = [line for line in facts.refund_lines if line.kept_quantity]
    is_due = facts.is_confirmed and facts.is_worth_posting and facts.may_be_posted_later
    if lines and is_due and "kept_without_reason" in facts.holds:
        said = ", ".join(f"{line.kept_quantity} x {line.sku}" for line in lines)
        yield case.problem("kept_without_reason", f"Kept by the customer: {said}", facts.refund_pence)


def _storefront_restocked(case: JudgedReturn) -> Iterator[Problem]:
    """Units that the storefront took back into its own stock: sold twice, or sold before anybody looked at them."""
    money = case.facts.money
    refunds = (*money.refunds, *money.surplus) if money and money.is_counted and not case.facts.is_before_start else ()
    found = [(one.refund_id, line) for one in refunds for line in one.lines if line.is_restocked]
    sellable = _sellable_by_item(case.facts) if case.limits.is_shop_stocked else Counter[str]()
    said, pence = [], 0
    for refund_id, line in found:
        seen = min(sellable[line.line_item_id], line.quantity)
        sellable[line.line_item_id] -= seen
        if units := line.quantity - seen:
            where = f" at location {line.location_id}" if line.location_id else ""
            said.append(f"{units} x {line.sku or line.line_item_id}{where} with refund {refund_id}")
            pence += line.subtotal_pence * units // line.quantity
    if said:
        why = "which nobody found sellable" if case.limits.is_shop_stocked else "where Khaos puts the goods back too"
        yield case.problem(RESTOCKED, f"Restocked in the storefront, {why}: {', '.join(said)}", pence)


def _sellable_by_item(facts: ReturnFacts) -> Counter[str]:
    """Units that the bench found sellable, by order line."""
    items = {row.product_id: row.line_item_id for row in facts.return_.lines}
    return added((items.get(line.product_id, ""), line.sellable_quantity) for line in facts.lines)


GOODS_RULES: dict[str, Rule] = {
    "inspection_overdue": _inspection_overdue,
    "inspection_disputed": _inspection_disputed,
    "stock_not_returned": _stock_not_returned,
    KIND: _stock_adjustment_due,
    "damaged_in_saleable": _damaged_in_saleable,
    RESTOCKED: _storefront_restocked,
    "kept_unclear": _kept_unclear,
    "kept_without_reason": _kept_without_reason,
}
