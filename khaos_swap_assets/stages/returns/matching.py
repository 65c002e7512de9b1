"""Matching the returns in line: each SKU to its Stock Code, each return to its order, each unit to where it went.

Belongs here: loading what the rules of ``domain`` need, in bulk, and keeping what they decide. Stays out: the rules.
A miss is a row with a reason and a suggestion and holds back only its own return. Source: DESIGN §4.3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import (
    Conn,
    catalogue,
    inspections,
    matches,
    orders,
    policies,
    returns,
    setbacks,
    worklist,
)
from khaos_swap_assets.adapters.swap import kept
from khaos_swap_assets.domain.documents.credit_notes import PACK_UNCLEAR
from khaos_swap_assets.domain.goods.dispositions import B_GRADE, WRITTEN_OFF, KeptWords, SettledUnits, keeping, settle
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.matches import MatchedLine, MatchedReturn
from khaos_swap_assets.domain.records.orders import WAITING, OrderMatch, SalesOrder, choose_order
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import Return, ReturnLine
from khaos_swap_assets.domain.records.sold_packs import SoldLine, candidates, chosen, is_one_price
from khaos_swap_assets.domain.records.stock_codes import SkuMatch, with_proof
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages import isolating, known
from khaos_swap_assets.stages.dossier import match_skus, policy_of
from khaos_swap_assets.stages.returns.caps import mark_over_returns
from khaos_swap_assets.stages.toolbox import Toolbox

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Matched:
    """What a run matched: returns, lines, lines with a Stock Code, and refund lines without one."""

    returns: int
    lines: int
    matched_lines: int
    problems: int


def match_waiting(tools: Toolbox) -> Matched:
    """Match every return in line, batch by batch, each batch in its own transaction; queues the drafts.

    A policy or a setting that was not in force before begins here: what it may change, and is not out, stands in line
    again.
    """
    with tools.store() as conn:
        worklist.queue(conn, "match", setbacks.due(conn, isolating.OF_RETURNS, tools.now()))
        rules = _rules(tools.settings)
        if policies.in_force(conn) != (tools.policy.version, rules):
            policies.put_in_force(conn, tools.policy, rules, tools.now())
            worklist.queue(conn, "match", policies.concerned(conn))
    total = Matched(0, 0, 0, 0)
    while True:
        with tools.store() as conn:
            ids = worklist.take(conn, "match", BATCH)
            if not ids:
                return total
            done, _ = isolating.one_by_one(conn, isolating.MATCHING, ids, partial(_match, conn, tools), tools.now())
            worklist.queue(conn, "draft", ids)
        total = Matched(*(sum(getattr(one, n) for one in (total, *done)) for n in Matched.__dataclass_fields__))


def _match(conn: Conn, tools: Toolbox, ids: Sequence[str]) -> list[Matched]:
    return [match_returns(conn, tools.settings, tools.policy, ids, tools.now())]


def _rules(settings: Settings) -> str:
    """The settings that say what a return's goods are."""
    swap, khaos = settings.swap, settings.khaos
    return json.dumps([swap.kept_statuses, swap.kept_tags, khaos.reason_kept, khaos.packs_returned_as])


def match_returns(
    conn: Conn, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str], now: datetime
) -> Matched:
    """Match these returns and keep the result."""
    loaded, namings = returns.load(conn, ids), settings.namings
    refs = {key: namings.refs(one) for key, one in loaded.items()}
    sold = orders.by_ref(conn, sorted({ref for some in refs.values() for ref in some}))
    skus = match_skus(conn, {line.sku for one in loaded.values() for line in one.lines})
    codes = {line.stock_code for some in sold.values() for order in some for line in order.lines}
    packs = catalogue.packs(conn, codes | {match.stock_code for match in skus.values() if match.stock_code})
    found = _match_orders(conn, settings, loaded, refs, skus, sold, packs)
    settled = _settle(conn, settings, policy, loaded)
    graded = _graded(conn, policy, loaded, skus, settled)
    proven = matches.proven_codes(conn, ids)
    heads = [_head(loaded[key], match, refs, settled[key], now) for key, (match, refs) in found.items()]
    lines = [
        replace(
            _line(
                line,
                with_proof(skus[line.sku], proven.get((key, line.product_id), "")),
                found[key][0].order,
                settled[key],
                packs,
                settings,
            ),
            **graded.get((key, line.product_id), {}),
        )
        for key, one in loaded.items()
        for line in one.lines
    ]
    matches.save(conn, heads, lines)
    touched = {order.so_code: order for match, _ in found.values() if (order := match.order)}
    of_return = grouped((line.return_id, line) for line in sorted(lines, key=lambda one: one.product_id))
    known = {key: (one, of_return.get(key, ())) for key, one in loaded.items()}
    mark_over_returns(conn, policy, touched, packs, known)
    return Matched(
        len(heads), len(lines), sum(1 for line in lines if line.stock_code), sum(1 for line in lines if line.problem)
    )


def _match_orders(
    conn: Conn,
    settings: Settings,
    loaded: Mapping[str, Return],
    refs: Mapping[str, Sequence[str]],
    skus: Mapping[str, SkuMatch],
    sold: Mapping[str, list[SalesOrder]],
    packs: Packs,
) -> dict[str, tuple[OrderMatch, str]]:
    states = orders.states(conn, sorted({ref for some in refs.values() for ref in some}))
    generic = [pattern for pattern in settings.generic_customers.split(",") if pattern.strip()]
    is_followed, found = known.are_statuses(conn, settings), {}
    for key, one in loaded.items():
        codes = {code for line in one.refund_lines if (code := skus[line.sku].stock_code)}
        is_answered = all(states.get(ref) in {"read", "not_found"} for ref in refs[key])
        some = [order for ref in refs[key] for order in sold.get(ref, ())]
        match = choose_order(
            one,
            refs[key],
            some,
            stock_codes=codes,
            is_answered=is_answered,
            is_followed=is_followed,
            generic_customers=generic,
            packs=packs,
        )
        if settings.namings.is_doubtful_of(one):
            match = OrderMatch(None, ("order_ambiguous",))
        found[key] = (match, refs[key][0] if refs[key] else "")
    return found


def _settle(
    conn: Conn, settings: Settings, policy: CreditNotePolicy, loaded: Mapping[str, Return]
) -> dict[str, SettledUnits]:
    spellings = KeptWords.of(settings.swap.kept_statuses, settings.swap.kept_tags)
    told = returns.parts(conn, list(loaded), kept.MEMBERS)
    by_rma = grouped((one.rma, one) for one in inspections.of_rmas(conn, [one.rma for one in loaded.values()]))
    return {
        key: settle(
            one.lines,
            by_rma.get(one.rma, []),
            one.quality_control_status,
            keeping(kept.read_told(told.get(key, {})), spellings),
            policy_of(one, policy).returned_goods.map,
        )
        for key, one in loaded.items()
    }


def _graded(
    conn: Conn,
    policy: CreditNotePolicy,
    loaded: Mapping[str, Return],
    skus: Mapping[str, SkuMatch],
    settled: Mapping[str, SettledUnits],
) -> dict[tuple[str, str], dict[str, Any]]:
    """Of lines with B-grade units: the Stock Code that they become, by the letter, or why it cannot be used."""
    named = {
        (key, line.product_id): (code, policy_of(one, policy).returned_goods.b_grade_code_of(code))
        for key, one in loaded.items()
        for line in one.lines
        if settled[key].dispositions[line.product_id].get(B_GRADE) and (code := skus[line.sku].stock_code)
    }
    wanted = sorted({graded for _, graded in named.values()})
    usable = {item.stock_code for item in catalogue.exact(conn, wanted) if not item.is_discontinued}
    return {
        key: {"b_grade_code": graded, "b_grade_problem": "" if graded in usable else _not_graded(code, graded)}
        for key, (code, graded) in named.items()
    }


def _not_graded(code: str, graded: str) -> str:
    if not graded:
        return f"the policy names no B-grade Stock Code of {code}"
    return f"{graded}, the B-grade of {code}, is no Stock Code of Khaos, or is discontinued"


def _head(one: Return, match: OrderMatch, ref: str, settled: SettledUnits, now: datetime) -> MatchedReturn:
    order = match.order
    problems = (WAITING,) if match.is_waiting else match.problems
    strange = tuple(
        f"{found.quantity} × {found.sku}: {found.condition}"
        for found in (*settled.strange, *settled.excess)
        if not found.product_id
    )
    return MatchedReturn(
        return_id=one.return_id,
        so_code=order.so_code if order else None,
        customer_code=order.customer_code if order else None,
        order_currency=order.currency if order else None,
        invoiced_on=order.invoiced_on if order else None,
        order_ref=ref,
        order_problems=problems,
        over_returned=(),
        strange_conditions=strange,
        matched_at=now,
        customer_is_generic="customer_unknown" in problems,
    )


def _line(
    line: ReturnLine,
    sku: SkuMatch,
    order: SalesOrder | None,
    settled: SettledUnits,
    packs: Packs,
    settings: Settings,
) -> MatchedLine:
    able = candidates(order, packs, sku.stock_code, line.line_item_id) if order and sku.stock_code else []
    told = chosen(able, line.quantity, line.cost_pence)
    own = [one.line for one in told]
    sku = _beside_packs(sku, told, packs, settings)
    units = settled.dispositions.get(line.product_id, {})
    strange = sum(found.quantity for found in settled.strange if found.product_id == line.product_id)
    return MatchedLine(
        return_id=line.return_id,
        product_id=line.product_id,
        sku=line.sku,
        quantity=line.quantity,
        cost_pence=line.cost_pence,
        outcome=line.outcome,
        stock_code=sku.stock_code,
        order_line_no=own[0].line_no if own else None,
        sold_quantity=sum(one.quantity for one in own) if own else None,
        sold_gross_pence=sum(one.gross_pence for one in own) if own else None,
        problem=sku.problem,
        suggestion=sku.suggestion,
        suggestion_rule=sku.suggestion_rule,
        suggestion_score=sku.suggestion_score or None,
        sellable_quantity=units.get("sellable", 0),
        damaged_quantity=units.get("damaged", 0),
        missing_quantity=units.get("missing", 0),
        strange_quantity=strange,
        kept_quantity=units.get("kept", 0),
        unclear_quantity=settled.unclear.get(line.product_id, 0),
        excess_quantity=sum(found.quantity for found in settled.excess if found.product_id == line.product_id),
        b_grade_quantity=units.get(B_GRADE, 0),
        written_off_quantity=units.get(WRITTEN_OFF, 0),
        disputed_quantity=settled.disputed.get(line.product_id, 0),
    )


def _beside_packs(sku: SkuMatch, told: Sequence[SoldLine], packs: Packs, settings: Settings) -> SkuMatch:
    """The match; its problem, with the candidates, where nobody can tell its sale or the shares of its components."""
    is_opened = settings.khaos.packs_returned_as == "components" and packs.is_unpriced(sku.stock_code or "")
    if not is_opened and (is_one_price(told) or not any(one.pack for one in told)):
        return sku
    words = "; ".join(one.words for one in told)
    return replace(sku, problem=sku.problem or PACK_UNCLEAR, suggestion=words, suggestion_rule="pack")
